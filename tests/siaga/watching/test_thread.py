"""A cold camera over real RTSP: what began between two keyframes is found by looking back."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from camera_ingest import IngestSupervisor
from contracts import CameraId, Detection, Frame, StreamSource
from detection import Detector
from plumbing.address_guard import AddressGuard
from plumbing.bus import Bus
from plumbing.clock import SystemClock
from plumbing.evidence import FolderEvidence
from plumbing.sealing import Sealer
from plumbing.settings import IngestSettings
from plumbing.spool import Spool
from siaga.watching.heads import HeadWatch
from siaga.watching.pipeline import Watch, Watched
from siaga.watching.thread import WatchThread
from tests.siaga.watching.burning import red_detector
from tests.support.rtsp import RtspThread

CAMERA = CameraId("cam-1")
SIZE_PX = 320


def a_fire(path: Path) -> Path:
    """Twelve seconds at 10 a second, keyframes four seconds apart; flames from 4.8 s to 11.8 s."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream(
            "libx264", rate=10, options={"preset": "ultrafast", "x264-params": "scenecut=0"}
        )
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = 40, 0
        stream.time_base = Fraction(1, 10)
        rng = np.random.default_rng(3)
        ground = rng.integers(70, 130, (9, 16, 3), np.uint8).repeat(20, axis=0).repeat(20, axis=1)
        for n in range(120):
            picture = ground + rng.integers(0, 6, ground.shape, np.uint8)
            if 48 <= n < 118:
                top, right = 60 - int(rng.integers(0, 20)), 140 + int(rng.integers(0, 20))
                picture[top:110, 90:right] = (230, 90, 20)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = n
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


class LoggedWatch(Watch):
    """Notes what was looked at live."""

    def __init__(self, detector: Detector) -> None:
        super().__init__(detector, None)
        self.live: list[datetime] = []

    def look(self, frames: Sequence[Frame], *sources: object) -> list[Watched]:
        self.live += [frame.captured_at for frame in frames]
        return super().look(frames, *sources)  # type: ignore[arg-type]


def test_a_fire_between_two_keyframes_is_dated_by_looking_back(
    rtsp: RtspThread, tmp_path: Path
) -> None:
    source = StreamSource(camera_id=CAMERA, url=rtsp.serve_file("a", a_fire(tmp_path / "a.mp4")))
    settings, clock = IngestSettings(allow_private=("127.0.0.0/8",)), SystemClock()
    ingest = IngestSupervisor(
        settings,
        clock,
        AddressGuard(settings.allow_private),
        Sealer(tmp_path / "k"),
        lambda _: None,
    )
    watch = LoggedWatch(red_detector())
    spool, found, failures = Spool(tmp_path / "spool"), threading.Event(), list[BaseException]()
    thread = WatchThread(
        watch,
        ingest,
        FolderEvidence(tmp_path / "evidence", 0),
        spool,
        clock,
        batch=4,
        look_back_share=0.5,
        frame_width_px=settings.frame_width_px,
        heads=HeadWatch(Bus("redis://127.0.0.1:1/0"), tuple),
        on_detection=found.set,
        on_failure=failures.append,
    )
    thread.set_sources([source])
    thread.start()
    try:
        ingest.set_sources([source])
        assert found.wait(40), failures
        until = time.monotonic() + 10
        while not thread.look_backs.done and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        thread.stop()
        ingest.stop()
        thread.join(5)
    assert failures == []
    assert (thread.look_backs.done, thread.look_backs.given_up) == (1, 0)
    assert thread.look_backs.cpu_s > 0
    detections: list[Detection] = [detection for _, detection in spool.peek(50)]
    spool.close()
    began = detections[0].started_at
    before_cue = [at for at in watch.live if at < detections[0].captured_at and at <= began]
    assert all(abs(at - began) > timedelta(milliseconds=20) for at in before_cue), "seen live"
    assert any(at < began for at in watch.live), "the camera was watched before"
    assert detections[0].picture_id is not None
