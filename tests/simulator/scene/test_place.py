from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.scene.place import MAIN_HALF_M, MINOR_HALF_M, PAVEMENT_M, Place, build_place


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
