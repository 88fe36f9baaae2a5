"""One way of watching many cameras, in a process of its own, measured by its CPU time.

``python -m bench.ingest_methods METHOD SECONDS`` takes the URLs as one JSON line, watches them all
until each has shown a picture (or `OPEN_WITHIN_S` are over), then measures for so long and prints
one JSON line. Every way hands on pictures 640 px wide.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from plumbing.processes import die_with_parent

OPEN_WITHIN_S = 45.0
WIDTH_PX = 640
HOT_FPS = 5.0
"""What the full rate hands on; everything is decoded for it."""
METHODS = ("siaga-keyframe", "siaga-keyframe-pyav", "siaga-full", "cv2", "ffmpeg")
"""``siaga-keyframe-pyav``: the same pipeline with FFmpeg's receiver instead of our own."""


class Pictures:
    """When each camera showed a picture."""

    def __init__(self, cameras: int) -> None:
        self.worst_gap_s = 0.0
        self.count = 0
        self._last_s: list[float | None] = [None] * cameras
        self._lock = threading.Lock()

    def shown(self, camera: int) -> None:
        """Camera number ``camera`` shows one now."""
        now_s = time.monotonic()
        with self._lock:
            last_s = self._last_s[camera]
            if last_s is not None:
                self.worst_gap_s = max(self.worst_gap_s, now_s - last_s)
            self._last_s[camera] = now_s
            self.count += 1

    @property
    def live(self) -> int:
        """Cameras that have shown one."""
        return sum(last_s is not None for last_s in self._last_s)

    def begin(self) -> None:
        """Count from here."""
        with self._lock:
            self.worst_gap_s, self.count = 0.0, 0

    def end(self) -> None:
        """A camera that shows nothing more has a gap too."""
        now_s = time.monotonic()
        with self._lock:
            gaps_s = [now_s - last_s for last_s in self._last_s if last_s is not None]
            self.worst_gap_s = max([self.worst_gap_s, *gaps_s])


@contextmanager
def siaga(
    urls: list[str], pictures: Pictures, *, hot: bool, own_rtsp: bool = True
) -> Iterator[None]:
    """The ingest of a worker; its pictures are taken as the detector would."""
    from camera_ingest import IngestSupervisor
    from contracts import CameraId, StreamSource
    from plumbing.address_guard import AddressGuard
    from plumbing.clock import SystemClock
    from plumbing.sealing import Sealer
    from plumbing.settings import IngestSettings

    settings = IngestSettings(
        allow_private=("127.0.0.0/8",),
        frame_width_px=WIDTH_PX,
        hot_fps=HOT_FPS,
        own_rtsp=own_rtsp,
    )
    with tempfile.TemporaryDirectory(prefix="siaga-bench-") as folder:
        ingest = IngestSupervisor(
            settings,
            SystemClock(),
            AddressGuard(settings.allow_private),
            Sealer(Path(folder) / "key", {}),
            lambda _health: None,
        )
        ids = [CameraId(f"camera-{number}") for number in range(len(urls))]
        ingest.set_sources(
            [
                StreamSource(camera_id=camera_id, url=url)
                for camera_id, url in zip(ids, urls, strict=True)
            ]
        )
        if hot:
            ingest.watch_closely(ids, datetime.now(UTC) + timedelta(hours=1))
        numbers = {camera_id: number for number, camera_id in enumerate(ids)}
        stopping = threading.Event()

        def take() -> None:
            while not stopping.is_set():
                for frame in ingest.next_frames(16, 0.2):
                    pictures.shown(numbers[frame.camera_id])

        taking = threading.Thread(target=take)
        taking.start()
        try:
            yield
        finally:
            stopping.set()
            taking.join()
            ingest.stop()


@contextmanager
def cv2_captures(urls: list[str], pictures: Pictures) -> Iterator[None]:
    """The naive way: `cv2.VideoCapture.read` in a thread a camera, each picture resized."""
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
    import cv2

    stopping = threading.Event()

    def watch(number: int) -> None:
        capture = cv2.VideoCapture(urls[number], cv2.CAP_FFMPEG)
        try:
            while not stopping.is_set():
                read, picture = capture.read()
                if not read:
                    return
                height, width = picture.shape[:2]
                cv2.resize(picture, (WIDTH_PX, height * WIDTH_PX // width))
                pictures.shown(number)
        finally:
            capture.release()

    threads = [threading.Thread(target=watch, args=(number,)) for number in range(len(urls))]
    for thread in threads:
        thread.start()
        time.sleep(0.1)
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


@contextmanager
def ffmpeg_processes(urls: list[str], pictures: Pictures) -> Iterator[None]:
    """An ffmpeg process a camera, keyframes only, its pictures through a pipe."""
    command = ["ffmpeg", "-nostdin", "-loglevel", "quiet", "-threads", "1"]
    command += ["-skip_frame", "nokey", "-rtsp_transport", "tcp", "-i"]
    shape = ["-vf", f"scale={WIDTH_PX}:-2", "-fps_mode", "passthrough"]
    output = ["-f", "image2pipe", "-c:v", "ppm", "-"]

    def watch(number: int, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            return
        while process.stdout.readline() == b"P6\n":
            width, height = process.stdout.readline().split()
            process.stdout.readline()
            process.stdout.read(int(width) * int(height) * 3)
            pictures.shown(number)

    processes = []
    threads = []
    for number, url in enumerate(urls):
        process = subprocess.Popen([*command, url, *shape, *output], stdout=subprocess.PIPE)
        processes.append(process)
        threads.append(threading.Thread(target=watch, args=(number, process)))
        threads[-1].start()
        time.sleep(0.1)
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for thread in threads:
            thread.join()
        for process in processes:
            process.wait()


def cpu_s() -> float:
    """CPU time of this process and the children that it has waited for, seconds."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def peak_mb() -> float:
    """Largest memory so far: this process's, and its largest child's."""
    unit = 1e6 if sys.platform == "darwin" else 1e3
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / unit


def measure(method: str, urls: list[str], seconds: float) -> dict[str, Any]:
    """Run one method; see the module's description."""
    pictures = Pictures(len(urls))
    ways = {
        "siaga-keyframe": lambda: siaga(urls, pictures, hot=False),
        "siaga-keyframe-pyav": lambda: siaga(urls, pictures, hot=False, own_rtsp=False),
        "siaga-full": lambda: siaga(urls, pictures, hot=True),
        "cv2": lambda: cv2_captures(urls, pictures),
        "ffmpeg": lambda: ffmpeg_processes(urls, pictures),
    }
    before_mb = peak_mb()
    began_cpu_s = 0.0
    with ways[method]():
        deadline_s = time.monotonic() + OPEN_WITHIN_S
        while pictures.live < len(urls) and time.monotonic() < deadline_s:
            time.sleep(0.1)
        time.sleep(1.0)
        pictures.begin()
        began_cpu_s, began_s = cpu_s(), time.monotonic()
        time.sleep(seconds)
        pictures.end()
        spent_s, lasted_s = cpu_s() - began_cpu_s, time.monotonic() - began_s
    if method == "ffmpeg":  # its CPU time is known only once the processes have ended
        spent_s = cpu_s() - began_cpu_s
        lasted_s = time.monotonic() - began_s
        memory_mb = peak_mb() - before_mb
    else:
        memory_mb = (peak_mb() - before_mb) / max(1, pictures.live)
    cameras = max(1, pictures.live)
    return {
        "live": pictures.live,
        "pictures_per_s": round(pictures.count / lasted_s / cameras, 2),
        "cpu_ms_per_stream_s": round(1e3 * spent_s / lasted_s / cameras, 2),
        "worst_gap_s": round(pictures.worst_gap_s, 2),
        "rss_mb_per_stream": round(memory_mb, 1),
    }


if __name__ == "__main__":
    die_with_parent()
    found = measure(sys.argv[1], json.loads(sys.stdin.readline()), float(sys.argv[2]))
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    # FFmpeg's threads inside OpenCV may hang on a camera; what was measured is told.
    os._exit(0)
