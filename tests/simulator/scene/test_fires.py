from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import Box
from geo.camera import PinholeCamera
from simulator.scene.fires import Fire, draw_fire
from simulator.scene.fluid import FireLoop, simulate
from simulator.scene.place import Place
from tests.simulator.scene.stands import camera_at, empty_place, pixel_of

FIRE = Fire(id="f", a=10, b=9, onset_s=100, burns_s=90, width_m=3.0, seed=2)


def shot(
    camera: PinholeCamera, place: Place, loop: FireLoop, at_s: float, nearness: float = 0.0
) -> tuple[np.ndarray, Box | None]:
    picture = np.full((camera.height_px, camera.width_px, 3), 110, np.uint8)
    wall = np.full(picture.shape[:2], nearness, np.float32)
    mask = draw_fire(picture, wall, camera, place, FIRE, loop, at_s)
    if mask is None:
        return picture, None
    rows, columns = np.nonzero(mask)
    box = Box(columns.min(), rows.min(), columns.max() + 1.0, rows.max() + 1.0)
    return picture, box


@given(st.floats(0, 400))
def test_a_fire_is_between_nothing_and_grown(at_s: float) -> None:
    size = FIRE.size_at(at_s)
    assert 0 <= size <= 1
    assert (size > 0) == (100 <= at_s < 190)


def test_a_fire_starts_small_and_grows_until_it_dies() -> None:
    sizes = [FIRE.size_at(100.0 + age) for age in range(75)]
    assert sizes[0] < 0.1
    assert all(later >= earlier for earlier, later in pairwise(sizes))
    assert sizes[40] > 0.85
    assert FIRE.size_at(188) < 0.5


def test_before_and_after_the_picture_is_untouched(loop: FireLoop) -> None:
    place = empty_place()
    camera = camera_at(place, -20, -10, 10, 8)
    for at_s in (99.9, 190.1):
        picture, box = shot(camera, place, loop, at_s)
        assert box is None
        assert (picture == 110).all()


@pytest.mark.parametrize("stand", [(-20, -10, 10, 8), (25, -12, 10, 8), (10, 40, 10, 9)])
def test_the_true_box_stands_on_the_fires_place(
    loop: FireLoop, stand: tuple[float, float, float, float]
) -> None:
    place = empty_place()
    camera = camera_at(place, *stand)
    u, v = pixel_of(camera, place, FIRE.a, FIRE.b)
    for at_s in (110.0, 130.0, 160.0):
        picture, box = shot(camera, place, loop, at_s)
        assert box is not None
        assert box.y1 == pytest.approx(v, abs=1.5)
        assert box.x0 < u < box.x1
        flames = picture[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)].astype(int)
        glowing = (flames[..., 0] > 200) & (flames[..., 0] > flames[..., 2] + 60)
        assert glowing.mean() > 0.10


def test_it_flickers_and_looks_larger_from_nearby(loop: FireLoop) -> None:
    place = empty_place()
    far, near = camera_at(place, -30, -14, 10, 8), camera_at(place, -8, -6, 10, 8)
    first, box = shot(far, place, loop, 150.0)
    second, _ = shot(far, place, loop, 150.2)
    assert np.abs(first.astype(int) - second).max() > 60
    _, close = shot(near, place, loop, 150.0)
    assert box is not None
    assert close is not None
    assert close.y1 - close.y0 > 1.4 * (box.y1 - box.y0)


def test_behind_a_wall_nothing_is_seen(loop: FireLoop) -> None:
    place = empty_place()
    camera = camera_at(place, -20, -10, 10, 8)
    _, box = shot(camera, place, loop, 150.0, nearness=1 / 5.0)
    assert box is None


def test_the_same_seed_burns_the_same(loop: FireLoop) -> None:
    again = simulate(1)
    assert np.array_equal(again.heat, loop.heat)
    assert np.array_equal(again.smoke, loop.smoke)


def test_the_loop_closes_as_smoothly_as_it_runs(loop: FireLoop) -> None:
    heat = loop.heat.astype(int)
    steps = [np.abs(later - earlier).mean() for earlier, later in pairwise(heat)]
    assert np.abs(heat[0] - heat[-1]).mean() < 2 * max(steps)
    assert loop.smoke.max() > 60
    assert loop.heat.max() > 220
