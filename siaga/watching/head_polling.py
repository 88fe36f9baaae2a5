"""Asks this worker's turning cameras where they point, where they are to be asked over ONVIF, and
tells the bus, from where `siaga.watching.heads` takes it along with detections.

One thread each for a few cameras at once; one that doesn't answer is left alone for a while, and
said so once, and never keeps the others waiting for longer than its time-out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

from camera_ingest import IngestError
from camera_ingest.onvif import HeadReader
from camera_ingest.stopping import StopSignal
from contracts import CameraId, ContractError, StreamSource
from plumbing.address_guard import AddressGuard, AddressRefused
from plumbing.bus import Bus, BusUnavailable
from plumbing.clock import Clock
from plumbing.logs import get_logger
from plumbing.sealing import Sealer, SealingError
from plumbing.settings import IngestSettings

_log = get_logger(__name__)

ASK_EVERY_S = 0.5
"""As often as a video system should tell it (`geo.ptz`)."""
LOOK_EVERY_S = 1.0
AWAY_S = 10.0
"""A camera that didn't answer is asked again after this."""
AT_ONCE = 8


class HeadPolling:
    """One worker's.

    Args:
        bus: Where positions are told.
        sources: The worker's cameras.
        guard: Says which addresses may be opened.
        sealer: Opens the cameras' sealed passwords.
        settings: Timeouts.
        clock: Ours.
    """

    def __init__(
        self,
        bus: Bus,
        sources: Callable[[], Collection[StreamSource]],
        guard: AddressGuard,
        sealer: Sealer,
        settings: IngestSettings,
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._sources = sources
        self._guard = guard
        self._sealer = sealer
        self._settings = settings
        self._clock = clock
        self._silent: set[CameraId] = set()

    async def run(self) -> None:
        """Ask, until cancelled."""
        asked: dict[StreamSource, asyncio.Task[None]] = {}
        threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="heads")
        try:
            while True:
                wanted = {one for one in self._sources() if one.onvif_head is not None}
                for source in asked.keys() - wanted:
                    asked.pop(source).cancel()
                for source in wanted - asked.keys():
                    asked[source] = asyncio.create_task(self._follow(source, threads))
                for task in asked.values():
                    if task.done():
                        task.result()  # a fault of ours: it must not go unnoticed
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            for task in asked.values():
                task.cancel()
            await asyncio.gather(*asked.values(), return_exceptions=True)
            threads.shutdown(wait=False, cancel_futures=True)

    async def _follow(self, source: StreamSource, threads: ThreadPoolExecutor) -> None:
        while True:
            try:
                await self._ask(source, threads)
            except (IngestError, AddressRefused, SealingError, ContractError) as error:
                self._note_silent(source.camera_id, error)
            except BusUnavailable:
                pass  # positions are news, and old by the time it is back
            except Exception:  # noqa: BLE001
                # A fault of ours, on one camera's answers: it must not end the watching of all.
                _log.exception("head_failed", camera=source.camera_id)
            await asyncio.sleep(AWAY_S)

    async def _ask(self, source: StreamSource, threads: ThreadPoolExecutor) -> None:
        loop, stop = asyncio.get_running_loop(), StopSignal()

        def opened() -> HeadReader:
            return HeadReader(source, self._guard, self._sealer, self._settings, self._clock, stop)

        reader = await loop.run_in_executor(threads, opened)
        try:
            while True:
                next_s = loop.time() + ASK_EVERY_S
                report = await loop.run_in_executor(threads, reader.read)
                self._silent.discard(source.camera_id)
                await self._bus.note_head(source.camera_id, report)
                await asyncio.sleep(max(0.0, next_s - loop.time()))
        finally:
            stop.set()  # a thread that waits for the camera still ends now
            reader.close()

    def _note_silent(self, camera_id: CameraId, error: Exception) -> None:
        if camera_id in self._silent:
            return
        self._silent.add(camera_id)
        detail = error.detail if isinstance(error, IngestError) else str(error)
        _log.warning("a head does not tell where it points", camera=camera_id, why=detail)
