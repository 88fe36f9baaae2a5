"""The partition of evidence into incidents, report by report.

A report changes one piece of evidence. A new piece joins the incident where that raises the
partition's score most, or founds one; a changed piece stays, moves, or is split off; incidents that
a report shows to be one are merged. What a person has acted on is a fact: such an incident may gain
reports, but is never merged or split here, and one that a person ended takes nothing more.

The same reports in the same order give the same incidents, whatever the restarts between: nothing
here depends on a clock, on chance, or on the order of a set.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from contracts import (
    CallerFix,
    CallId,
    CallReport,
    CameraId,
    CameraPose,
    Decision,
    DecisionKind,
    Detection,
    Estimate,
    IncidentId,
    LonLat,
    Region,
    Report,
    ReportId,
    evidence_key,
)
from geo.camera import PinholeCamera
from geo.fusion.evidence import CallEvidence, Evidence, TrackEvidence, medoid
from geo.fusion.neighbours import Neighbourhood
from geo.fusion.parameters import FusionParameters
from geo.fusion.scoring import Score, repeats, sibling_bonus
from geo.ground import GroundFix, fix_of_detection
from geo.mixture import Mixture
from geo.projection import LocalProjection
from geo.regions import UNIT_CIRCLE, credible_areas
from geo.visibility import view_area_m2

NAMESPACE = uuid.UUID("5a3de9cc-6f0e-5d0b-9f6e-0a5c2b1d7e41")
"""Of incident ids: an incident is named by the report that founded it."""

UNPOSED_SIGMA_M = 80.0
UNPOSED_VIEW_KM2 = 0.02
"""A camera of which only the place is known shows what is around it."""

MERGE_GAIN = 0.5
"""Nats that a merge must gain: two incidents on the screen are a smaller fault than a lost one."""
LEAVE_GAIN = 1.0
"""Nats that a changed piece must gain by leaving its incident: no flicker on a tie."""
SAME_SPOT_GAIN = 5.0
"""What makes a repeat of a camera's track one event with it, whatever else speaks against."""
PACES = 40.0
"""Incidents whose last report is this many delay scales away are no candidates: under any hazard
their delay's density has fallen below a thousandth of its start."""


def incident_id_of(founding: ReportId) -> IncidentId:
    """The id of the incident that a report founds."""
    return IncidentId(f"inc-{uuid.uuid5(NAMESPACE, founding).hex}")


@dataclass(slots=True, eq=False)
class _Incident:
    id: IncidentId
    order: int
    score: Score
    exercise: bool
    touched: bool = False
    ended: bool = False


@dataclass(slots=True)
class _Heard:
    """What has been reported under one evidence key."""

    key: str
    order: int
    reports: list[ReportId]
    call: CallReport | None = None
    fixes: tuple[CallerFix, ...] = ()
    newest: Detection | None = None
    incident: IncidentId | None = None
    piece: Evidence | None = None
    last_s: float = 0.0


class Fusion:
    """Reports in, decisions out; see the module. One instance a partition (real or exercise).

    ``cameras`` give poses; a camera of which only the place is known (`LonLat`) sees "around it".
    A detection of a camera that isn't there has no place and is kept without a decision, as is a
    call before its first fix.
    """

    def __init__(
        self,
        parameters: FusionParameters,
        projection: LocalProjection,
        cameras: Mapping[CameraId, CameraPose | LonLat],
    ) -> None:
        self._parameters = parameters
        self._projection = projection
        self._cameras: dict[CameraId, tuple[PinholeCamera | Mixture, float]] = {}
        self._heard: dict[str, _Heard] = {}
        self._seen: set[ReportId] = set()
        self._incidents: dict[IncidentId, _Incident] = {}
        self._near = Neighbourhood()
        self._newest_s = -math.inf
        self._swept_s = -math.inf
        for camera_id, pose in cameras.items():
            self.set_camera(camera_id, pose)

    def set_camera(self, camera_id: CameraId, pose: CameraPose | LonLat | None) -> None:
        """Add, replace or remove a camera; what it already reported keeps its place."""
        if pose is None:
            self._cameras.pop(camera_id, None)
        elif isinstance(pose, LonLat):
            around = Mixture.single(self._projection.point(pose), UNPOSED_SIGMA_M**2 * np.eye(2))
            self._cameras[camera_id] = around, UNPOSED_VIEW_KM2
        else:
            model = PinholeCamera.from_pose(pose, self._projection)
            self._cameras[camera_id] = model, view_area_m2(model) / 1e6

    def add(self, report: Report) -> list[Decision]:
        """Take one report in; nothing where it is known, has no place yet, or is of an ended
        incident.
        """
        heard = self._hear(report)
        if heard is None or heard.piece is None:
            return []
        if heard.incident is not None:
            changed = self._update(heard, report.id)
        else:
            changed = self._place_new(heard, report.id)
        self._sweep()
        return changed

    def restore(
        self,
        reports: Iterable[Report],
        assignment: Mapping[ReportId, IncidentId],
        touched: Collection[IncidentId],
    ) -> None:
        """The state after these reports, without deciding anew.

        A key (a track, a call) belongs where the newest of its reports was assigned to.
        """
        founders: dict[IncidentId, int] = {}
        for report in sorted(reports, key=lambda report: report.seq):
            founders[incident_id_of(report.id)] = report.seq
            heard = self._hear(report)
            if heard is not None and report.id in assignment:
                heard.incident = assignment[report.id]
        members: dict[IncidentId, list[Evidence]] = {}
        for heard in self._heard.values():
            if heard.incident is not None and heard.piece is not None:
                members.setdefault(heard.incident, []).append(heard.piece)
        for incident_id, pieces in members.items():
            score = Score.of(pieces, self._parameters)
            order = founders.get(incident_id, score.pieces[0].order)
            exercise = self._is_exercise(pieces[0].key)
            self._incidents[incident_id] = _Incident(
                incident_id, order, score, exercise, touched=incident_id in touched
            )
            self._file(self._incidents[incident_id])
        self._sweep()

    def note_human_action(self, incident_id: IncidentId, *, ended: bool) -> None:
        """A person acted on an incident: from now on it is theirs. ``ended`` may be taken back."""
        incident = self._incidents.get(incident_id)
        if incident is None:
            return
        incident.touched = True
        incident.ended = ended
        self._file(incident)

    def estimate(self, incident_id: IncidentId) -> Estimate | None:
        """What is thought of an incident now; None where it is not in memory."""
        incident = self._incidents.get(incident_id)
        return None if incident is None else self._estimate(incident)

    @property
    def incident_ids(self) -> tuple[IncidentId, ...]:
        """All incidents in memory, oldest first."""
        return tuple(sorted(self._incidents, key=lambda i: self._incidents[i].order))

    def _hear(self, report: Report) -> _Heard | None:
        if report.id in self._seen:
            return None
        self._seen.add(report.id)
        body = report.body
        key = evidence_key(body)
        heard = self._heard.get(key)
        if heard is None:
            heard = self._heard[key] = _Heard(key, report.seq, [])
        heard.reports.append(report.id)
        heard.last_s = max(heard.last_s, report.recorded_at.timestamp())
        self._newest_s = max(self._newest_s, heard.last_s)
        if isinstance(body, CallReport):
            heard.call = body
        elif isinstance(body, CallerFix):
            heard.fixes = (*heard.fixes, body)
        elif heard.newest is None or body.captured_at >= heard.newest.captured_at:
            heard.newest = body
        heard.piece = self._piece(heard)
        return heard

    def _piece(self, heard: _Heard) -> Evidence | None:
        reports = tuple(heard.reports)
        if heard.newest is not None:
            camera = self._cameras.get(heard.newest.camera_id)
            if camera is None:
                return heard.piece
            model, view_km2 = camera
            fix: GroundFix | Mixture = (
                fix_of_detection(model, heard.newest) if isinstance(model, PinholeCamera) else model
            )
            return TrackEvidence(
                heard.key, heard.order, reports, heard.newest, fix, view_km2, self._parameters
            )
        if not heard.fixes:
            return None
        return CallEvidence(
            heard.key,
            heard.order,
            reports,
            heard.call,
            heard.fixes,
            self._projection,
            self._parameters,
        )

    def _place_new(self, heard: _Heard, report_id: ReportId) -> list[Decision]:
        alone = Score.of([_piece_of(heard)], self._parameters)
        home = self._best_home(alone, self._is_exercise(heard.key))
        if home is None:
            return [self._found(heard, alone, report_id, DecisionKind.FOUND, None)]
        incident, joint = home
        self._settle(incident, joint)
        heard.incident = incident.id
        return self._after_change(incident)

    def _update(self, heard: _Heard, report_id: ReportId) -> list[Decision]:
        incident = self._incidents.get(heard.incident) if heard.incident is not None else None
        if incident is None or incident.ended:
            return []
        piece = _piece_of(heard)
        others = [other for other in incident.score.pieces if other.key != heard.key]
        whole = Score.of([*others, piece], self._parameters)
        if others and not incident.touched:
            rest = Score.of(others, self._parameters)
            alone = Score.of([piece], self._parameters)
            home = self._best_home(alone, incident.exercise, besides=incident.id)
            stays = self._union_gain(rest, alone, whole)
            moves = self._union_gain(home[0].score, alone, home[1]) if home is not None else 0.0
            if moves > stays + LEAVE_GAIN:
                self._settle(incident, rest)
                left = Decision(
                    kind=DecisionKind.UPDATE,
                    incident_id=incident.id,
                    estimate=self._estimate(incident),
                )
                if home is None:
                    split = DecisionKind.SPLIT
                    return [left, self._found(heard, alone, report_id, split, incident.id)]
                self._settle(*home)
                heard.incident = home[0].id
                return [left, *self._after_change(home[0])]
        self._settle(incident, whole)
        return self._after_change(incident)

    def _best_home(
        self, alone: Score, exercise: bool, besides: IncidentId | None = None
    ) -> tuple[_Incident, Score] | None:
        """The incident that gains most by taking a set in, if any gains more than founding one."""
        best: tuple[_Incident, Score] | None = None
        best_gain = 0.0
        for incident in self._candidates(alone, besides):
            if incident.exercise is not exercise:
                continue
            joint = incident.score.joined(alone)
            gain = self._union_gain(incident.score, alone, joint)
            if gain > best_gain:
                best, best_gain = (incident, joint), gain
        return best

    def _union_gain(self, one: Score, other: Score, joint: Score) -> float:
        """What the partition's score gains where two sets are one event and not two."""
        if joint.impossible:
            return -math.inf
        gain = joint.gain - one.gain - other.gain - sibling_bonus(one, other)
        return max(gain, SAME_SPOT_GAIN) if repeats(one, other) else gain

    def _candidates(self, score: Score, besides: IncidentId | None) -> list[_Incident]:
        """Open incidents that reach the set's place and time, nearest first, bounded."""
        place = score.place
        x, y = place.mean.tolist()
        at_s = score.started_s
        found: list[tuple[float, int, _Incident]] = []
        for incident_id in self._near.near(x, y, place.reach_m):
            incident = self._incidents[incident_id]
            if incident_id == besides or incident.ended:
                continue
            other = incident.score
            pace_s = 86_400 * max(self._parameters.delay_days(h) for h in other.hazards)
            if not other.started_s - PACES * pace_s <= at_s <= _last_s(other) + PACES * pace_s:
                continue
            off = other.place.mean - place.mean
            spread = other.place.covariance + place.covariance
            if math.hypot(*off) > other.place.reach_m + place.reach_m:
                continue
            found.append((float(off @ np.linalg.solve(spread, off)), incident.order, incident))
        found.sort(key=lambda row: row[:2])
        return [row[2] for row in found[: self._parameters.most_candidates]]

    def _after_change(self, incident: _Incident) -> list[Decision]:
        """The incident's update, and its merge with a neighbour where that gains."""
        absorbed: list[tuple[_Incident, _Incident]] = []
        while not incident.touched:
            partner = self._partner(incident)
            if partner is None:
                break
            other, joint = partner
            keeper, gone = sorted((incident, other), key=lambda each: each.order)
            self._forget(gone.id)
            self._settle(keeper, joint)
            for piece in gone.score.pieces:
                self._heard[piece.key].incident = keeper.id
            absorbed.append((keeper, gone))
            incident = keeper
        estimate = self._estimate(incident)
        if not absorbed:
            kind = DecisionKind.UPDATE
            return [Decision(kind=kind, incident_id=incident.id, estimate=estimate)]
        return [
            Decision(
                kind=DecisionKind.MERGE,
                incident_id=keeper.id,
                estimate=estimate,
                other_id=gone.id,
            )
            for keeper, gone in absorbed
        ]

    def _partner(self, incident: _Incident) -> tuple[_Incident, Score] | None:
        best: tuple[_Incident, Score] | None = None
        best_gain = MERGE_GAIN
        for other in self._candidates(incident.score, incident.id):
            if other.touched or other.exercise is not incident.exercise:
                continue
            joint = incident.score.joined(other.score)
            gain = self._union_gain(incident.score, other.score, joint)
            if gain > best_gain:
                best, best_gain = (other, joint), gain
        return best

    def _found(
        self,
        heard: _Heard,
        score: Score,
        report_id: ReportId,
        kind: DecisionKind,
        origin: IncidentId | None,
    ) -> Decision:
        order = max(heard.order, 0)
        incident = _Incident(incident_id_of(report_id), order, score, self._is_exercise(heard.key))
        self._incidents[incident.id] = incident
        heard.incident = incident.id
        self._file(incident)
        return Decision(
            kind=kind,
            incident_id=incident.id,
            estimate=self._estimate(incident),
            other_id=origin,
        )

    def _settle(self, incident: _Incident, score: Score) -> None:
        incident.score = score.settled()
        self._file(incident)

    def _file(self, incident: _Incident) -> None:
        if incident.ended:
            self._near.drop(incident.id)
            return
        place = incident.score.place
        x, y = place.mean.tolist()
        self._near.put(incident.id, x, y, place.reach_m)

    def _forget(self, incident_id: IncidentId) -> None:
        self._near.drop(incident_id)
        del self._incidents[incident_id]

    def _is_exercise(self, key: str) -> bool:
        heard = self._heard[key]
        bodies = (heard.newest, heard.call, *heard.fixes)
        return any(body.exercise for body in bodies if body is not None)

    def _sweep(self) -> None:
        """Drop what is long past; now and then, so that it costs nothing a report."""
        keep_s = self._parameters.forget_after.total_seconds()
        if self._newest_s - self._swept_s < keep_s / 24:
            return
        self._swept_s = self._newest_s
        horizon_s = self._newest_s - keep_s
        for incident in list(self._incidents.values()):
            heard = [self._heard[piece.key] for piece in incident.score.pieces]
            if all(each.last_s < horizon_s for each in heard):
                self._forget(incident.id)
                for each in heard:
                    each.incident = None
        for key, each in list(self._heard.items()):
            if each.incident is None and each.last_s < horizon_s:
                self._seen.difference_update(each.reports)
                del self._heard[key]

    def _estimate(self, incident: _Incident) -> Estimate:
        score = incident.score
        place = score.place
        location = medoid(place)
        inner, outer = credible_areas(place, (0.5, 0.9))
        bodies = [self._heard[piece.key] for piece in score.pieces]
        return Estimate(
            hazard=score.hazard_probabilities[0][0],
            hazard_probabilities=score.hazard_probabilities,
            probability=score.probability,
            location=self._projection.place(*location),
            region50=self._region(inner, location, 0.5),
            region90=self._region(outer, location, 0.9),
            contributions=score.contributions(location),
            report_ids=tuple(report for heard in bodies for report in heard.reports),
            camera_ids=tuple(
                dict.fromkeys(p.camera_id for p in score.pieces if isinstance(p, TrackEvidence))
            ),
            call_ids=tuple(
                CallId(p.source_id) for p in score.pieces if isinstance(p, CallEvidence)
            ),
            started_at=datetime.fromtimestamp(score.started_s, UTC),
            last_report_at=datetime.fromtimestamp(max(each.last_s for each in bodies), UTC),
            exercise=incident.exercise,
        )

    def _region(
        self, plane: BaseGeometry, location: tuple[float, float], confidence: float
    ) -> Region:
        area = self._projection.area(plane)
        if area is None:
            # Smaller than a coordinate's rounding: the circle that a click has.
            area = self._projection.area(Polygon(np.add(UNIT_CIRCLE, location)))
        if area is None:
            raise ValueError(f"no region around {location}")
        return Region(area=area, confidence=confidence)


def _piece_of(heard: _Heard) -> Evidence:
    if heard.piece is None:
        raise ValueError(f"{heard.key} has no place")
    return heard.piece


def _last_s(score: Score) -> float:
    return max(piece.ended_s for piece in score.pieces)
