"""What the desk keeps beside incidents: what is kept quiet for a while, and what shifts pass on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.errors import ContractError, require_text, require_utc
from contracts.hazards import Hazard
from contracts.ids import CameraId, HandoverId, IncidentId, ShelfId

LONGEST_TEXT = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A camera, a hazard, or a hazard at a camera that doesn't sound until a time (ISA-18.2).

    What is shelved is still watched, fused, and kept; it is told quietly.
    """

    id: ShelfId
    camera_id: CameraId | None
    hazard: Hazard | None
    reason: str
    actor: str
    since: datetime
    until: datetime
    ended_by: str = ""
    """Who ended it before its time."""
    exercise: bool = False

    def __post_init__(self) -> None:
        if self.camera_id is None and self.hazard is None:
            raise ContractError("camera_id", "say which camera or which hazard to shelve")
        require_text("reason", self.reason, LONGEST_TEXT)
        require_utc("since", self.since)
        require_utc("until", self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What one shift tells the next."""

    id: HandoverId
    at: datetime
    actor: str
    text: str
    incident_ids: tuple[IncidentId, ...] = ()
    """Those that it speaks of."""
    taken_by: str = ""
    """Who of the next shift has read it and takes over; empty while nobody has."""
    taken_at: datetime | None = None
    exercise: bool = False

    def __post_init__(self) -> None:
        require_text("text", self.text, LONGEST_TEXT)
        require_utc("at", self.at)
        if (self.taken_at is None) != (not self.taken_by):
            raise ContractError("taken_at", "belongs to who took it, and who took it to a time")
        if self.taken_at is not None:
            require_utc("taken_at", self.taken_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmGroup:
    """Alarms of one kind in one area."""

    hazard: Hazard
    place_name: str
    """Empty where the area has no name."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskLoad:
    """How many alarms the desk is given, and what is done about it (ISA-18.2)."""

    at: datetime
    alarms_last_ten_minutes: int
    alarms_last_hour: int
    budget_per_hour: float
    """Alarms an hour that the desk can look at."""
    odds_factor: float
    """What the odds that a camera's alarm needs are multiplied by: 1 within the budget."""
    odds_bound: float
    """The most that load may make of them."""
    flood_since: datetime | None
    """Since when there are more alarms than anybody can look at one by one; none where there
    aren't."""
    groups: tuple[AlarmGroup, ...]
    """In a flood, the alarms of the last hour by kind and area, the largest first."""
    chattering: tuple[AlarmGroup, ...]
    """Places that sounded again and again with nothing confirmed, which are shown quietly; with
    their alarms of the last half hour."""
    id: str = "alarms"
    """Of the desk's load, of which there is one."""

    def __post_init__(self) -> None:
        require_utc("at", self.at)
        if self.flood_since is not None:
            require_utc("flood_since", self.flood_since)
