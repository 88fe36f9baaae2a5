"""One reader of the feed, from its handshake to its end, as an explicit state machine.

    OPENING -> SNAPSHOT -> CATCHING_UP <-> LIVE -> CLOSED
            `-- resume --^

* SNAPSHOT sends the state as of an entry N; everything after N follows, so nothing is lost or
  doubled between the two.
* CATCHING_UP sends what lies between the reader's place and the end of the log, from the ring or
  the database, as fast as the reader takes it.
* LIVE is told of growth by the feed, which writes to the reader directly while it keeps up. A
  reader that doesn't falls back to CATCHING_UP from the ring; one that the ring has left behind is
  closed with 1013 and resumes from its place.
"""

from __future__ import annotations

import asyncio
from enum import Enum, auto

from starlette.websockets import WebSocket

from api.feed.catching_up import PlaceGone, entries_after, is_kept
from api.feed.hub import Feed, LogSource
from api.feed.line import Line, LineClosed, line_of, text_frame
from api.feed.snapshots import Snapshots
from api.metrics import Metrics
from api.wire import changes_message
from incidents.log import EVERYTHING, LogFilter
from plumbing.logs import get_logger

_log = get_logger(__name__)

CLOSE_BEHIND = 1013
"""Too slow; resume with ``after``."""
CLOSE_GONE = 4410
"""The place asked for is no longer (or not yet) in the log; start from a snapshot."""
CLOSE_SIGNED_OUT = 4401
"""The session or key was revoked or has expired."""


class Phase(Enum):
    """Where a connection is in its life."""

    OPENING = auto()
    SNAPSHOT = auto()
    CATCHING_UP = auto()
    LIVE = auto()
    CLOSED = auto()


_STEPS: dict[Phase, frozenset[Phase]] = {
    Phase.OPENING: frozenset({Phase.SNAPSHOT, Phase.CATCHING_UP, Phase.CLOSED}),
    Phase.SNAPSHOT: frozenset({Phase.CATCHING_UP, Phase.CLOSED}),
    Phase.CATCHING_UP: frozenset({Phase.LIVE, Phase.CLOSED}),
    Phase.LIVE: frozenset({Phase.CATCHING_UP, Phase.CLOSED}),
    Phase.CLOSED: frozenset(),
}


class FeedConnection:
    """A reader. `serve` returns when it has gone or was closed."""

    def __init__(
        self,
        websocket: WebSocket,
        *,
        feed: Feed,
        source: LogSource,
        snapshots: Snapshots,
        metrics: Metrics,
        only: LogFilter = EVERYTHING,
    ) -> None:
        self._websocket = websocket
        self._feed = feed
        self._source = source
        self._snapshots = snapshots
        self._metrics = metrics
        self._phase = Phase.OPENING
        self._only = only
        self._cursor = 0
        self._told = 0
        """The last change that was sent, or where the reader started: the next one's prev_seq."""
        self._behind = asyncio.Event()
        self._line: Line = line_of(websocket.scope)

    # --- what the feed calls -------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """Where it is in its life."""
        return self._phase

    @property
    def cursor(self) -> int:
        """Everything up to here was sent to the reader or filtered out."""
        return self._cursor

    def offer(self, frame: bytes) -> bool:
        """Hand a frame to the line, where the reader keeps up."""
        return self._line.offer(frame)

    def fall_behind(self, cursor: int, told: int) -> None:
        """Go and catch up from ``cursor``."""
        self._cursor, self._told = cursor, told
        self._behind.set()

    def overrun(self) -> None:
        """The ring has gone on without this reader."""
        self.end(CLOSE_BEHIND, f"too slow; resume with after={self._told}")

    def end(self, code: int, reason: str) -> None:
        """Close the connection; `serve` returns soon after."""
        if self._phase is Phase.CLOSED:
            return
        self._to(Phase.CLOSED)
        self._metrics.count("siaga_feed_closed_total", reason=str(code))
        self._line.finish(code, reason)
        self._behind.set()

    # --- its own task --------------------------------------------------------------------------

    async def serve(self, after: int | None) -> None:
        """Accept the reader and keep it told until it goes."""
        try:
            await self._websocket.accept()
        except OSError:  # the reader has gone already
            return
        sender = asyncio.create_task(self._send_all(after))
        receiver = asyncio.create_task(self._hear_out())
        try:
            await asyncio.wait({sender, receiver}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._feed.leave(self, self._only)
            sender.cancel()
            receiver.cancel()
            results = await asyncio.gather(sender, receiver, return_exceptions=True)
            unforeseen = [
                result
                for result in results
                if isinstance(result, Exception) and not isinstance(result, LineClosed)
            ]
            if unforeseen:
                self.end(1011, "internal error; resume with after")
            if self._phase is not Phase.CLOSED:
                self._to(Phase.CLOSED)
                self._metrics.count("siaga_feed_closed_total", reason="reader")
        for error in unforeseen:
            # Told here and to the reader, once: behind this there is nobody who could do more.
            _log.error("a reader's connection failed", exc_info=error)

    async def _hear_out(self) -> None:
        """Read until the reader goes; what it says has no meaning here."""
        while (await self._websocket.receive())["type"] != "websocket.disconnect":
            pass

    async def _send_all(self, after: int | None) -> None:
        await self._feed.ready()
        if after is None:
            self._to(Phase.SNAPSHOT)
            snapshot = await self._snapshots.latest(self._only)
            await self._line.send_frame(snapshot.frame)
            self._cursor = self._told = snapshot.seq
        elif await is_kept(self._feed, self._source, after):
            self._cursor = self._told = after
        else:
            self.end(CLOSE_GONE, "the log no longer has this place; start from a snapshot")
            return
        self._to(Phase.CATCHING_UP)
        # The snapshot may be ahead of the feed.
        await self._feed.reached(self._cursor)
        while self._phase is not Phase.CLOSED:
            if self._cursor == self._feed.cursor:
                await self._live()
            else:
                await self._catch_up()

    async def _live(self) -> None:
        self._behind.clear()
        self._to(Phase.LIVE)
        self._feed.follow(self, self._only, self._told)
        await self._behind.wait()
        if self._phase is Phase.LIVE:
            self._to(Phase.CATCHING_UP)

    async def _catch_up(self) -> None:
        try:
            entries, cursor = await entries_after(
                self._feed, self._source, self._cursor, self._only
            )
        except PlaceGone:
            self.end(CLOSE_GONE, "the log no longer has this place; start from a snapshot")
            return
        if entries:
            await self._line.send_frame(text_frame(changes_message(entries, self._told)))
            self._told = entries[-1].seq
        # Only now: a reader that blocks here must be seen to lag.
        self._cursor = cursor

    def _to(self, phase: Phase) -> None:
        if phase not in _STEPS[self._phase]:
            raise RuntimeError(f"a feed connection can't go from {self._phase} to {phase}")
        self._phase = phase
