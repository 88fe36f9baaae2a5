"""How much of the processor a worker may fill with cameras.

A worker takes cameras while they fit, or nobody has room (`siaga.watching.leases`). What a camera
takes is measured in its own thread; what all cameras together take elsewhere (inference, receiving)
is the rest of the process's time, and is left to it. A fifth stays free, for calls come when
cameras are busiest.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping

from contracts import CameraId
from plumbing.clock import Clock
from plumbing.settings import WorkerSettings

USED_SHARE = 0.8
SETTLED_AFTER_S = 30.0
"""Loading models and opening streams is no measure of watching."""
MEMORY_S = 60.0


class CpuBudget:
    """One worker's. Asked every few seconds, from one thread.

    Args:
        settings: How many cores, and how many workers share the machine.
        clock: Time.
        costs: The cameras' measured costs, CPU-milliseconds a second.
        spent_s: The process's CPU time so far.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        clock: Clock,
        costs: Callable[[], Mapping[CameraId, float]],
        spent_s: Callable[[], float] = time.process_time,
    ) -> None:
        cores = settings.cores or (os.cpu_count() or 1) / settings.count
        self._whole_ms = 1000 * USED_SHARE * cores
        self._clock = clock
        self._costs = costs
        self._spent_s = spent_s
        self._other_ms: float | None = None
        self._began = (clock.monotonic_s(), spent_s())

    def cameras_ms(self) -> float:
        """What the cameras' threads may take together, CPU-milliseconds a second.

        Until it is known what else they cause, that is taken to be as much again.
        """
        self._look()
        if self._other_ms is None:
            return self._whole_ms / 2
        return max(0.0, self._whole_ms - self._other_ms)

    def _look(self) -> None:
        now_s, spent_s = self._clock.monotonic_s(), self._spent_s()
        began_s, before_s = self._began
        elapsed_s = now_s - began_s
        if elapsed_s < SETTLED_AFTER_S:
            return
        self._began = (now_s, spent_s)
        other_ms = max(0.0, 1000 * (spent_s - before_s) / elapsed_s - sum(self._costs().values()))
        if self._other_ms is None:
            self._other_ms = other_ms
        else:
            self._other_ms += (1 - math.exp(-elapsed_s / MEMORY_S)) * (other_ms - self._other_ms)
