"""Where the turning cameras' heads point, for the detections that they explain.

The event loop follows the bus; the watching thread asks. A detection takes along what its camera's
head reported around its picture; fusion then knows where that was, or that it can't know
(`geo.ptz`).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from contracts import CameraId, HeadReport
from contracts.heads import MOST_HEAD_REPORTS
from plumbing.bus import Bus, BusUnavailable

ASK_EVERY_S = 0.25
"""An eighth of a second on average between a report and the detections that take it along."""
AWAY_S = 1.0
AROUND = timedelta(seconds=10)


class HeadWatch:
    """The last reports of the heads of this worker's cameras."""

    def __init__(self, bus: Bus, turning: Callable[[], Collection[CameraId]]) -> None:
        self._bus = bus
        self._turning = turning
        self._lock = threading.Lock()
        self._reports: Mapping[CameraId, tuple[HeadReport, ...]] = {}

    async def follow(self) -> None:
        """Ask the bus, without end. Away, it leaves what is known to grow old."""
        while True:
            try:
                await self.ask()
            except BusUnavailable:
                await asyncio.sleep(AWAY_S)
            else:
                await asyncio.sleep(ASK_EVERY_S)

    async def ask(self) -> None:
        """Take over what the bus holds.

        Raises:
            BusUnavailable: it can't be reached.
        """
        reports = await self._bus.recent_heads(self._turning())
        with self._lock:
            self._reports = reports

    def around(self, camera_id: CameraId, at: datetime) -> tuple[HeadReport, ...]:
        """What the head reported nearest to a time, oldest first; nothing of a fixed camera."""
        with self._lock:
            reports = self._reports.get(camera_id, ())
        near = [report for report in reports if abs(report.at - at) <= AROUND]
        near.sort(key=lambda report: abs(report.at - at))
        return tuple(sorted(near[:MOST_HEAD_REPORTS], key=lambda report: report.at))
