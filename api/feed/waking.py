"""Tells the other processes, over the bus, that this one has committed news.

A hint only: whoever misses it finds the news by polling. So nobody waits for it, and while the bus
is away it is dropped.
"""

from __future__ import annotations

import asyncio

from plumbing.bus import Bus, BusUnavailable
from plumbing.logs import get_logger

_log = get_logger(__name__)


class Waker:
    """Sends the newest wake-up; those that it overtakes are not sent."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._seq = 0
        self._news = asyncio.Event()

    def committed(self, seq: int) -> None:
        """A commit has brought the log to ``seq`` (a listener of the store)."""
        self._seq = max(self._seq, seq)
        self._news.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._bus.wake(self._seq)
            except BusUnavailable as error:
                _log.info("nobody was woken", error=str(error))
