"""The feed as server-sent events, for who can't hold a websocket open.

Each reader is a task that catches up, waits for the feed to grow, and catches up again; a reader
that the ring has left behind is cut off, and resumes by ``Last-Event-ID``, which a browser's
EventSource sends by itself. One event is one change, so that each has an id to resume after.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.feed.catching_up import PlaceGone, entries_after
from api.feed.hub import QUIET_S, Feed, LogSource
from api.feed.readers import FeedReaders
from api.feed.snapshots import Snapshots
from api.metrics import Metrics
from api.rights.identity import Identity
from api.wire import EncodedEntry, ping_message
from incidents.log import LogFilter

MEDIA_TYPE = "text/event-stream"
RETRY_MS = 1_000
"""How soon a browser connects anew."""
GOODBYE_S = 1.0


class EventStream(Response):
    """A reader, from its answer's first byte to its end."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        identity: Identity,
        after: int | None,
        only: LogFilter,
        *,
        feed: Feed,
        source: LogSource,
        snapshots: Snapshots,
        metrics: Metrics,
        readers: FeedReaders,
    ) -> None:
        """``after`` must be a place that the log still has."""
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._identity = identity
        self._after = after
        self._only = only
        self._feed = feed
        self._source = source
        self._snapshots = snapshots
        self._metrics = metrics
        self._readers = readers
        self._cursor = after or 0
        self._told = after or 0
        self._over = asyncio.Event()

    @property
    def cursor(self) -> int:
        """Everything up to here was sent to the reader or filtered out."""
        return self._cursor

    def overrun(self) -> None:
        """The ring has gone on without this reader."""
        self._end("1013")

    def end(self, code: int, _reason: str) -> None:
        """Close the connection."""
        self._end(str(code))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the reader goes or is cut off (ASGI)."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        with self._readers.present(self._identity, self):
            tasks = [
                asyncio.create_task(self._send_all(send)),
                asyncio.create_task(_gone(receive)),
                asyncio.create_task(self._over.wait()),
                asyncio.create_task(self._readers.stopping.wait()),
            ]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._feed.forget(self)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        if self._readers.stopping.is_set():
            self._end("1012")
        if not self._over.is_set():
            self._metrics.count("siaga_feed_closed_total", reason="reader")
        for task in done:
            if task is tasks[0]:
                task.result()
        with contextlib.suppress(Exception):
            # A reader that has gone or stalled can't be told that this is the end.
            async with asyncio.timeout(GOODBYE_S):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(self, send: Send) -> None:
        async def write(data: bytes) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": True})

        opening = f"retry: {RETRY_MS}\n\n".encode()
        if self._after is None:
            snapshot = await self._snapshots.latest(self._only)
            self._cursor = self._told = snapshot.seq
            opening += event("snapshot", snapshot.message, snapshot.seq)
        await write(opening)
        await self._feed.reached(self._cursor)
        self._feed.watch(self)
        while True:
            if self._cursor == self._feed.cursor:
                try:
                    async with asyncio.timeout(QUIET_S):
                        await self._feed.reached(self._cursor + 1)
                except TimeoutError:
                    await write(event("ping", ping_message(self._cursor, self._feed.now())))
                continue
            try:
                entries, cursor = await entries_after(
                    self._feed, self._source, self._cursor, self._only
                )
            except PlaceGone:
                # Asked again it is told so with 410.
                self._end("4410")
                return
            if entries:
                await write(self._events(entries))
            self._cursor = cursor

    def _events(self, entries: Sequence[EncodedEntry]) -> bytes:
        parts = []
        for entry in entries:
            parts.append(event("change", entry.after(self._told), entry.seq))
            self._told = entry.seq
        return b"".join(parts)

    def _end(self, reason: str) -> None:
        if not self._over.is_set():
            self._metrics.count("siaga_feed_closed_total", reason=reason)
            self._over.set()


def event(name: str, data: bytes, event_id: int | None = None) -> bytes:
    """One event; our JSON has no line breaks."""
    head = b"" if event_id is None else b"id: %d\n" % event_id
    return b"%bevent: %b\ndata: %b\n\n" % (head, name.encode(), data)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
