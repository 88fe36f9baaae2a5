"""`python -m simulator.cost`: what the demonstration city costs, in processor time.

Everything is measured in the processor time of this process (the readers are another), so that a
busy machine gives the same figures. OpenCV and the encoders are held to one thread: a picture's
milliseconds are then what a core has to give for it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import fmean

import cv2

from contracts import LonLat
from simulator.city import City
from simulator.rtsp.encoder import PictureEncoder
from simulator.scene import fluid
from simulator.serve import CityServer
from simulator.views import view_of

_CENTRE = LonLat(106.992, -6.2383)
_WALL = datetime(2026, 11, 22, 3, tzinfo=UTC)
_KEY_EVERY_S = 2.0

# Takes and drops what the server sends, decoding nothing: a reader that costs next to nothing.
_READER = """
import sys, threading, av
def read(url):
    with av.open(url, options={"rtsp_transport": "tcp"}) as container:
        for packet in container.demux(video=0):
            pass
threads = [threading.Thread(target=read, args=(url,), daemon=True) for url in sys.argv[1:]]
for thread in threads: thread.start()
sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a city of ``cameras`` 720p cameras at ``fps`` pictures a second."""

    cameras: int
    fps: float
    first_ready_cpu_s: float
    """From nothing to the cameras that see the first fire."""
    all_ready_cpu_s: float
    quiet_ms: float
    """To draw a picture without a fire."""
    fire_ms: float
    """To draw a picture with a grown fire in it."""
    encode_ms: float
    served_ms: float
    """All of it: drawn, encoded, packetised, sent and waited for, a picture."""
    served_core_share: float
    """The share of a core that the whole city took while it was served."""
    stages_ms: dict[str, float]
    """Of a picture drawn, by stage: a mean over quiet ones and ones with a grown fire."""
    peak_mb: float

    @property
    def cameras_a_core(self) -> float:
        """At ten pictures a second."""
        return 100.0 / self.served_ms


def measure(cameras: int = 8, fps: float = 10.0, seconds: float = 10.0, seed: int = 1) -> Cost:
    """Run the city, with a reader a camera, for so many seconds once all are ready."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        served = asyncio.run(_serve(City.demo(cameras, seed, _CENTRE), fps, seconds))
        return _drawn(cameras, fps, seed, served)
    finally:
        cv2.setNumThreads(threads)


@dataclass(frozen=True, slots=True)
class _Served:
    first_ready_cpu_s: float
    all_ready_cpu_s: float
    cpu_s: float
    wall_s: float
    pictures: int
    peak_mb: float


async def _serve(city: City, fps: float, seconds: float) -> _Served:
    began = time.process_time()
    async with CityServer(city, fps=fps) as server:
        first = time.process_time() - began
        urls = [camera.url for camera in server.cameras]
        reader = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _READER, *urls, stdin=subprocess.PIPE
        )
        # A count is all there is to see, and a tenth of a second is fine enough for it.
        while any(mount.pictures_sent == 0 for mount in server.rtsp):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        ready = time.process_time() - began
        cpu, wall = time.process_time(), time.monotonic()
        sent = sum(mount.pictures_sent for mount in server.rtsp)
        await asyncio.sleep(seconds)
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
        sent = sum(mount.pictures_sent for mount in server.rtsp) - sent
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        if reader.stdin is not None:
            reader.stdin.close()
        await reader.wait()
    return _Served(first, ready, cpu, wall, sent, peak_mb)


def _drawn(cameras: int, fps: float, seed: int, served: _Served) -> Cost:
    city = City.demo(1, seed, _CENTRE)
    view = view_of(city, 0, fluid.simulate(seed))
    fire = next(event for event in city.round_of_events(0) if event.kind == "fire")
    burning = fire.starts_s + 45
    quiet, burnt, coded = [], [], []
    encoder = PictureEncoder(view.width_px, view.height_px, fps)
    laps = _Laps()
    view.shoot(burning, _WALL)
    for tick in range(60):
        start = time.process_time()
        # As they come: what stands still in one picture does so in the next.
        view.shoot(tick / fps % fire.starts_s, _WALL, stage_begins=laps.begin)
        laps.end()
        quiet.append(time.process_time() - start)
    for tick in range(60):
        start = time.process_time()
        picture = view.shoot(burning + tick / fps, _WALL, stage_begins=laps.begin).picture
        laps.end()
        burnt.append(time.process_time() - start)
        start = time.process_time()
        encoder.encode(picture, key=tick % round(_KEY_EVERY_S * fps) == 0)
        coded.append(time.process_time() - start)
    encode_ms = 1000 * fmean(coded)
    served_ms = 1000 * served.cpu_s / max(1, served.pictures)
    stages = {name: 1000 * spent / (len(quiet) + len(burnt)) for name, spent in laps.spent.items()}
    return Cost(
        cameras=cameras,
        fps=fps,
        first_ready_cpu_s=served.first_ready_cpu_s,
        all_ready_cpu_s=served.all_ready_cpu_s,
        quiet_ms=1000 * fmean(quiet),
        fire_ms=1000 * fmean(burnt),
        encode_ms=encode_ms,
        served_ms=served_ms,
        served_core_share=served.cpu_s / served.wall_s,
        stages_ms=stages,
        peak_mb=served.peak_mb,
    )


class _Laps:
    """Adds up what each stage of a picture takes."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._name = ""
        self._since = 0.0

    def begin(self, name: str) -> None:
        self.end()
        self._name, self._since = name, time.process_time()

    def end(self) -> None:
        if self._name:
            spent = time.process_time() - self._since
            self.spent[self._name] = self.spent.get(self._name, 0.0) + spent
        self._name = ""


def table(cost: Cost) -> str:
    """The figures with the machine's facts."""
    rows = (
        ("first fire's cameras ready", f"{cost.first_ready_cpu_s:.1f} s CPU"),
        (f"all {cost.cameras} cameras ready", f"{cost.all_ready_cpu_s:.1f} s CPU"),
        ("a picture drawn, quiet", f"{cost.quiet_ms:.1f} ms"),
        ("a picture drawn, with a fire", f"{cost.fire_ms:.1f} ms"),
        ("a picture encoded", f"{cost.encode_ms:.1f} ms"),
        *((f"  of a picture: {name}", f"{ms:.2f} ms") for name, ms in cost.stages_ms.items()),
        ("a picture drawn, encoded, served", f"{cost.served_ms:.1f} ms"),
        (f"{cost.cameras} cameras at {cost.fps:g} a second", f"{cost.served_core_share:.2f} core"),
        ("cameras a core, at 10 a second", f"{cost.cameras_a_core:.1f}"),
        ("peak memory", f"{cost.peak_mb:.0f} MB"),
    )
    load = os.getloadavg()[0]
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}"
    head = f"the simulated city, 1280x720; {machine}"
    return "\n".join([head, *(f"  {name:<34}{value:>12}" for name, value in rows)])


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="What the simulated city costs.")
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args()
    print(table(measure(given.cameras, given.fps, given.seconds)))


if __name__ == "__main__":
    main()
