from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import av
import numpy as np
import pytest

from camera_ingest.errors import IngestError
from camera_ingest.health.states import NORMAL, HealthTracker
from camera_ingest.health.view_watch import MovedView
from camera_ingest.packets import StreamInfo, VideoPacket
from camera_ingest.pictures import PictureFacts
from contracts import CameraHealth, CameraId, CameraState, Frame, ViewShift
from plumbing.clock import HeldClock

CAMERA = CameraId("cam-1")
START = datetime(2026, 11, 22, tzinfo=UTC)
S = CameraState


class Camera:
    """A camera's day, told to a tracker second by second; ``messages`` is what was published."""

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
        self.tracker.pictured(frame, PictureFacts(brightness, contrast, self.pictures))
        self.look()

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


@pytest.fixture
def camera() -> Camera:
    made = Camera()
    made.look()
    return made


@pytest.fixture
def live(camera: Camera) -> Camera:
    camera.connect()
    camera.watch(20)
    assert camera.states == [S.CONNECTING, S.LIVE]
    camera.messages.clear()
    return camera


def test_live_with_the_first_picture(camera: Camera) -> None:
    camera.wait(3)
    camera.connect()
    camera.wait(1)
    camera.picture()
    health = camera.messages[-1]
    assert camera.states == [S.CONNECTING, S.LIVE]
    assert (health.codec, health.width_px, health.height_px) == ("h264", 1280, 720)
    assert (health.frames_per_s, health.worker) == (25.0, "w1")
    assert health.since == health.last_frame_at == START + timedelta(seconds=4)


@pytest.mark.parametrize("state", [S.UNAUTHORISED, S.NOT_FOUND, S.REFUSED, S.INVALID])
def test_a_first_failure_is_told_at_once_and_once(camera: Camera, state: CameraState) -> None:
    for _ in range(5):
        camera.fail(state, "wrong")
        camera.wait(20)
    assert camera.states == [S.CONNECTING, state]
    assert camera.messages[-1].detail == "wrong"


def test_a_drop_that_heals_is_no_message(live: Camera) -> None:
    live.fail(S.STALLED)
    live.wait(NORMAL.grace_s - 2)
    live.connect()
    live.watch(10)
    assert live.states == []


def test_a_drop_that_lasts_is_told_with_its_true_beginning(live: Camera) -> None:
    dropped_at = live.clock.now()
    live.fail(S.STALLED)
    live.wait(1)
    live.fail(S.REFUSED, "restarting")
    live.wait(30)
    assert live.states == [S.REFUSED]
    assert live.messages[0].since == dropped_at + timedelta(seconds=1)


def test_a_dead_line_is_one_trouble_however_it_shows(live: Camera) -> None:
    live.fail(S.STALLED)
    live.wait(6)
    for state in (S.UNREACHABLE, S.REFUSED, S.STALLED, S.UNREACHABLE):
        live.fail(state)
        live.wait(10)
    assert live.states == [S.STALLED]
    live.wait(NORMAL.same_failure_s)
    assert live.states == [S.STALLED, S.UNREACHABLE], "what lasts is told as it is"
    live.fail(S.UNAUTHORISED)
    assert live.states[2:] == [S.UNAUTHORISED], "another trouble is told at once"


def test_a_failed_camera_is_live_only_after_a_while_of_pictures(live: Camera) -> None:
    live.fail(S.STALLED)
    live.wait(30)
    live.connect()
    live.picture()
    live.wait(1)
    live.fail(S.STALLED)
    live.wait(5)
    assert live.states == [S.STALLED], "one picture between two failures is no recovery"
    live.connect()
    live.watch(NORMAL.recovery_s + 2)
    assert live.states == [S.STALLED, S.LIVE]


def test_silence_on_a_standing_connection(live: Camera) -> None:
    last = live.clock.now() - timedelta(seconds=1)
    live.wait(6.5)
    assert live.states == []
    live.wait(3)
    assert live.states == [S.STALLED]
    assert live.messages[0].since == last
    live.watch(4)
    assert live.states == [S.STALLED, S.LIVE]


def test_rare_keyframes_are_no_stall(live: Camera) -> None:
    for second in range(100):
        (live.picture if second % 12 == 0 else live.packet)()
        live.wait(1)
    assert live.states == []


def test_packets_without_any_picture_are(live: Camera) -> None:
    live.watch(NORMAL.no_keyframe_s + 3, live.packet)
    assert live.states == [S.STALLED]
    assert "keyframe" in live.messages[0].detail


def test_an_opened_stream_that_sends_nothing(camera: Camera) -> None:
    camera.connect()
    camera.wait(9)
    assert camera.states == [S.CONNECTING, S.STALLED]


def dark(camera: Camera) -> Callable[[], None]:
    return lambda: camera.picture(brightness=17, contrast=1.5)


def test_a_covered_camera(live: Camera) -> None:
    live.watch(NORMAL.dark_s - 2, dark(live))
    assert live.states == []
    live.watch(5, dark(live))
    assert live.states == [S.BLACK]
    live.watch(2)
    assert live.states == [S.BLACK, S.LIVE]


def test_a_street_at_night_is_not_covered(live: Camera) -> None:
    live.watch(60, lambda: live.picture(brightness=28, contrast=12))
    assert live.states == []


def test_a_camera_that_is_black_when_it_comes_back(live: Camera) -> None:
    live.watch(15, dark(live))
    live.fail(S.STALLED)
    live.wait(20)
    live.connect()
    live.watch(4, dark(live))
    assert live.states == [S.BLACK, S.STALLED, S.BLACK]


def test_the_same_picture_again_and_again(live: Camera) -> None:
    live.watch(NORMAL.frozen_s - 3, lambda: live.picture(same=True))
    assert live.states == []
    live.watch(8, lambda: live.picture(same=True))
    assert live.states == [S.FROZEN]
    live.watch(2)
    assert live.states == [S.FROZEN, S.LIVE]


def test_a_still_night_is_not_frozen(live: Camera) -> None:
    def night() -> None:
        live.picture(brightness=30, contrast=12, same=True)

    live.watch(NORMAL.frozen_by_night_s - 5, night)
    assert live.states == []
    live.watch(10, night)
    assert live.states == [S.FROZEN]


def snapshots(camera: Camera, renewals: int, every_s: int) -> None:
    for _ in range(renewals):
        camera.picture()
        camera.watch(every_s - 1, lambda: camera.picture(same=True))


def test_snapshots_are_frozen_only_against_their_own_pace(camera: Camera) -> None:
    camera.connect(snapshots=True)
    snapshots(camera, 4, 120)
    assert camera.states == [S.CONNECTING, S.LIVE], "a portal that renews every two minutes is well"
    camera.watch(5 * 120 + 10, lambda: camera.picture(same=True))
    assert camera.states[2:] == [S.FROZEN]
    camera.watch(3)
    assert camera.states[2:] == [S.FROZEN, S.LIVE]


def test_snapshots_that_never_change_are_frozen_in_the_end(camera: Camera) -> None:
    camera.connect(snapshots=True)
    camera.watch(NORMAL.frozen_snapshots_s - 60, lambda: camera.picture(same=True))
    assert camera.states == [S.CONNECTING, S.LIVE]
    camera.watch(70, lambda: camera.picture(same=True))
    assert camera.states[2:] == [S.FROZEN]


def test_a_camera_whose_clock_is_off(live: Camera) -> None:
    live.clock_error_s = -3723.0
    live.watch(18)
    assert live.states == []
    live.watch(5)
    assert live.states == [S.WRONG_CLOCK]
    assert "1:02:03 behind" in live.messages[0].detail
    live.clock_error_s = 0.3
    live.watch(2)
    assert live.states == [S.WRONG_CLOCK, S.LIVE]


def test_a_clock_that_is_a_little_off_is_no_message(live: Camera) -> None:
    live.clock_error_s = 25.0
    live.watch(60)
    assert live.states == []


def test_a_rate_that_fell(live: Camera) -> None:
    def at(fps: int) -> Callable[[], None]:
        def second() -> None:
            live.picture()
            for _ in range(fps - 1):
                live.packet()

        return second

    live.watch(70, at(12))
    assert live.states == []
    live.watch(75, at(3))
    assert live.states == [S.LOW_RATE]
    assert "3.0 pictures a second come where 12 came" in live.messages[0].detail
    assert live.messages[0].frames_per_s == pytest.approx(3, abs=0.1)
    live.watch(30, at(12))
    assert live.states == [S.LOW_RATE, S.LIVE]


def test_a_stall_is_not_told_as_a_low_rate_afterwards(live: Camera) -> None:
    live.watch(60)
    live.wait(100)
    live.watch(60)
    assert live.states == [S.STALLED, S.LIVE]


def test_mostly_damaged_pictures(live: Camera) -> None:
    def damaged() -> None:
        live.packet()
        live.tracker.broken(1)

    live.watch(5, damaged)
    assert live.states == []
    live.watch(6, damaged)
    assert live.states == [S.CORRUPT]
    live.watch(6)
    assert live.states == [S.CORRUPT], "half of them sound is not mended yet"
    live.watch(6)
    assert live.states == [S.CORRUPT, S.LIVE]


def test_a_message_that_was_not_delivered_is_given_again(camera: Camera) -> None:
    camera.tracker.failed(IngestError(CAMERA, S.REFUSED, "why"))
    first, again = camera.tracker.change(), camera.tracker.change()
    assert first is not None
    assert first == again
    camera.tracker.told(first)
    assert camera.tracker.change() is None


def test_flapping_sends_few_messages(camera: Camera) -> None:
    camera.connect()
    for _ in range(60):
        camera.watch(1)
        camera.fail(S.STALLED)
        camera.wait(1)
        camera.connect()
    assert len(camera.messages) <= 3


def test_a_moved_camera_is_told_of_and_stays_moved_through_a_stall(camera: Camera) -> None:
    shift = ViewShift(
        homography=(1, 0, 0.04, 0, 1, 0, 0, 0, 1), matches=90, sigma=0.001, aspect=0.5625
    )
    camera.connect()
    camera.watch(3)
    camera.tracker.viewed(MovedView(camera.clock.monotonic_s() - 1, "turn it back", shift))
    camera.watch(2)
    assert camera.messages[-1].state is S.MOVED
    assert camera.messages[-1].view_shift == shift and camera.messages[-1].detail == "turn it back"
    camera.wait(20)
    camera.watch(5)
    assert [each.state for each in camera.messages[-3:]] == [S.MOVED, S.STALLED, S.MOVED]
    camera.tracker.viewed(None)
    camera.watch(1)
    assert [(each.state, each.view_shift) for each in camera.messages[-1:]] == [(S.LIVE, None)]
