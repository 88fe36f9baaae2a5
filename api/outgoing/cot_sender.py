"""Keeps a TAK server told of the incidents: one connection, by one process at a time.

Life: take the lease, connect, send everything that is worth it, then each change as it comes, and
each event anew at half its life, so that a client that joins late sees it too. When the line
breaks, the same from the beginning after a growing wait: what a TAK server shows is how things are,
not how they came to be.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from urllib.parse import urlsplit

from api.feed.hub import Feed
from api.metrics import Metrics
from api.outgoing.cot import event, is_worth_sending
from api.outgoing.leading import lead
from contracts import Incident, IncidentId
from incidents.log import LogFilter
from incidents.store import Store
from plumbing.bus import Bus
from plumbing.clock import Clock
from plumbing.logs import get_logger
from plumbing.settings import CotSettings

LEASE = "cot"
CONNECT_S = 10.0
LONGEST_WAIT_S = 60.0
PAGE = 500

_log = get_logger(__name__)


class CotSender:
    """Sends one partition's incidents to the configured TAK server."""

    def __init__(
        self,
        store: Store,
        feed: Feed,
        bus: Bus,
        clock: Clock,
        metrics: Metrics,
        settings: CotSettings,
        *,
        exercise: bool,
    ) -> None:
        """``exercise`` is what is sent: exercises only, or what is real only."""
        self._store = store
        self._feed = feed
        self._bus = bus
        self._clock = clock
        self._metrics = metrics
        self._settings = settings
        self._exercise = exercise
        self._shown: dict[IncidentId, tuple[Incident, float]] = {}
        """What the server was told, and when, by the monotonic clock."""
        metrics.describe("siaga_cot_events_total", "counter", "Events sent to the TAK server")

    async def run(self) -> None:
        """Send until cancelled; at once over where no server is configured."""
        if self._settings.url is None:
            return
        url = self._settings.url
        await lead(self._bus, LEASE, lambda: self._connect_and_send(url))

    async def _connect_and_send(self, url: str) -> None:
        wait_s = 1.0
        while True:
            try:
                async with asyncio.timeout(CONNECT_S):
                    reader, writer = await self._open(url)
                _log.info("connected to the TAK server", url=url)
                wait_s = 1.0
                try:
                    await self._send_all(reader, writer)
                finally:
                    writer.close()
            except (OSError, TimeoutError, ssl.SSLError) as error:
                _log.warning("the TAK server can't be reached", url=url, why=str(error))
            except Exception:  # noqa: BLE001 - a database that is away comes back
                _log.exception("events for TAK can't be made now")
            await asyncio.sleep(wait_s * (0.5 + random.random() / 2))  # noqa: S311 - spreads tries
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    async def _open(self, url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(url)
        context = None
        if parts.scheme == "tls":
            context = ssl.create_default_context(
                cafile=None if self._settings.ca_file is None else str(self._settings.ca_file)
            )
            if self._settings.certificate is not None:
                context.load_cert_chain(self._settings.certificate)
        return await asyncio.open_connection(parts.hostname, parts.port, ssl=context)

    async def _send_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._shown.clear()
        listening = asyncio.create_task(_ended(reader))
        try:
            await self._feed.ready()
            cursor = self._feed.cursor
            await self._send_open(writer)
            while not listening.done():
                growing = asyncio.create_task(self._feed.reached(cursor + 1))
                await asyncio.wait(
                    {growing, listening},
                    timeout=self._settings.stale_minutes * 60 / 8,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                growing.cancel()
                cursor = await self._send_changes(writer, cursor)
                await self._renew(writer)
        finally:
            listening.cancel()

    async def _send_open(self, writer: asyncio.StreamWriter) -> None:
        before: int | None = None
        while True:
            page = await self._store.incidents.page(
                is_open=True, exercise=self._exercise, before=before, limit=PAGE
            )
            for incident in page.incidents:
                await self._tell(writer, incident)
            if page.next is None:
                return
            before = page.next

    async def _send_changes(self, writer: asyncio.StreamWriter, cursor: int) -> int:
        only = LogFilter(exercise=self._exercise)
        while cursor < self._feed.cursor:
            found, cursor = await self._store.log.scan(cursor, PAGE, only)
            newest: dict[IncidentId, Incident] = {}
            for one in found:
                if isinstance(one.entry.subject, Incident):
                    newest[one.entry.subject.id] = one.entry.subject
            for incident in newest.values():
                await self._tell(writer, incident)
        return cursor

    async def _renew(self, writer: asyncio.StreamWriter) -> None:
        due_s = self._clock.monotonic_s() - self._settings.stale_minutes * 60 / 2
        for incident, told_s in list(self._shown.values()):
            if told_s <= due_s:
                await self._tell(writer, incident)

    async def _tell(self, writer: asyncio.StreamWriter, incident: Incident) -> None:
        is_shown = incident.id in self._shown
        if is_worth_sending(incident, self._settings):
            self._shown[incident.id] = incident, self._clock.monotonic_s()
        elif is_shown:
            # It is over: an event that is stale at once takes it off the map.
            del self._shown[incident.id]
        else:
            return
        writer.write(event(incident, self._settings, self._clock.now()))
        async with asyncio.timeout(CONNECT_S):
            await writer.drain()
        self._metrics.count("siaga_cot_events_total")


async def _ended(reader: asyncio.StreamReader) -> None:
    """Until the server hangs up; what it says of others is not for us."""
    while await reader.read(65_536):
        pass
