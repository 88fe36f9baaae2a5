"""Which pixels an outline covers, truer than a filled polygon, which swells by half a pixel."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_FINE = 4
_FAR = 20_000.0


def covered(
    outlines: Sequence[NDArray[np.float64]], shape: tuple[int, int], fine: int = _FINE
) -> NDArray[np.uint8]:
    """How much of each pixel (0 to 255, H x W) any of the outlines (N x 2, in pixels) covers."""
    height, width = shape
    found = np.zeros(shape, np.uint8)
    known = [np.clip(outline, -_FAR, _FAR) for outline in outlines]
    low = np.min([outline.min(axis=0) for outline in known], axis=0)
    high = np.max([outline.max(axis=0) for outline in known], axis=0)
    x0, y0 = (max(0, int(np.floor(v)) - 1) for v in low)
    x1, y1 = min(width, int(np.ceil(high[0])) + 1), min(height, int(np.ceil(high[1])) + 1)
    if x0 >= x1 or y0 >= y1:
        return found
    large = np.zeros(((y1 - y0) * fine, (x1 - x0) * fine), np.uint8)
    for outline in known:
        # A pixel's centre is at the half, while drawing counts from pixel centres.
        own = (outline - (x0, y0)) * fine - 0.5
        line = [np.round(own * 16).astype(np.int32)]
        cv2.fillPoly(large, line, 255, cv2.LINE_8, 4)
        if len(known) == 1:
            # Filling takes in whatever its edge touches, which is half outside on average. Where
            # outlines lie over one another, the one's edge is the other's middle.
            cv2.polylines(large, line, True, 127, 1, cv2.LINE_8, 4)
    size = (x1 - x0, y1 - y0)
    found[y0:y1, x0:x1] = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
    return found
