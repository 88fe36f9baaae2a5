"""Slow signs: a picture that stands still, a clock that is off, a rate that fell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from camera_ingest.health.states import NORMAL
from contracts import CameraState
from tests.camera_ingest.health.day import CameraDay

S = CameraState


def test_the_same_picture_again_and_again(live: CameraDay) -> None:
    live.watch(NORMAL.frozen_s - 3, lambda: live.picture(same=True))
    assert live.states == []
    live.watch(8, lambda: live.picture(same=True))
    assert live.states == [S.FROZEN]
    live.watch(2)
    assert live.states == [S.FROZEN, S.LIVE]


def test_a_still_night_is_not_frozen(live: CameraDay) -> None:
    def night() -> None:
        live.picture(brightness=30, contrast=12, same=True)

    live.watch(NORMAL.frozen_by_night_s - 5, night)
    assert live.states == []
    live.watch(10, night)
    assert live.states == [S.FROZEN]


def snapshots(camera: CameraDay, renewals: int, every_s: int) -> None:
    for _ in range(renewals):
        camera.picture()
        camera.watch(every_s - 1, lambda: camera.picture(same=True))


def test_snapshots_are_frozen_only_against_their_own_pace(camera: CameraDay) -> None:
    camera.connect(snapshots=True)
    snapshots(camera, 4, 120)
    assert camera.states == [S.CONNECTING, S.LIVE], "a portal that renews every two minutes is well"
    camera.watch(5 * 120 + 10, lambda: camera.picture(same=True))
    assert camera.states[2:] == [S.FROZEN]
    camera.watch(3)
    assert camera.states[2:] == [S.FROZEN, S.LIVE]


def test_snapshots_that_never_change_are_frozen_in_the_end(camera: CameraDay) -> None:
    camera.connect(snapshots=True)
    camera.watch(NORMAL.frozen_snapshots_s - 60, lambda: camera.picture(same=True))
    assert camera.states == [S.CONNECTING, S.LIVE]
    camera.watch(70, lambda: camera.picture(same=True))
    assert camera.states[2:] == [S.FROZEN]


def test_a_camera_whose_clock_is_off(live: CameraDay) -> None:
    live.clock_error_s = -3723.0
    live.watch(18)
    assert live.states == []
    live.watch(5)
    assert live.states == [S.WRONG_CLOCK]
    assert "1:02:03 behind" in live.messages[0].detail
    live.clock_error_s = 0.3
    live.watch(2)
    assert live.states == [S.WRONG_CLOCK, S.LIVE]


def test_a_clock_that_is_a_little_off_is_no_message(live: CameraDay) -> None:
    live.clock_error_s = 25.0
    live.watch(60)
    assert live.states == []


def test_a_rate_that_fell(live: CameraDay) -> None:
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


def test_a_stall_is_not_told_as_a_low_rate_afterwards(live: CameraDay) -> None:
    live.watch(60)
    live.wait(100)
    live.watch(60)
    assert live.states == [S.STALLED, S.LIVE]
