"""The log: every change that a reader of the feed may need, gapless and in commit order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.calls import Call
from contracts.cameras import Camera, CameraHealth
from contracts.desk import DeskLoad, Handover, Shelf
from contracts.errors import require_utc
from contracts.evidence import EvidenceClip
from contracts.ids import Sequence
from contracts.incidents import Incident
from contracts.routing import Unit


class LogKind(StrEnum):
    """What an entry tells; the subject stands before the dot."""

    INCIDENT_FOUNDED = "incident.founded"
    INCIDENT_UPDATED = "incident.updated"
    INCIDENT_MERGED = "incident.merged"
    INCIDENT_SPLIT = "incident.split"
    INCIDENT_ACTED = "incident.acted"
    CAMERA_SAVED = "camera.saved"
    CAMERA_REMOVED = "camera.removed"
    CAMERA_HEALTH = "camera.health"
    CALL_RECEIVED = "call.received"
    CALL_UPDATED = "call.updated"
    UNIT_SAVED = "unit.saved"
    UNIT_REMOVED = "unit.removed"
    SHELF_SAVED = "shelf.saved"
    HANDOVER_WRITTEN = "handover.written"
    HANDOVER_TAKEN = "handover.taken"
    CLIP_SAVED = "clip.saved"
    DESK_LOAD = "desk.load"


LogSubject = (
    Incident | Camera | CameraHealth | Call | Unit | Shelf | Handover | EvidenceClip | DeskLoad
)

SUBJECTS: dict[str, type[LogSubject]] = {
    "incident": Incident,
    "camera": Camera,
    "camera.health": CameraHealth,
    "call": Call,
    "unit": Unit,
    "shelf": Shelf,
    "handover": Handover,
    "clip": EvidenceClip,
    "desk": DeskLoad,
}


def subject_type(kind: LogKind) -> type[LogSubject]:
    """Which noun an entry of this kind carries."""
    return SUBJECTS.get(kind.value) or SUBJECTS[kind.value.split(".")[0]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One change, with the whole subject as it was after it."""

    seq: Sequence
    recorded_at: datetime
    kind: LogKind
    subject_id: str
    actor: str
    """A user's name, a machine key's name, or ``system``."""
    exercise: bool
    subject: LogSubject
    detail: str = ""
    """The action's name or another short fact."""

    def __post_init__(self) -> None:
        require_utc("recorded_at", self.recorded_at)
