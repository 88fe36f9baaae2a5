from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from camera_ingest.errors import IngestError
from camera_ingest.health.states import NORMAL
from camera_ingest.health.view_watch import MovedView
from contracts import CameraState, ViewShift
from tests.camera_ingest.health.day import CAMERA, START, CameraDay

S = CameraState


def test_live_with_the_first_picture(camera: CameraDay) -> None:
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
def test_a_first_failure_is_told_at_once_and_once(camera: CameraDay, state: CameraState) -> None:
    for _ in range(5):
        camera.fail(state, "wrong")
        camera.wait(20)
    assert camera.states == [S.CONNECTING, state]
    assert camera.messages[-1].detail == "wrong"


def test_a_drop_that_heals_is_no_message(live: CameraDay) -> None:
    live.fail(S.STALLED)
    live.wait(NORMAL.grace_s - 2)
    live.connect()
    live.watch(10)
    assert live.states == []


def test_a_drop_that_lasts_is_told_with_its_true_beginning(live: CameraDay) -> None:
    dropped_at = live.clock.now()
    live.fail(S.STALLED)
    live.wait(1)
    live.fail(S.REFUSED, "restarting")
    live.wait(30)
    assert live.states == [S.REFUSED]
    assert live.messages[0].since == dropped_at + timedelta(seconds=1)


def test_a_dead_line_is_one_trouble_however_it_shows(live: CameraDay) -> None:
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


def test_a_failed_camera_is_live_only_after_a_while_of_pictures(live: CameraDay) -> None:
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


def test_silence_on_a_standing_connection(live: CameraDay) -> None:
    last = live.clock.now() - timedelta(seconds=1)
    live.wait(6.5)
    assert live.states == []
    live.wait(3)
    assert live.states == [S.STALLED]
    assert live.messages[0].since == last
    live.watch(4)
    assert live.states == [S.STALLED, S.LIVE]


def test_rare_keyframes_are_no_stall(live: CameraDay) -> None:
    for second in range(100):
        (live.picture if second % 12 == 0 else live.packet)()
        live.wait(1)
    assert live.states == []


def test_packets_without_any_picture_are(live: CameraDay) -> None:
    live.watch(NORMAL.no_keyframe_s + 3, live.packet)
    assert live.states == [S.STALLED]
    assert "keyframe" in live.messages[0].detail


def test_an_opened_stream_that_sends_nothing(camera: CameraDay) -> None:
    camera.connect()
    camera.wait(9)
    assert camera.states == [S.CONNECTING, S.STALLED]


def dark(camera: CameraDay) -> Callable[[], None]:
    return lambda: camera.picture(brightness=17, contrast=1.5)


def test_a_covered_camera(live: CameraDay) -> None:
    live.watch(NORMAL.dark_s - 2, dark(live))
    assert live.states == []
    live.watch(5, dark(live))
    assert live.states == [S.BLACK]
    live.watch(2)
    assert live.states == [S.BLACK, S.LIVE]


def test_a_street_at_night_is_not_covered(live: CameraDay) -> None:
    live.watch(60, lambda: live.picture(brightness=28, contrast=12))
    assert live.states == []


def test_a_camera_that_is_black_when_it_comes_back(live: CameraDay) -> None:
    live.watch(15, dark(live))
    live.fail(S.STALLED)
    live.wait(20)
    live.connect()
    live.watch(4, dark(live))
    assert live.states == [S.BLACK, S.STALLED, S.BLACK]


def test_mostly_damaged_pictures(live: CameraDay) -> None:
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


def test_a_message_that_was_not_delivered_is_given_again(camera: CameraDay) -> None:
    camera.tracker.failed(IngestError(CAMERA, S.REFUSED, "why"))
    first, again = camera.tracker.change(), camera.tracker.change()
    assert first is not None
    assert first == again
    camera.tracker.told(first)
    assert camera.tracker.change() is None


def test_flapping_sends_few_messages(camera: CameraDay) -> None:
    camera.connect()
    for _ in range(60):
        camera.watch(1)
        camera.fail(S.STALLED)
        camera.wait(1)
        camera.connect()
    assert len(camera.messages) <= 3


def test_a_moved_camera_is_told_of_and_stays_moved_through_a_stall(camera: CameraDay) -> None:
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
