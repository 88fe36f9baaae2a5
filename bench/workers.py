"""Several workers on one bus: what watching loses when one is killed, ends, or joins.

    python -m bench.workers [--cameras N] [--lease-s S]

Real worker processes watch cameras over real RTSP (served by another process). Somebody follows
every camera's live video, from whichever worker has it, and notes the capture times of all pictures
that come: the longest step between two of them is the longest time that nobody watched the camera.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from contracts import CameraId, StreamSource
from plumbing.bus import Bus
from plumbing.clock import SystemClock
from plumbing.embedded_bus import EmbeddedBus
from plumbing.live_pass import make_pass
from plumbing.sealing import Sealer
from plumbing.settings import Settings, as_environment

TICKS_PER_S = 90_000
LOOK_BACK_S = 4
"""Asked of the next worker, so that what it has received before we came is counted."""

_SERVER = """
import asyncio, sys
from simulator.rtsp import FileSource, RtspServer
async def main(file, count):
    async with RtspServer() as server:
        for n in range(count):
            server.add(f"c{n}", FileSource(__import__("pathlib").Path(file), phase_s=0.37 * n))
        print(server.url("c0").rsplit("/", 1)[0], flush=True)
        await asyncio.Event().wait()
asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@dataclass(frozen=True, slots=True)
class Event:
    """What one change of the workers did to the cameras' watching."""

    what: str
    cameras_moved: int
    longest_gap_s: float
    """Of the cameras that moved."""
    settled_after_s: float
    """Until each camera had a worker with pictures of it."""


@dataclass
class _Followed:
    """The capture times that came of one camera."""

    times: set[float] = field(default_factory=set)

    def longest_step_s(self, since: float) -> float:
        late = sorted(at for at in self.times if at >= since - 5)
        return max((b - a for a, b in itertools.pairwise(late)), default=float("inf"))


class Fleet:
    """Worker processes, a bus, cameras, and somebody who follows them all."""

    def __init__(self, folder: Path, cameras: int, lease_s: float) -> None:
        self.folder = folder
        self.cameras = [CameraId(f"c{n}") for n in range(cameras)]
        self.lease_s = lease_s
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self.followed = {camera: _Followed() for camera in self.cameras}
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Fleet:
        video = self.folder / "street.mp4"
        _small_video(video)
        server = _serve(video, len(self.cameras))
        self._stack.callback(_end, server)
        assert server.stdout is not None  # noqa: S101 - it was piped
        base = (await asyncio.to_thread(server.stdout.readline)).decode().strip()
        embedded = self._stack.enter_context(EmbeddedBus(self.folder / "bus"))
        self.settings = Settings.model_validate(
            {
                "data_dir": self.folder,
                "bus": {"url": embedded.url},
                "worker": {"lease_s": self.lease_s},
                "ingest": {"allow_private": ["127.0.0.0/8"], "max_fps": 0.5, "hot_fps": 0.5},
                "detection": {"flood": None, "streams": 1},
                "log": {"level": "warning"},
            }
        )
        self.sealer = Sealer(self.settings.key_file)
        self.bus = await self._stack.enter_async_context(Bus(embedded.url))
        self._stack.push_async_callback(self._end_workers)
        await self.bus.publish_register(
            [StreamSource(camera_id=one, url=f"{base}/{one}") for one in self.cameras]
        )
        following = [asyncio.create_task(self._follow(camera)) for camera in self.cameras]
        for task in following:
            self._stack.callback(task.cancel)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def start(self, name: str) -> None:
        """Start a worker."""
        self.workers[name] = subprocess.Popen(
            [sys.executable, "-m", "siaga", "worker"],
            env={**os.environ, **as_environment(self.settings), "SIAGA_WORKER_NAME": name},
            start_new_session=True,
        )

    async def holders(self) -> dict[CameraId, str]:
        """Who has pictures of each camera; those that nobody has are missing."""
        leases = await self.bus.look_at_leases([f"camera/{one}" for one in self.cameras])
        return {
            camera: lease.holder
            for camera, lease in zip(self.cameras, leases, strict=True)
            if lease is not None and json.loads(lease.note or "{}").get("pictures")
        }

    async def settled(self, names: set[str], within_s: float) -> float:
        """Wait until exactly these workers share all cameras; how long it took, seconds."""
        began_s = time.monotonic()
        while time.monotonic() - began_s < within_s:
            holders = await self.holders()
            fewest = len(self.cameras) // len(names)
            counts = [list(holders.values()).count(name) for name in names]
            if (
                len(holders) == len(self.cameras)
                and set(holders.values()) == names
                and min(counts) >= fewest - 1
            ):
                return time.monotonic() - began_s
            await asyncio.sleep(0.1)
        raise TimeoutError(f"not shared by {names} within {within_s:g} s: {await self.holders()}")

    async def event(self, what: str, names: set[str], act: Callable[[], None]) -> Event:
        """Do something to the workers, and look what becomes of the cameras."""
        before = await self.holders()
        since = time.time()
        act()
        took_s = await self.settled(names, 60)
        after = await self.holders()
        await asyncio.sleep(3)  # for what the followers have still to hear
        moved = [camera for camera in self.cameras if before.get(camera) != after[camera]]
        gaps = [self.followed[camera].longest_step_s(since) for camera in moved]
        return Event(what, len(moved), round(max(gaps, default=0.0), 2), round(took_s, 1))

    async def _follow(self, camera: CameraId) -> None:
        while True:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                async for at in self._live(camera):
                    self.followed[camera].times.add(at)
            await asyncio.sleep(0.2)

    async def _live(self, camera: CameraId) -> AsyncIterator[float]:
        (lease,) = await self.bus.look_at_leases([f"camera/{camera}"])
        address = json.loads(lease.note or "{}").get("address") if lease else None
        if not address:
            return
        shown = make_pass(self.sealer, camera, SystemClock().now())
        url = f"ws://{address}/live/{camera}?back={LOOK_BACK_S}"
        headers = {"Authorization": f"Bearer {shown}"}
        started_at = datetime.now(UTC)
        async with connect(url, additional_headers=headers, max_size=None, proxy=None) as worker:
            async for message in worker:
                if isinstance(message, str):
                    told = json.loads(message)
                    if told["type"] == "start":
                        started_at = datetime.fromisoformat(told["started_at"])
                    continue
                place = message.find(b"tfdt")
                while place >= 0:
                    (ticks,) = struct.unpack_from(">Q", message, place + 8)
                    yield (started_at + timedelta(seconds=ticks / TICKS_PER_S)).timestamp()
                    place = message.find(b"tfdt", place + 4)

    async def _end_workers(self) -> None:
        for process in self.workers.values():
            process.kill()
        for process in self.workers.values():
            await asyncio.to_thread(process.wait)


async def run(cameras: int, lease_s: float) -> list[Event]:
    """Three workers; one is killed, comes back, and one ends in order."""
    with tempfile.TemporaryDirectory(prefix="siaga-bench-") as folder:
        async with Fleet(Path(folder), cameras, lease_s) as fleet:
            for name in ("w1", "w2", "w3"):
                fleet.start(name)
            await fleet.settled({"w1", "w2", "w3"}, 120)
            await asyncio.sleep(3)
            events = [
                await fleet.event(
                    "one of three is killed (SIGKILL)", {"w1", "w2"}, fleet.workers["w3"].kill
                ),
                await fleet.event("a third joins", {"w1", "w2", "w4"}, lambda: fleet.start("w4")),
                await fleet.event(
                    "one of three ends (SIGTERM)",
                    {"w1", "w4"},
                    lambda: fleet.workers["w2"].send_signal(signal.SIGTERM),
                ),
            ]
            code = await asyncio.to_thread(fleet.workers["w2"].wait, 30)
            if code != 0:
                raise RuntimeError(f"the worker that was asked to end ended with {code}")
            return events


def _small_video(path: Path) -> None:
    """8 s of a moving square: 320 x 180, 10 pictures a second, a keyframe every 2 s."""
    from fractions import Fraction

    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(10))
        if not isinstance(stream, av.VideoStream):
            raise TypeError("no video stream")
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.codec_context.gop_size = 20
        stream.options = {"preset": "ultrafast", "bf": "0"}
        for number in range(80):
            picture = np.full((180, 320, 3), 90, np.uint8)
            picture[60:100, 3 * number : 3 * number + 40] = (200, 60, 40)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def _serve(video: Path, cameras: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(video), str(cameras)], stdout=subprocess.PIPE
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--cameras", type=int, default=12)
    parser.add_argument("--lease-s", type=float, default=6.0)
    arguments = parser.parse_args()
    events = asyncio.run(run(arguments.cameras, arguments.lease_s))
    print(f"{arguments.cameras} cameras, leases of {arguments.lease_s:g} s, {os.cpu_count()} cores")
    print(f"{'what happens':36} {'cameras moved':>14} {'longest gap s':>14} {'settled s':>10}")
    for event in events:
        print(
            f"{event.what:36} {event.cameras_moved:14} {event.longest_gap_s:14} "
            f"{event.settled_after_s:10}"
        )


if __name__ == "__main__":
    main()
