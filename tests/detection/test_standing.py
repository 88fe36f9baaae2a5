"""What comes to stand on a road is noticed once; what drives, and what was there, is not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detection.appearance import Shares
from detection.standing import StandingWatch

Picture = NDArray[np.uint8]


def road(at_s: float, *cars: float, seed: int = 0) -> Picture:
    """A grey street 160 x 90 with noise; cars are bright boxes at these shares of its width."""
    rng = np.random.default_rng(seed + int(at_s * 10))
    picture = np.full((90, 160, 3), 90, np.int16) + rng.integers(-4, 5, (90, 160, 1), np.int16)
    for x in cars:
        left = int((x % 1.0) * 160)
        picture[45:60, left : left + 22] = 210
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def passing(at_s: float) -> float:
    return 0.31 * at_s


def watched(seconds: range, *standing: tuple[float, float]) -> list[tuple[int, Shares]]:
    """Traffic passes all the time; each of `standing` is (from second, place)."""
    watch = StandingWatch()
    found: list[tuple[int, Shares]] = []
    for second in seconds:
        parked = [place for since, place in standing if second >= since]
        boxes = watch.see(float(second), road(second, passing(second), *parked))
        found += [(second, box) for box in boxes]
    return found


def test_traffic_that_flows_is_no_cue() -> None:
    assert watched(range(60)) == []


def test_a_vehicle_that_comes_to_stand_is_one_cue_within_four_seconds() -> None:
    found = watched(range(60), (40, 0.5))
    assert found
    first, (left, top, right, bottom) = found[0]
    assert 40 < first <= 44
    assert left < 0.6 and right > 0.5 and top < 0.6 < bottom + 0.1
    assert all(second <= 46 for second, _ in found), "it is not news any more"


def test_what_stood_there_before_is_no_cue() -> None:
    assert watched(range(60), (0, 0.5)) == []


def test_a_cloud_is_no_vehicle() -> None:
    watch = StandingWatch()
    found = []
    for second in range(60):
        picture = road(second, passing(second))
        found += watch.see(float(second), picture if second < 40 else picture // 2)
    assert found == []
