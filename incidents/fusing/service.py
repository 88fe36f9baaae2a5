"""The fusion service: reports in, incidents out, by one active writer.

Its life: **stand by** until the lease ``fusion`` can be had; **claim** the database with the
lease's fencing number, which shuts every earlier writer out; **rebuild** fusion's memory from the
database; **lead**: take detections and health off the bus, decide about reports in the order of
their rows, and apply what was decided, until it is stopped, replaced (`FencedOff`), or has lost the
lease to another. Then it stands by again.

While the bus is away a leader goes on with what reaches the database (calls): nobody else can take
the lease meanwhile, and if somebody who still sees the bus does, the fencing number stops us.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Coroutine
from dataclasses import asdict
from typing import Any

from incidents.errors import FencedOff
from incidents.fusing.counts import FusionCounts
from incidents.fusing.intake import DATABASE_AWAY, Intake
from incidents.fusing.publishing import Publishing
from incidents.fusing.work import Work
from incidents.store import Store
from plumbing.bus import Bus, BusUnavailable, Lease
from plumbing.clock import Clock
from plumbing.evidence import open_evidence
from plumbing.ids import new_id
from plumbing.logs import get_logger
from plumbing.sealing import Sealer
from plumbing.settings import Settings

_log = get_logger(__name__)

LEASE = "fusion"
STANDBY_S = 0.5
"""Between two tries for the lease."""
SWEEP_S = 60.0
RETENTION_S = 1_800.0
"""Days are what counts; twice an hour keeps each run short."""


class _LeaseLost(Exception):
    """Another process holds the lease, or ours has lapsed: stand by."""


class FusionService:
    """One process's fusion; several may run, one is active.

    Raises:
        SettingsError: made with rates or areas that can't be used.
    """

    def __init__(self, store: Store, bus: Bus, settings: Settings, clock: Clock) -> None:
        self.holder = f"{socket.gethostname()}-{os.getpid()}-{new_id('fusion')[-8:]}"
        self.counts = FusionCounts()
        self.intake = Intake(store, bus, Sealer(settings.key_file), clock)
        self._store = store
        self._bus = bus
        self._clock = clock
        self._publishing = Publishing(store, bus, clock)
        self._work = Work(store, bus, settings, clock, self._publishing, self.counts)
        self._retention = store.retention(
            settings,
            open_evidence(
                settings.evidence_folder, settings.evidence.min_free_bytes, settings.evidence.url
            ),
        )
        self._lease_s = settings.fusion.writer_lease_s
        store.listen(self._committed)

    async def run(self, stopping: asyncio.Event | None = None) -> None:
        """Stand by and lead until ``stopping`` is set, or cancelled."""
        work = asyncio.create_task(self._stand_by_and_lead())
        stop = asyncio.create_task((stopping or asyncio.Event()).wait())
        try:
            await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work

    async def _stand_by_and_lead(self) -> None:
        while True:
            try:
                async with self._leading() as lease:
                    await self._lead(lease)
            except* (_LeaseLost, FencedOff) as replaced:
                _log.warning("no longer the fusion writer", why=str(replaced.exceptions[0]))
            except* DATABASE_AWAY as away:
                _log.error("the database is away", why=str(away.exceptions[0]))
            await asyncio.sleep(STANDBY_S)

    @contextlib.asynccontextmanager
    async def _leading(self) -> AsyncIterator[Lease]:
        lease = await self._obtain_lease()
        try:
            yield lease
        finally:
            self.counts.leading = False
            # A standby needn't wait for the lease to lapse.
            with contextlib.suppress(BusUnavailable):
                await self._bus.release_lease(lease)

    async def _obtain_lease(self) -> Lease:
        while True:
            with contextlib.suppress(BusUnavailable):
                above = await self._store.fusion.fencing()
                lease = await self._bus.take_lease(LEASE, self.holder, self._lease_s, above=above)
                if lease is not None:
                    return lease
            await asyncio.sleep(STANDBY_S)

    async def _lead(self, lease: Lease) -> None:
        async with asyncio.TaskGroup() as group:
            # From the first moment: rebuilding a large city's memory may take longer than a lease.
            group.create_task(self._keep_lease(lease))
            await self._work.lead(lease.fencing)
            _log.info("leading", fencing=lease.fencing, from_report=self.counts.decided_to)
            self.counts.leading = True
            tasks: list[Coroutine[Any, Any, None]] = [
                self._work.run(),
                self._listen(),
                self._publishing.wakes(),
                self._publishing.register(),
                self._publishing.verdicts(),
                self._sweep(),
                self._forget(),
                self.intake.detections(),
                self.intake.healths(),
                self.intake.clips(),
                self._work.clipping.run(),
            ]
            for task in tasks:
                group.create_task(task)

    async def _keep_lease(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            with contextlib.suppress(BusUnavailable):
                if not await self._bus.renew_lease(lease, self._lease_s):
                    raise _LeaseLost("the lease has lapsed or is held by another process")

    async def _listen(self) -> None:
        async for _ in self._bus.wakes():
            self._work.news.set()

    def _committed(self, seq: int) -> None:
        self._work.news.set()
        self._publishing.wake_at(seq)

    async def _forget(self) -> None:
        """Apply retention; see `incidents.keeping.retention`."""
        while True:
            await asyncio.sleep(RETENTION_S)
            try:
                found = await self._retention.run()
            except DATABASE_AWAY as error:
                _log.error("retention can't run; trying again later", why=str(error))
                continue
            if found.is_anything:
                _log.info("forgot what was due", **asdict(found))

    def _say_how_it_goes(self) -> None:
        counts, load = self.counts, self._work.alarms.load(self._clock.now())
        _log.info(
            "fusion",
            decided=counts.decided,
            told=counts.told,
            ms_a_report=round(1e3 * counts.deciding_s / max(1, counts.decided), 2),
            alarms_last_hour=load.alarms_last_hour,
            odds_factor=load.odds_factor,
            chattering=len(load.chattering),
        )

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self._say_how_it_goes()
            try:
                await self._work.end_what_is_old()
            except DATABASE_AWAY as error:
                _log.error("old signals can't be ended; trying again later", why=str(error))


__all__ = ["FusionCounts", "FusionService"]
