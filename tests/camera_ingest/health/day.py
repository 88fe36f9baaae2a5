"""A camera's day, told to a tracker second by second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import av
import numpy as np

from camera_ingest.errors import IngestError
from camera_ingest.health.states import HealthTracker
from camera_ingest.packets import StreamInfo, VideoPacket
from camera_ingest.pictures import CELLS, PictureFacts
from contracts import CameraHealth, CameraId, CameraState, Frame
from plumbing.clock import HeldClock

CAMERA = CameraId("cam-1")
START = datetime(2026, 11, 22, tzinfo=UTC)


class CameraDay:
    """``messages`` is what was published."""

    def __init__(self) -> None:
        self.clock = HeldClock(START)
        self.tracker = HealthTracker(CAMERA, self.clock, stalled_after_s=8, worker="w1")
        self.messages: list[CameraHealth] = []
        self.pictures = 0
        self.clock_error_s: float | None = None

    def look(self) -> None:
        if (health := self.tracker.change()) is not None:
            self.messages.append(health)
            self.tracker.told(health)

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds * 4)):
            self.clock.advance(0.25)
            self.look()

    def connect(self, *, snapshots: bool = False) -> None:
        self.tracker.opened(StreamInfo("h264", 1280, 720, 25.0, are_snapshots=snapshots))
        self.look()

    def packet(self) -> None:
        now = self.clock.now()
        camera_at = (
            None if self.clock_error_s is None else now + timedelta(seconds=self.clock_error_s)
        )
        self.tracker.received(VideoPacket(av.Packet(b"x"), 0.0, False, now, camera_at))

    def picture(self, *, brightness: float = 110, contrast: float = 50, same: bool = False) -> None:
        self.pictures += not same
        self.packet()
        now = self.clock.now()
        frame = Frame(
            camera_id=CAMERA,
            image=np.zeros((2, 2, 3), np.uint8),
            captured_at=now,
            received_at=now,
            source_width_px=1280,
            source_height_px=720,
        )
        self.tracker.pictured(frame, self.facts(brightness, contrast))
        self.look()

    def facts(self, brightness: float, contrast: float) -> PictureFacts:
        cells = np.full(CELLS, brightness, np.float32)
        cells[0, 0] += self.pictures % 2 * 10  # something moves from picture to picture
        return PictureFacts(brightness, contrast, self.pictures, cells)

    def watch(self, seconds: float, show: Callable[[], None] | None = None) -> None:
        for _ in range(round(seconds)):
            (show or self.picture)()
            self.wait(1)

    def fail(self, state: CameraState, detail: str = "why") -> None:
        self.tracker.failed(IngestError(CAMERA, state, detail))
        self.look()

    @property
    def states(self) -> list[CameraState]:
        return [message.state for message in self.messages]
