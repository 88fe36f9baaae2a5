"""Simulated cities through the fusion as `siaga replay` runs it, by way of the files it reads."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bench.fusion import tracker
from bench.fusion.baselines import dbscan, dots_of, gate
from bench.fusion.causes import Causes, explain
from bench.fusion.scoring import Found, Tally, score
from contracts import CameraId, CameraPose, Report, ReportBody, Sequence, evidence_key
from geo.camera import PinholeCamera
from geo.fusion import FusionParameters
from geo.fusion.evidence import Evidence
from geo.fusion.hearing import Hearing
from geo.projection import LocalProjection
from siaga.commands.replay import Replay, run
from siaga.recorded import RecordedReport, read_cameras, read_reports
from simulator.reports import CityAssumptions, TrueEvent, make_city, read_truth, write_city

GATES: dict[str, tuple[float, float, int]] = {
    "gate 300 m 30 min": (300.0, 30.0, 1),
    "gate 500 m, two reports": (500.0, 30.0, 2),
}


@dataclass
class Results:
    """Tallies a method, over cities; the fusion's cost a report."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    causes: Causes | None = None
    """Of the fusion's faults, where they are asked for."""

    def of(self, method: str) -> Tally:
        """The method's tally."""
        return self.tallies.setdefault(method, Tally())


@dataclass(frozen=True)
class ReadCity:
    """A city as read back from its files."""

    poses: dict[CameraId, CameraPose]
    lines: list[RecordedReport]
    events: list[TrueEvent]
    truth: dict[str, int | None]
    """A source (`contracts.evidence_key`) to its event."""

    @property
    def bodies(self) -> list[ReportBody]:
        """All reports, in order."""
        return [body for _, bodies in self.lines for body in bodies]


def read_city(folder: Path) -> ReadCity:
    """Cameras, reports and truth of a folder that `simulator.reports.write_city` filled."""
    poses = read_cameras(folder / "CAMERAS.geojson")
    lines = read_reports(folder / "REPORTS.jsonl", poses)
    events, named = read_truth(folder / "TRUTH.json")
    truth = {evidence_key(body): named[str(name)] for name, bodies in lines for body in bodies}
    return ReadCity(poses, lines, events, truth)


def made_city(assumptions: CityAssumptions, seed: int) -> ReadCity:
    """A simulated city, written and read."""
    with tempfile.TemporaryDirectory() as folder:
        write_city(make_city(assumptions, seed), Path(folder))
        return read_city(Path(folder))


def measure(
    results: Results,
    city: ReadCity,
    projection: LocalProjection,
    parameters: FusionParameters,
    hours: float,
    *,
    baselines: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Replay:
    """One city through the fusion, and through the naive ways where asked for."""
    replay = run(parameters, city.poses, city.lines)
    results.seconds += replay.seconds
    first: dict[int, datetime] = {}
    for body in city.bodies:
        number = city.truth[evidence_key(body)]
        if number is not None:
            first.setdefault(number, body.received_at)
    methods = {"siaga": list(found_by(replay, city, projection))}
    if baselines:
        models = {n: PinholeCamera.from_pose(p, projection) for n, p in city.poses.items()}
        dots = dots_of(city.bodies, models, projection)
        methods |= {name: gate(dots, *limits) for name, limits in GATES.items()}
        methods["DBSCAN 300 m 30 min"] = dbscan(dots, 300.0, 30.0)
        if tracker.is_installed():
            methods[tracker.NAME] = tracker.tracked(pieces_of(city, projection, parameters))
    if results.causes is not None:
        pieces = pieces_of(city, projection, parameters)
        bodies = city.bodies
        explain(results.causes, methods["siaga"], pieces, bodies, city.truth, city.events)
    for name, found in methods.items():
        score(results.of(name), found, city.truth, city.events, hours, first)
    say(f"{len(city.lines)} reports, {len(city.events)} events")
    return replay


def pieces_of(
    city: ReadCity, projection: LocalProjection, parameters: FusionParameters
) -> dict[str, Evidence]:
    """What each source says after all its reports."""
    hearing = Hearing(parameters, projection)
    for camera_id, pose in city.poses.items():
        hearing.set_camera(camera_id, pose)
    for number, body in enumerate(city.bodies, start=1):
        hearing.hear(Report(seq=Sequence(number), recorded_at=body.received_at, body=body))
    return {heard.key: heard.placed for heard in hearing if heard.piece is not None}


def found_by(replay: Replay, city: ReadCity, projection: LocalProjection) -> Iterator[Found]:
    """The incidents that fusion found."""
    key_of = {body.id: evidence_key(body) for body in city.bodies}
    for incident_id, estimate in replay.estimates.items():
        yield Found(
            frozenset(key_of[report] for report in estimate.report_ids),
            estimate.probability,
            projection.point(estimate.location),
            replay.created_at[incident_id],
            projection.plane(estimate.region50.area),
            projection.plane(estimate.region90.area),
        )
