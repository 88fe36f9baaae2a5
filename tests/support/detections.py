"""A lawful detection, of which a test says only what it cares about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from contracts import Box, CameraId, Detection, ReportId, Sighting, TrackId

AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)

_DETECTION = Detection(
    id=ReportId("detection"),
    camera_id=CameraId("cam-1"),
    track_id=TrackId("track-1"),
    sighting=Sighting.FIRE,
    box=Box(10.0, 20.0, 60.0, 90.0),
    frame_width_px=1280,
    frame_height_px=720,
    score=0.8,
    llr=3.5,
    captured_at=AT,
    received_at=AT,
    started_at=AT,
    model_version="test-1",
)


def a_detection(report_id: str = "detection", **changes: Any) -> Detection:
    """A fire seen by camera ``cam-1``."""
    return replace(_DETECTION, id=ReportId(report_id), **changes)
