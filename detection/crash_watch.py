"""One camera's last seconds, handed to the crash model while pictures come fast enough. Pure but
for the model.

A cold camera's pictures lie too far apart for motion; they leave nothing here. While it is hot, or
its past is looked back at, the last CLIP_S are judged every JUDGE_EVERY_S.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from detection.crash_model import LEAST_SPAN_S, CrashJudge, CrashVerdict
from detection.crash_motion import Grey, small_grey

CLIP_S = 8.0
"""A vehicle that skids, hits and comes to rest, with what it did before."""
JUDGE_EVERY_S = 1.0
"""One judgement costs as much as three or four pictures through the detector."""
LONGEST_GAP_S = 0.5
"""Pictures farther apart show no motion; what came before is dropped."""
LEAST_STEP_S = 0.15
"""Faster pictures than the model takes are not kept."""
SAME_SCENE = 0.5
"""Correlation of two successive pictures below which they show two scenes: a camera that was turned
or switched to another view. What changes then is no motion."""
_LEAST_FPS = 4.2


class CrashWatch:
    """The clip of one camera, at most CLIP_S long: 10 KB a picture."""

    def __init__(self, judge: CrashJudge) -> None:
        self._judge = judge
        self._clip: deque[tuple[float, Grey]] = deque()
        self._judged_s = float("-inf")

    def see(self, at_s: float, picture: NDArray[np.uint8]) -> None:
        """Take the next picture (H, W, 3 uint8 RGB), in the order of capture."""
        if self._clip and at_s - self._clip[-1][0] < LEAST_STEP_S:
            return
        grey = small_grey(picture)
        if self._clip:
            before_s, before = self._clip[-1]
            if at_s - before_s > LONGEST_GAP_S or likeness(before, grey) < SAME_SCENE:
                self._clip.clear()
        self._clip.append((at_s, grey))
        while at_s - self._clip[0][0] > CLIP_S:
            self._clip.popleft()

    def verdict(self, *, at_once: bool = False) -> CrashVerdict | None:
        """What the clip shows, every JUDGE_EVERY_S or `at_once`; None where that is too little."""
        if len(self._clip) < 2:
            return None
        first_s, last_s = self._clip[0][0], self._clip[-1][0]
        span_s = last_s - first_s
        if not at_once and last_s - self._judged_s < JUDGE_EVERY_S:
            return None
        if span_s < LEAST_SPAN_S or (len(self._clip) - 1) / span_s < _LEAST_FPS:
            return None
        self._judged_s = last_s
        return self._judge.judge([grey for _, grey in self._clip], [at for at, _ in self._clip])


def likeness(a: Grey, b: Grey) -> float:
    """Correlation of two pictures of one size, -1 to 1; whatever is even is like everything."""
    first, second = (grey.astype(np.float32) - float(grey.mean()) for grey in (a, b))
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float((first * second).sum()) / size if size > 0 else 1.0
