"""What a worker tells the others: its detections, its cameras' states, what became of clips, and
its figures.

Detections come from the spool and leave it when the bus has written them down. Of states, clips and
figures only the newest matters to whoever reads them after an outage of the bus, so older ones are
not kept.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor

from contracts import CameraHealth, CameraId, ClipId, ClipReport
from plumbing.bus import CLIPS, DETECTIONS, HEALTH, Bus, BusUnavailable
from plumbing.clock import Clock
from plumbing.logs import get_logger
from plumbing.spool import Spool
from plumbing.tracing import Stage, trace

_log = get_logger(__name__)

DRAIN_COUNT = 64
"""Detections sent to the bus in one go: one write to its disk pays for all of them."""
IDLE_S = 1.0
"""How long to wait before looking again where nothing woke us."""
FIGURES_EVERY_S = 5.0


class Telling:
    """One worker's; made in its event loop.

    Args:
        bus: Where it is told.
        spool: Holds the detections until then.
        clock: Time.
        worker: The worker's name.
        is_sound: Whether the leases can't have run out since they were last seen.
        holds: Whether a camera is this worker's to speak of.
        watches: Whether it is watched here at all, perhaps until the next worker has it.
        figures: What has been counted since the process started, by the metric's name.
    """

    def __init__(
        self,
        bus: Bus,
        spool: Spool,
        clock: Clock,
        worker: str,
        *,
        is_sound: Callable[[], bool],
        holds: Callable[[CameraId], bool],
        watches: Callable[[CameraId], bool],
        figures: Callable[[], Mapping[str, float]],
    ) -> None:
        self._bus = bus
        self._spool = spool
        self._clock = clock
        self._worker = worker
        self._is_sound = is_sound
        self._holds = holds
        self._watches = watches
        self._figures = figures
        self._loop = asyncio.get_running_loop()
        # Of its own: probes and clips that wait for dead cameras and slow stores fill the others.
        self._disk = ThreadPoolExecutor(1, "spool")
        self._spooled = asyncio.Event()
        self._healths: dict[CameraId, CameraHealth] = {}
        self._health_changed = asyncio.Event()
        self._clips: dict[ClipId, ClipReport] = {}
        self._clips_changed = asyncio.Event()

    def detected(self) -> None:
        """Something new is in the spool. Any thread."""
        self._loop.call_soon_threadsafe(self._spooled.set)

    def health(self, health: CameraHealth) -> None:
        """A camera's state has changed. Any thread."""
        self._loop.call_soon_threadsafe(self._note_health, health)

    def look_again(self) -> None:
        """Other cameras are ours to speak of now."""
        if self._healths:
            self._health_changed.set()

    async def clip(self, report: ClipReport) -> None:
        """A clip's state has changed."""
        # The newest one says all that the others did.
        self._clips[report.clip_id] = report
        self._clips_changed.set()

    def jobs(self) -> tuple[Coroutine[None, None, object], ...]:
        """To be run until they are cancelled."""
        return self._drain(), self._tell_health(), self._tell_clips(), self._tell_figures()

    async def flush(self) -> None:
        """Send what is left, as the last thing. Where the bus is away the spool keeps its rest."""
        try:
            while await self._send_spooled():
                pass
            await self._send_clips()
        except BusUnavailable as error:
            _log.warning("the spool keeps its rest", detections=len(self._spool), why=str(error))
        finally:
            self._disk.shutdown(wait=False)

    async def _drain(self) -> None:
        while True:
            self._spooled.clear()
            try:
                sent = await self._send_spooled()
            except BusUnavailable as error:
                _log.warning("bus is away; spooling", detections=len(self._spool), why=str(error))
                await asyncio.sleep(IDLE_S)
                continue
            if not sent:
                await _wait(self._spooled, IDLE_S)

    async def _send_spooled(self) -> int:
        batch = await self._loop.run_in_executor(self._disk, self._spool.peek, DRAIN_COUNT)
        if batch:
            begun = self._clock.now()
            await self._bus.publish_all(DETECTIONS, [detection for _, detection in batch])
            await self._loop.run_in_executor(self._disk, self._spool.drop, batch[-1][0])
            for _, detection in batch:
                trace(detection.id, Stage.SEND, begun, self._clock.now(), worker=self._worker)
                _log.debug("detection sent", report_id=detection.id, camera_id=detection.camera_id)
        return len(batch)

    def _note_health(self, health: CameraHealth) -> None:
        self._healths[health.camera_id] = health
        self._health_changed.set()

    async def _tell_health(self) -> None:
        while True:
            await self._health_changed.wait()
            self._health_changed.clear()
            if not self._is_sound():
                # We may have slept, and our cameras be another's: look first, then speak.
                await asyncio.sleep(IDLE_S)
                self._health_changed.set()
                continue
            for camera_id, health in list(self._healths.items()):
                if not self._watches(camera_id):
                    del self._healths[camera_id]  # its new worker's to tell
                    continue
                if not self._holds(camera_id):
                    continue  # handed over, and ours again if nobody takes it
                try:
                    await self._bus.publish(HEALTH, health)
                except BusUnavailable:
                    await asyncio.sleep(IDLE_S)
                    self._health_changed.set()
                    break
                if self._healths.get(camera_id) is health:
                    del self._healths[camera_id]

    async def _tell_clips(self) -> None:
        while True:
            await self._clips_changed.wait()
            self._clips_changed.clear()
            try:
                await self._send_clips()
            except BusUnavailable:
                await asyncio.sleep(IDLE_S)
                self._clips_changed.set()

    async def _send_clips(self) -> None:
        for clip_id, report in list(self._clips.items()):
            await self._bus.publish(CLIPS, report)
            if self._clips.get(clip_id) is report:
                del self._clips[clip_id]

    async def _tell_figures(self) -> None:
        while True:
            # What is missed is in the next figures: they are sums.
            with contextlib.suppress(BusUnavailable):
                await self._bus.publish_figures(self._worker, self._figures())
            await asyncio.sleep(FIGURES_EVERY_S)


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    # Not `asyncio.wait_for`, which on Python 3.11 can swallow a cancellation.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
