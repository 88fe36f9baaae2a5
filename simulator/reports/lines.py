"""The lines of a replay's report file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts import CameraId, Hazard


@dataclass(frozen=True, slots=True)
class CallLine:
    """A call, or a later position of the call with the same id."""

    id: str
    received_at: datetime
    hazard: Hazard | None
    location: Mapping[str, object]

    def plain(self) -> dict[str, Any]:
        """The JSON object."""
        return {
            "kind": "call",
            "id": self.id,
            "received_at": text(self.received_at),
            "hazard": self.hazard.value if self.hazard is not None else None,
            "location": dict(self.location),
        }


@dataclass(frozen=True, slots=True)
class DetectionLine:
    """A track's evidence up to a moment."""

    id: str
    received_at: datetime
    camera_id: CameraId
    track_id: str
    captured_at: datetime
    hazard: Hazard
    box: tuple[float, float, float, float]
    llr: float

    def plain(self) -> dict[str, Any]:
        """The JSON object."""
        return {
            "kind": "detection",
            "id": self.id,
            "camera_id": self.camera_id,
            "track_id": self.track_id,
            "captured_at": text(self.captured_at),
            "received_at": text(self.received_at),
            "hazard": self.hazard.value,
            "box": [round(edge, 1) for edge in self.box],
            "llr": round(self.llr, 3),
        }


Line = CallLine | DetectionLine


def text(at: datetime) -> str:
    """A time in ISO 8601 with ``Z``."""
    return at.isoformat().replace("+00:00", "Z")
