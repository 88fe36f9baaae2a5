from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from simulator.scene import conditions
from simulator.scene.backdrop import draw_scene
from simulator.scene.conditions import (
    BRIGHT_DAY,
    FOG,
    NIGHT,
    NIGHT_RAIN,
    RAIN,
    Change,
    Conditions,
    phase_at,
)
from simulator.scene.fires import Fire
from simulator.scene.fluid import FireLoop
from simulator.scene.ground import CELL_M
from simulator.scene.headlights import Headlights
from simulator.scene.lanes import Kind
from simulator.scene.lighting import lamplight
from simulator.scene.place import EXTENT_M, Building, Place, Pole
from simulator.scene.script import Script
from simulator.scene.traffic import Vehicle
from simulator.scene.view import CameraView, Shot, Stage
from simulator.scene.weather import Veil
from tests.simulator.scene.stands import camera_at, empty_place, pixel_of

_SIZE = round(2 * EXTENT_M / CELL_M)
_GREY = np.full((_SIZE, _SIZE, 3), 120, np.uint8)


def street() -> Place:
    """A wall to the left, and one lamp over the road."""
    wall = Building(6, 12, 40, 22, 9, 30, (0, -1))
    return replace(empty_place(wall), poles=(Pole(8.0, 8.0, 9.0, (8.0, 5.0)),))


def level(picture: np.ndarray, u: float, v: float) -> float:
    return float(picture[int(v) - 3 : int(v) + 4, int(u) - 3 : int(u) + 4].mean())


def seen_at(under: Conditions, a: float, b: float, up: float = 0.0) -> float:
    place = street()
    camera = camera_at(place, -20, -8, 14, 4)
    return level(
        draw_scene(camera, place, _GREY).under(under).picture, *pixel_of(camera, place, a, b, up)
    )


def test_at_night_it_is_dark_except_under_the_lamp() -> None:
    under_lamp, away = (8.0, 5.0), (-4.0, -6.0)
    assert seen_at(NIGHT, *away) < 0.35 * seen_at(BRIGHT_DAY, *away)
    assert seen_at(NIGHT, *under_lamp) > 2.0 * seen_at(NIGHT, *away)


def test_lamplight_falls_off_with_distance() -> None:
    found = lamplight(street(), np.array([(8.0, 5.0 - d, 0.0) for d in (0.0, 4.0, 10.0, 30.0)]))
    assert (np.diff(found) < 0).all()
    assert 0.3 < found[0] < 1.0
    assert found[-1] < 0.02


def test_fog_takes_the_far_and_leaves_the_near() -> None:
    near = abs(seen_at(FOG, -6.0, -4.0) - seen_at(replace(FOG, fog_m=math.inf), -6.0, -4.0))
    far = abs(seen_at(FOG, 60.0, 0.0) - seen_at(replace(FOG, fog_m=math.inf), 60.0, 0.0))
    assert far > 2 * near
    thick = replace(FOG, fog_m=4.0)
    assert seen_at(thick, 30.0, 2.0) == pytest.approx(seen_at(thick, 60.0, 0.0), abs=3)


def test_a_wet_road_mirrors_and_a_dry_one_does_not() -> None:
    """Far before a wall the wet ground takes on the wall's colour."""
    dry = replace(RAIN, wet=0.0, fog_m=math.inf, lamps=0.0)
    wet = replace(dry, wet=1.0)
    wall, road = seen_at(dry, 25.0, 12.0, 1.5), seen_at(dry, 25.0, 10.5)
    darkened = 0.65 * road
    assert abs(wall - darkened) > 3
    mirrored = seen_at(wet, 25.0, 10.5)
    assert min(wall, darkened) < mirrored < max(wall, darkened)


def test_headlights_shine_before_a_vehicle_and_glare_at_who_looks_into_them() -> None:
    place = street()
    camera = camera_at(place, -20, -8, 14, 0)
    coming = Vehicle(Kind.CAR, 0, 12.0, 0.0, math.pi, False)
    lights = Headlights(camera, place, [coming], 1.0)
    picture = np.full((camera.height_px, camera.width_px, 3), 10, np.uint8)
    nothing = np.zeros(picture.shape[:2], np.float32)
    lights.draw_beams(picture)
    assert level(picture, *pixel_of(camera, place, 3.0, 0.0)) > 20
    assert level(picture, *pixel_of(camera, place, 20.0, 0.0)) == 10
    lights.draw_glare(picture, nothing)
    u, v = pixel_of(camera, place, 12.0 - Kind.CAR.value / 2, 0.63, 0.72)
    assert picture[int(v), int(u)].min() > 100
    leaving = Headlights(camera, place, [replace(coming, turn_rad=0.0)], 1.0)
    behind = np.full_like(picture, 10)
    leaving.draw_glare(behind, nothing)
    red, _, blue = behind.reshape(-1, 3).astype(int)[behind[..., 0].argmax()]
    assert red > blue + 20
    hidden = np.full_like(picture, 10)
    lights.draw_glare(hidden, np.ones_like(nothing))
    assert (hidden == 10).all()


@pytest.mark.parametrize("under", conditions.ALL, ids=lambda under: under.name)
def test_the_same_tick_is_veiled_the_same(under: Conditions) -> None:
    veil = Veil(320, 180, under, 5)
    first, again, later = (np.full((180, 320, 3), 90, np.uint8) for _ in range(3))
    veil.lay(first, 7)
    veil.lay(again, 7)
    veil.lay(later, 8)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, later)


def test_what_burns_is_in_the_same_place_under_all_conditions(loop: FireLoop) -> None:
    place = street()
    camera = camera_at(place, -20, -8, 14, 4)
    fire = Fire(id="f", a=9, b=4, onset_s=0, burns_s=90, width_m=3.0, seed=2)

    def shot(under: Conditions) -> Shot:
        stage = Stage(place, Script(1, [fire]), loop, ZoneInfo("UTC"), under)
        view = CameraView(camera, stage, "UJI", 1)
        return view.shoot(40.0, datetime(2026, 1, 1, tzinfo=UTC), truth=True)

    day, night = shot(BRIGHT_DAY), shot(NIGHT_RAIN)
    assert day.seen["f"].box == night.seen["f"].box
    assert np.array_equal(day.seen["f"].mask, night.seen["f"].mask)
    assert night.picture.mean() < 0.6 * day.picture.mean()


@pytest.mark.parametrize("wrong", [{"wet": 1.5}, {"lamps": -0.1}, {"fog_m": 0.0}, {"dirt": 2.0}])
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"between 0 and 1|in metres"):
        replace(NIGHT, **wrong)


def test_rain_comes_little_by_little_and_then_stays() -> None:
    changes = (Change(10.0, 20.0, RAIN), Change(50.0, 10.0, NIGHT))
    phases = [phase_at(BRIGHT_DAY, changes, t) for t in (0, 9.9, 15, 25, 30, 49, 55, 60, 900)]
    assert [p.under.name for p in phases[:2]] == ["bright day"] * 2
    assert 0 < phases[2].share < phases[3].share < 1
    assert BRIGHT_DAY.wet < phases[2].under.wet < phases[3].under.wet < RAIN.wet
    assert phases[4].under is RAIN
    assert phases[5].under is RAIN
    assert RAIN.light > phases[6].under.light > NIGHT.light
    assert phases[7].under is NIGHT
    assert phases[8].under is NIGHT


def test_a_camera_sees_the_dusk_fall(loop: FireLoop) -> None:
    place = street()
    camera = camera_at(place, -20, -8, 14, 4)
    changes = (Change(2.0, 8.0, NIGHT),)
    stage = Stage(place, Script(3), loop, ZoneInfo("Asia/Jakarta"), BRIGHT_DAY, changes)
    view = CameraView(camera, stage, "DUSK", 1)
    wall = datetime(2026, 11, 22, 10, tzinfo=UTC)
    light = [float(view.shoot(t, wall).picture.mean()) for t in (0.0, 4.0, 6.0, 8.0, 12.0)]
    assert light == sorted(light, reverse=True)
    assert light[-1] < 0.4 * light[0]
    # Going back shows what was there.
    assert abs(float(view.shoot(0.0, wall).picture.mean()) - light[0]) < 0.5
