"""What a camera's track of pictures says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.errors import ContractError, require_between, require_text, require_utc
from contracts.hazards import Sighting
from contracts.heads import MOST_HEAD_REPORTS, HeadReport
from contracts.ids import CameraId, EvidenceId, ReportId, TrackId


@dataclass(frozen=True, slots=True)
class Box:
    """A box in pixels of the sent picture: left, top, right, bottom."""

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        for name in ("x0", "y0", "x1", "y1"):
            require_between(name, getattr(self, name), -1e5, 1e5)
        if self.x1 <= self.x0 or self.y1 <= self.y0:
            raise ContractError("box", "right must exceed left, and bottom must exceed top")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """The evidence of one track up to a moment: a later one of the same track replaces it.

    ``llr`` is the natural-log likelihood ratio of the track's picture evidence, hazard against
    clutter, correlated pictures counted once; ``score`` is the model's raw score, for show only.
    """

    id: ReportId
    camera_id: CameraId
    track_id: TrackId
    sighting: Sighting
    box: Box
    frame_width_px: int
    frame_height_px: int
    score: float
    llr: float
    captured_at: datetime
    received_at: datetime
    started_at: datetime
    """When the track was first seen."""
    model_version: str
    picture_id: EvidenceId | None = None
    head_reports: tuple[HeadReport, ...] = ()
    """Of a camera that turns: what its head reported around the picture's time."""
    exercise: bool = False

    def __post_init__(self) -> None:
        require_text("id", self.id, 120)
        require_text("camera_id", self.camera_id, 80)
        require_text("track_id", self.track_id, 80)
        require_between("score", self.score, 0, 1)
        require_between("llr", self.llr, -100, 100)
        require_between("frame_width_px", self.frame_width_px, 1, 16384)
        require_between("frame_height_px", self.frame_height_px, 1, 16384)
        for name in ("captured_at", "received_at", "started_at"):
            require_utc(name, getattr(self, name))
        if len(self.head_reports) > MOST_HEAD_REPORTS:
            raise ContractError("head_reports", f"must be at most {MOST_HEAD_REPORTS}")
