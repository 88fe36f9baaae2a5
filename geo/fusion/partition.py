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

import numpy as np

from contracts import (
    CameraId,
    CameraPose,
    Decision,
    DecisionKind,
    Estimate,
    IncidentId,
    LonLat,
    Report,
    ReportId,
)
from geo.fusion.estimates import estimate_of
from geo.fusion.evidence import Evidence
from geo.fusion.hearing import Heard, Hearing
from geo.fusion.neighbours import Neighbourhood
from geo.fusion.parameters import FusionParameters
from geo.fusion.partings import exchanges, partings
from geo.fusion.scoring import Score, repeats, sibling_bonus
from geo.fusion.unseen import Unseen, Watch, unseen_by
from geo.projection import LocalProjection
from geo.ptz import PtzModel

NAMESPACE = uuid.UUID("5a3de9cc-6f0e-5d0b-9f6e-0a5c2b1d7e41")
"""Of incident ids: an incident is named by the report that founded it."""

MERGE_GAIN = 0.5
"""Nats that a merge must gain: two incidents on the screen are a smaller fault than a lost one."""
LEAVE_GAIN = 0.2
"""Nats that a piece must gain by leaving its incident: no flicker on a tie."""
SAME_SPOT_GAIN = 5.0
"""What makes a repeat of a camera's track one event with it, whatever else speaks against."""
MOST_MOVES = 3
"""Parts that leave an incident at one report."""
SAME_SPOT_FROM = 0.001
NEWS_NATS = 0.1
"""By how much what isn't reported must change the log odds to be told."""
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
    counted: float = 0.0
    """What the number of calls said when it was last thought of, in nats."""


@dataclass(frozen=True, slots=True)
class _Move:
    """What is left of an incident; where a part of it goes (None for its own), and what that is
    then."""

    rest: Score
    target: _Incident | None
    joint: Score


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
        self._hearing = Hearing(parameters, projection)
        self._incidents: dict[IncidentId, _Incident] = {}
        self._near = Neighbourhood()
        self._swept_s = -math.inf
        self._now_s = -math.inf
        self._watch: Watch | None = None
        self._live: frozenset[CameraId] = frozenset()
        for camera_id, pose in cameras.items():
            self.set_camera(camera_id, pose)

    def set_camera(self, camera_id: CameraId, pose: CameraPose | PtzModel | LonLat | None) -> None:
        """Add, replace or remove a camera; what it already reported keeps its place."""
        self._hearing.set_camera(camera_id, pose)

    def set_watch(self, watch: Watch | None) -> None:
        """Where cameras look; without it nothing is made of what they don't see."""
        self._watch = watch

    def set_live(self, cameras: Iterable[CameraId]) -> None:
        """The cameras that are known to look. What isn't seen tells of the place and the
        probability of an incident, never of whose reports are whose, so that a replay is exact
        without it.
        """
        self._live = frozenset(cameras)

    def refresh(self, at_s: float) -> dict[IncidentId, Estimate]:
        """The open incidents of which time has told something since their last report, at a time
        in seconds since 1970: of which cameras could have seen something, or people called.
        """
        self._now_s = max(self._now_s, at_s)
        return {
            incident.id: self._estimate(incident)
            for incident in sorted(self._incidents.values(), key=lambda each: each.order)
            if not incident.ended and (self._is_watched(incident) or self._is_awaited(incident))
        }

    def _is_watched(self, incident: _Incident) -> bool:
        """Whether cameras that see nothing may have something new to say."""
        p = self._parameters
        earliest_s = self._now_s - p.found_within_s - (p.most_looks + 1) * p.look_s
        return incident.score.started_s > earliest_s and self._unseen(incident) is not None

    def _is_awaited(self, incident: _Incident) -> bool:
        """Whether calls that haven't come say something else than when it was last thought of."""
        score = incident.score
        if score.probability < SAME_SPOT_FROM:
            return False
        best = score.hazards.index(score.hazard_probabilities[0][0])
        return abs(score.call_count(self._now_s)[best] - incident.counted) > NEWS_NATS

    def add(self, report: Report) -> list[Decision]:
        """Take one report in; nothing where it is known, has no place yet, or is of an ended
        incident.
        """
        heard = self._hearing.hear(report)
        self._now_s = max(self._now_s, report.recorded_at.timestamp())
        if heard is None or heard.piece is None:
            return []
        if heard.incident is not None:
            changed = self._update(heard, report)
        else:
            changed = self._place_new(heard, report)
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
            heard = self._hearing.hear(report)
            if heard is not None and report.id in assignment:
                heard.incident = assignment[report.id]
        members: dict[IncidentId, list[Evidence]] = {}
        for heard in self._hearing:
            if heard.incident is not None and heard.piece is not None:
                members.setdefault(heard.incident, []).append(heard.piece)
        for incident_id, pieces in members.items():
            score = Score.of(pieces, self._parameters)
            order = founders.get(incident_id, score.pieces[0].order)
            exercise = self._hearing.of(pieces[0]).is_exercise
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

    def _place_new(self, heard: Heard, report: Report) -> list[Decision]:
        alone = Score.of([heard.placed], self._parameters)
        home = self._best_home(alone, heard.is_exercise)
        if home is None:
            founded = self._found(alone, report, DecisionKind.FOUND, None)
            return [founded, *self._exchanged(self._incidents[founded.incident_id])]
        incident, joint = home
        self._take(incident, joint)
        return self._after_change(incident, report)

    def _update(self, heard: Heard, report: Report) -> list[Decision]:
        incident = self._incidents.get(heard.incident) if heard.incident is not None else None
        if incident is None or incident.ended:
            return []
        piece = heard.placed
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
                    return [left, self._found(alone, report, split, incident.id)]
                self._take(*home)
                return [left, *self._after_change(home[0], report)]
        self._settle(incident, whole)
        return self._after_change(incident, report)

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
        # Of what nobody is shown, a lamp's tracks may stay as many as they are.
        if max(one.probability, other.probability) > SAME_SPOT_FROM and repeats(one, other):
            return max(gain, SAME_SPOT_GAIN)
        return gain

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

    def _after_change(self, incident: _Incident, report: Report) -> list[Decision]:
        """The incident's update; its merge with a neighbour, or its falling apart, where that
        gains.
        """
        merges: list[tuple[IncidentId, IncidentId]] = []
        while not incident.touched:
            partner = self._partner(incident)
            if partner is None:
                break
            other, joint = partner
            keeper, gone = sorted((incident, other), key=lambda each: each.order)
            self._forget(gone.id)
            self._take(keeper, joint)
            merges.append((keeper.id, gone.id))
            incident = keeper
        moved = [] if incident.touched else self._moved_out(incident, report)
        moved += self._exchanged(incident)
        estimate = self._estimate(incident)
        if not merges:
            kind = DecisionKind.UPDATE
            return [Decision(kind=kind, incident_id=incident.id, estimate=estimate), *moved]
        merged = [
            Decision(kind=DecisionKind.MERGE, incident_id=keeper, estimate=estimate, other_id=gone)
            for keeper, gone in merges
        ]
        return [*merged, *moved]

    def _moved_out(self, incident: _Incident, report: Report) -> list[Decision]:
        """What leaves an incident after a change, because it is better placed elsewhere."""
        decisions: list[Decision] = []
        for _ in range(MOST_MOVES):
            move = self._best_move(incident)
            if move is None:
                break
            self._settle(incident, move.rest)
            if move.target is None:
                split = DecisionKind.SPLIT
                decisions.append(self._found(move.joint, report, split, incident.id))
                break
            self._take(move.target, move.joint)
            target = move.target
            decisions.append(
                Decision(
                    kind=DecisionKind.UPDATE,
                    incident_id=target.id,
                    estimate=self._estimate(target),
                )
            )
        return decisions

    def _best_move(self, incident: _Incident) -> _Move | None:
        """The part of an incident that gains most by leaving it, for another or for itself."""
        best: _Move | None = None
        best_gain = LEAVE_GAIN
        for leaving, rest in partings(incident.score):
            stays = self._union_gain(rest, leaving, incident.score)
            home = self._best_home(leaving, incident.exercise, besides=incident.id)
            moves = 0.0 if home is None else self._union_gain(home[0].score, leaving, home[1])
            if moves - stays > best_gain:
                best_gain = moves - stays
                best = _Move(rest, None, leaving) if home is None else _Move(rest, *home)
        return best

    def _exchanged(self, incident: _Incident) -> list[Decision]:
        """Exchange what one camera saw in this incident and in a neighbour, where that gains most;
        what the neighbour comes to, and this one.
        """
        best: tuple[_Incident, Score, Score] | None = None
        best_gain = LEAVE_GAIN
        for other in [] if incident.touched else self._candidates(incident.score, incident.id):
            if other.touched or other.exercise is not incident.exercise:
                continue
            apart = self._apart_gain(incident.score, other.score)
            for mine, theirs in exchanges(incident.score, other.score):
                gain = self._apart_gain(mine, theirs) - apart
                if gain > best_gain:
                    best, best_gain = (other, mine, theirs), gain
        if best is None:
            return []
        other, mine, theirs = best
        self._take(incident, mine)
        self._take(other, theirs)
        return [
            Decision(kind=DecisionKind.UPDATE, incident_id=each.id, estimate=self._estimate(each))
            for each in (other, incident)
        ]

    @staticmethod
    def _apart_gain(one: Score, other: Score) -> float:
        """What two sets add to the partition's score as two events."""
        if one.impossible or other.impossible:
            return -math.inf
        return one.gain + other.gain + sibling_bonus(one, other)

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
        score: Score,
        report: Report,
        kind: DecisionKind,
        origin: IncidentId | None,
    ) -> Decision:
        exercise = self._hearing.of(score.pieces[0]).is_exercise
        incident = _Incident(incident_id_of(report.id), report.seq, score, exercise)
        self._incidents[incident.id] = incident
        self._take(incident, score)
        return Decision(
            kind=kind,
            incident_id=incident.id,
            estimate=self._estimate(incident),
            other_id=origin,
        )

    def _take(self, incident: _Incident, score: Score) -> None:
        """Settle an incident whose set has gained pieces."""
        self._settle(incident, score)
        for piece in score.pieces:
            self._hearing.of(piece).incident = incident.id

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

    def _sweep(self) -> None:
        """Drop what is long past; now and then, so that it costs nothing a report."""
        keep_s = self._parameters.forget_after.total_seconds()
        if self._hearing.newest_s - self._swept_s < keep_s / 24:
            return
        self._swept_s = self._hearing.newest_s
        horizon_s = self._hearing.newest_s - keep_s
        for incident in list(self._incidents.values()):
            heard = [self._hearing.of(piece) for piece in incident.score.pieces]
            if all(each.last_s < horizon_s for each in heard):
                self._forget(incident.id)
                for each in heard:
                    each.incident = None
        self._hearing.forget(horizon_s)

    def _estimate(self, incident: _Incident) -> Estimate:
        score = incident.score
        best = score.hazards.index(score.hazard_probabilities[0][0])
        incident.counted = score.call_count(max(self._now_s, self._hearing.newest_s))[best]
        heard = [self._hearing.of(piece) for piece in incident.score.pieces]
        return estimate_of(
            incident.score,
            heard,
            self._projection,
            at_s=max(self._now_s, self._hearing.newest_s),
            exercise=incident.exercise,
            unseen=self._unseen(incident),
        )

    def _unseen(self, incident: _Incident) -> Unseen | None:
        if self._watch is None or not self._live:
            return None
        return unseen_by(incident.score, self._watch, self._live, self._now_s, self._parameters)


def _last_s(score: Score) -> float:
    return max(piece.ended_s for piece in score.pieces)
