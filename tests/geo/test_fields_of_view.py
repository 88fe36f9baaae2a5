from __future__ import annotations

import dataclasses
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point, box, polygons

from contracts import CameraId, CameraPose, Hazard
from geo import LocalProjection, PinholeCamera, VisibilityIndex
from geo.buildings import Buildings
from geo.fields_of_view import COLUMN_M, SMOKE_RANGES, column_ring, seen_area, visible_area
from geo.sights import KnownSights
from tests.geo.builders import BEKASI, few, pose, poses
from tests.geo.test_buildings import built, feature

PROJECTION = LocalProjection(BEKASI)


@few
@given(poses, st.integers(0, 1000))
def test_a_column_is_seen_where_the_picture_shows_a_part_of_it(
    given_pose: CameraPose, seed: int
) -> None:
    straight = dataclasses.replace(given_pose, position=BEKASI, k1=0.0)
    camera = PinholeCamera.from_pose(straight, PROJECTION)
    ring = column_ring(camera)
    rng = np.random.default_rng(seed)
    reach = SMOKE_RANGES * camera.range_m
    up = np.linspace(0, COLUMN_M, 120)
    whole = None if ring is None else polygons(ring).buffer(0)
    for _ in range(40):
        away, turn = reach * math.sqrt(rng.uniform(0.001, 1)), rng.uniform(0, 2 * math.pi)
        x, y = away * math.sin(turn), away * math.cos(turn)
        column = np.column_stack((np.full(120, x), np.full(120, y), up))
        shown = bool(camera.project(column)[1].any())
        if whole is not None and whole.boundary.distance(Point(x, y)) < 2.0 + 0.03 * away:
            continue
        assert shown == (whole is not None and bool(whole.contains(Point(x, y)))), (x, y)


def street() -> Buildings:
    """Two rows of shops along a street that runs north, and a tower at its end."""
    rows = [box(side - 6, y, side + 6, y + 24) for side in (-16, 16) for y in range(-80, 80, 26)]
    return built(
        *(feature(row, height=7) for row in rows), feature(box(-30, 90, 30, 110), height=40)
    )


def test_a_camera_in_a_street_sees_the_street() -> None:
    camera = PinholeCamera.from_pose(
        pose(position=PROJECTION.place(0, -60), bearing_deg=0, height_m=6.0), PROJECTION
    )
    free, seen = seen_area(camera), seen_area(camera, street())
    assert free is not None and seen is not None
    assert seen.area < 0.7 * free.area
    assert seen.contains(Point(0, 40)), "down the street"
    assert free.contains(Point(40, 40)) and not seen.contains(Point(40, 40)), "behind the shops"
    above, above_free = (
        seen_area(camera, buildings, above_roofs=True) for buildings in (street(), None)
    )
    assert above is not None and above_free is not None
    assert above.contains(Point(40, 40)), "smoke over the shops"
    assert above_free.contains(Point(0, 300)) and not above.contains(Point(0, 300)), "the tower"


def test_the_index_ranks_by_what_is_seen_between_buildings() -> None:
    cameras = {
        CameraId("street"): pose(position=PROJECTION.place(0, -60), bearing_deg=0, height_m=6.0),
        CameraId("yard"): pose(position=PROJECTION.place(60, 20), bearing_deg=270, height_m=6.0),
    }
    spot = PROJECTION.place(0, 20)
    free = VisibilityIndex.build(cameras, PROJECTION).cameras_seeing(spot.lon, spot.lat)
    assert [one.camera_id for one in free] == ["yard", "street"]
    built_up = VisibilityIndex.build(cameras, PROJECTION, street())
    assert [one.camera_id for one in built_up.cameras_seeing(spot.lon, spot.lat)] == ["street"]
    smoke = VisibilityIndex.build(cameras, PROJECTION, street(), above_roofs=True)
    assert {one.camera_id for one in smoke.cameras_seeing(spot.lon, spot.lat)} == {"yard", "street"}


def test_for_a_fire_the_smoke_over_the_roofs_counts_too() -> None:
    cameras = {
        CameraId("street"): pose(position=PROJECTION.place(0, -60), bearing_deg=0, height_m=6.0),
        CameraId("yard"): pose(position=PROJECTION.place(60, 20), bearing_deg=270, height_m=6.0),
    }
    sights = KnownSights(PROJECTION, street()).sights(cameras)
    spot = PROJECTION.place(0, 20)
    crash = sights.cameras_seeing(spot.lon, spot.lat, hazard=Hazard.CRASH)
    fire = sights.cameras_seeing(spot.lon, spot.lat, hazard=Hazard.FIRE)
    assert [one.camera_id for one in crash] == ["street"]
    assert crash == sights.cameras_seeing(spot.lon, spot.lat), "no hazard named"
    assert {one.camera_id for one in fire} == {"street", "yard"}
    assert [one.probability for one in fire] == sorted(
        (one.probability for one in fire), reverse=True
    )
    (both,) = (one for one in fire if one.camera_id == "street")
    assert crash[0].probability < both.probability < 1, "two ways to find it"
    assert sights.cameras_seeing(spot.lon, spot.lat, most=1, hazard=Hazard.FIRE) == fire[:1]


def test_a_camera_walled_in_sees_nothing() -> None:
    yard = built(
        *(
            feature(wall, height=30)
            for wall in (box(-9, 2, 9, 3), box(-9, -3, 9, -2), box(2, -9, 3, 9), box(-3, -9, -2, 9))
        )
    )
    high = pose(tilt_deg=-8, height_m=12.0, hfov_deg=30)
    camera = PinholeCamera.from_pose(high, PROJECTION)
    seen = seen_area(camera, yard)
    assert seen is None or seen.area < 30
    assert visible_area(high, PROJECTION) is not None


def test_a_camera_that_looks_up_sees_smoke_alone() -> None:
    camera = PinholeCamera.from_pose(pose(tilt_deg=20.0, hfov_deg=40.0), PROJECTION)
    assert seen_area(camera) is None
    above = seen_area(camera, above_roofs=True)
    assert above is not None and above.area > 0
