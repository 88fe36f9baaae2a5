"""Recorded reports and the cameras that made some of them, as `siaga replay` reads them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    TypeAdapter,
    ValidationError,
)

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

Name = str | int
"""A report's id as its line has it; the answer gives it back so."""
RecordedReport = tuple[Name, tuple[ReportBody, ...]]
"""A line's own id, and the reports that it stands for."""

MOST_CONFIDENCE = 0.9999
"""What a source that is wholly sure is taken for: nobody is."""


def _utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies beyond what a calendar holds") from None


def _text(value: object) -> object:
    # Other people's registers count their cameras, and their trackers their tracks.
    return str(value) if type(value) is int else value


def _named(most: int) -> PlainValidator:
    def check(value: object) -> Name:
        if type(value) is int or (isinstance(value, str) and 1 <= len(value) <= most):
            return value
        raise ValueError(f"must be a text of 1 to {most} characters, or a whole number")

    return PlainValidator(check)


Utc = Annotated[AwareDatetime, AfterValidator(_utc)]
Counted = Annotated[str, BeforeValidator(_text), Field(min_length=1)]
Confidence = Annotated[
    float, Field(ge=0.01, le=1), AfterValidator(lambda value: min(value, MOST_CONFIDENCE))
]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class _DiscLocation(_Line):
    lon: float
    lat: float
    radius_m: float = Field(ge=0)
    confidence: Confidence

    def shape(self) -> FixShape:
        return Disc(centre=LonLat(self.lon, self.lat), radius_m=self.radius_m)


class _OutlineLocation(_Line):
    polygon: dict[str, Any]
    confidence: Confidence

    def shape(self) -> FixShape:
        return Outline(area=from_plain(Area, _without_heights(self.polygon)))  # type: ignore[arg-type]


def _without_heights(geometry: dict[str, Any]) -> dict[str, Any]:
    """GeoJSON's positions may have a third number."""

    def flat(part: Any) -> Any:
        if not isinstance(part, list):
            return part
        is_position = len(part) > 2 and all(isinstance(one, int | float) for one in part)
        return part[:2] if is_position else [flat(one) for one in part]

    return {key: flat(value) for key, value in geometry.items()}


def _form_of(location: object) -> str:
    return "outline" if isinstance(location, dict) and "polygon" in location else "disc"


_FORMS = ("disc", "outline")


class _CallLine(_Line):
    kind: Literal["call"]
    id: Annotated[Name, _named(80)]
    received_at: Utc
    hazard: Hazard | None = None
    location: Annotated[
        Annotated[_DiscLocation, Tag("disc")] | Annotated[_OutlineLocation, Tag("outline")],
        Discriminator(_form_of),
    ]


class _DetectionLine(_Line):
    kind: Literal["detection"]
    id: Annotated[Name, _named(120)]
    camera_id: Counted
    track_id: Counted
    captured_at: Utc
    received_at: Utc
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
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise Failure(f"{path}: is no JSON: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("features"), list):
        raise Failure(f"{path}: must be a GeoJSON FeatureCollection")
    poses: dict[CameraId, CameraPose] = {}
    for number, feature in enumerate(document["features"]):
        where = f"{path}: features[{number}]"
        parts = feature if isinstance(feature, dict) else {}
        geometry, properties = parts.get("geometry"), parts.get("properties")
        if (
            not isinstance(geometry, dict)
            or not isinstance(properties, dict)
            or geometry.get("type") != "Point"
            or not isinstance(geometry.get("coordinates"), list)
            or _text(properties.get("id")) in (None, "")
        ):
            raise Failure(f"{where}: must be a Point with the property id")
        camera_id = CameraId(str(properties["id"]))
        if camera_id in poses:
            raise Failure(f"{where}: another camera is called '{camera_id}' already")
        lon, lat = (*geometry["coordinates"], None, None)[:2]
        values = {k: v for k, v in properties.items() if k != "id" and v is not None}
        try:
            poses[camera_id] = from_plain(
                CameraPose, {**values, "position": {"lon": lon, "lat": lat}}
            )
        except ContractError as error:
            raise Failure(f"{where} ({camera_id}): {error}") from error
    return poses


def read_reports(
    path: Path,
    cameras: Mapping[CameraId, CameraPose],
    note: Callable[[str], None] = lambda _: None,
) -> list[RecordedReport]:
    """The reports of a file, in the order in which they were received: a call brings its position
    along, and the same call again is a later position of its phone.

    ``note`` is told in words what was amended.

    Raises:
        Failure: names the line and what is wrong with it.
    """
    numbered = _lines(path, cameras)
    times = [line.received_at for _, line in numbered]
    if times != sorted(times):
        note(f"{path}: the lines are not by received_at; taken in that order")
        numbered.sort(key=lambda one: one[1].received_at)
    reports: list[RecordedReport] = []
    first_seen: dict[tuple[str, str], datetime] = {}
    positions: dict[Name, int] = {}
    seen: dict[Name, int] = {}
    for number, line in numbered:
        try:
            if isinstance(line, _CallLine):
                number_of_fix = positions.get(line.id, 0)
                positions[line.id] = number_of_fix + 1
                call, fix = _call(line, number_of_fix)
                reports.append((line.id, (fix,) if number_of_fix else (call, fix)))
                continue
            if line.id in seen:
                note(f"{path}: line {number}: id '{line.id}' is line {seen[line.id]}'s; left out")
                continue
            seen[line.id] = number
            track = (line.camera_id, line.track_id)
            started = min(first_seen.get(track, line.captured_at), line.captured_at)
            first_seen[track] = started
            pose = cameras[CameraId(line.camera_id)]
            reports.append((line.id, (_detection(line, pose, started),)))
        except ContractError as error:
            raise Failure(f"{path}: line {number}: {error}") from error
    return reports


def _lines(
    path: Path, cameras: Mapping[CameraId, CameraPose]
) -> list[tuple[int, _CallLine | _DetectionLine]]:
    """The lines that aren't empty, with their numbers."""
    found: list[tuple[int, _CallLine | _DetectionLine]] = []
    number = 0
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, text in enumerate(lines, start=1):
                if not text.strip():
                    continue
                line = _LINE.validate_json(text)
                if isinstance(line, _DetectionLine) and CameraId(line.camera_id) not in cameras:
                    raise Failure(
                        f"{path}: line {number}: camera '{line.camera_id}' is not in the cameras"
                    )
                found.append((number, line))
    except UnicodeDecodeError as error:
        raise Failure(f"{path}: is no UTF-8 text: {error.reason}") from error
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        parts = [str(part) for part in problem["loc"][1:] if part not in _FORMS]
        where = ".".join(parts) or "the line"
        raise Failure(f"{path}: line {number}: {where}: {problem['msg']}") from error
    return found


def _call(line: _CallLine, number: int) -> tuple[CallReport, CallerFix]:
    at = line.received_at
    call_id = CallId(str(line.id))
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
        shape=line.location.shape(),
        confidence=line.location.confidence,
        method=FixMethod.UNKNOWN,
        source="replay",
        positioned_at=at,
        received_at=at,
    )
    return call, fix


def _detection(line: _DetectionLine, pose: CameraPose, started_at: datetime) -> Detection:
    return Detection(
        id=ReportId(str(line.id)),
        camera_id=CameraId(line.camera_id),
        track_id=TrackId(line.track_id),
        sighting=line.hazard,
        box=Box(*line.box),
        frame_width_px=pose.width_px,
        frame_height_px=pose.height_px,
        score=1.0,
        llr=line.llr,
        captured_at=line.captured_at,
        received_at=line.received_at,
        started_at=started_at,
        model_version="replay",
    )
