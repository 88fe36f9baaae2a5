"""What proves an incident: clips that were asked for and what became of them, and what people
added."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.errors import ContractError, require_between, require_text, require_utc
from contracts.ids import CameraId, ClipId, EvidenceId, IncidentId


class ClipState(StrEnum):
    """How far a clip has come."""

    WANTED = "wanted"
    """Asked of whichever worker has the camera."""
    RECORDING = "recording"
    """What came before is kept; the camera is still being recorded."""
    KEPT = "kept"
    EMPTY = "empty"
    """The camera sent nothing in that time, or nobody watched it."""
    FAILED = "failed"
    """It could not be written; the worker goes on trying while it has the pictures."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more will come of it."""
        return self in (ClipState.KEPT, ClipState.EMPTY)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipPart:
    """One file. A clip has several: what came before the alarm is kept at once, and a camera that
    was connected anew, or changed its size, begins another."""

    evidence_id: EvidenceId
    started_at: datetime
    """Capture time of the first picture: where the file's time is 0. Stands in the file too."""
    ended_at: datetime
    """Capture time of the last picture."""
    n_bytes: int
    pictures: int
    mime: str
    """Type and codecs, for a browser to be asked whether it plays them."""
    width_px: int
    height_px: int

    def __post_init__(self) -> None:
        require_text("evidence_id", self.evidence_id, 80)
        require_utc("started_at", self.started_at)
        require_utc("ended_at", self.ended_at)
        require_between("n_bytes", self.n_bytes, 1, 1e12)
        require_between("pictures", self.pictures, 1, 1e9)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceClip:
    """What one camera saw of an incident, from before the alarm on."""

    id: ClipId
    incident_id: IncidentId
    camera_id: CameraId
    since: datetime
    until: datetime
    state: ClipState
    requested_at: datetime
    updated_at: datetime
    parts: tuple[ClipPart, ...] = ()
    """By their start."""
    detail: str = ""
    """Why there is less than was asked for."""
    exercise: bool = False

    def __post_init__(self) -> None:
        require_text("id", self.id, 200)
        require_text("camera_id", self.camera_id, 80)
        for name in ("since", "until", "requested_at", "updated_at"):
            require_utc(name, getattr(self, name))
        if self.until <= self.since:
            raise ContractError("until", "must be after since")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipReport:
    """What a worker has made of a clip so far; later ones of the same worker replace earlier."""

    clip_id: ClipId
    camera_id: CameraId
    worker: str
    state: ClipState
    reported_at: datetime
    parts: tuple[ClipPart, ...] = ()
    detail: str = ""

    def __post_init__(self) -> None:
        require_text("clip_id", self.clip_id, 200)
        require_utc("reported_at", self.reported_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A picture or document that somebody added; its content is in the evidence store."""

    evidence_id: EvidenceId
    name: str
    media_type: str
    size_bytes: int
    at: datetime
    actor: str
