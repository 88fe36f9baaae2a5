"""What a place in a camera's picture looks like, small: to know it again, and to see whether it
flickers. Pure.

All measures are made on a small copy of the picture, SMALL_WIDTH_PX wide: cheap, and blind to
compression noise.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

SMALL_WIDTH_PX = 160
_PATCH_PX = 8
_AROUND = 0.25
"""A patch reaches this share of the box's sides beyond each edge: what stands around a thing tells
as much about it as the thing itself."""
_FLAT = 2.0
"""Grey levels of contrast below which a patch has no pattern to compare."""

Shares = tuple[float, float, float, float]
"""Left, top, right, bottom of a box as shares of the picture's width and height."""
Patch = NDArray[np.float32]
"""(128,) pattern of brightness and of redness, of unit length; all zero where it is even."""


def small_copy(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture (H, W, 3 uint8 RGB) SMALL_WIDTH_PX wide, or as it is where it is no wider."""
    height, width = picture.shape[:2]
    if width <= SMALL_WIDTH_PX:
        return picture
    size = (SMALL_WIDTH_PX, max(2, round(height * SMALL_WIDTH_PX / width)))
    # A tenth of the time of averaging all pixels; every picture of every camera comes by here.
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def patch_at(small: NDArray[np.uint8], box: Shares) -> Patch:
    """The pattern at a box and around it, from a small copy."""
    left, top, right, bottom = box
    margin_x, margin_y = _AROUND * (right - left), _AROUND * (bottom - top)
    part = _cut(small, (left - margin_x, top - margin_y, right + margin_x, bottom + margin_y))
    few = cv2.resize(part, (_PATCH_PX, _PATCH_PX), interpolation=cv2.INTER_AREA)
    colours = few.reshape(-1, 3).astype(np.float32)
    grey = colours.mean(axis=1)
    # Lamps and flames are bright alike; what they differ in is where they are red.
    pattern = np.concatenate([_centred(grey), _centred(colours[:, 0] - colours[:, 2])])
    if float(grey.std()) < _FLAT:
        return np.zeros_like(pattern)
    return np.asarray(pattern / np.linalg.norm(pattern), dtype=np.float32)


def _centred(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(values - values.mean(), dtype=np.float32)


def unlikeness(a: Patch, b: Patch) -> float:
    """The sine of the angle between two patterns: 0 for the same, whatever its brightness and
    contrast, 1 for unrelated ones, and for opposite ones. Two even patches are alike.
    """
    if not a.any() and not b.any():
        return 0.0
    cosine = max(0.0, float(np.dot(a, b)))
    return float(np.sqrt(max(0.0, 1.0 - cosine**2)))


def flicker(before: NDArray[np.uint8], now: NDArray[np.uint8], box: Shares) -> float:
    """How much the content of a box changed between two small copies, beyond what the whole
    picture did: grey levels. 0 where the sizes differ.
    """
    if before.shape != now.shape:
        return 0.0
    everywhere = float(np.median(_change(before[::4, ::4], now[::4, ::4])))
    there = float(_change(_cut(before, box), _cut(now, box)).mean())
    return max(0.0, there - everywhere)


def lasting_flicker(
    earlier: Iterable[NDArray[np.uint8]], now: NDArray[np.uint8], box: Shares
) -> float:
    """The least flicker between any of some earlier small copies and this one, 0 without any.

    What blinks is as it was one turn before; flames never are.
    """
    return min((flicker(before, now, box) for before in earlier), default=0.0)


def _change(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.absdiff(a, b), dtype=np.float32)


def _cut(small: NDArray[np.uint8], box: Shares) -> NDArray[np.uint8]:
    """The part of a picture at a box, one pixel at least."""
    height, width = small.shape[:2]
    left = min(max(int(box[0] * width), 0), width - 1)
    top = min(max(int(box[1] * height), 0), height - 1)
    right = max(left + 1, min(width, round(box[2] * width)))
    bottom = max(top + 1, min(height, round(box[3] * height)))
    return small[top:bottom, left:right]
