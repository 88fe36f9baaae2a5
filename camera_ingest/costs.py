"""What watching one camera takes of the processor, as its own thread measures it."""

from __future__ import annotations

import math
import time

SETTLED_AFTER_S = 10.0
"""Opening a stream costs as much as ten seconds of watching it, and is no measure of these."""
MEMORY_S = 120.0
"""A minute at full rate is forgotten in a few: cameras don't move from worker to worker for it."""


class CostMeter:
    """One thread's processor time, averaged. `note` is for that thread; any may read."""

    def __init__(self) -> None:
        self._began: tuple[float, float] | None = None
        self._cost_ms: float | None = None

    @property
    def cost_ms_per_s(self) -> float | None:
        """CPU-milliseconds a second; none before it has settled."""
        return self._cost_ms

    def note(self, now_s: float) -> None:
        """Look at the thread's time; call it now and then, at most every frame."""
        spent_s = time.thread_time()
        if self._began is None:
            self._began = (now_s, spent_s)
            return
        began_s, before_s = self._began
        elapsed_s = now_s - began_s
        if elapsed_s < SETTLED_AFTER_S:
            return
        cost_ms = 1000 * (spent_s - before_s) / elapsed_s
        if self._cost_ms is None:
            self._cost_ms = cost_ms
        else:
            weight = 1 - math.exp(-elapsed_s / MEMORY_S)
            self._cost_ms += weight * (cost_ms - self._cost_ms)
        self._began = (now_s, spent_s)

    def restart(self) -> None:
        """What comes next (waiting, opening) is not to be counted."""
        self._began = None
