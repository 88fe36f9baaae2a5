"""`siaga demo --no-pictures --score`: a scenario through the fusion alone, in its own time.

Nothing is drawn, served or detected, so ten minutes take seconds. Calls are the scenario's; of what
cameras could see, each that looks there tells after a while, as an ideal detector would: with the
box that the camera model gives, and never about anything else. What the real detectors make of real
pixels is measured with pictures.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import typer

from contracts import (
    AlarmLevel,
    Box,
    CallerFix,
    CallId,
    CallReport,
    Decision,
    DecisionKind,
    Detection,
    Disc,
    Hazard,
    IncidentId,
    LonLat,
    Report,
    ReportBody,
    ReportId,
    Sequence,
    Sighting,
    TrackId,
)
from geo.camera import PinholeCamera
from geo.fusion import Fusion
from incidents.fusing.alarms import AlarmPolicy
from incidents.fusing.configured import parameters_of
from plumbing.settings import Settings
from simulator.callers import SimulatedCall, SimulatedFix
from simulator.city import City
from simulator.events import TrueEvent
from simulator.library import named
from simulator.score_document import as_document, as_table
from simulator.scoring import Reported, score

_SEEN_AFTER_S = {"fire": 18.0, "crash": 9.0, "flood": 35.0}
_HEIGHT_M = {"fire": 2.4, "crash": 1.5, "flood": 0.2}
_LLRS = (2.0, 3.5, 5.0)
"""Of one track's reports, one after the other."""
_BETWEEN_S = 4.0
_FOUND_SHARE = 0.85
"""Of what a camera could see, so much is seen."""
_NEAREST_M, _FARTHEST_M = 4.0, 110.0


def rehearse(
    settings: Settings, scenario: str, seed: int | None, *, as_json: bool
) -> dict[str, Any]:
    """Run one round, and print its score; that score.

    Raises:
        ScenarioError: there is no such scenario, or it can't be played.
    """
    plan = named(scenario)
    if seed is not None:
        plan = plan.model_copy(update={"seed": seed})
    document = rehearsed(settings, City.of(plan, LonLat(settings.city.lon, settings.city.lat)))
    typer.echo(json.dumps(document) if as_json else as_table(document))
    return document


def rehearsed(settings: Settings, city: City) -> dict[str, Any]:
    """One round's score, as a document."""
    scenario = city.scenario
    started_at = datetime(2026, 1, 1, tzinfo=UTC)
    poses = {s.camera.id: s.camera.pose for s in city.cameras if s.camera.pose is not None}
    fusion = Fusion(parameters_of(settings.fusion, settings.city.timezone), city.projection, poses)
    heard = _Heard(AlarmPolicy(settings.fusion))
    call_events: dict[str, str] = {}
    bodies = [*_calls(city, started_at, call_events), *_sightings(city, started_at)]
    bodies.sort(key=lambda body: (body.received_at, body.id))
    for number, body in enumerate(bodies, start=1):
        report = Report(seq=Sequence(number), recorded_at=body.received_at, body=body)
        for decision in fusion.add(report):
            heard.take(decision, body.received_at)
    found = score(
        scenario.name,
        scenario.seed,
        started_at,
        scenario.seconds,
        city.round_of_events(0),
        list(heard.incidents()),
        call_events,
        city.projection,
    )
    return as_document(found)


@dataclass
class _Heard:
    policy: AlarmPolicy
    latest: dict[IncidentId, Decision] = field(default_factory=dict)
    levels: dict[IncidentId, AlarmLevel] = field(default_factory=dict)
    shown_as: dict[IncidentId, dict[Hazard, datetime]] = field(default_factory=dict)
    alarmed_as: dict[IncidentId, dict[Hazard, datetime]] = field(default_factory=dict)
    absorbed: set[IncidentId] = field(default_factory=set)

    def take(self, decision: Decision, at: datetime) -> None:
        incident_id = decision.incident_id
        self.latest[incident_id] = decision
        before = self.levels.get(incident_id, AlarmLevel.SIGNAL)
        level = self.levels[incident_id] = self.policy.level(decision.estimate, before)
        hazard = decision.estimate.hazard
        if level is not AlarmLevel.SIGNAL:
            self.shown_as.setdefault(incident_id, {}).setdefault(hazard, at)
        if level is AlarmLevel.ALARM:
            self.alarmed_as.setdefault(incident_id, {}).setdefault(hazard, at)
        if decision.kind is DecisionKind.MERGE and decision.other_id is not None:
            self.absorbed.add(decision.other_id)

    def incidents(self) -> list[Reported]:
        return [
            Reported(
                id=incident_id,
                hazard=decision.estimate.hazard,
                probability=decision.estimate.probability,
                location=decision.estimate.location,
                region50=decision.estimate.region50.area,
                region90=decision.estimate.region90.area,
                shown_as=self.shown_as.get(incident_id, {}),
                alarmed_as=self.alarmed_as.get(incident_id, {}),
                call_ids=tuple(decision.estimate.call_ids),
                camera_ids=tuple(decision.estimate.camera_ids),
            )
            for incident_id, decision in self.latest.items()
            if incident_id not in self.absorbed
        ]


def _calls(city: City, started_at: datetime, call_events: dict[str, str]) -> list[ReportBody]:
    bodies: list[ReportBody] = []
    for number, call in enumerate(city.calls()):
        if call.after_s > city.scenario.seconds:
            break
        call_id = CallId(f"call-{number}")
        call_events[call_id] = call.event_id
        bodies += _call(call_id, call, started_at + timedelta(seconds=call.after_s))
    return bodies


def _call(call_id: CallId, call: SimulatedCall, at: datetime) -> list[ReportBody]:
    bodies: list[ReportBody] = [
        CallReport(
            id=ReportId(f"{call_id}/call"),
            call_id=call_id,
            hazard=call.hazard,
            note=call.note,
            received_at=at,
            exercise=True,
        )
    ]
    for number, fix in enumerate((call.fix, *call.later)):
        bodies.append(_fix(call_id, number, fix, at + timedelta(seconds=fix.after_s)))
    return bodies


def _fix(call_id: CallId, number: int, fix: SimulatedFix, at: datetime) -> CallerFix:
    return CallerFix(
        id=ReportId(f"{call_id}/fix-{number}"),
        call_id=call_id,
        shape=fix.sector or Disc(centre=fix.place, radius_m=fix.radius_m),
        confidence=fix.confidence,
        method=fix.method,
        source="simulator",
        positioned_at=at - timedelta(seconds=fix.age_s),
        received_at=at,
        exercise=True,
    )


def _sightings(city: City, started_at: datetime) -> list[ReportBody]:
    bodies: list[ReportBody] = []
    random = np.random.default_rng((city.seed, 5))
    for event in city.round_of_events(0):
        if event.hazard not in (Hazard.FIRE, Hazard.CRASH, Hazard.FLOOD) or not event.is_seen:
            continue
        for simulated in city.cameras:
            pose = simulated.camera.pose
            if pose is None or random.random() > _FOUND_SHARE:
                continue
            camera = PinholeCamera.from_pose(pose, city.projection)
            box = _box(camera, city, event, random)
            if box is None:
                continue
            seen_s = event.starts_s + _SEEN_AFTER_S[event.kind] * float(random.uniform(0.6, 1.6))
            for number, llr in enumerate(_LLRS):
                at = started_at + timedelta(seconds=seen_s + number * _BETWEEN_S)
                track = f"{simulated.path}/{event.id}"
                bodies.append(
                    Detection(
                        id=ReportId(f"{track}/{number}"),
                        camera_id=simulated.camera.id,
                        track_id=TrackId(track),
                        sighting=Sighting(event.kind),
                        box=box,
                        frame_width_px=pose.width_px,
                        frame_height_px=pose.height_px,
                        score=0.8,
                        llr=llr,
                        captured_at=at,
                        received_at=at,
                        started_at=started_at + timedelta(seconds=seen_s),
                        model_version="ideal",
                        exercise=True,
                    )
                )
    return bodies


def _box(
    camera: PinholeCamera, city: City, event: TrueEvent, random: np.random.Generator
) -> Box | None:
    """The event in a camera's picture; None where it doesn't show."""
    x, y = city.projection.point(event.at)
    away = float(np.hypot(x - camera.x, y - camera.y))
    pixels, visible = camera.project(np.array([(x, y, 0.0), (x, y, _HEIGHT_M[event.kind])]))
    if not visible.all() or not _NEAREST_M < away < _FARTHEST_M:
        return None
    half = min(event.extent_m, 6.0) * camera.f_px / away
    middle, foot = pixels[0] + random.normal(0, 2.0, 2)
    return Box(float(middle - half), float(pixels[1, 1]), float(middle + half), float(foot))
