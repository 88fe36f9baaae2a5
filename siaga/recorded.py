"""Recorded reports and the cameras that made some of them, as `siaga replay` reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

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
    Detection,
    Disc,
    FixMethod,
    FixShape,
    Hazard,
    LonLat,
    Outline,
    ReportBody,
    ReportId,
    Sighting,
    TrackId,
    from_plain,
)
from siaga.failures import Failure


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
