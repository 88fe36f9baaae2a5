"""A clip that is put together of pieces, stutters or stalls is told from one that just shows
motion."""

from __future__ import annotations

import numpy as np
import pytest

from detection.crash_model import open_crash_judge
from detection.crash_motion import RATE_FPS, SIZE_PX
from detection.stream_breaks import breaks


def seconds(length: int) -> list[float]:
    return [t / RATE_FPS for t in range(length)]


def traffic(length: int, since: int = 0, light: float = 1.0) -> list[np.ndarray]:
    """Two cars that pass each other on a textured street, under grain."""
    ground = np.random.default_rng(0).integers(60, 120, (SIZE_PX, SIZE_PX)).astype(float)
    pictures = []
    for t in range(since, since + length):
        picture = ground.copy()
        # They turn round before the edge: whatever goes there may be gone.
        there, back = 14 + abs((2 * t) % 108 - 54), 66 - abs((3 * t) % 104 - 52)
        picture[30:42, there : there + 14] = 220
        picture[54:68, back : back + 16] = 20
        grain = np.random.default_rng(t).normal(0.0, 2.0, picture.shape)
        pictures.append(np.clip(light * (picture + grain), 0, 255).astype(np.uint8))
    return pictures


def test_traffic_in_one_piece_has_no_breaks() -> None:
    assert breaks(traffic(18), seconds(18)) == []
    assert breaks(traffic(1), [0.0]) == breaks([], []) == []


@pytest.mark.parametrize("light", [1.0, 0.7])
def test_where_a_stream_jumps_the_clip_begins_anew(light: float) -> None:
    put_together = [*traffic(12), *traffic(12, since=27, light=light)]
    assert breaks(put_together, seconds(24)) == [12]


def test_missing_pictures_are_a_break_and_uneven_ones_are_none() -> None:
    times_s = seconds(12)
    late = [*times_s[:6], *(t + 0.3 for t in times_s[6:])]
    assert breaks(traffic(12), late) == [6]
    # A film of 24 pictures a second, at the nearest to every fifth of a second.
    uneven = [t + (0.2 if i > 5 else 0.0) for i, t in enumerate(times_s)]
    assert breaks(traffic(12), uneven) == []


def test_a_stream_that_stands_still_and_goes_on_breaks_at_both_ends() -> None:
    pictures = traffic(10)
    stalled = [*pictures, *[pictures[-1]] * 4, *traffic(10, since=14)]
    assert breaks(stalled, seconds(24)) == [10, 14]


def test_nothing_is_scored_about_a_jump() -> None:
    judge = open_crash_judge()
    whole = judge.judge(traffic(40), seconds(40)).scores
    joined = judge.judge([*traffic(20), *traffic(20, since=43)], seconds(40)).scores
    assert (joined[17:25] == 0.0).all() and (whole[17:25] > 0.0).all()
    assert (joined[5:17] > 0.0).all() and (joined[25:37] > 0.0).all()
