"""A decoded picture on its way from a camera to the detector. Never leaves its process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from contracts.ids import CameraId

Rgb = NDArray[np.uint8]
"""H x W x 3, RGB, 0-255."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One picture.

    ``image`` may be smaller than what the camera sent; ``source_width_px`` and
    ``source_height_px`` are the sent size, in which boxes are reported.
    """

    camera_id: CameraId
    image: Rgb
    captured_at: datetime
    """The camera's time where the stream tells it (RTCP), else the time of arrival."""
    received_at: datetime
    source_width_px: int
    source_height_px: int
    is_keyframe: bool = True
