"""Simulated cameras for benchmarks, served over real RTSP by a process of their own.

``python -m bench.streams SPEC COUNT`` encodes one clip as a camera would (noise, things that move,
a bounded bit rate), serves it under COUNT paths whose keyframes are spread evenly, prints the URLs
as one JSON line, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from plumbing.processes import die_with_parent
from simulator.rtsp import FileSource, RtspServer

_LOOP_GROUPS = 3
_SPEC = re.compile(r"(h264|h265):(\d+)x(\d+)@(\d+)/(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """What a camera sends; as text ``h264:1280x720@25/2`` (25 frames a second, GOP of 2 s)."""

    codec: str
    width_px: int
    height_px: int
    fps: int
    gop_s: float

    @classmethod
    def parse(cls, text: str) -> StreamSpec:
        """Read the text form.

        Raises:
            ValueError: it is none.
        """
        found = _SPEC.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no stream; write for instance h264:1280x720@25/2")
        codec, width, height, fps, gop = found.groups()
        return cls(codec, int(width), int(height), int(fps), float(gop))

    def __str__(self) -> str:
        return f"{self.codec}:{self.size}@{self.fps}/{self.gop_s:g}"

    @property
    def size(self) -> str:
        """Width and height."""
        return f"{self.width_px}x{self.height_px}"

    @property
    def bit_rate(self) -> int:
        """About 2 Mbit/s for 720p at 25 frames a second, as cameras are set up; less for H.265."""
        per_pixel = 0.085 if self.codec == "h264" else 0.055
        return round(self.width_px * self.height_px * self.fps * per_pixel)


@contextlib.contextmanager
def served(spec: StreamSpec, count: int) -> Iterator[list[str]]:
    """The URLs of so many cameras, served by another process for as long as the block lasts.

    Raises:
        RuntimeError: the server ended before it was ready.
    """
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.streams", str(spec), str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        if server.stdout is None or server.stdin is None:
            raise RuntimeError("the server was started without pipes")
        line = server.stdout.readline()
        if not line:
            raise RuntimeError(f"the simulated cameras did not start: {spec}")
        yield json.loads(line)
    finally:
        if server.stdin is not None:
            server.stdin.close()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        if server.stdout is not None:
            server.stdout.close()


def encode_clip(spec: StreamSpec, path: Path) -> None:
    """A clip of `_LOOP_GROUPS` groups of pictures, as a street camera would have encoded it."""
    encoder = "libx264" if spec.codec == "h264" else "libx265"
    gop = round(spec.fps * spec.gop_s)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=Fraction(spec.fps))
        if not isinstance(stream, av.VideoStream):
            raise TypeError(f"{encoder} encodes no video")
        stream.width, stream.height, stream.pix_fmt = spec.width_px, spec.height_px, "yuv420p"
        context = stream.codec_context
        context.gop_size, context.bit_rate, context.thread_count = gop, spec.bit_rate, 2
        context.options = {"preset": "veryfast", "bf": "0", "x264-params": "scenecut=0"}
        if spec.codec == "h265":
            context.options = {
                "preset": "ultrafast",
                "x265-params": f"log-level=none:bframes=0:scenecut=0:keyint={gop}:min-keyint={gop}",
            }
        for picture in _pictures(spec, gop * _LOOP_GROUPS):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))


def _pictures(spec: StreamSpec, count: int) -> Iterator[NDArray[np.uint8]]:
    rng = np.random.default_rng(7)
    width, height = spec.width_px, spec.height_px
    coarse = rng.integers(40, 200, (max(2, height // 24), max(2, width // 24), 3), dtype=np.uint8)
    ground = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    fine = cv2.GaussianBlur(rng.normal(0, 24, (height, width)), (0, 0), 1.6)
    ground = np.clip(ground + fine[..., None], 0, 255).astype(np.uint8)
    noises = [rng.integers(0, 5, (height, width, 3), dtype=np.uint8) for _ in range(8)]
    for index in range(count):
        picture = cv2.add(ground, noises[index % len(noises)])
        for car in range(6):
            size = width // 14
            left = int((index * (2 + car) * width / 1280 + car * width / 6) % (width - size))
            top = height * (3 + car) // 12
            colour = (40 * car, 255 - 30 * car, 90 + 20 * car)
            cv2.rectangle(picture, (left, top), (left + size, top + size // 2), colour, -1)
        yield np.asarray(picture, np.uint8)


async def _serve(spec: StreamSpec, count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="siaga-bench-") as folder:
        path = Path(folder) / "clip.mp4"
        encode_clip(spec, path)
        async with RtspServer() as server:
            for number in range(count):
                source = FileSource(path, phase_s=number * spec.gop_s / count)
                server.add(f"camera-{number}", source)
            urls = [server.url(f"camera-{number}") for number in range(count)]
            sys.stdout.write(json.dumps(urls) + "\n")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(_serve(StreamSpec.parse(sys.argv[1]), int(sys.argv[2])))
