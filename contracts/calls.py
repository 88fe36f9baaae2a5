"""Calls to the emergency number, and where their callers are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from contracts.errors import require_between, require_text, require_utc
from contracts.evidence import Attachment
from contracts.hazards import Hazard
from contracts.ids import CallId, ReportId
from contracts.places import Area, LonLat


class FixMethod(StrEnum):
    """How a caller's position was found."""

    GNSS = "gnss"
    WIFI = "wifi"
    CELL = "cell"
    FUSED = "fused"
    MANUAL = "manual"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disc:
    """A point with the radius that holds the truth with the fix's confidence."""

    centre: LonLat
    radius_m: float
    type: Literal["disc"] = "disc"

    def __post_init__(self) -> None:
        require_between("radius_m", self.radius_m, 0, 100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sector:
    """A cell's sector: from the antenna outwards."""

    antenna: LonLat
    azimuth_deg: float
    opening_deg: float
    range_m: float
    type: Literal["sector"] = "sector"

    def __post_init__(self) -> None:
        require_between("azimuth_deg", self.azimuth_deg, -360, 360)
        require_between("opening_deg", self.opening_deg, 1, 360)
        require_between("range_m", self.range_m, 1, 200_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """An area that holds the truth with the fix's confidence."""

    area: Area
    type: Literal["outline"] = "outline"


FixShape = Disc | Sector | Outline


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerFix:
    """One position of one caller. Several a call are kept; none overwrites another."""

    id: ReportId
    call_id: CallId
    shape: FixShape
    confidence: float
    """Probability that the caller is inside the shape, as the source states it."""
    method: FixMethod
    source: str
    """Who told: ``aml``, ``pidf-lo``, ``console`` ..."""
    positioned_at: datetime
    received_at: datetime
    altitude_m: float | None = None
    raw: str | None = None
    """The message as it came, for later disputes; empty once retention has passed."""
    exercise: bool = False

    def __post_init__(self) -> None:
        require_text("id", self.id, 120)
        require_text("call_id", self.call_id, 80)
        require_between("confidence", self.confidence, 0.01, 0.9999)
        require_utc("positioned_at", self.positioned_at)
        require_utc("received_at", self.received_at)


class CallChannel(StrEnum):
    """How somebody reported: what comes so differs in how often it is about nothing."""

    PHONE = "phone"
    """To the emergency number, and spoken with a person."""
    APP = "app"
    """Typed into a citizens' app; nobody has asked back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """A call as the call taker entered it, or a citizen's report by an app; its positions are
    `CallerFix` reports of their own."""

    id: ReportId
    call_id: CallId
    hazard: Hazard | None
    note: str
    received_at: datetime
    channel: CallChannel = CallChannel.PHONE
    exercise: bool = False

    def __post_init__(self) -> None:
        require_text("id", self.id, 120)
        require_text("call_id", self.call_id, 80)
        require_utc("received_at", self.received_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call with everything known of it, as the console shows it."""

    id: CallId
    hazard: Hazard | None
    note: str
    received_at: datetime
    fixes: tuple[CallerFix, ...]
    channel: CallChannel = CallChannel.PHONE
    photos: tuple[Attachment, ...] = ()
    """What a citizen sent along."""
    exercise: bool = False
    version: int = 1
