"""Incidents: what fusion estimates, what people decide, and what they both look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.detections import Box
from contracts.errors import require_between, require_utc
from contracts.evidence import Attachment
from contracts.hazards import Hazard
from contracts.ids import AgencyId, CallId, CameraId, EvidenceId, IncidentId, ReportId
from contracts.places import Area, LonLat
from contracts.routing import Assignment


class IncidentState(StrEnum):
    """Where an incident is in its life. Acknowledging is not verifying."""

    DETECTED = "detected"
    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"
    DISPATCHED = "dispatched"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    CLOSED = "closed"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something about it."""
        return self not in _ENDED


_ENDED = frozenset(
    {IncidentState.CLOSED, IncidentState.REJECTED, IncidentState.DUPLICATE, IncidentState.CANCELLED}
)


class IncidentAction(StrEnum):
    """What a person or a dispatch system does to an incident."""

    ACKNOWLEDGE = "acknowledge"
    VERIFY = "verify"
    REJECT = "reject"
    MARK_DUPLICATE = "mark_duplicate"
    DISPATCH = "dispatch"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    CLOSE = "close"
    CANCEL = "cancel"
    REOPEN = "reopen"
    NOTE = "note"


class AlarmLevel(StrEnum):
    """How loudly an incident is told."""

    SIGNAL = "signal"
    """Kept, not shown in the queue."""
    CANDIDATE = "candidate"
    """Shown quietly."""
    ALARM = "alarm"
    """Sounded."""


class SourceKind(StrEnum):
    """Who contributes to an incident's probability."""

    CAMERA = "camera"
    CALLER = "caller"
    CAMERA_SEES_NOTHING = "camera_sees_nothing"
    CALL_COUNT = "call_count"
    """How many have called by now, of an event that should have brought some number."""
    PRIOR = "prior"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one source adds to an incident's log odds, in nats."""

    source: SourceKind
    source_id: str
    """A camera's or a call's id; empty for the prior and the calls' number."""
    log_odds: float
    sighting: str = ""
    distance_m: float | None = None
    """From the source's own position estimate to the incident's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """An area that holds the incident with a stated probability."""

    area: Area
    confidence: float

    def __post_init__(self) -> None:
        require_between("confidence", self.confidence, 0.01, 0.9999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What fusion thinks of one incident; nothing here was decided by a person."""

    hazard: Hazard
    hazard_probabilities: tuple[tuple[Hazard, float], ...]
    """Most probable first; they sum to 1."""
    probability: float
    """That the incident exists."""
    location: LonLat
    region50: Region
    region90: Region
    contributions: tuple[Contribution, ...]
    report_ids: tuple[ReportId, ...]
    camera_ids: tuple[CameraId, ...]
    call_ids: tuple[CallId, ...]
    started_at: datetime
    """The earliest time that a report speaks of."""
    last_report_at: datetime
    exercise: bool = False

    def __post_init__(self) -> None:
        require_between("probability", self.probability, 0, 1)
        require_utc("started_at", self.started_at)
        require_utc("last_report_at", self.last_report_at)


class DecisionKind(StrEnum):
    """What fusion does with a report."""

    FOUND = "found"
    UPDATE = "update"
    MERGE = "merge"
    SPLIT = "split"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One change of the partition of reports into incidents.

    ``other_id`` is the incident that was absorbed (MERGE) or that this one came from (SPLIT).
    """

    kind: DecisionKind
    incident_id: IncidentId
    estimate: Estimate
    other_id: IncidentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPicture:
    """The picture that shows an incident best, with what the detector saw in it."""

    picture_id: EvidenceId
    camera_id: CameraId
    captured_at: datetime
    width_px: int
    height_px: int
    box: Box
    sighting: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What somebody wrote down."""

    at: datetime
    actor: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident as operators and machines see it.

    ``version`` grows by one a change and guards every action; ``estimate`` is fusion's part, the
    rest is people's and the clock's.
    """

    id: IncidentId
    version: int
    state: IncidentState
    level: AlarmLevel
    priority: int
    """1 (most urgent) to 4."""
    estimate: Estimate
    created_at: datetime
    updated_at: datetime
    place_name: str = ""
    """Of the area that holds it; agencies, filters and reports go by it."""
    street: str = ""
    """The named street or crossing that it lies at."""
    key_picture: KeyPicture | None = None
    best_camera_ids: tuple[CameraId, ...] = ()
    """Cameras that see the place, best view first."""
    duplicate_of: IncidentId | None = None
    acknowledged_at: datetime | None = None
    verified_at: datetime | None = None
    dispatched_at: datetime | None = None
    en_route_at: datetime | None = None
    on_scene_at: datetime | None = None
    closed_at: datetime | None = None
    last_actor: str = ""
    reason: str = ""
    notes: tuple[Note, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    agency_ids: tuple[AgencyId, ...] = ()
    """Who is responsible by the routing rules, or was asked by a person."""
    assignments: tuple[Assignment, ...] = ()
    camera_groups: tuple[str, ...] = ()
    """Of the cameras that report it or see its place."""
    shelved: bool = False
    """It would be louder, were what it rests on not shelved."""
    on_hold: bool = False
    """Under legal hold: nothing of it is deleted."""

    def __post_init__(self) -> None:
        require_between("priority", self.priority, 1, 4)
        require_utc("created_at", self.created_at)
        require_utc("updated_at", self.updated_at)

    @property
    def hazard(self) -> Hazard:
        """The most probable hazard."""
        return self.estimate.hazard

    @property
    def place_words(self) -> str:
        """Where it is, in words; empty where nothing about it has a name."""
        return ", ".join(filter(None, (self.street, self.place_name)))

    @property
    def told_agencies(self) -> tuple[AgencyId, ...]:
        """The agencies whose systems are told of it: from its verification on those responsible,
        and whoever has an assignment."""
        responsible = self.agency_ids if self.verified_at is not None else ()
        assigned = (assignment.agency_id for assignment in self.assignments)
        return tuple(dict.fromkeys((*responsible, *assigned)))
