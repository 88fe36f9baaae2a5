"""Who responds: agencies' units, and what they were asked to do about an incident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.errors import ContractError, require_text, require_utc
from contracts.ids import AgencyId, AssignmentId, UnitId
from contracts.places import LonLat


class UnitState(StrEnum):
    """Whether a unit can be sent."""

    AVAILABLE = "available"
    ASSIGNED = "assigned"
    """It has an assignment that isn't closed."""
    OFF_DUTY = "off_duty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """An engine, an ambulance, a patrol, wherever it last reported from."""

    id: UnitId
    agency_id: AgencyId
    name: str
    kind: str = ""
    """What dispatchers call its kind: ``engine``, ``ambulance``."""
    state: UnitState = UnitState.AVAILABLE
    position: LonLat | None = None
    positioned_at: datetime | None = None
    exercise: bool = False
    """Sent to exercises only."""
    version: int = 1

    def __post_init__(self) -> None:
        require_text("id", self.id, 80)
        require_text("agency_id", self.agency_id, 40)
        require_text("name", self.name, 200)
        if (self.position is None) != (self.positioned_at is None):
            raise ContractError("positioned_at", "belongs to a position, and a position to it")
        if self.positioned_at is not None:
            require_utc("positioned_at", self.positioned_at)


class AssignmentState(StrEnum):
    """How far an agency has come with what it was asked."""

    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    CLOSED = "closed"
    DECLINED = "declined"
    """The agency can't; somebody else must."""
    RECALLED = "recalled"
    """The centre took it back."""

    @property
    def is_open(self) -> bool:
        """Whether somebody is still at it."""
        return self not in _DONE


_DONE = frozenset({AssignmentState.CLOSED, AssignmentState.DECLINED, AssignmentState.RECALLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """An agency, or one of its units, sent to an incident; every step keeps its first time."""

    id: AssignmentId
    agency_id: AgencyId
    unit_id: UnitId | None
    unit_name: str
    state: AssignmentState
    by: str
    """Who sent it."""
    dispatched_at: datetime
    accepted_at: datetime | None = None
    en_route_at: datetime | None = None
    on_scene_at: datetime | None = None
    ended_at: datetime | None = None
    note: str = ""
    """What was said of the last step."""

    def __post_init__(self) -> None:
        require_utc("dispatched_at", self.dispatched_at)
