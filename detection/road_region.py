"""The part of a picture that the flood classifier looks at: the road.

A camera may have a drawn region; without one it is the lower part of the picture. The one
definition serves training and service, so that the classifier is never shown something else than it
learnt.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

LOWER_SHARE = 0.65
"""Share of the height, from below, taken for road where no region is drawn: leaves the sky of a
tilted camera out.
"""


def default_region_px(width_px: int, height_px: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom (pixels) of the lower part of a picture of that size."""
    return 0, round(height_px * (1.0 - LOWER_SHARE)), width_px, height_px


def crop_road(
    picture: NDArray[np.uint8], size_px: int, region_px: tuple[int, int, int, int] | None = None
) -> NDArray[np.uint8]:
    """The road region of a picture (H, W, 3 uint8), squeezed to (size_px, size_px, 3) uint8,
    channels as given.
    """
    height, width = picture.shape[:2]
    left, top, right, bottom = region_px or default_region_px(width, height)
    part = picture[top:bottom, left:right]
    shrinks = part.shape[0] > size_px or part.shape[1] > size_px
    mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (size_px, size_px), interpolation=mode), dtype=np.uint8)
