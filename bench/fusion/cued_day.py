"""One simulated day through fusion's mind, the alarm levels and the cueing as the service has them,
with cameras that report by how they are watched meanwhile. Only database and bus are left out.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from bench.fusion.cities import ReadCity
from contracts import (
    AlarmLevel,
    Box,
    Camera,
    CameraHealth,
    CameraId,
    CameraPose,
    CameraState,
    Decision,
    DecisionKind,
    Detection,
    Hazard,
    Incident,
    IncidentId,
    Report,
    ReportBody,
    ReportId,
    Sequence,
    Sighting,
    TrackId,
    WatchClosely,
    evidence_key,
)
from incidents.fusing.alarms import AlarmPolicy
from incidents.fusing.cueing import Cueing
from incidents.fusing.drafts import founded
from incidents.fusing.mind import Mind
from plumbing.settings import CitySettings, FusionSettings
from simulator.reports.city import CENTRE, HEIGHT_PX, WIDTH_PX, NumericCity
from simulator.reports.looking import (
    REPORT_TAKES_S,
    REPORTS_APART_S,
    Eyes,
    Looking,
    Sight,
    Told,
)
from simulator.reports.truth import START, at

LOOK_AGAIN = timedelta(minutes=5)
"""The service does so every minute; it changes no partition, and five times the cost buys
nothing here."""
REPORTS_A_TRACK = 3
BOX_PX = 80.0
DECIDE_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Way:
    """How cameras are watched."""

    name: str
    looking: Looking
    cued: bool = False
    all_hot: bool = False


@dataclass
class Seen:
    """What became of a day. Events by their numbers, times in seconds after the day's start."""

    first_call_s: dict[int, float] = field(default_factory=dict)
    confirmed_s: dict[int, float] = field(default_factory=dict)
    """When one alarming incident first held a caller and a camera's track of the event."""
    in_view: set[int] = field(default_factory=set)
    vain_alarms: int = 0
    """Incidents that alarmed though nothing had happened."""
    hot_s: float = 0.0
    hot_most: int = 0
    cues: int = 0
    refused: int = 0


@dataclass(order=True, slots=True)
class _Due:
    at_s: float
    number: int
    bodies: tuple[ReportBody, ...] = field(compare=False)
    track_id: str | None = field(compare=False, default=None)
    found_s: float = field(compare=False, default=0.0)


class Day:
    """Made for one run."""

    def __init__(
        self, city: NumericCity, read: ReadCity, seed: int, way: Way, fusion: FusionSettings
    ) -> None:
        self._way = way
        self._until_s = 3600 * city.assumptions.hours
        self._cameras = tuple(read.poses)
        self._truth = dict(read.truth)
        self._eyes = Eyes(city, seed, way.looking)
        self._mind = mind_of(read.poses, fusion)
        self._alarms = AlarmPolicy(fusion)
        self._cueing = Cueing(self._mind, fusion.hot_cameras, fusion.detection_probability)
        self._incidents: dict[IncidentId, Incident] = {}
        self._alarmed: set[IncidentId] = set()
        self._key_of: dict[ReportId, str] = {}
        self._queue: list[_Due] = []
        self._order = count()
        self._found_s: dict[str, float] = {}
        """When a track is found, as it looks by now; whatever waits by another time is void."""
        self._hot: dict[CameraId, tuple[float, float]] = {}
        """From when to when a camera is watched closely, the last time."""
        self._sights: dict[CameraId, list[Sight]] = {}
        self._seen = Seen()
        for sight in self._eyes.sights:
            self._sights.setdefault(sight.camera_id, []).append(sight)
            self._seen.in_view.add(sight.event.number)
        for _, bodies in read.lines:
            self._take(bodies)

    def _take(self, bodies: tuple[ReportBody, ...]) -> None:
        """Calls as they came; of the cameras, what would be reported of nothing in any case."""
        number = self._truth[evidence_key(bodies[0])]
        is_seen = isinstance(bodies[0], Detection)
        if is_seen and number is not None:
            return
        at_s = _seconds(bodies[0].received_at)
        self._push(at_s, bodies)
        if number is not None:
            self._seen.first_call_s[number] = min(
                at_s, self._seen.first_call_s.get(number, math.inf)
            )

    def run(self) -> Seen:
        """Play it."""
        for sight in self._eyes.sights:
            self._tell(sight, sight.seldom(self._way.looking))
        if self._way.all_hot:
            self._watch(self._cameras, 0.0, self._until_s)
        seq, looked_at = 0, START
        while self._queue:
            due = heapq.heappop(self._queue)
            if due.track_id is not None and self._found_s[due.track_id] != due.found_s:
                continue
            now = at(due.at_s)
            if now - looked_at >= LOOK_AGAIN:
                looked_at = now
                self._look_again(now)
            reports = []
            for body in due.bodies:
                seq += 1
                self._key_of[body.id] = evidence_key(body)
                reports.append(Report(seq=Sequence(seq), recorded_at=body.received_at, body=body))
            if self._way.cued:
                self._obey(self._cueing.for_reports(reports, now), due.at_s)
            told = [
                self._apply(decision, now)
                for outcome in self._mind.decide(reports, DECIDE_WITHIN_S)
                for decision in outcome.decisions
            ]
            if self._way.cued:
                self._obey(self._cueing.for_incidents(told, now), due.at_s)
        self._seen.refused = self._cueing.refused
        self._seen.vain_alarms = sum(map(self._is_vain, self._alarmed))
        return self._seen

    # --- cameras -------------------------------------------------------------------------------

    def _obey(self, cues: Iterable[WatchClosely], now_s: float) -> None:
        for cue in cues:
            self._seen.cues += 1
            self._watch(cue.camera_ids, now_s, _seconds(cue.until))

    def _watch(self, cameras: Iterable[CameraId], now_s: float, until_s: float) -> None:
        until_s = min(until_s, self._until_s)
        for camera_id in cameras:
            begun_s, before_s = self._hot.get(camera_id, (now_s, now_s))
            if before_s < now_s:
                begun_s = before_s = now_s
            if until_s <= before_s:
                continue
            self._hot[camera_id] = (begun_s, until_s)
            self._seen.hot_s += until_s - before_s
            for sight in self._sights.get(camera_id, ()):
                self._tell(sight, sight.closely(self._way.looking, begun_s, until_s))
            for number, told in enumerate(self._eyes.clutter(camera_id, before_s, until_s)):
                track_id = f"{camera_id}-c{before_s:.0f}-{number}"
                foot = self._eyes.foot_of_clutter(camera_id, told.at_s)
                self._report(camera_id, track_id, told, told.hazard, foot, None)
        hot = sum(until > now_s for _, until in self._hot.values())
        self._seen.hot_most = max(self._seen.hot_most, hot)

    def _tell(self, sight: Sight, told: Told | None) -> None:
        if told is None or told.at_s >= self._found_s.get(sight.track_id, self._until_s):
            return
        number = sight.event.number
        self._report(sight.camera_id, sight.track_id, told, sight.event.hazard, sight.foot, number)

    def _report(
        self,
        camera_id: CameraId,
        track_id: str,
        told: Told,
        hazard: Hazard,
        foot: tuple[float, float],
        truth: int | None,
    ) -> None:
        """A track whose evidence grows to what is told."""
        self._found_s[track_id] = told.at_s
        u, v = foot
        for number in range(REPORTS_A_TRACK):
            shot_s = told.at_s + REPORTS_APART_S * number
            share = (number + 1) / REPORTS_A_TRACK if told.llr > 0 else 1.0
            body = Detection(
                id=ReportId(f"{track_id}-{told.at_s:.2f}-{number}"),
                camera_id=camera_id,
                track_id=TrackId(track_id),
                sighting=Sighting(hazard.value),
                box=Box(u - BOX_PX / 2, v - BOX_PX, u + BOX_PX / 2, v),
                frame_width_px=WIDTH_PX,
                frame_height_px=HEIGHT_PX,
                score=1.0,
                llr=max(-20.0, min(20.0, told.llr * share)),
                captured_at=at(shot_s),
                received_at=at(shot_s + REPORT_TAKES_S),
                started_at=at(told.at_s),
                model_version="simulated",
            )
            self._truth[evidence_key(body)] = truth
            self._push(shot_s + REPORT_TAKES_S, (body,), track_id, told.at_s)

    def _push(
        self,
        at_s: float,
        bodies: tuple[ReportBody, ...],
        track_id: str | None = None,
        found_s: float = 0.0,
    ) -> None:
        heapq.heappush(self._queue, _Due(at_s, next(self._order), bodies, track_id, found_s))

    # --- the desk ------------------------------------------------------------------------------

    def _apply(self, decision: Decision, now: datetime) -> Incident:
        """Take a decision over, as the store would, and look what it says."""
        known = self._incidents.get(decision.incident_id) or founded(decision, now)
        if decision.kind is DecisionKind.MERGE and decision.other_id is not None:
            self._incidents.pop(decision.other_id, None)
        incident = replace(
            known,
            estimate=decision.estimate,
            level=self._alarms.level(decision.estimate, known.level),
            updated_at=now,
        )
        self._keep(incident, now)
        return incident

    def _look_again(self, now: datetime) -> None:
        for incident_id, estimate in self._mind.look_again(now).items():
            known = self._incidents.get(incident_id)
            if known is not None:
                level = self._alarms.level(estimate, known.level)
                self._keep(replace(known, estimate=estimate, level=level), now)

    def _keep(self, incident: Incident, now: datetime) -> None:
        self._incidents[incident.id] = incident
        self._alarms.note(incident, now)
        if incident.level is not AlarmLevel.ALARM:
            return
        self._alarmed.add(incident.id)
        keys = {self._key_of[report_id] for report_id in incident.estimate.report_ids}
        called = {self._truth[key] for key in keys if key.startswith("call:")}
        for number in called & {self._truth[key] for key in keys if key.startswith("track:")}:
            if number is not None:
                self._seen.confirmed_s.setdefault(number, _seconds(now))

    def _is_vain(self, incident_id: IncidentId) -> bool:
        incident = self._incidents.get(incident_id)
        return incident is not None and all(
            self._truth[self._key_of[report_id]] is None
            for report_id in incident.estimate.report_ids
        )


def mind_of(poses: Mapping[CameraId, CameraPose], fusion: FusionSettings) -> Mind:
    """The service's mind for a simulated city, all of whose cameras are live."""
    mind = Mind(CitySettings(lon=CENTRE.lon, lat=CENTRE.lat), fusion)
    cameras = [
        Camera(
            id=camera_id,
            name=camera_id,
            url=f"rtsp://camera.invalid/{camera_id}",
            position=pose.position,
            pose=pose,
        )
        for camera_id, pose in poses.items()
    ]
    live = [
        CameraHealth(camera_id=camera_id, state=CameraState.LIVE, since=START)
        for camera_id in poses
    ]
    mind.rebuild(None, cameras, live)
    return mind


def _seconds(when: datetime) -> float:
    return (when - START).total_seconds()
