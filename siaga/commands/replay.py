"""`siaga replay`: recorded reports through the fusion, in their own time, without a database."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from contracts import (
    CallerFix,
    CameraId,
    CameraPose,
    Decision,
    DecisionKind,
    Disc,
    Estimate,
    IncidentId,
    LonLat,
    Outline,
    Report,
    ReportId,
    Sequence,
    to_plain,
)
from geo.fusion import Fusion, FusionParameters
from geo.projection import LocalProjection
from incidents.fusing.configured import load_areas, parameters_of, with_areas
from siaga.commands.options import ConfigOption, JsonOption, settings_from
from siaga.commands.progress import followed
from siaga.recorded import Name, RecordedReport, read_cameras, read_reports

LOOK_AGAIN = timedelta(hours=1)
"""Between two reckonings of what hasn't been reported meanwhile."""


@dataclass
class Replay:
    """What the fusion made of the reports, decision by decision."""

    estimates: dict[IncidentId, Estimate] = field(default_factory=dict)
    created_at: dict[IncidentId, datetime] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def apply(self, decision: Decision, at: datetime) -> None:
        """Take one decision over, as the store would."""
        self.estimates[decision.incident_id] = decision.estimate
        self.created_at.setdefault(decision.incident_id, at)
        if decision.kind is DecisionKind.MERGE and decision.other_id is not None:
            del self.estimates[decision.other_id]


def replay(
    cameras: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, metavar="CAMERAS.geojson")
    ],
    reports: Annotated[Path, typer.Argument(exists=True, dir_okay=False, metavar="REPORTS.jsonl")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the fusion over recorded reports, in their own time."""
    settings = settings_from(config)
    poses = read_cameras(cameras)
    lines = read_reports(reports, poses, lambda words: typer.echo(words, err=True))
    parameters = with_areas(
        parameters_of(settings.fusion, settings.city.timezone),
        settings.fusion,
        load_areas(settings.city.areas),
        LocalProjection(_centre(poses, lines)),
    )
    found = run(parameters, poses, lines, lambda some: followed(some, "reports"))
    names = {body.id: name for name, bodies in lines for body in bodies}
    answer = as_document(found, names)
    typer.echo(json.dumps(answer) if as_json else as_table(answer))


def run(
    parameters: FusionParameters,
    poses: Mapping[CameraId, CameraPose],
    lines: list[RecordedReport],
    along: Callable[[list[RecordedReport]], Iterable[RecordedReport]] = iter,
) -> Replay:
    """The reports through one fusion, in their order; ``along`` hands them over one by one."""
    projection = LocalProjection(_centre(poses, lines))
    fusion = Fusion(parameters, projection, poses)
    found = Replay()
    sequence = 0
    looked_at = None
    for _, bodies in along(lines):
        at = bodies[0].received_at
        if looked_at is None or at - looked_at >= LOOK_AGAIN:
            looked_at = at
            found.estimates |= fusion.refresh(at.timestamp())
        started = time.perf_counter()
        for body in bodies:
            sequence += 1
            report = Report(seq=Sequence(sequence), recorded_at=body.received_at, body=body)
            for decision in fusion.add(report):
                found.apply(decision, body.received_at)
        found.seconds.append(time.perf_counter() - started)
    if lines:
        found.estimates |= fusion.refresh(lines[-1][1][-1].received_at.timestamp())
    return found


def as_document(found: Replay, names: Mapping[ReportId, Name]) -> dict[str, Any]:
    """The answer in the form that is promised; ``names`` gives each report's own id."""
    seconds = np.array(found.seconds) if found.seconds else np.zeros(1)
    return {
        "incidents": [
            {
                "id": incident_id,
                "hazard": estimate.hazard.value,
                "created_at": found.created_at[incident_id].isoformat().replace("+00:00", "Z"),
                "probability": estimate.probability,
                "location": {"lon": estimate.location.lon, "lat": estimate.location.lat},
                "region50": to_plain(estimate.region50.area),
                "region90": to_plain(estimate.region90.area),
                "reports": list(dict.fromkeys(names[report] for report in estimate.report_ids)),
            }
            for incident_id, estimate in found.estimates.items()
        ],
        "seconds": {
            "p50": float(np.percentile(seconds, 50)),
            "p95": float(np.percentile(seconds, 95)),
            "p99": float(np.percentile(seconds, 99)),
            "total": float(seconds.sum()),
        },
    }


def as_table(answer: Mapping[str, Any]) -> str:
    """The incidents for people, most probable first."""
    rows = [f"{'probability':<12}{'hazard':<10}{'created':<22}{'reports':<9}location"]
    for row in sorted(answer["incidents"], key=lambda row: -row["probability"]):
        place = row["location"]
        rows.append(
            f"{row['probability']:<12.4f}{row['hazard']:<10}{row['created_at'][:19]:<22}"
            f"{len(row['reports']):<9}{place['lon']:.6f}, {place['lat']:.6f}"
        )
    spent = answer["seconds"]
    rows.append(
        f"{len(answer['incidents'])} incidents; a report took p50 {1e3 * spent['p50']:.1f} ms, "
        f"p95 {1e3 * spent['p95']:.1f} ms, p99 {1e3 * spent['p99']:.1f} ms"
    )
    return "\n".join(rows)


def _centre(poses: Mapping[CameraId, CameraPose], lines: list[RecordedReport]) -> LonLat:
    """The middle camera, or the first caller where there are no cameras."""
    if poses:
        places = sorted((p.position for p in poses.values()), key=lambda p: (p.lon, p.lat))
        lats = sorted(place.lat for place in places)
        return LonLat(places[len(places) // 2].lon, lats[len(lats) // 2])
    for _, bodies in lines:
        for body in bodies:
            if isinstance(body, CallerFix) and isinstance(body.shape, Disc):
                return body.shape.centre
            if isinstance(body, CallerFix) and isinstance(body.shape, Outline):
                ring = np.array(body.shape.area.coordinates[0], dtype=object)
                lon, lat = np.ravel(ring)[:2]
                return LonLat(float(lon), float(lat))
    return LonLat(0.0, 0.0)
