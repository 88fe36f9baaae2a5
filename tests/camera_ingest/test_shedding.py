from __future__ import annotations

import pytest

from camera_ingest.shedding import LEAST_SHARE, LOOK_EVERY_S, Pace
from plumbing.settings import IngestSettings


class Day:
    """A worker with so many cameras that lay down half a picture a second each."""

    def __init__(self, cameras: int = 20) -> None:
        self.pace = Pace(IngestSettings(max_fps=2, hot_fps=5))
        self.cameras = cameras
        self._now_s = self._put = self._lost = 0.0
        self.pace.look(0, 0, 0, cameras)

    def go(self, lost_share: float, looks: int = 1) -> None:
        for _ in range(looks):
            self._now_s += LOOK_EVERY_S
            came = 0.5 * self.cameras * LOOK_EVERY_S
            self._put += came
            self._lost += came * lost_share
            self.pace.look(self._now_s, round(self._put), round(self._lost), self.cameras)


def test_nothing_is_shed_while_all_is_looked_at() -> None:
    day = Day()
    day.go(0.05, 20)
    assert (day.pace.share, day.pace.cold_fps, day.pace.hot_fps) == (1.0, 2, 5)


def test_overload_lowers_all_rates_below_what_came() -> None:
    day = Day()
    day.go(0.5)
    assert day.pace.share == 0.75
    assert day.pace.cold_fps == pytest.approx(0.375), "of the half picture a second that came"
    assert day.pace.hot_fps == pytest.approx(3.75)
    day.go(0.5, 50)
    assert day.pace.share == LEAST_SHARE, "no camera is ever left out"
    assert day.pace.cold_fps > 0


def test_rates_come_back_when_there_is_room() -> None:
    day = Day()
    day.go(0.5, 3)
    day.go(0.05, 5)
    assert day.pace.share < 1, "neither too many nor few"
    day.go(0.0, 3)
    assert (day.pace.share, day.pace.cold_fps, day.pace.hot_fps) == (1.0, 2, 5)


def test_counts_that_leave_with_their_cameras_are_no_sign() -> None:
    day = Day()
    day.go(0.0)
    day.pace.look(100, 0, 0, 5)
    assert day.pace.share == 1.0
