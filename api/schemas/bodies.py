"""What requests may hold. Stricter than the nouns: unknown fields, blank characters that databases
choke on, and numbers in strings are refused here, with the field's name."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
)

from contracts import (
    Area,
    CameraPose,
    ContractError,
    Detection,
    Disc,
    FixMethod,
    FixShape,
    Hazard,
    HeadReport,
    IncidentAction,
    LonLat,
    OnvifHead,
    Outline,
    Polygon,
    PtzHead,
    RoadRegion,
    Sector,
)

DEFAULT_CONFIDENCE = 0.95
"""Where a position doesn't state one: what RFC 7459 says to assume."""
MAX_NOTE = 4_000
NEWS = timedelta(minutes=1)
"""Where a head points is of use for so long."""
MAX_RING_POSITIONS = 2_000
LARGEST_VERSION = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,80}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,2000}")


def _without_control(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("must not hold control characters")
    return text


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a time that a calendar has") from None


def _known_keys_only(kind: type) -> Callable[[Any], Any]:
    known = [field.name for field in dataclasses.fields(kind)]

    def check(value: Any) -> Any:
        for key in value if isinstance(value, dict) else ():
            if key not in known:
                raise ContractError(str(key)[:80], f"unknown field; known here: {', '.join(known)}")
        return value

    return check


Text = Annotated[str, AfterValidator(_without_control)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Version = Annotated[StrictInt, Field(ge=1, le=LARGEST_VERSION)]
Place = Annotated[LonLat, BeforeValidator(_known_keys_only(LonLat))]
Road = Annotated[RoadRegion, BeforeValidator(_known_keys_only(RoadRegion))]
Pose = Annotated[CameraPose, BeforeValidator(_known_keys_only(CameraPose))]


class Body(BaseModel):
    """The base of all request bodies."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SignIn(Body):
    """A name and a password."""

    username: Text = Field(min_length=1, max_length=80)
    password: str = Field(min_length=1, max_length=1_000, repr=False)


class CellSector(Body):
    """What one cell of a network covers, from its antenna outwards."""

    lon: Number = Field(description="The antenna's")
    lat: Number
    azimuth_deg: Number = Field(description="Of its middle, clockwise from true north")
    opening_deg: Number
    range_m: Number


class Location(Body):
    """Where a caller is: a point with a radius, an area, or a cell; and how sure the source is."""

    lon: Number | None = None
    lat: Number | None = None
    radius_m: Number | None = Field(None, description="Holds the caller with `confidence`")
    polygon: Annotated[Area, Field(discriminator="type")] | None = None
    sector: CellSector | None = None
    confidence: Number = Field(
        DEFAULT_CONFIDENCE, description="Probability, as the source states it; 0.01 to 0.9999"
    )

    def shape(self) -> FixShape:
        """The noun.

        Raises:
            ContractError: none or several forms, or a position that can't be.
        """
        if self.sector is not None:
            if self.polygon is not None or not self.lon is self.lat is self.radius_m is None:
                raise ContractError("sector", "give either sector, polygon, or lon, lat, radius_m")
            return _sector(self.sector)
        if self.polygon is not None:
            if not self.lon is self.lat is self.radius_m is None:
                raise ContractError("polygon", "give either polygon, or lon, lat and radius_m")
            polygon = self.polygon
            outlines = (
                (polygon.coordinates,) if isinstance(polygon, Polygon) else polygon.coordinates
            )
            if sum(len(ring) for rings in outlines for ring in rings) > MAX_RING_POSITIONS:
                raise ContractError("polygon", f"has more than {MAX_RING_POSITIONS} positions")
            return Outline(area=polygon)
        if self.lon is None or self.lat is None or self.radius_m is None:
            missing = next(name for name in ("lon", "lat", "radius_m") if not _has(self, name))
            why = "is missing; give lon, lat and radius_m, or polygon, or sector"
            raise ContractError(missing, why)
        return Disc(centre=LonLat(self.lon, self.lat), radius_m=self.radius_m)


def _sector(given: CellSector) -> Sector:
    try:
        return Sector(
            antenna=LonLat(given.lon, given.lat),
            azimuth_deg=given.azimuth_deg,
            opening_deg=given.opening_deg,
            range_m=given.range_m,
        )
    except ContractError as error:
        raise ContractError(f"sector.{error.field}", error.why) from error


def _has(location: Location, name: str) -> bool:
    return getattr(location, name) is not None


class TakenCall(Body):
    """A call as its taker has understood it by now."""

    hazard: Hazard | None = None
    note: Text = Field("", max_length=MAX_NOTE)


class Outlook(Body):
    """What a call may be about, before it is stored."""

    hazard: Hazard | None = None
    location: Location
    exercise: StrictBool = False


class NewCall(Body):
    """A call as it comes in."""

    hazard: Hazard | None = None
    note: Text = Field("", max_length=MAX_NOTE)
    location: Location | None = None
    method: FixMethod = FixMethod.UNKNOWN
    positioned_at: Moment | None = Field(None, description="Of the position; now where absent")
    caller_number: Text | None = Field(
        None,
        max_length=40,
        repr=False,
        description="Ties the call to positions that the caller's phone sends; only a salted hash "
        "of it is kept",
    )
    exercise: StrictBool = False


class CitizenReport(Body):
    """What a citizen reports by an app."""

    hazard: Hazard
    note: Text = Field("", max_length=MAX_NOTE)
    location: Location
    method: FixMethod = FixMethod.UNKNOWN
    positioned_at: Moment | None = Field(None, description="Of the position; now where absent")
    reporter: Text | None = Field(
        None,
        min_length=1,
        max_length=200,
        repr=False,
        description="Who reports, as the app knows them; only a salted hash of it is kept, so that "
        "one who reports a thing twice counts once",
    )
    exercise: StrictBool = False


class NewFix(Body):
    """One more position of a caller."""

    location: Location
    method: FixMethod = FixMethod.UNKNOWN
    positioned_at: Moment | None = Field(None, description="Now where absent")


class Action(Body):
    """What somebody does to an incident, and on which version of it that was decided."""

    action: IncidentAction
    version: Version
    reason: Text = Field("", max_length=MAX_NOTE)
    note: Text = Field("", max_length=MAX_NOTE)
    duplicate_of: Text | None = Field(None, min_length=1, max_length=80)


def _checked_headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise ValueError("names must be header names, values printable ASCII in one line")
    return headers


StreamUrl = Annotated[Text, Field(min_length=1, max_length=2_000)]
Secret = Annotated[Text, Field(max_length=500)]
StreamHeaders = Annotated[dict[str, str], Field(max_length=20), AfterValidator(_checked_headers)]


class Stream(Body):
    """How to open a stream. A field that is absent in a change keeps what is stored."""

    url: StreamUrl = Field(description="rtsp, rtsps, http or https; without user and password")
    username: Secret | None = None
    password: Secret | None = None
    headers: StreamHeaders = Field({}, description="Sent when the stream is opened (Referer ...)")
    any_certificate: StrictBool = Field(
        False, description="Over rtsps and https, take whatever certificate the camera shows"
    )


class ProbeStream(Stream):
    """A stream to open once."""

    timeout_s: Number = Field(10.0, ge=1, le=30)


class OnvifPositions(Body):
    """How a turning camera is asked where it points, twice a second."""

    port: int = Field(80, ge=1, le=65_535, strict=True, description="Of its ONVIF service")
    profile: Text = Field("", max_length=100, description="Media profile; empty: first that turns")
    pan_deg: tuple[Number, Number] = Field(
        (-180.0, 180.0), description="What its scale's ends mean, growing clockwise; least first"
    )
    tilt_deg: tuple[Number, Number] = Field(
        (-90.0, 90.0), description="The same, growing upwards from the level"
    )

    def noun(self) -> OnvifHead:
        """The noun.

        Raises:
            ContractError: the ends are none.
        """
        return OnvifHead(
            port=self.port, profile=self.profile, pan_deg=self.pan_deg, tilt_deg=self.tilt_deg
        )


class Zoom(Body):
    """The horizontal fields of view at both ends of a turning camera's zoom, by its data sheet."""

    wide_hfov_deg: Number = Field(ge=1, le=175)
    tele_hfov_deg: Number = Field(ge=1, le=175)
    onvif: OnvifPositions | None = Field(
        None,
        description="Ask the camera itself where it points; absent stays as it is, null: its video "
        "system tells, by `/head`",
    )

    def head(self, current: PtzHead | None) -> PtzHead:
        """The noun; what was learnt of the head stays where its zoom stays the same.

        Raises:
            ContractError: tele is wider than wide.
        """
        kept = None if current is None else current.onvif
        if "onvif" in self.model_fields_set:
            kept = None if self.onvif is None else self.onvif.noun()
        stated = PtzHead(
            wide_hfov_deg=self.wide_hfov_deg, tele_hfov_deg=self.tele_hfov_deg, onvif=kept
        )
        ends = (self.wide_hfov_deg, self.tele_hfov_deg)
        if current is not None and ends == (current.wide_hfov_deg, current.tele_hfov_deg):
            return dataclasses.replace(stated, learnt=current.learnt)
        return stated


class HeadNow(Body):
    """What a head says of itself; null or absent for what it doesn't tell."""

    pan_deg: Number | None = Field(None, description="Growing clockwise")
    tilt_deg: Number | None = Field(None, description="Growing upwards, 0 is level")
    zoom: Number | None = Field(None, description="From 0, wide, to 1, tele")
    at: Moment | None = Field(None, description="Now where absent")

    def report(self, now: datetime) -> HeadReport:
        """The noun.

        Raises:
            ContractError: figures that no head reports, or a time that isn't about now.
        """
        at = self.at or now
        if abs(at - now) > NEWS:
            raise ContractError(
                "at", "must lie within a minute of now; does that system's clock run right?"
            )
        return HeadReport(at=at, pan_deg=self.pan_deg, tilt_deg=self.tilt_deg, zoom=self.zoom)


class CameraFields(Stream):
    """A camera as an admin describes it."""

    name: Text = Field(min_length=1, max_length=200)
    position: Place
    pose: Pose | None = None
    head: Zoom | None = Field(None, description="Of a camera that turns")
    road_region: Road | None = Field(
        None, description="Where the road lies in the picture, in shares of its width and height"
    )
    group: Text = Field("", max_length=120)
    enabled: StrictBool = True
    exercise: StrictBool = False


class NewCamera(CameraFields):
    """A camera to register; its id is made where none is given."""

    id: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")


class ChangedCamera(CameraFields):
    """A registered camera with every field as it shall be."""

    version: Version | None = Field(None, description="Or as If-Match")
    id: str | None = Field(None, description="If given, the address's own")


def clean_detection(detection: Detection) -> None:
    """Refuse texts in a detection that the database can't hold, or that are far too long.

    Raises:
        ContractError: names the field.
    """
    for name in ("id", "camera_id", "track_id", "model_version", "picture_id"):
        text = getattr(detection, name) or ""
        if _CONTROL.search(text):
            raise ContractError(name, "must not hold control characters")
        if len(text) > 200:
            raise ContractError(name, f"must have at most 200 characters, got {len(text)}")
