"""What a camera writes into its pictures: the time, and its name."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]


def write(picture: Rgb, time: str, label: str) -> None:
    """Write both into a picture, the time above and the label below."""
    height, width = picture.shape[:2]
    scale = height / 720
    for text, y in ((time, 34), (label, height / scale - 18)):
        letters, cover = _written(text, scale)
        tall, wide = cover.shape
        left, foot = round(18 * scale), round(y * scale)
        top = foot - round(_RISE_PX * scale)
        wide = min(wide, width - left)
        region = picture[top : top + tall, left : left + wide]
        cv2.copyTo(letters[:, :wide], cover[:, :wide], region)


def time_of(wall: datetime, timezone: ZoneInfo) -> str:
    """As cameras write it."""
    return wall.astimezone(timezone).strftime("%d-%m-%Y %H:%M:%S")


_RISE_PX = 26
"""From a line's foot up to its sprite's upper edge, in a picture 720 high."""


@lru_cache(maxsize=256)
def _written(text: str, scale: float) -> tuple[Rgb, Rgb]:
    """A line of white letters with a dark shadow, and a mask of where it covers the picture."""
    font, size = cv2.FONT_HERSHEY_SIMPLEX, 0.8 * scale
    (wide, _), _ = cv2.getTextSize(text, font, size, 2)
    foot = round(_RISE_PX * scale)
    letters = np.zeros((foot + round(12 * scale), wide + 6, 3), np.uint8)
    cover = np.zeros(letters.shape[:2], np.uint8)
    for shade, shift in ((16, 2), (248, 0)):
        at = (shift, foot + shift)
        cv2.putText(letters, text, at, font, size, (shade, shade, shade), 2, cv2.LINE_AA)
        cv2.putText(cover, text, at, font, size, (255,), 2, cv2.LINE_8)
    return letters, cover
