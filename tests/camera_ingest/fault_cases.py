"""What befalls cameras, as real servers do it: how it strikes, how it heals, what is promised."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from camera_ingest.decoding import HOLD_S
from camera_ingest.health.limits import HealthLimits
from contracts import CameraState
from plumbing.ports import free_port
from plumbing.settings import IngestSettings
from simulator.rtsp import (
    HEALTHY,
    Codec,
    Faults,
    FileSource,
    Picture,
    RenderedSource,
    RtspServer,
    Timeline,
)
from tests.support.rtsp import ClockPictures, RtspThread, small_video

S = CameraState
SCALE = 0.2
"""The tests' limits of time beside the real ones."""
REAL = HealthLimits()
DEFAULTS = IngestSettings()


class Stage(ClockPictures):
    """Pictures that can stand still, go black, or carry a street's noise."""

    def __init__(self, width_px: int = 160, *, noise: bool = False) -> None:
        super().__init__(width_px)
        self.show: str = "moving"
        self._noise = noise
        self._rng = np.random.default_rng(1)
        self._kept: NDArray[np.uint8] | None = None

    def render(self, at: datetime) -> NDArray[np.uint8]:
        if self.show == "black":
            return np.full((self.height_px, self.width_px, 3), 16, np.uint8)
        if self.show == "frozen" and self._kept is not None:
            return self._kept
        picture = super().render(at)
        if self._noise:
            picture = self._rng.integers(0, 255, picture.shape, np.uint8)
        self._kept = picture
        return picture


class Switching:
    """One source's pictures until `switched`, then another's, on the same connection."""

    def __init__(self, first: FileSource, second: FileSource) -> None:
        self.codec: Codec = first.codec
        self.parameter_sets = first.parameter_sets
        self.switched = False
        self._sources = (first, second)

    async def pictures(self, timeline: Timeline) -> AsyncIterator[Picture]:
        shown = self.switched
        while True:
            async for picture in self._sources[shown].pictures(timeline):
                if picture.is_keyframe and self.switched != shown:
                    break
                yield picture
            shown = self.switched


@dataclass(frozen=True, kw_only=True)
class Case:
    """One camera and what befalls it."""

    name: str
    url: str
    states: tuple[CameraState, ...]
    """How it may be shown; none where the fault is to pass unnoticed."""
    within_s: float
    """Seconds with the usual settings, as the table promises."""
    strike: Callable[[], object]
    heal: Callable[[], object]


class OwnServer:
    """An RTSP server on a port of its own, which can be switched off and on."""

    def __init__(self, clip: Path) -> None:
        self._clip = clip
        self._thread: RtspThread | None = None
        self._port = free_port()
        self.on()

    def on(self) -> None:
        self._thread = RtspThread()
        self._thread.server = RtspServer(port=self._port)
        self._thread.__enter__()
        self.url = self._thread.serve_file("a", self._clip)

    def off(self) -> None:
        if self._thread is not None:
            self._thread.__exit__()
            self._thread = None

    def reboot(self) -> None:
        self.off()
        time.sleep(3 * SCALE * REAL.grace_s)
        self.on()


@contextmanager
def stoppable_process() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A camera served by another process."""
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.streams", "h264:160x90@10/1", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        (url,) = json.loads(server.stdout.readline())
        yield url, server
    finally:
        server.send_signal(signal.SIGCONT)
        server.stdin.close()
        server.wait(10)
        server.stdout.close()


@contextmanager
def cases(folder: Path) -> Iterator[list[Case]]:
    clip = small_video(folder / "clip.mp4", seconds=6, gop=5)
    rare = small_video(folder / "rare.mp4", seconds=20, gop=100)
    large = small_video(folder / "large.mp4", seconds=4, gop=5, width_px=320)
    found: list[Case] = []
    with ExitStack() as stack:
        rtsp = stack.enter_context(RtspThread())
        opened_s, silent_s = DEFAULTS.open_timeout_s, DEFAULTS.read_timeout_s
        lines = (S.STALLED, S.REFUSED, S.UNREACHABLE)

        def add(
            name: str,
            states: tuple[CameraState, ...],
            within_s: float,
            faults: Faults,
            *,
            drops: bool = False,
            url: str | None = None,
        ) -> None:
            path = "".join(letter for letter in name if letter.isalnum())
            served = url or rtsp.serve_file(path, clip)

            def strike() -> None:
                rtsp.set_faults(path, faults)
                if drops:
                    rtsp.drop_readers(path)

            found.append(
                Case(
                    name=name,
                    url=served,
                    states=states,
                    within_s=within_s,
                    strike=strike,
                    heal=lambda: rtsp.set_faults(path, HEALTHY),
                )
            )

        add("connection drops", lines, REAL.grace_s + REAL.site_s, Faults(drop=True))
        add("stall", (S.STALLED,), silent_s + REAL.site_s, Faults(stall=True))
        add("hangs after connecting", lines, opened_s + REAL.site_s, Faults(hang=True), drops=True)
        add("401", (S.UNAUTHORISED,), REAL.grace_s, Faults(reject_credentials=True), drops=True)
        add("404", (S.NOT_FOUND,), REAL.grace_s, Faults(refuse=True), drops=True)
        add("garbage", (S.CORRUPT,), silent_s + REAL.grace_s, Faults(garbage=True))
        off_s = REAL.clock_s + 4  # with the camera's next report
        add("clock jumps by an hour", (S.WRONG_CLOCK,), off_s, Faults(clock_off_s=3600.0))
        noisy = RenderedSource(Stage(480, noise=True), fps=5, keyframe_every_s=0.4)
        lossy = rtsp.serve("5ofpacketslost", noisy)
        add("5 % of packets lost", (S.CORRUPT,), 24.0, Faults(loss=0.05), url=lossy)
        for show, state, within_s in (
            ("frozen", S.FROZEN, REAL.frozen_s),
            ("black", S.BLACK, REAL.dark_s),
        ):
            stage = Stage()
            # A hung sensor's picture; with a drifting quality it would be another one each time.
            source = RenderedSource(stage, fps=5, keyframe_every_s=0.4)
            url = rtsp.serve(show, source)
            found.append(
                Case(
                    name=f"{show} picture",
                    url=url,
                    states=(state,),
                    within_s=within_s + 4,
                    strike=partial(setattr, stage, "show", show),
                    heal=partial(setattr, stage, "show", "moving"),
                )
            )
        refusing, rebooting = OwnServer(clip), OwnServer(clip)
        stack.callback(refusing.off)
        stack.callback(rebooting.off)
        found.append(
            Case(
                name="refused",
                url=refusing.url,
                states=lines,
                within_s=REAL.grace_s + REAL.site_s,
                strike=refusing.off,
                heal=refusing.on,
            )
        )
        found.append(
            Case(
                name="camera reboots",
                url=rebooting.url,
                states=lines,
                within_s=REAL.grace_s + REAL.site_s,
                strike=rebooting.reboot,
                heal=lambda: None,
            )
        )
        found.append(
            Case(
                name="keyframe every 10 s",
                url=rtsp.serve_file("rare", rare),
                states=(),
                within_s=HOLD_S + 1,
                strike=lambda: None,
                heal=lambda: None,
            )
        )
        switching = Switching(FileSource(clip), FileSource(large))
        found.append(
            Case(
                name="resolution changes",
                url=rtsp.serve("switching", switching),
                states=(),
                within_s=HOLD_S,
                strike=lambda: setattr(switching, "switched", True),
                heal=lambda: None,
            )
        )
        url, server = stack.enter_context(stoppable_process())
        found.append(
            Case(
                name="server stopped (SIGSTOP)",
                url=url,
                states=lines,
                within_s=silent_s + REAL.site_s,
                strike=lambda: server.send_signal(signal.SIGSTOP),
                heal=lambda: server.send_signal(signal.SIGCONT),
            )
        )
        yield found
