"""The cameras' part of `siaga bench watch`: a worker's ingest and watching on simulated cameras.

The cameras are served over real RTSP by a process of their own. One in twenty is at full rate all
the time. Everything that a worker does with a picture is done; the CPU time is this process's. A
long run shows its gaps and its memory over time.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.streams import StreamSpec, served
from camera_ingest import IngestSupervisor
from contracts import CameraHealth, CameraId, CameraState, Frame, StreamSource
from detection import open_detector, open_flood_classifier
from plumbing.address_guard import AddressGuard
from plumbing.bus import Bus
from plumbing.clock import SystemClock
from plumbing.evidence import FolderEvidence
from plumbing.sealing import Sealer
from plumbing.settings import IngestSettings
from plumbing.spool import Spool
from siaga.watching.heads import HeadWatch
from siaga.watching.pipeline import Watch
from siaga.watching.thread import WatchThread

Say = Callable[[str], None]

BATCH = 4
"""Pictures handed in together, of as many cameras: a worker's batch with two streams."""
OPEN_WITHIN_S = 90.0
HOT_SHARE = 1 / 20
LONG_GAP_S = 5.0
"""No camera may go unseen for longer."""
SAMPLES = 12
"""Lines of a long run's table, at most."""
SAMPLE_S = 10.0
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Sample:
    """A stretch of the run."""

    until_s: float
    """Since the beginning."""
    rss_mb: float
    pictures_per_s: float
    hot_pictures_per_s: float
    """Of one camera at full rate."""
    worst_gap_s: float
    rates_share: float
    """1 where nothing is shed."""
    cpu_share: float
    """Of one core."""
    load: float
    """Of the whole machine: who else wanted to compute."""


def a_camera(
    cameras: int, stream: str, seconds: float, say: Say = lambda _text: None
) -> dict[str, Any]:
    """A worker's ingest and watching, on so many simulated cameras for so long.

    Raises:
        RuntimeError: not all cameras showed a picture in time, or watching failed.
        ValueError: the stream's text is none.
    """
    spec = StreamSpec.parse(stream)
    sample_s = max(SAMPLE_S, seconds / SAMPLES)
    with served(spec, cameras) as urls, _watched(urls) as run:
        run.seen.all_seen(cameras, OPEN_WITHIN_S)
        hot = run.heat(max(1, round(HOT_SHARE * cameras)), seconds + 30)
        time.sleep(1.0)
        run.seen.begin()
        began_s, began_cpu_s = time.monotonic(), time.process_time()
        samples: list[Sample] = []
        while (elapsed_s := time.monotonic() - began_s) < seconds:
            stretch_s, stretch_cpu_s = elapsed_s, time.process_time()
            time.sleep(min(sample_s, seconds - elapsed_s))
            run.check()
            lasted_s = time.monotonic() - began_s - stretch_s
            samples.append(_sample(run, hot, stretch_s, lasted_s, stretch_cpu_s))
            say(f"  {sample_line(samples[-1])}")
        wall_s = time.monotonic() - began_s
        cpu_s = time.process_time() - began_cpu_s
        run.seen.end()
        per_stream_s = cpu_s / wall_s / cameras
        return {
            "cameras_per_core": int(1 / per_stream_s),
            "camera_cpu_ms_per_s": round(per_stream_s * 1000, 2),
            "cameras": cameras,
            "hot": len(hot),
            "stream": stream,
            "watched_s": round(wall_s, 1),
            "pictures_per_s": round(run.seen.total / wall_s, 1),
            "worst_gap_s": round(max(run.seen.worst_gap_s.values()), 2),
            "gaps_over_5_s": run.seen.long_gaps,
            "cameras_with_such_gaps": sum(
                gap_s > LONG_GAP_S for gap_s in run.seen.worst_gap_s.values()
            ),
            "not_live_told": run.troubles,
            "least_rates_share": min((sample.rates_share for sample in samples), default=1.0),
            "look_backs": run.thread.look_backs.done,
            "look_backs_given_up": run.thread.look_backs.given_up,
            "samples": [
                {name: getattr(sample, name) for name in Sample.__slots__} for sample in samples
            ],
        }


class _Seen(Watch):
    """Notes when each camera was looked at."""

    def __init__(self, *models: Any) -> None:
        super().__init__(*models)
        self.total = 0
        self.long_gaps = 0
        self.worst_gap_s: dict[CameraId, float] = {}
        self._stretch: dict[CameraId, int] = {}
        self._stretch_gap_s = 0.0
        self._last_s: dict[CameraId, float] = {}
        self._changed = threading.Condition()

    def look(self, frames: Sequence[Frame], *sources: Any) -> Any:
        with self._changed:
            now_s = time.monotonic()
            for frame in frames:
                self._gap(frame.camera_id, now_s)
                self._last_s[frame.camera_id] = now_s
                self._stretch[frame.camera_id] = self._stretch.get(frame.camera_id, 0) + 1
                self.total += 1
            self._changed.notify_all()
        return super().look(frames, *sources)

    def _gap(self, camera_id: CameraId, now_s: float) -> None:
        gap_s = now_s - self._last_s.get(camera_id, now_s)
        self.long_gaps += gap_s > LONG_GAP_S
        self._stretch_gap_s = max(self._stretch_gap_s, gap_s)
        self.worst_gap_s[camera_id] = max(self.worst_gap_s.get(camera_id, 0.0), gap_s)

    def all_seen(self, cameras: int, timeout_s: float) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._last_s) == cameras, timeout_s):
                raise RuntimeError(f"{len(self._last_s)} of {cameras} cameras showed a picture")

    def begin(self) -> None:
        with self._changed:
            self.total = self.long_gaps = 0
            self.worst_gap_s.clear()
            self.stretch()

    def stretch(self) -> tuple[dict[CameraId, int], float]:
        """Pictures a camera, and the worst gap, since this was last asked."""
        with self._changed:
            pictures, gap_s = self._stretch, self._stretch_gap_s
            self._stretch, self._stretch_gap_s = {}, 0.0
            return pictures, gap_s

    def end(self) -> None:
        """A camera that shows nothing more has a gap too."""
        with self._changed:
            now_s = time.monotonic()
            for camera_id in self._last_s:
                self._gap(camera_id, now_s)


@dataclass(slots=True)
class _Run:
    ingest: IngestSupervisor
    thread: WatchThread
    seen: _Seen
    sources: Sequence[StreamSource]
    clock: SystemClock
    failures: list[BaseException]
    health: list[CameraHealth]

    def heat(self, count: int, seconds: float) -> list[CameraId]:
        """The first so many cameras at full rate."""
        hot = [source.camera_id for source in self.sources[:count]]
        self.ingest.watch_closely(hot, self.clock.now() + timedelta(seconds=seconds))
        return hot

    def check(self) -> None:
        if self.failures:
            raise RuntimeError(f"watching failed: {self.failures[0]}") from self.failures[0]

    @property
    def troubles(self) -> dict[str, int]:
        """How often a state other than live was told."""
        told = [each.state.value for each in self.health if each.state is not CameraState.LIVE]
        return {state: told.count(state) for state in sorted(set(told))}


@contextmanager
def _watched(urls: Sequence[str]) -> Iterator[_Run]:
    failures: list[BaseException] = []
    health: list[CameraHealth] = []
    with tempfile.TemporaryDirectory(prefix="siaga-bench-") as folder:
        clock, base = SystemClock(), Path(folder)
        settings = IngestSettings(allow_private=("127.0.0.0/8",))
        ingest = IngestSupervisor(
            settings,
            clock,
            AddressGuard(settings.allow_private),
            Sealer(base / "key"),
            health.append,
        )
        sources = [
            StreamSource(camera_id=CameraId(f"camera-{n}"), url=url) for n, url in enumerate(urls)
        ]
        seen = _Seen(open_detector(streams=2), open_flood_classifier())
        thread = WatchThread(
            seen,
            ingest,
            FolderEvidence(base / "evidence", 0),
            Spool(base / "spool.sqlite3"),
            clock,
            batch=BATCH,
            look_back_share=0.15,
            frame_width_px=settings.frame_width_px,
            # Nothing turns here, so it asks nobody.
            heads=HeadWatch(Bus("redis://127.0.0.1:1/0"), tuple),
            on_detection=lambda: None,
            on_failure=failures.append,
        )
        thread.set_sources(sources)
        thread.start()
        try:
            ingest.set_sources(sources)
            yield _Run(ingest, thread, seen, sources, clock, failures, health)
        finally:
            thread.stop()
            ingest.stop()
            thread.join(5.0)


def _sample(
    run: _Run, hot: Sequence[CameraId], began_s: float, lasted_s: float, began_cpu_s: float
) -> Sample:
    pictures, gap_s = run.seen.stretch()
    of_hot = sum(pictures.get(camera_id, 0) for camera_id in hot)
    return Sample(
        until_s=round(began_s + lasted_s, 1),
        rss_mb=round(rss_mb(), 1),
        pictures_per_s=round(sum(pictures.values()) / lasted_s, 1),
        hot_pictures_per_s=round(of_hot / lasted_s / len(hot), 1),
        worst_gap_s=round(gap_s, 2),
        rates_share=round(run.ingest.pace.share, 2),
        cpu_share=round((time.process_time() - began_cpu_s) / lasted_s, 2),
        load=round(os.getloadavg()[0], 1),
    )


def rss_mb() -> float:
    """What this process holds in memory now."""
    resident = int(Path("/proc/self/statm").read_text().split()[1])
    return resident * _PAGE_BYTES / 1e6


def sample_line(sample: Sample) -> str:
    """A stretch for people."""
    return (
        f"{sample.until_s:>7.0f} s  {sample.rss_mb:>7.1f} MB  {sample.cpu_share:>5.2f} cores  "
        f"{sample.pictures_per_s:>6.1f} pictures/s (hot {sample.hot_pictures_per_s:>4.1f})  "
        f"worst gap {sample.worst_gap_s:>5.2f} s  rates x {sample.rates_share:.2f}  "
        f"load {sample.load:.1f}"
    )
