"""The whole room at work: many cameras, faults while running, and an end without leftovers."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from camera_ingest import IngestSupervisor
from contracts import CameraHealth, CameraId, CameraState, Frame, StreamSource
from plumbing.address_guard import AddressGuard
from plumbing.clock import SystemClock
from plumbing.sealing import Sealer
from plumbing.settings import IngestSettings
from simulator.rtsp import Faults
from tests.support.rtsp import RtspThread

Register = Callable[..., StreamSource]
A, B = CameraId("a"), CameraId("b")
S = CameraState


class Told:
    """Keeps the health messages; may refuse them for a while."""

    def __init__(self) -> None:
        self.messages: list[CameraHealth] = []
        self.is_deaf = False

    def __call__(self, health: CameraHealth) -> None:
        if self.is_deaf:
            raise ConnectionError("the bus is away")
        self.messages.append(health)

    def states(self, camera_id: CameraId) -> list[CameraState]:
        return [each.state for each in self.messages if each.camera_id == camera_id]


Watch = Callable[..., IngestSupervisor]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def watch(settings: IngestSettings, sealer: Sealer, told: Told) -> Iterator[Watch]:
    made: list[IngestSupervisor] = []

    def start(**changes: object) -> IngestSupervisor:
        own = settings.model_copy(update=changes)
        guard = AddressGuard(own.allow_private)
        made.append(IngestSupervisor(own, SystemClock(), guard, sealer, told, worker="w1"))
        return made[-1]

    yield start
    for each in made:
        each.stop()


@contextmanager
def within(seconds: float) -> Iterator[Callable[[], bool]]:
    """``while more(): ...`` until done, failing after a time."""
    deadline = time.monotonic() + seconds

    def more() -> bool:
        assert time.monotonic() < deadline, "it took too long"
        return True

    yield more


def take_until(ingest: IngestSupervisor, done: Callable[[], bool], seconds: float) -> list[Frame]:
    frames: list[Frame] = []
    with within(seconds) as more:
        while more() and not done():
            frames += ingest.next_frames(16, 0.1)
    return frames


def camera_threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("camera-")]


def test_all_cameras_get_their_turn(
    rtsp: RtspThread, lively_clip: Path, registered: Register, watch: Watch, told: Told
) -> None:
    ingest = watch()
    names = [f"cam-{number}" for number in range(6)]
    ingest.set_sources(
        [
            registered(rtsp.serve_file(name, lively_clip, phase_s=number / 6), camera_id=name)
            for number, name in enumerate(names)
        ]
    )
    counted: Counter[str] = Counter()
    with within(15) as more:
        while more() and (len(counted) < 6 or min(counted.values()) < 3):
            counted.update(frame.camera_id for frame in ingest.next_frames(2, 1))
    take_until(ingest, lambda: all(told.states(CameraId(name)) for name in names), 2)
    with within(3) as more:
        while more() and any(told.states(CameraId(name))[-1] is not S.LIVE for name in names):
            time.sleep(0.05)
    assert all(len(told.states(CameraId(name))) <= 2 for name in names)
    assert all(counts.put >= 3 for counts in ingest.frame_counts().values())
    started = time.monotonic()
    ingest.stop()
    assert time.monotonic() - started < 10
    assert camera_threads() == []


def test_an_unread_slot_keeps_the_newest_frame(
    rtsp: RtspThread, lively_clip: Path, registered: Register, watch: Watch
) -> None:
    ingest = watch()
    ingest.set_sources([registered(rtsp.serve_file("a", lively_clip), camera_id="a")])
    with within(20) as more:
        while more() and ingest.frame_counts()[A].put < 3:
            time.sleep(0.05)
    assert len(ingest.next_frames(10, 2)) == 1
    counts = ingest.frame_counts()[A]
    # Taken was the newest, beside which at most one has come since.
    assert 1 <= counts.put - counts.overwritten <= 2


def test_a_camera_goes_hot_and_cools_down_by_itself(
    rtsp: RtspThread, lively_clip: Path, registered: Register, watch: Watch, told: Told
) -> None:
    ingest = watch()
    ingest.set_sources([registered(rtsp.serve_file("a", lively_clip), camera_id="a")])
    take_until(ingest, lambda: S.LIVE in told.states(A), 5)
    until = datetime.now(UTC) + timedelta(seconds=3)
    ingest.watch_closely([A, CameraId("unknown")], until)
    hot: list[Frame] = []
    with within(4) as more:
        while more() and len(hot) < 15:
            hot += ingest.next_frames(1, 0.5)
    assert sum(not frame.is_keyframe for frame in hot) >= 8
    time.sleep((until - datetime.now(UTC)).total_seconds() + 0.8)
    ingest.next_frames(1, 1)
    cold = [frame for _ in range(2) for frame in ingest.next_frames(1, 3)]
    assert all(frame.is_keyframe for frame in cold)
    assert rtsp.reader_count("a") == 1


def test_a_camera_that_is_taken_over_or_changed_is_as_hot_as_it_was_to_be(
    rtsp: RtspThread, lively_clip: Path, registered: Register, watch: Watch, told: Told
) -> None:
    """A worker that has just started hears of a call before it has its cameras."""
    ingest = watch()
    ingest.watch_closely([A], datetime.now(UTC) + timedelta(minutes=1))
    url = rtsp.serve_file("a", lively_clip)
    for version in (1, 2):
        ingest.set_sources([registered(url, camera_id="a", version=version)])
        until_hot: list[Frame] = []
        with within(8) as more:
            while more() and sum(not frame.is_keyframe for frame in until_hot) < 5:
                until_hot += ingest.next_frames(1, 0.5)


def test_a_fault_is_told_once_and_heals_by_itself(
    rtsp: RtspThread, lively_clip: Path, registered: Register, watch: Watch, told: Told
) -> None:
    ingest = watch()
    ingest.set_sources([registered(rtsp.serve_file("a", lively_clip), camera_id="a")])
    take_until(ingest, lambda: told.states(A)[-1:] == [S.LIVE], 5)
    rtsp.set_faults("a", Faults(refuse=True))
    rtsp.drop_readers("a")
    take_until(ingest, lambda: told.states(A)[-1:] == [S.NOT_FOUND], 8)
    rtsp.set_faults("a", Faults())
    take_until(ingest, lambda: told.states(A)[-1:] == [S.LIVE], 8)
    assert told.states(A)[-3:] == [S.LIVE, S.NOT_FOUND, S.LIVE]
    assert told.messages[-1].worker == "w1"


def test_a_first_connection_is_tried_again_too(
    rtsp: RtspThread, lively_clip: Path, registered: Register, watch: Watch, told: Told
) -> None:
    url = rtsp.serve_file("a", lively_clip)
    rtsp.set_faults("a", Faults(refuse=True))
    ingest = watch()
    ingest.set_sources([registered(url, camera_id="a")])
    take_until(ingest, lambda: told.states(A)[-1:] == [S.NOT_FOUND], 5)
    rtsp.set_faults("a", Faults())
    take_until(ingest, lambda: told.states(A)[-1:] == [S.LIVE], 8)


def test_a_message_waits_for_a_listener_that_is_away(
    rtsp: RtspThread, lively_clip: Path, registered: Register, watch: Watch, told: Told
) -> None:
    told.is_deaf = True
    ingest = watch()
    ingest.set_sources([registered(rtsp.serve_file("a", lively_clip), camera_id="a")])
    assert ingest.next_frames(1, 5), "watching goes on meanwhile"
    time.sleep(0.6)
    told.is_deaf = False
    take_until(ingest, lambda: told.states(A) == [S.LIVE], 3)


def test_the_register_changes(
    rtsp: RtspThread, lively_clip: Path, registered: Register, watch: Watch, told: Told
) -> None:
    first = registered(rtsp.serve_file("a", lively_clip), camera_id="a")
    other = registered(rtsp.serve_file("b", lively_clip), camera_id="b")
    ingest = watch()
    ingest.set_sources([first])
    take_until(ingest, lambda: rtsp.reader_count("a") == 1, 5)
    ingest.set_sources([first, other])
    take_until(ingest, lambda: rtsp.reader_count("b") == 1, 5)
    assert rtsp.reader_count("a") == 1, "what did not change stays connected"
    moved = registered(rtsp.serve_file("elsewhere", lively_clip), camera_id="a", version=2)
    ingest.set_sources([moved])
    take_until(
        ingest,
        lambda: (
            rtsp.reader_count("elsewhere") == 1
            and rtsp.reader_count("a") == rtsp.reader_count("b") == 0
        ),
        5,
    )
    assert set(ingest.frame_counts()) == {A}
    ingest.next_frames(4, 0)
    time.sleep(1.2)
    assert {frame.camera_id for frame in ingest.next_frames(4, 1)} <= {A}


def test_stopping_ends_all_threads_whatever_the_cameras_do(
    rtsp: RtspThread, lively_clip: Path, registered: Register, watch: Watch
) -> None:
    faults = [Faults(), Faults(hang=True), Faults(stall=True), Faults(refuse=True)]
    ingest = watch(open_timeout_s=60.0, read_timeout_s=60.0, retry_longest_s=60.0)
    sources = []
    for number, fault in enumerate(faults):
        name = f"cam-{number}"
        sources.append(registered(rtsp.serve_file(name, lively_clip), camera_id=name))
        rtsp.set_faults(name, fault)
    sources.append(registered("rtsp://127.0.0.1:9/x", camera_id="cam-9"))
    ingest.set_sources(sources)
    time.sleep(1.5)
    started = time.monotonic()
    ingest.stop()
    assert time.monotonic() - started < 10
    assert camera_threads() == []
    assert ingest.next_frames(1, 30) == []
    assert time.monotonic() - started < 20


def test_a_whole_site_that_goes_down_is_told_as_one_outage(
    rtsp: RtspThread, lively_clip: Path, registered: Register, watch: Watch, told: Told
) -> None:
    cameras = [CameraId(f"c{number}") for number in range(4)]
    urls = [rtsp.serve_file(camera, lively_clip) for camera in cameras]
    ingest = watch()
    ingest.set_sources(
        [registered(url, camera_id=camera) for camera, url in zip(cameras, urls, strict=True)]
    )
    take_until(ingest, lambda: all(S.LIVE in told.states(camera) for camera in cameras), 10)
    for camera in cameras:
        rtsp.set_faults(camera, Faults(drop=True))
    failed = {S.STALLED, S.REFUSED, S.UNREACHABLE}
    take_until(ingest, lambda: all(failed & set(told.states(c)) for c in cameras), 20)
    outages = {health.outage for health in told.messages if health.state in failed}
    assert outages == {"127.0.0.1"}
    assert any("the site 127.0.0.1 is down" in health.detail for health in told.messages)
    for camera in cameras:
        rtsp.set_faults(camera, Faults())
    take_until(ingest, lambda: all(told.states(c)[-1] is S.LIVE for c in cameras), 10)
    assert not any(health.outage for health in told.messages if health.state is S.LIVE)
