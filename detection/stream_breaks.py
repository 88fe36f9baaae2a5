"""Where a clip is not one piece. Pure.

Streams lose packets until the next key picture, stall, are taken up again, or are files that begin
anew: between two pictures everything has moved at once, or nothing that did, and then all of it.
That is no impact, however hard it looks; what lies before tells nothing of what comes after.

Impacts are fast, but what crashes is still there a fifth of a second later, and the rest of the
traffic goes on as it did. So a break is a step in which the picture changes far more than in the
steps before *and* after it, or in which things vanish and appear away from the picture's edge; on
the clips of accidents 0.7 % of the steps are such, and 71 % of those where pieces of them were put
together wrongly; most others show little that moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Field = NDArray[np.float32]

LONGEST_STEP_S = 0.45
"""Farther apart pictures are missing; of streams of 24 a second those nearest to every fifth of a
second are up to two fifths apart."""
_FAINTEST = 12.0
"""Grey levels: fainter pictures are not stretched further."""
_NEIGHBOURS = 3
_LEAST_CHANGE = 0.02
"""Shares of the contrast: noise changes as much."""
_SUDDEN = 2.5
"""So many times what its neighbours change, a step is a break by itself ..."""
_FAST, _HARDLY = 1.4, 1.1
"""... and from here on if much vanishes and appears besides, or nearly all."""
_STANDS_OUT = 0.6
"""Shares of the contrast by which something differs from what is usually there."""
_REACH_PX = 8
"""What moves is found again within so far."""
_EDGE_PX = 12
"""Nearer to the edge things come and go."""
_MUCH, _MUCH_PX = 0.35, 50.0
"""Of all that stands out before and after: the share that is not found again, and how much that
is at least."""
_NEARLY_ALL, _NEARLY_ALL_PX = 0.7, 150.0
"""The same for nearly all."""
_FROZEN, _WAS_MOVING = 1e-3, 0.03
"""Shares of the contrast: a picture sent again, and one of traffic."""


def breaks(greys: Sequence[Grey], times_s: Sequence[float]) -> list[int]:
    """Which of successive small grey pictures (H, W) don't continue those before them.

    `times_s` are the pictures' times; ascending indices from 1 on.
    """
    if len(greys) < 2:
        return []
    levels = [_levels(grey) for grey in greys]
    changes = np.array([np.abs(b - a).mean() for a, b in pairwise(levels)])
    usual = np.median(np.stack(levels[::2]), axis=0)
    outstanding = [_outstanding(level - usual) for level in levels]
    found = []
    for step, change in enumerate(changes.tolist()):
        before = changes[max(0, step - _NEIGHBOURS) : step]
        after = changes[step + 1 : step + 1 + _NEIGHBOURS]
        sudden = min(_against(change, before), _against(change, after))
        gone, share = _gone(outstanding[step], outstanding[step + 1])
        if (
            times_s[step + 1] - times_s[step] > LONGEST_STEP_S
            or sudden > _SUDDEN
            or (sudden > _FAST and gone >= _MUCH_PX and share >= _MUCH)
            or (sudden > _HARDLY and gone >= _NEARLY_ALL_PX and share >= _NEARLY_ALL)
            or (len(before) > 0 and _freezes(change, float(before[-1])))
        ):
            found.append(step + 1)
    return found


def _levels(grey: Grey) -> Field:
    """A picture in units of its contrast, from its median: exposure doesn't show."""
    now = grey.astype(np.float32)
    return np.asarray((now - np.median(now)) / max(_FAINTEST, float(now.std())), np.float32)


def _against(change: float, others: NDArray[np.float32]) -> float:
    return float(change / max(_LEAST_CHANGE, float(np.median(others)))) if len(others) else 0.0


def _freezes(change: float, before: float) -> bool:
    """Whether all that moves stops at once or begins to: noise and leaves never do."""
    return min(change, before) < _FROZEN and max(change, before) > _WAS_MOVING


def _outstanding(differs: Field) -> Grey:
    mask = (np.abs(differs) > _STANDS_OUT).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)


def _gone(before: Grey, after: Grey) -> tuple[float, float]:
    """How much of what stands out in one of two pictures is nowhere near in the other, in pixels
    and as a share of all.
    """
    reach = np.ones((2 * _REACH_PX + 1, 2 * _REACH_PX + 1), np.uint8)
    inside = (slice(_EDGE_PX, -_EDGE_PX), slice(_EDGE_PX, -_EDGE_PX))
    lost = np.logical_and(before, cv2.dilate(after, reach) == 0)[inside].sum()
    come = np.logical_and(after, cv2.dilate(before, reach) == 0)[inside].sum()
    gone = float(lost) + float(come)
    every = float(before[inside].sum()) + float(after[inside].sum())
    return gone, gone / max(1.0, every)
