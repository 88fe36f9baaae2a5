"""The state of things for a reader who starts: made once, given to all who start about then.

A snapshot stays right however old it is, because the reader is sent everything after its number;
so two thousand readers who come back together cost one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from api.line import text_frame
from plumbing.clock import Clock

FRESH_S = 1.0
"""Older ones are made anew, so that what follows them stays short."""


@dataclass(frozen=True, slots=True)
class EncodedSnapshot:
    """A snapshot as it is sent."""

    seq: int
    frame: bytes
    made_at_s: float


class Snapshots:
    """Makes snapshots one at a time and keeps the last."""

    def __init__(self, make: Callable[[], Awaitable[tuple[int, bytes]]], clock: Clock) -> None:
        """``make`` reads the database and gives the entry's number and the encoded message."""
        self._make = make
        self._clock = clock
        self._lock = asyncio.Lock()
        self._last: EncodedSnapshot | None = None

    async def latest(self) -> EncodedSnapshot:
        """One that is at most `FRESH_S` old."""
        async with self._lock:
            now_s = self._clock.monotonic_s()
            if self._last is None or now_s - self._last.made_at_s > FRESH_S:
                seq, message = await self._make()
                self._last = EncodedSnapshot(seq, text_frame(message), now_s)
            return self._last
