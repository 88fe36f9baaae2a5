"""Something that has come to stand where things move: a reason to look closer. Pure.

Needs no detector and no motion between neighbouring pictures, so that a camera that is watched by
its keyframes has a cue for crashes at all. A slow background tells what belongs to the place, two
earlier pictures tell what has stopped, and where pictures change in the long run is where vehicles
drive. Queues at lights give cues too; where they always stand becomes a habit of the place
(`detection.clutter`), which whoever asks takes off.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.appearance import Shares

SIZE_PX = (80, 45)
STEP_S = 0.9
"""Pictures closer together are not compared."""
STANDS_S = 1.8
"""What is the same for so long stands."""
WARM_UP = 5
"""Pictures whose median is the first background."""
_DIFFERS = 22.0
"""Grey levels from the background: more than shadows of clouds and less than most vehicles."""
_SAME = 9.0
_LEARNS, _ABSORBS = 0.15, 0.01
"""Shares by which the background follows at each comparison: where nothing stands, where something
does."""
_DRIVEN = 0.02
"""Share of comparisons in which a spot changed for it to count as driven on."""
_LEAST_SPOTS, _MOST_SHARE = 6, 0.15
"""Less is a bird, more is the light."""

Grey = NDArray[np.float32]


class StandingWatch:
    """One camera's."""

    def __init__(self) -> None:
        self._before: deque[tuple[float, Grey]] = deque(maxlen=4)
        self._background: Grey | None = None
        self._driven: Grey = np.zeros(SIZE_PX[::-1], np.float32)
        self._stood: NDArray[np.bool_] = np.zeros(SIZE_PX[::-1], np.bool_)
        self._first: list[Grey] = []

    def see(self, at_s: float, small: NDArray[np.uint8]) -> list[Shares]:
        """What has come to stand since the picture before; `small` is a small copy (RGB uint8)."""
        if self._before and at_s - self._before[-1][0] < STEP_S:
            return []
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        now: Grey = np.asarray(cv2.resize(grey, SIZE_PX, interpolation=cv2.INTER_AREA), np.float32)
        # A camera's exposure moves everything at once.
        now -= np.float32(np.median(now))
        if self._background is None:
            # Of several pictures, or what drives in the first one would leave a ghost.
            self._first.append(now)
            self._before.append((at_s, now))
            if len(self._first) == WARM_UP:
                self._background = np.asarray(np.median(np.stack(self._first), axis=0), np.float32)
                self._first.clear()
            return []
        differs = np.abs(now - self._background) > _DIFFERS
        earlier = [before for before in self._before if at_s - before[0] <= 4 * STANDS_S]
        changed = np.abs(now - self._before[-1][1]) > _DIFFERS
        self._driven += 0.02 * (changed - self._driven)
        stands = differs & self._is_same(now, at_s, earlier)
        stands &= cv2.dilate(self._driven, np.ones((5, 5), np.uint8)) > _DRIVEN
        fresh = stands & ~self._stood
        self._stood = (self._stood & differs) | stands
        self._background += np.where(differs, _ABSORBS, _LEARNS).astype(np.float32) * (
            now - self._background
        )
        self._before.append((at_s, now))
        return _boxes(fresh)

    @staticmethod
    def _is_same(now: Grey, at_s: float, earlier: list[tuple[float, Grey]]) -> NDArray[np.bool_]:
        """Where nothing has changed for STANDS_S, by every picture since."""
        if not any(at_s - before_s >= STANDS_S for before_s, _ in earlier):
            return np.zeros(now.shape, np.bool_)
        same = np.ones(now.shape, np.bool_)
        for before_s, before in reversed(earlier):
            same &= np.abs(now - before) < _SAME
            if at_s - before_s >= STANDS_S:
                break
        return same


def _boxes(mask: NDArray[np.bool_]) -> list[Shares]:
    rows, columns = mask.shape
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return [
        (x / columns, y / rows, (x + w) / columns, (y + h) / rows)
        for x, y, w, h, area in (stats[i].tolist() for i in range(1, count))
        if _LEAST_SPOTS <= area <= _MOST_SHARE * mask.size
    ]
