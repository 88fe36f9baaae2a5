"""What requests may hold. Stricter than the nouns: unknown fields, blank characters that databases
choke on, and numbers in strings are refused here, with the field's name."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import UTC, datetime
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
    ContractError,
    Detection,
    Disc,
    FixMethod,
    FixShape,
    Hazard,
    IncidentAction,
    LonLat,
    Outline,
    Polygon,
    Sector,
)

DEFAULT_CONFIDENCE = 0.95
"""Where a position doesn't state one: what RFC 7459 says to assume."""
MAX_NOTE = 4_000
MAX_RING_POSITIONS = 2_000
LARGEST_VERSION = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _without_control(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("must not hold control characters")
    return text


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a time that a calendar has") from None


def known_keys_only(kind: type) -> Callable[[Any], Any]:
    """What refuses an object with fields that a noun doesn't have."""
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
Place = Annotated[LonLat, BeforeValidator(known_keys_only(LonLat))]


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


Secret = Annotated[Text, Field(max_length=500)]


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
