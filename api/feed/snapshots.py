"""The state of things for a reader who starts: made once, given to all who start about then.

A snapshot stays right however old it is, because the reader is sent everything after its number;
so two thousand readers who come back together cost one. Readers with other filters have others.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from api.feed.line import text_frame
from incidents.log import EVERYTHING, LogFilter
from plumbing.clock import Clock

FRESH_S = 1.0
"""Older ones are made anew, so that what follows them stays short."""
MOST_KEPT = 32
"""Filters whose last snapshot is kept; the one that was used longest ago goes."""


@dataclass(frozen=True, slots=True)
class EncodedSnapshot:
    """A snapshot as it is sent."""

    seq: int
    message: bytes
    frame: bytes
    made_at_s: float


class Snapshots:
    """Makes snapshots one at a time and keeps the last of each filter."""

    def __init__(
        self, make: Callable[[LogFilter], Awaitable[tuple[int, bytes]]], clock: Clock
    ) -> None:
        """``make`` reads the database and gives the entry's number and the encoded message."""
        self._make = make
        self._clock = clock
        self._lock = asyncio.Lock()
        self._last: OrderedDict[LogFilter, EncodedSnapshot] = OrderedDict()

    async def latest(self, only: LogFilter = EVERYTHING) -> EncodedSnapshot:
        """One that is at most `FRESH_S` old."""
        async with self._lock:
            now_s = self._clock.monotonic_s()
            found = self._last.pop(only, None)
            if found is None or now_s - found.made_at_s > FRESH_S:
                seq, message = await self._make(only)
                found = EncodedSnapshot(seq, message, text_frame(message), now_s)
            self._last[only] = found
            while len(self._last) > MOST_KEPT:
                self._last.popitem(last=False)
            return found
