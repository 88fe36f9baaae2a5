"""The feed: one reader of the log a process, and everybody who follows it.

The reader follows the log by cursor. The bus only wakes it; a poll finds what a dead bus doesn't
tell, later but without loss. Entries are encoded once and kept in one ring that all followers
share: a follower is no more than a cursor, so a change costs the same memory for one reader as
for two thousand, and a reader too slow for the ring is cut off by name (1013) and resumes. Those
with the same filter share the frames, too (`api.feed.channels`).

Life: `Feed.run` is one task from the application's start to its stop. A database that doesn't
answer is retried with growing waits; followers stay where they are meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from collections.abc import Sequence as SequenceOf
from datetime import datetime
from typing import Protocol

from api.feed.channels import Channel, Follower, Lagging
from api.feed.line import text_frame
from api.metrics import Metrics
from api.wire import EncodedEntry, encode_entry, ping_message
from contracts import Call, Incident, LogEntry, ReportId, Sequence
from incidents.log import EVERYTHING, LogFilter, TaggedEntry
from plumbing.clock import Clock
from plumbing.logs import get_logger
from plumbing.tracing import Stage, is_tracing, trace

POLL_S = 0.25
"""How late a change may be when the bus is away."""
PAGE = 500
"""Entries read from the database at once; also the most that one message carries."""
RETRY_LONGEST_S = 5.0
RESUMING_AT_ONCE = 4
"""Readers that are served from the database, not the ring, at the same time."""
QUIET_S = 5.0
"""Readers hear a ping after this long without a change."""

_log = get_logger(__name__)


class LogSource(Protocol):
    """What the feed needs of the store."""

    async def scan(
        self, seq: int, limit: int, only: LogFilter
    ) -> tuple[list[TaggedEntry], Sequence]:
        """Entries after ``seq`` that pass, in order, at most ``limit``, and how far it looked."""
        ...

    async def last_seq(self) -> int:
        """The last entry's number, 0 where there is none."""
        ...

    async def oldest_seq(self) -> int:
        """The first entry that is still kept (latest + 1 where there is none)."""
        ...


Listener = Callable[[SequenceOf[EncodedEntry], SequenceOf[LogEntry]], None]


class Feed:
    """The process's place in the log, its last entries, and who follows them."""

    def __init__(
        self,
        source: LogSource,
        wakes: Callable[[], AsyncIterator[int]],
        clock: Clock,
        metrics: Metrics,
        ring_size: int,
    ) -> None:
        """
        Args:
            source: the log.
            wakes: makes the bus's stream of wake-ups; each is a hint that the log has grown.
            clock: for the lag that is measured.
            metrics: where figures go.
            ring_size: entries a follower may lag behind before it is cut off.
        """
        self._source = source
        self._wakes = wakes
        self._clock = clock
        self._metrics = metrics
        # Bounded: the oldest entries fall out, and who still needed them is cut off.
        self._ring: deque[EncodedEntry] = deque(maxlen=ring_size)
        self._cursor = 0
        self._started = asyncio.Event()
        self._wake = asyncio.Event()
        self._growth = asyncio.Event()
        """Set, and replaced, whenever the feed has gone on."""
        self._last_sign_s = clock.monotonic_s()
        # Hundreds of readers that come back at once would take every connection to the database,
        # and calls would wait behind them.
        self.database_turns = asyncio.Semaphore(RESUMING_AT_ONCE)
        self._channels: dict[LogFilter, Channel] = {}
        self._behind: set[Lagging] = set()
        """Those who were level once; the ring must not leave them behind unnoticed."""
        self._listeners: list[Listener] = []
        metrics.describe("siaga_feed_entries_total", "counter", "Log entries handed to the feed")
        metrics.describe("siaga_feed_closed_total", "counter", "Feed connections ended, by reason")
        metrics.describe(
            "siaga_feed_lag_seconds", "histogram", "From an entry's commit to its hand-over"
        )
        metrics.describe("siaga_feed_readers", "gauge", "Connections that follow the feed")
        metrics.gauge("siaga_feed_readers", self._readers)
        metrics.describe("siaga_log_seq", "gauge", "The last log entry that this process has seen")
        metrics.gauge("siaga_log_seq", lambda: self._cursor)

    @property
    def cursor(self) -> int:
        """The last entry that this process has seen."""
        return self._cursor

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every batch, in order, before any follower learns of it."""
        self._listeners.append(listener)

    async def ready(self) -> None:
        """Wait until the feed knows where the log ends."""
        await self._started.wait()

    async def reached(self, seq: int) -> None:
        """Wait until the feed has come to an entry that is known to be there."""
        while self._cursor < seq:
            growth = self._growth
            self.wake()
            await growth.wait()

    # --- followers -----------------------------------------------------------------------------

    def reaches(self, cursor: int) -> bool:
        """Whether the ring (or the end of the log) holds everything after ``cursor``."""
        return self._cursor - len(self._ring) <= cursor <= self._cursor

    def after(self, cursor: int, limit: int = PAGE) -> list[EncodedEntry]:
        """What the ring holds after ``cursor``, which it must reach."""
        count = min(self._cursor - cursor, limit)
        first = len(self._ring) - (self._cursor - cursor)
        return [self._ring[first + offset] for offset in range(count)]

    def follow(self, follower: Follower, only: LogFilter, told: int) -> None:
        """From now on write to ``follower``, which is level with the log, what passes its filter;
        ``told`` is the last change that it was told of."""
        self._behind.discard(follower)
        channel = self._channels.get(only)
        if channel is None:
            channel = self._channels[only] = Channel(only, self._cursor, text_frame)
        channel.join(follower, told)

    def leave(self, follower: Follower, only: LogFilter) -> None:
        """The opposite of `follow`; harmless for a stranger."""
        self._behind.discard(follower)
        channel = self._channels.get(only)
        if channel is not None:
            channel.leave(follower)
            if not len(channel):
                del self._channels[only]

    def watch(self, reader: Lagging) -> None:
        """Tell a reader that follows by itself when the ring has left it behind."""
        self._behind.add(reader)

    def forget(self, reader: Lagging) -> None:
        """The opposite of `watch`; harmless for a stranger."""
        self._behind.discard(reader)

    def now(self) -> datetime:
        """The time, for pings."""
        return self._clock.now()

    def wake(self) -> None:
        """The log may have grown: look now."""
        self._wake.set()

    # --- the reader ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Follow the log until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen_to_wakes())
            wait_s = POLL_S
            while True:
                try:
                    await self._catch_up()
                    wait_s = POLL_S
                except Exception as error:  # noqa: BLE001 - whatever the database raises, we go on
                    wait_s = min(wait_s * 2, RETRY_LONGEST_S)
                    _log.warning("the log can't be read", error=str(error), retry_in_s=wait_s)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()
                self._wake.clear()
                self._ping_when_quiet()

    async def _listen_to_wakes(self) -> None:
        wait_s = POLL_S
        while True:
            try:
                # A wake-up is a hint: its number may repeat after a reconnect, and is not trusted.
                async for _ in self._wakes():
                    wait_s = POLL_S
                    self._wake.set()
            except Exception as error:  # noqa: BLE001 - the poll stands in while the bus is away
                _log.warning("no wake-ups from the bus", error=str(error), retry_in_s=wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, RETRY_LONGEST_S)

    async def _catch_up(self) -> None:
        if not self._started.is_set():
            self._cursor = await self._source.last_seq()
            self._started.set()
        # Asking for the end alone costs a tenth of reading, and mostly there is nothing to read.
        while await self._source.last_seq() > self._cursor:
            found, _ = await self._source.scan(self._cursor, PAGE, EVERYTHING)
            if not found:
                return
            self._hand_over(found)

    def _hand_over(self, found: SequenceOf[TaggedEntry]) -> None:
        entries = [one.entry for one in found]
        if entries[0].seq != self._cursor + 1:
            # Retention has passed us while the database was away: nobody's chain can go on.
            _log.warning("the log starts after our place", ours=self._cursor, next=entries[0].seq)
            self._ring.clear()
            for channel in self._channels.values():
                self._behind.update(channel.drop_all(self._cursor))
            self._channels.clear()
        encoded = [encode_entry(one.entry, one.tags) for one in found]
        for listener in self._listeners:
            listener(encoded, entries)
        if _log.isEnabledFor(logging.DEBUG):
            # With the worker's and fusion's lines: from a frame to the websocket by one id.
            for entry in entries:
                _log.debug("told", seq=entry.seq, subject_id=entry.subject_id, **_newest(entry))
        before = self._cursor
        self._ring.extend(encoded)
        self._cursor = encoded[-1].seq
        self._metrics.count("siaga_feed_entries_total", len(encoded))
        lag = self._clock.now() - encoded[-1].recorded_at
        self._metrics.observe("siaga_feed_lag_seconds", max(0.0, lag.total_seconds()))
        ring_follows = self._cursor - len(self._ring)
        for follower in [one for one in self._behind if one.cursor < ring_follows]:
            self._behind.discard(follower)
            follower.overrun()
        for only, channel in list(self._channels.items()):
            self._behind.update(channel.hand_over(encoded, before))
            if not len(channel):
                del self._channels[only]
        self._trace(entries)
        self._growth.set()
        self._growth = asyncio.Event()
        self._last_sign_s = self._clock.monotonic_s()

    def _trace(self, entries: SequenceOf[LogEntry]) -> None:
        for entry in entries if is_tracing() else ():
            for report_id in _newest(entry).values():
                trace(
                    report_id,
                    Stage.TELL,
                    entry.recorded_at,
                    self._clock.now(),
                    seq=entry.seq,
                    subject_id=entry.subject_id,
                    readers=self._readers(),
                )

    def _readers(self) -> int:
        return sum(map(len, self._channels.values()))

    def _ping_when_quiet(self) -> None:
        if self._clock.monotonic_s() - self._last_sign_s < QUIET_S:
            return
        self._last_sign_s = self._clock.monotonic_s()
        frame = text_frame(ping_message(self._cursor, self._clock.now()))
        for channel in self._channels.values():
            channel.ping(frame)


def _newest(entry: LogEntry) -> dict[str, ReportId]:
    """The newest report of an incident or position of a call, by which it can be followed back."""
    match entry.subject:
        case Incident() as incident if incident.estimate.report_ids:
            return {"report_id": incident.estimate.report_ids[-1]}
        case Call() as call if call.fixes:
            return {"report_id": call.fixes[-1].id}
    return {}
