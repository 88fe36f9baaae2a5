"""A mast in the wind: its picture moves."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray


def sway(reach_px: float, elapsed_s: float, seed: int) -> tuple[float, float] | None:
    """How far the wind has moved a picture, in pixels; None where there is none."""
    if not reach_px:
        return None
    t = elapsed_s
    gust = 0.55 + 0.45 * math.sin(0.31 * t + seed)
    across = math.sin(2 * math.pi * 1.37 * t + seed) + 0.5 * math.sin(2 * math.pi * 2.9 * t)
    down = math.sin(2 * math.pi * 1.71 * t + 2 * seed) + 0.4 * math.sin(2 * math.pi * 3.3 * t)
    return 0.66 * reach_px * gust * across, 0.44 * reach_px * gust * down


def shifted(
    picture: NDArray[np.uint8], shift: tuple[float, float], *, nearest: bool = False
) -> NDArray[np.uint8]:
    """A picture moved by so many pixels; at its edges it goes on as it ends."""
    matrix = np.array([[1.0, 0.0, shift[0]], [0.0, 1.0, shift[1]]])
    return np.asarray(
        cv2.warpAffine(
            picture,
            matrix,
            picture.shape[1::-1],
            flags=cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )
