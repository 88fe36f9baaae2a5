"""The server's one timeline: seconds since it started, tied once to the wall clock."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from plumbing.clock import Clock


class Timeline:
    """Elapsed seconds that never jump, and the wall time each of them stands for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started_at = clock.now()
        self._start_s = clock.monotonic_s()

    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return self._clock.monotonic_s() - self._start_s

    def wall(self, elapsed_s: float) -> datetime:
        """The wall time of a moment on the timeline, aware, in UTC."""
        return self._started_at + timedelta(seconds=elapsed_s)

    async def sleep_until(self, elapsed_s: float) -> None:
        """Wait for a moment; one that has passed returns at once, yet lets others run."""
        await asyncio.sleep(max(0.0, elapsed_s - self.elapsed_s()))
