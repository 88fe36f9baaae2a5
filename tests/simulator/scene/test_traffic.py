from __future__ import annotations

import math
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest

from simulator.scene.lanes import Kind
from simulator.scene.place import EXTENT_M, MINOR_HALF_M
from simulator.scene.traffic import PERIOD_S, Traffic, Vehicle


@pytest.fixture(scope="module")
def traffic() -> Traffic:
    return Traffic(4)


def lanes(vehicles: list[Vehicle]) -> dict[tuple[float, int], list[tuple[float, Vehicle]]]:
    found = defaultdict(list)
    for vehicle in vehicles:
        cos, sin = math.cos(vehicle.turn_rad), math.sin(vehicle.turn_rad)
        along = vehicle.a * cos + vehicle.b * sin
        left = -vehicle.a * sin + vehicle.b * cos
        found[vehicle.turn_rad, round(left)].append((along, vehicle))
    return found


def test_nobody_drives_through_another_and_all_keep_left(traffic: Traffic) -> None:
    for second in np.arange(0, PERIOD_S, 0.7):
        for (_, left), row in lanes(traffic.at(float(second))).items():
            assert left > 0
            if any(vehicle.kind is Kind.MOTORCYCLE for _, vehicle in row):
                continue  # they pass one another within their margin
            row.sort(key=lambda pair: pair[0])
            for (behind, first), (ahead, second_) in pairwise(row):
                assert ahead - behind > (first.kind.value + second_.kind.value) / 2 - 0.2


def test_the_roads_never_cross_at_once(traffic: Traffic) -> None:
    """While the main road has had red for a while, nobody of it is in the middle."""
    for cycle in range(3):
        for offset in np.arange(38, 55, 1.0):
            for vehicle in traffic.at(cycle * 60 + float(offset)):
                is_main = abs(math.cos(vehicle.turn_rad)) > 0.5
                if is_main and vehicle.kind is not Kind.MOTORCYCLE:
                    assert abs(vehicle.a) > MINOR_HALF_M - 1.5


def test_it_flows_and_repeats(traffic: Traffic) -> None:
    counts = [len(traffic.at(float(second))) for second in range(0, int(PERIOD_S), 5)]
    assert min(counts) >= 5
    for first, again in zip(traffic.at(17.3), traffic.at(17.3 + PERIOD_S), strict=True):
        assert first.paint == again.paint
        assert (first.a, first.b) == pytest.approx((again.a, again.b))
    assert Traffic(4).at(33.0) == traffic.at(33.0)
    assert Traffic(5).at(33.0) != traffic.at(33.0)
    assert all(
        max(abs(v.a), abs(v.b)) < EXTENT_M + 3 for t in range(0, 180, 9) for v in traffic.at(t)
    )
