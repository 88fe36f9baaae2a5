"""Reports in, decisions out: what is heard, whose it is, and what is thought of it then."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

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
from geo.fusion.evidence import Evidence
from geo.fusion.hearing import Hearing
from geo.fusion.parameters import FusionParameters
from geo.fusion.partition import Partition, Step, incident_id_of
from geo.fusion.standing import Standing
from geo.fusion.telling import Telling
from geo.fusion.unseen import Watch
from geo.projection import LocalProjection
from geo.ptz import PtzModel


class Fusion:
    """Reports in, decisions out. One instance a partition (real or exercise).

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
        self._hearing = Hearing(parameters, projection)
        self._partition = Partition(parameters, self._hearing)
        self._swept_s = -math.inf
        self._recorded_s = self._now_s = -math.inf
        self._telling = Telling(parameters, projection, self._hearing)
        for camera_id, pose in cameras.items():
            self.set_camera(camera_id, pose)

    def set_camera(self, camera_id: CameraId, pose: CameraPose | PtzModel | LonLat | None) -> None:
        """Add, replace or remove a camera; what it already reported keeps its place."""
        self._hearing.set_camera(camera_id, pose)

    def set_watch(self, watch: Watch | None) -> None:
        """Where cameras look; without it nothing is made of what they don't see."""
        self._telling.watch = watch

    def set_live(self, cameras: Mapping[CameraId, float]) -> None:
        """The cameras that are known to look, and what share of the time. What isn't seen tells
        of the place and the probability of an incident, never of whose reports are whose, so that a
        replay is exact without it.
        """
        self._telling.live = dict(cameras)

    def refresh(self, at_s: float) -> dict[IncidentId, Estimate]:
        """The open incidents of which time has told something since their last report, at a time
        in seconds since 1970: of which cameras could have seen something, or people called.
        """
        self._now_s = max(self._now_s, at_s)
        return {
            incident.id: self._estimate(incident)
            for incident in self._partition.register
            if not incident.ended and self._telling.has_news(incident, self._now_s)
        }

    def add(self, report: Report) -> list[Decision]:
        """Take one report in; nothing where it is known, has no place yet, or is of an ended
        incident.
        """
        heard = self._hearing.hear(report)
        # A decision speaks of its report's time, whatever was thought of since: replayed, it is the
        # same.
        self._recorded_s = max(self._recorded_s, report.recorded_at.timestamp())
        self._now_s = self._recorded_s
        if heard is None or heard.piece is None:
            return []
        renewed = self._partition.renew(heard)
        if heard.incident is not None:
            steps = self._partition.update(heard, report)
        else:
            steps = self._partition.place(heard, report)
        changed = {step.incident.id for step in steps}
        steps += [
            Step(DecisionKind.UPDATE, incident)
            for incident, before in renewed.items()
            if incident.id not in changed
            and self._partition.register.get(incident.id) is incident
            and self._telling.has_changed(incident, before)
        ]
        decisions = self._told(steps)
        self._sweep()
        return decisions

    def _told(self, steps: Iterable[Step]) -> list[Decision]:
        """The decisions of one report, each telling how its incident stands after all of them. One
        that told of a step between would leave behind what left an incident and came back.
        """
        ended: dict[IncidentId, Estimate] = {}
        told: list[Decision] = []
        for step in steps:
            incident = step.incident
            if incident.id not in ended:
                ended[incident.id] = self._estimate(incident)
            elif step.kind is DecisionKind.UPDATE:
                continue
            told.append(
                Decision(
                    kind=step.kind,
                    incident_id=incident.id,
                    estimate=ended[incident.id],
                    other_id=step.other_id,
                )
            )
        return told

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
        self._partition.restore(members, founders, touched)
        self._sweep()

    def note_human_action(self, incident_id: IncidentId, *, ended: bool) -> None:
        """A person acted on an incident: from now on it is theirs. ``ended`` may be taken back."""
        incident = self._partition.register.get(incident_id)
        if incident is None:
            return
        incident.touched = True
        incident.ended = ended
        self._partition.register.put(incident)

    def estimate(self, incident_id: IncidentId) -> Estimate | None:
        """What is thought of an incident now; None where it is not in memory."""
        incident = self._partition.register.get(incident_id)
        return None if incident is None else self._estimate(incident)

    def forget(self, since_s: float) -> None:
        """Drop what nothing has been heard of since a time, seconds since 1970."""
        self._partition.forget(since_s)
        self._hearing.forget(since_s)

    @property
    def incident_ids(self) -> tuple[IncidentId, ...]:
        """All incidents in memory, oldest first."""
        return tuple(incident.id for incident in self._partition.register)

    def _sweep(self) -> None:
        """Drop what is long past; now and then, so that it costs nothing a report."""
        keep_s = self._parameters.forget_after.total_seconds()
        if self._hearing.newest_s - self._swept_s < keep_s / 24:
            return
        self._swept_s = self._hearing.newest_s
        self.forget(self._hearing.newest_s - keep_s)

    def _estimate(self, incident: Standing) -> Estimate:
        return self._telling.estimate(incident, max(self._now_s, self._hearing.newest_s))
