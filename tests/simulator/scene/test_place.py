from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.scene import facades
from simulator.scene.place import (
    MAIN_HALF_M,
    MINOR_HALF_M,
    PAVEMENT_M,
    Building,
    Place,
    build_place,
)


@given(st.floats(-7, 7), st.floats(-200, 200), st.floats(-200, 200), st.floats(-9, 30))
def test_a_place_goes_to_the_plane_and_back(heading: float, a: float, b: float, up: float) -> None:
    place = Place("Uji", 500.0, -70.0, heading, 1)
    local = np.array([(a, b, up)])
    plane = place.to_plane(local)
    assert np.allclose(place.to_local(plane), local)
    assert math.isclose(math.hypot(*(plane[0, :2] - (500, -70))), math.hypot(a, b), abs_tol=1e-9)


def test_along_is_the_heading_and_left_is_left_of_it() -> None:
    east = Place("Uji", 0, 0, math.radians(90), 1)
    assert np.allclose(east.to_plane(np.array([(10.0, 0.0), (0.0, 10.0)])), [(10, 0), (0, 10)])


def test_nothing_stands_on_the_road_and_a_seed_makes_one_place() -> None:
    place = build_place("Uji", 0, 0, 1.0, 8)
    assert place == build_place("Uji", 0, 0, 1.0, 8)
    assert place != build_place("Uji", 0, 0, 1.0, 9)
    assert len(place.buildings) > 50
    for block in place.buildings:
        over_main = block.b0 < MAIN_HALF_M + PAVEMENT_M and block.b1 > -MAIN_HALF_M - PAVEMENT_M
        over_minor = block.a0 < MINOR_HALF_M + PAVEMENT_M and block.a1 > -MINOR_HALF_M - PAVEMENT_M
        assert not over_main
        assert not over_minor
    for tree in place.trees:
        assert abs(tree.b) > MAIN_HALF_M
        assert abs(tree.a) > MINOR_HALF_M


@pytest.mark.parametrize("is_front", [True, False])
@pytest.mark.parametrize("size", [(1.5, 0.6), (2.0, 3.5), (5.0, 2.5), (45.0, 80.0)])
def test_walls_of_any_size_have_a_picture(size: tuple[float, float], is_front: bool) -> None:
    picture = facades.wall(*size, 1234, is_front=is_front)
    assert picture.shape == facades.lit_windows(*size, 1234, is_front=is_front).shape


def test_a_turned_block_has_its_walls_where_its_corners_are() -> None:
    block = Building(10, 5, 20, 9, 6, 3, (0, -1), 0.7)
    corners = block.corners()
    assert corners.mean(axis=0) == pytest.approx(block.middle)
    assert math.dist(corners[0], corners[1]) == pytest.approx(10)
    assert block.unturned(*block.turned(11.0, 6.0)) == pytest.approx((11.0, 6.0))
