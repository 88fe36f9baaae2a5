"""What stands where it crashed, some seconds later: evidence of another kind than the impact. Pure.

Traffic that brakes hard, turns close to the camera or passes for an impact in another way drives
on; wrecks and those who stop for them stay. How differently a place looks for a while from what it
was like before the impact is a number between 0 and 1, whose worth the model's card tells
(`ModelCard.aftermath`). A red light makes things stand as well, so that it is never worth much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detection.crash_motion import GRID, RATE_FPS, SIZE_PX, Grey

Shares = tuple[float, float, float, float]

LEAST_AFTER_S = 3.0
"""Sooner nothing has come to rest."""
_STOOD_S = 1.6
"""What is there in all pictures of so long stands."""
_BEFORE_S = (5.0, 0.6)
"""From when to when before the impact the place is as it was."""
_LEAST_BEFORE = 3
"""Pictures."""
_AROUND = 1
"""Places about the box that belong to it: what crashes slides on."""
_PLACES = 4
"""The most changed ones count: two vehicles."""
_FAINTEST = 12.0
_NOISE = 0.05
"""Less change than this is none."""


def came_to_stay(greys: Sequence[Grey], moment: int, box: Shares) -> float | None:
    """How changed the `box` (shares of the picture) has stayed at the end of a clip of (96, 96)
    pictures, RATE_FPS a second, against before the impact at index `moment`: 0 to 1.

    None where too little comes before it or after it.
    """
    long_ago, shortly = (max(0, moment - round(s * RATE_FPS)) for s in _BEFORE_S)
    is_over = (len(greys) - moment) / RATE_FPS >= LEAST_AFTER_S
    if shortly - long_ago < _LEAST_BEFORE or not is_over:
        return None
    usual = np.median(np.stack(greys[long_ago:shortly]), axis=0).astype(np.float32)
    before = np.stack([_differs(grey, usual) for grey in greys[long_ago:shortly]])
    after = np.stack([_differs(grey, usual) for grey in greys[-round(_STOOD_S * RATE_FPS) :]])
    stayed = np.log1p(after.min(axis=0)) - np.log1p(np.median(before, axis=0))
    left, top = (max(0, round(v * GRID) - _AROUND) for v in box[:2])
    right, bottom = (min(GRID, round(v * GRID) + _AROUND) for v in box[2:])
    most = np.sort(stayed[top:bottom, left:right].ravel())[-_PLACES:]
    return 1.0 - math.exp(-max(_NOISE, float(most.mean())))


def _differs(grey: Grey, usual: NDArray[np.float32]) -> NDArray[np.float32]:
    """(12, 12): the distance of each place from what it is like, in halves of the contrast."""
    now = grey.astype(np.float32)
    side = SIZE_PX // GRID
    places = np.abs(now - usual).reshape(GRID, side, GRID, side).mean(axis=(1, 3))
    return np.asarray(2.0 * places / max(_FAINTEST, float(now.std())), np.float32)
