from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point

from contracts import CameraId, CameraPose, LonLat, MultiPolygon, Polygon
from geo import KnownViews, LocalProjection, PinholeCamera, VisibilityIndex, visibility_polygon
from tests.geo.builders import BEKASI, few, pose, poses

PROJECTION = LocalProjection(BEKASI)


def at(x: float, y: float) -> LonLat:
    return PROJECTION.place(x, y)


@few
@given(poses, st.floats(-200, 200), st.floats(-200, 200))
def test_a_view_is_what_the_picture_shows_in_range(
    given_pose: CameraPose, x: float, y: float
) -> None:
    projection = LocalProjection(given_pose.position)
    camera = PinholeCamera.from_pose(given_pose, projection)
    view = visibility_polygon(given_pose)
    if view is None:
        return
    plane = projection.plane(view)
    if plane.boundary.distance(Point(x, y)) < 2.0 + 0.02 * math.hypot(x, y):
        return  # the border is drawn with chords
    _, visible = camera.project(np.array([[x, y, 0.0]]))
    shown = bool(visible[0]) and math.hypot(x, y) <= given_pose.range_m
    assert plane.contains(Point(x, y)) == shown


def test_a_camera_that_looks_at_the_sky_sees_no_ground() -> None:
    sky = pose(tilt_deg=40.0, hfov_deg=40.0)
    assert visibility_polygon(sky) is None
    index = VisibilityIndex.build({CameraId("sky"): sky})
    assert len(index) == 0 and index.cameras_seeing(BEKASI.lon, BEKASI.lat, 500) == []


def test_the_best_view_comes_first() -> None:
    index = VisibilityIndex.build(
        {
            CameraId("far"): pose(position=at(0, -120), bearing_deg=0),
            CameraId("near"): pose(position=at(0, -40), bearing_deg=0),
            CameraId("away"): pose(position=at(0, -40), bearing_deg=180),
        }
    )
    ranked = index.cameras_seeing(BEKASI.lon, BEKASI.lat)
    assert [r.camera_id for r in ranked] == ["near", "far"]
    assert 1 >= ranked[0].probability > ranked[1].probability > 0
    assert ranked[0].distance_m == pytest.approx(40, abs=0.5)
    assert ranked[0].bearing_deg % 360 == pytest.approx(0, abs=0.1) or ranked[0].bearing_deg > 359.9
    assert index.cameras_seeing(BEKASI.lon, BEKASI.lat, most=1) == ranked[:1]


def test_a_disc_half_in_view_counts_half() -> None:
    index = VisibilityIndex.build({CameraId("c"): pose(position=at(0, -60), bearing_deg=0)})
    whole = index.cameras_seeing(BEKASI.lon, BEKASI.lat, 10)[0].probability
    edge = at(0, -60 + 150)
    half = index.cameras_seeing(edge.lon, edge.lat, 10)[0].probability
    point_before = at(0, -60 + 149)
    full = index.cameras_seeing(point_before.lon, point_before.lat)[0].probability
    assert half == pytest.approx(full / 2, rel=0.15)
    assert half < whole


@few
@given(st.integers(0, 1000), st.floats(0, 300))
def test_the_index_answers_as_a_search_through_all(seed: int, radius_m: float) -> None:
    rng = np.random.default_rng(seed)
    cameras = {
        CameraId(str(i)): pose(
            position=at(*rng.uniform(-600, 600, 2)), bearing_deg=rng.uniform(0, 360)
        )
        for i in range(30)
    }
    index = VisibilityIndex.build(cameras, PROJECTION)
    found = {r.camera_id for r in index.cameras_seeing(BEKASI.lon, BEKASI.lat, radius_m)}
    for camera_id, camera in cameras.items():
        view = visibility_polygon(camera)
        assert isinstance(view, Polygon | MultiPolygon)
        gap = PROJECTION.plane(view).distance(Point(0, 0)) - radius_m
        if abs(gap) > 0.5 + 0.02 * radius_m:
            assert (camera_id in found) == (gap < 0), camera_id


def test_an_empty_city() -> None:
    index = VisibilityIndex.build({})
    assert index.cameras_seeing(106.99, -6.24, 100) == []


def test_cameras_on_both_sides_of_the_antimeridian_share_an_index() -> None:
    index = VisibilityIndex.build(
        {
            CameraId("west"): pose(position=LonLat(179.9999, -16.5), bearing_deg=90),
            CameraId("east"): pose(position=LonLat(-179.9990, -16.5), bearing_deg=270),
        }
    )
    seen = index.cameras_seeing(-179.9995, -16.5)
    assert {r.camera_id for r in seen} == {"west", "east"}


@few
@given(st.lists(poses, min_size=1, max_size=8), st.floats(1, 400))
def test_whatever_camera_is_registered_the_index_answers(
    given_poses: list[CameraPose], radius_m: float
) -> None:
    cameras = {
        CameraId(str(number)): dataclasses.replace(given_pose, position=BEKASI)
        for number, given_pose in enumerate(given_poses)
    }
    index = VisibilityIndex.build(cameras, PROJECTION)
    ranked = index.cameras_seeing(BEKASI.lon, BEKASI.lat, radius_m)
    assert all(0 <= camera.probability <= 1 for camera in ranked)
    assert {camera.camera_id for camera in ranked} <= set(cameras)


def test_known_views_follow_the_register() -> None:
    known = KnownViews(PROJECTION)
    first = {CameraId(name): pose(position=at(0, -40), bearing_deg=0) for name in "ab"}
    assert len(known.index(first)) == 2
    turned = {**first, CameraId("a"): pose(position=at(0, -40), bearing_deg=180)}
    seeing = known.index(turned).cameras_seeing(BEKASI.lon, BEKASI.lat)
    assert [one.camera_id for one in seeing] == ["b"]
    del turned[CameraId("b")]
    assert len(known.index(turned)) == 1 and len(known.index({})) == 0
