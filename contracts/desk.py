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
