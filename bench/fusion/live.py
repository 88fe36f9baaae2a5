"""The real service for a benchmark: a bus, a database, and a fusion process that can be killed."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.fusion.cities import ReadCity
from bench.killing import installation
from contracts import Camera, Detection, ReportBody
from incidents.fusing.service import LEASE
from incidents.store import Store
from plumbing.bus import DETECTIONS, Bus, BusFull, Lease
from plumbing.clock import SystemClock
from plumbing.logs import configure_logging
from plumbing.settings import Settings
from siaga.roles import fusion_role
from simulator.reports.city import CENTRE

POLL_S = 0.02
FULL_S = 0.1
"""Before a bus that is full is asked again; a worker would spool meanwhile."""


class FusionProcess:
    """``siaga fusion`` in a process of its own, forked so that a new one starts at once."""

    def __init__(self, settings: Settings) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["bench.fusion.live"])
        self._settings = settings
        self._process: multiprocessing.process.BaseProcess | None = None

    def start(self) -> None:
        """Start a new one."""
        self._process = self._context.Process(target=_lead, args=(self._settings,), daemon=True)
        self._process.start()

    def suspend(self) -> None:
        """SIGSTOP: it sleeps in the middle of whatever it does."""
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        """SIGCONT: it goes on as if no time had passed."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.pid is not None:
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        """SIGKILL: nothing is closed, flushed or said."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


def _lead(settings: Settings) -> None:
    configure_logging(settings.log.level, settings.log.format, "fusion")
    asyncio.run(fusion_role(settings, asyncio.Event()))


@dataclass(frozen=True)
class Live:
    """What a benchmark works with."""

    settings: Settings
    store: Store
    bus: Bus
    process: FusionProcess

    async def report(self, bodies: Sequence[ReportBody]) -> int:
        """Hand reports in as they come in life: detections by the bus, calls by the database; how
        often the bus was full.
        """
        seen = [body for body in bodies if isinstance(body, Detection)]
        said = [body for body in bodies if not isinstance(body, Detection)]
        held_back = 0
        while seen:
            try:
                await self.bus.publish_all(DETECTIONS, seen)
                break
            except BusFull:
                held_back += 1
                await asyncio.sleep(FULL_S)
        if said:
            await self.store.reports.accept(said)
        return held_back

    async def decided(self, count: int) -> None:
        """Wait until so many reports have been decided on."""
        while await self.store.fusion.progress() < count:  # noqa: ASYNC110 - another process
            await asyncio.sleep(POLL_S)

    async def led(self, above: int = 0) -> None:
        """Wait until a process has claimed the database with a higher fencing number."""
        while await self.store.fusion.fencing() <= above:  # noqa: ASYNC110 - another process
            await asyncio.sleep(POLL_S)

    async def end_lease(self) -> None:
        """Give back the lease of a process that is known to be dead, so that the next one needn't
        wait until it lapses."""
        (held,) = await self.bus.look_at_leases([LEASE])
        if held is not None:
            await self.bus.release_lease(Lease(LEASE, held.holder, held.fencing))


@asynccontextmanager
async def live(city: ReadCity, lease_s: float | None = None) -> AsyncIterator[Live]:
    """An installation that knows a city's cameras; its fusion process isn't started yet.

    ``lease_s`` is how long the writer's lease lasts, where it isn't the default.
    """
    with (
        tempfile.TemporaryDirectory(prefix="siaga-fusion-") as name,
        installation(Path(name)) as found,
    ):
        settings = found.model_copy(
            update={
                "city": found.city.model_copy(update={"lon": CENTRE.lon, "lat": CENTRE.lat}),
                "fusion": found.fusion.model_copy(
                    update={"writer_lease_s": lease_s or found.fusion.writer_lease_s}
                ),
            }
        )
        store = await Store.open(settings.database_url, SystemClock())
        process = FusionProcess(settings)
        try:
            for camera_id, pose in city.poses.items():
                camera = Camera(
                    id=camera_id,
                    name=camera_id,
                    url=f"rtsp://camera.invalid/{camera_id}",
                    position=pose.position,
                    pose=pose,
                )
                await store.cameras.save(camera, actor="bench", version=None)
            assert settings.bus.url is not None  # noqa: S101 - for the type checker
            async with Bus(
                settings.bus.url, settings.bus.namespace, settings.bus.max_backlog
            ) as bus:
                yield Live(settings, store, bus, process)
        finally:
            process.kill()
            await store.close()
