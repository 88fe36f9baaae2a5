from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_ingest.shedding import COLD_ALONE, LEAST_SHARE, LOOK_EVERY_S, Pace, PicturesSoFar
from plumbing.settings import IngestSettings


class Day:
    """A worker with so many cameras: half a picture a second of each, five of the hot ones."""

    def __init__(self, cameras: int = 20, hot: int = 0) -> None:
        self.pace = Pace(IngestSettings(max_fps=2, hot_fps=5))
        self.cameras, self.hot = cameras, hot
        self._now_s = self._put_cold = self._put_hot = self._lost = 0.0
        self._look()

    def go(self, lost_share: float, looks: int = 1) -> None:
        for _ in range(looks):
            self._now_s += LOOK_EVERY_S
            cold = 0.5 * (self.cameras - self.hot) * LOOK_EVERY_S
            hot = 5 * self.hot * LOOK_EVERY_S
            self._put_cold += cold
            self._put_hot += hot
            self._lost += (cold + hot) * lost_share
            self._look()

    def leave(self, cameras: int) -> None:
        self.cameras = cameras
        self._now_s += LOOK_EVERY_S
        self._put_cold = self._put_hot = self._lost = 0.0
        self._look()

    def _look(self) -> None:
        self.pace.look(
            self._now_s,
            PicturesSoFar(
                put=round(self._put_cold + self._put_hot),
                lost=round(self._lost),
                put_hot=round(self._put_hot),
                cameras=self.cameras,
                hot=self.hot,
            ),
        )


def test_nothing_is_shed_while_all_is_looked_at() -> None:
    day = Day()
    day.go(0.05, 20)
    assert (day.pace.share, day.pace.cold_fps, day.pace.hot_fps) == (1.0, 2, 5)


def test_overload_lowers_the_cold_cameras_rates_below_what_came() -> None:
    day = Day(hot=2)
    day.go(0.5)
    assert day.pace.share == 0.75
    assert day.pace.cold_fps == pytest.approx(0.375), "of the half picture a second that came"
    day.go(0.5, 50)
    assert day.pace.share == LEAST_SHARE, "no camera is ever left out"
    assert day.pace.cold_fps > 0


def test_hot_cameras_are_the_last_to_lose_pictures_and_the_first_to_have_them_back() -> None:
    day = Day(hot=2)
    while day.pace.share > COLD_ALONE:
        assert day.pace.hot_fps == 5
        day.go(0.5)
    assert day.pace.hot_fps == 5
    day.go(0.5)
    assert day.pace.hot_fps == pytest.approx(3.75), "it isn't enough: all are lowered"
    share = day.pace.share
    day.go(0.0)
    assert (day.pace.hot_fps, day.pace.share) == (5, share)


def test_where_all_are_hot_all_are_lowered() -> None:
    day = Day(cameras=2, hot=2)
    day.go(0.5)
    assert day.pace.hot_fps == pytest.approx(3.75)


def test_rates_come_back_when_there_is_room() -> None:
    day = Day()
    day.go(0.5, 3)
    day.go(0.05, 5)
    assert day.pace.share < 1, "neither too many nor few"
    day.go(0.0, 3)
    assert (day.pace.share, day.pace.cold_fps, day.pace.hot_fps) == (1.0, 2, 5)


@given(st.lists(st.floats(0, 1), max_size=60), st.integers(0, 20))
def test_hot_cameras_never_fare_worse_than_cold_ones(lost: list[float], hot: int) -> None:
    day = Day(hot=hot)
    for share in lost:
        day.go(share)
        assert LEAST_SHARE <= day.pace.share <= day.pace.hot_share <= 1


def test_counts_that_leave_with_their_cameras_are_no_sign() -> None:
    day = Day()
    day.go(0.0)
    day.leave(5)
    assert day.pace.share == 1.0
