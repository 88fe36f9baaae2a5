"""A real RTSP server on a free loopback port, in a thread of its own, for tests that are clients.

def test_something(rtsp: RtspThread, tmp_path: Path) -> None:
    url = rtsp.serve_file("junction", small_video(tmp_path / "a.mp4"))
    rtsp.set_faults("junction", Faults(stall=True))
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.rtsp import Credentials, Faults, FileSource, RenderedSource, RtspServer, Source

T = TypeVar("T")


class RtspThread:
    """`RtspServer` with blocking methods; enter it to listen, leave it to stop."""

    def __init__(self) -> None:
        self.server = RtspServer()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rtsp server")

    def __enter__(self) -> RtspThread:
        self._thread.start()
        self._await(self.server.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._await(self.server.__aexit__())
        self._await(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def serve(self, path: str, source: Source, credentials: Credentials | None = None) -> str:
        """Serve a source; the URL comes back, without credentials."""
        self.call(lambda: self.server.add(path, source, credentials=credentials))
        return self.server.url(path)

    def serve_file(
        self,
        path: str,
        file: Path,
        *,
        credentials: Credentials | None = None,
        phase_s: float = 0.0,
    ) -> str:
        """Loop a video file."""
        return self.serve(path, FileSource(file, phase_s=phase_s), credentials)

    def serve_clock(self, path: str, *, fps: float = 10.0, width_px: int = 320) -> str:
        """Serve pictures whose content tells the time they were taken (see `read_clock`)."""
        source = RenderedSource(ClockPictures(width_px), fps=fps, keyframe_every_s=0.5)
        return self.serve(path, source)

    def set_faults(self, path: str, faults: Faults) -> None:
        """Change what is wrong with a path."""
        self.server.mount(path).faults = faults

    def drop_readers(self, path: str) -> None:
        """Close the path's connections once."""
        self.call(self.server.mount(path).drop_readers)

    def reader_count(self, path: str) -> int:
        """How many clients play the path."""
        return self.server.mount(path).reader_count

    def call(self, do: Callable[[], T]) -> T:
        """Run something on the server's event loop."""

        async def on_loop() -> T:
            return do()

        return self._await(on_loop())

    def _await(self, coroutine: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return future.result(15)


@pytest.fixture
def rtsp() -> Iterator[RtspThread]:
    """A listening server without paths."""
    with RtspThread() as server:
        yield server


_BITS = 20
"""A clock picture's bits: hundredths of a second, modulo 2^20 (2.9 hours)."""


class ClockPictures:
    """Pictures that carry their capture time as black and white columns; the middle moves."""

    def __init__(self, width_px: int = 320) -> None:
        self.width_px = width_px
        self.height_px = width_px * 9 // 16 // 2 * 2

    def render(self, at: datetime) -> NDArray[np.uint8]:
        """H x W x 3, RGB."""
        picture = np.full((self.height_px, self.width_px, 3), 90, np.uint8)
        stamp = _stamp(at)
        column = self.width_px // _BITS
        for bit in range(_BITS):
            picture[: self.height_px // 2, bit * column : (bit + 1) * column] = (
                235 if stamp >> bit & 1 else 20
            )
        x = stamp * 3 % (self.width_px - 40)
        picture[self.height_px * 5 // 8 : self.height_px * 7 // 8, x : x + 40] = (200, 60, 40)
        return picture


def read_clock(picture: NDArray[np.uint8], near: datetime) -> float:
    """Seconds by which the picture was taken before ``near`` (negative: after)."""
    height_px, width_px = picture.shape[:2]
    column = width_px / _BITS
    row = picture[height_px // 8 : height_px * 3 // 8].mean(axis=(0, 2))
    bits = [int(row[int((bit + 0.5) * column)] > 128) for bit in range(_BITS)]
    stamp = sum(value << bit for bit, value in enumerate(bits))
    lag = (_stamp(near) - stamp + (1 << _BITS - 1)) % (1 << _BITS) - (1 << _BITS - 1)
    return lag / 100


def _stamp(at: datetime) -> int:
    return round(at.timestamp() * 100) % (1 << _BITS)


def small_video(
    path: Path,
    *,
    seconds: float = 2.0,
    fps: int = 10,
    width_px: int = 160,
    codec: str = "libx264",
    gop: int = 10,
    b_frames: int = 0,
) -> Path:
    """Write a little video of a moving square; ``path`` tells the container (.mp4, .ts, .mkv)."""
    height_px = width_px * 9 // 16 // 2 * 2
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(fps))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        stream.codec_context.gop_size = gop
        options = {"preset": "ultrafast", "bf": str(b_frames)}
        if codec == "libx265":
            options["x265-params"] = f"log-level=none:pools=none:bframes={b_frames}"
        stream.codec_context.options = options
        for index in range(round(seconds * fps)):
            picture = np.full((height_px, width_px, 3), 70, np.uint8)
            x = index * 5 % (width_px - 20)
            cv2.rectangle(picture, (x, 20), (x + 20, 40), (255, 220, 180), -1)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
