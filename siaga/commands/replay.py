"""`siaga replay`: recorded reports through the fusion, in their own time, without a database."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import typer
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from contracts import (
    Area,
    Box,
    CallerFix,
    CallId,
    CallReport,
    CameraId,
    CameraPose,
    ContractError,
    Decision,
    DecisionKind,
    Detection,
    Disc,
    Estimate,
    FixMethod,
    FixShape,
    Hazard,
    IncidentId,
    LonLat,
    Outline,
    Report,
    ReportBody,
    ReportId,
    Sequence,
    Sighting,
    TrackId,
    from_plain,
    to_plain,
)
from geo.fusion import Fusion, FusionParameters
from geo.projection import LocalProjection
from incidents.fusing.configured import load_areas, parameters_of, with_areas
from siaga.commands.options import ConfigOption, JsonOption, settings_from
from siaga.failures import Failure

LOOK_AGAIN = timedelta(hours=1)
"""Between two reckonings of what hasn't been reported meanwhile."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class _DiscLocation(_Line):
    lon: float
    lat: float
    radius_m: float = Field(ge=0)
    confidence: float = Field(ge=0.01, le=0.9999)


class _OutlineLocation(_Line):
    polygon: dict[str, Any]
    confidence: float = Field(ge=0.01, le=0.9999)


class _CallLine(_Line):
    kind: Literal["call"]
    id: str = Field(min_length=1, max_length=80)
    received_at: AwareDatetime
    hazard: Hazard | None = None
    location: _DiscLocation | _OutlineLocation

    def shape(self) -> FixShape:
        if isinstance(self.location, _DiscLocation):
            centre = LonLat(self.location.lon, self.location.lat)
            return Disc(centre=centre, radius_m=self.location.radius_m)
        return Outline(area=from_plain(Area, self.location.polygon))  # type: ignore[arg-type]


class _DetectionLine(_Line):
    kind: Literal["detection"]
    id: str = Field(min_length=1, max_length=120)
    camera_id: str
    track_id: str
    captured_at: AwareDatetime
    received_at: AwareDatetime
    hazard: Sighting
    box: tuple[float, float, float, float]
    llr: float = Field(ge=-100, le=100)


_LINE: TypeAdapter[_CallLine | _DetectionLine] = TypeAdapter(
    Annotated[_CallLine | _DetectionLine, Field(discriminator="kind")]
)


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
    lines = list(read_reports(reports, poses))
    parameters = with_areas(
        parameters_of(settings.fusion, settings.city.timezone),
        settings.fusion,
        load_areas(settings.city.areas),
        LocalProjection(_centre(poses, lines)),
    )
    found = run(parameters, poses, lines)
    names = {body.id: name for name, bodies in lines for body in bodies}
    answer = as_document(found, names)
    typer.echo(json.dumps(answer) if as_json else as_table(answer))


def run(
    parameters: FusionParameters,
    poses: Mapping[CameraId, CameraPose],
    lines: list[tuple[str, tuple[ReportBody, ...]]],
) -> Replay:
    """The reports through one fusion, in their order."""
    projection = LocalProjection(_centre(poses, lines))
    fusion = Fusion(parameters, projection, poses)
    found = Replay()
    sequence = 0
    looked_at = None
    for _, bodies in lines:
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


def as_document(found: Replay, names: Mapping[ReportId, str]) -> dict[str, Any]:
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


def read_cameras(path: Path) -> dict[CameraId, CameraPose]:
    """Cameras of a GeoJSON file of points.

    Raises:
        Failure: no FeatureCollection of points, or a property that is missing or out of bounds.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Failure(f"{path}: is no JSON: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("features"), list):
        raise Failure(f"{path}: must be a GeoJSON FeatureCollection")
    poses: dict[CameraId, CameraPose] = {}
    for number, feature in enumerate(document["features"]):
        where = f"{path}: features[{number}]"
        geometry = (feature.get("geometry") or {}) if isinstance(feature, dict) else {}
        values = dict(feature.get("properties") or {}) if isinstance(feature, dict) else {}
        if geometry.get("type") != "Point" or "id" not in values:
            raise Failure(f"{where}: must be a Point with the property id")
        camera_id = CameraId(str(values.pop("id")))
        lon, lat = (*geometry.get("coordinates", ()), None, None)[:2]
        values = {name: value for name, value in values.items() if value is not None}
        try:
            poses[camera_id] = from_plain(
                CameraPose, {**values, "position": {"lon": lon, "lat": lat}}
            )
        except ContractError as error:
            raise Failure(f"{where} ({camera_id}): {error}") from error
    return poses


def read_reports(
    path: Path, cameras: Mapping[CameraId, CameraPose]
) -> Iterator[tuple[str, tuple[ReportBody, ...]]]:
    """Each line's own id, and the reports that it stands for: a call brings its position along.

    Raises:
        Failure: names the line and what is wrong with it.
    """
    first_seen: dict[tuple[str, str], datetime] = {}
    positions: dict[str, int] = {}
    with path.open(encoding="utf-8") as lines:
        for number, text in enumerate(lines, start=1):
            if not text.strip():
                continue
            try:
                line = _LINE.validate_json(text)
                if isinstance(line, _CallLine):
                    number_of_fix = positions.get(line.id, 0)
                    positions[line.id] = number_of_fix + 1
                    call, fix = _call(line, number_of_fix)
                    # The same call again is a later position of its phone.
                    yield line.id, (fix,) if number_of_fix else (call, fix)
                    continue
                pose = cameras.get(CameraId(line.camera_id))
                if pose is None:
                    raise Failure(
                        f"{path}: line {number}: camera '{line.camera_id}' is not in the cameras"
                    )
                track = (line.camera_id, line.track_id)
                started = min(first_seen.get(track, line.captured_at), line.captured_at)
                first_seen[track] = started
                yield line.id, (_detection(line, pose, started),)
            except ValidationError as error:
                problem = error.errors(include_url=False)[0]
                where = ".".join(str(part) for part in problem["loc"][1:]) or "the line"
                raise Failure(f"{path}: line {number}: {where}: {problem['msg']}") from error
            except ContractError as error:
                raise Failure(f"{path}: line {number}: {error}") from error


def _call(line: _CallLine, number: int) -> tuple[CallReport, CallerFix]:
    at = line.received_at.astimezone(UTC)
    call_id = CallId(line.id)
    call = CallReport(
        id=ReportId(f"{line.id}/call"),
        call_id=call_id,
        hazard=line.hazard,
        note="",
        received_at=at,
    )
    fix = CallerFix(
        id=ReportId(f"{line.id}/fix{number or ''}"),
        call_id=call_id,
        shape=line.shape(),
        confidence=line.location.confidence,
        method=FixMethod.UNKNOWN,
        source="replay",
        positioned_at=at,
        received_at=at,
    )
    return call, fix


def _detection(line: _DetectionLine, pose: CameraPose, started_at: datetime) -> Detection:
    return Detection(
        id=ReportId(line.id),
        camera_id=CameraId(line.camera_id),
        track_id=TrackId(line.track_id),
        sighting=line.hazard,
        box=Box(*line.box),
        frame_width_px=pose.width_px,
        frame_height_px=pose.height_px,
        score=1.0,
        llr=line.llr,
        captured_at=line.captured_at.astimezone(UTC),
        received_at=line.received_at.astimezone(UTC),
        started_at=started_at.astimezone(UTC),
        model_version="replay",
    )


def _centre(
    poses: Mapping[CameraId, CameraPose], lines: list[tuple[str, tuple[ReportBody, ...]]]
) -> LonLat:
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
