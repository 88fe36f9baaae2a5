"""What people found a camera's sighting to be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.detections import Box
from contracts.errors import require_between, require_text, require_utc
from contracts.hazards import Sighting
from contracts.ids import CameraId, EvidenceId, IncidentId, TrackId


class Truth(StrEnum):
    """Whether a sighting was what it was taken for."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One camera's track within an incident that people decided about.

    What the camera saw last before the decision, and the decision. One stands for each track of an
    incident; a later decision replaces it, and one that was taken back leaves none.
    """

    incident_id: IncidentId
    camera_id: CameraId
    track_id: TrackId
    truth: Truth
    decided_at: datetime
    actor: str
    sighting: Sighting
    box: Box
    frame_width_px: int
    frame_height_px: int
    score: float
    llr: float
    captured_at: datetime
    model_version: str
    picture_id: EvidenceId | None = None
    exercise: bool = False

    def __post_init__(self) -> None:
        require_text("incident_id", self.incident_id, 80)
        require_text("camera_id", self.camera_id, 80)
        require_text("track_id", self.track_id, 80)
        require_between("score", self.score, 0, 1)
        require_between("llr", self.llr, -100, 100)
        require_between("frame_width_px", self.frame_width_px, 1, 16384)
        require_between("frame_height_px", self.frame_height_px, 1, 16384)
        require_utc("decided_at", self.decided_at)
        require_utc("captured_at", self.captured_at)

    @property
    def id(self) -> str:
        """Names the track within its incident."""
        return f"{self.incident_id}/{self.camera_id}/{self.track_id}"
