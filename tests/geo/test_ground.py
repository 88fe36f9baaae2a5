from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point

from contracts import Box, Sighting
from geo import LocalProjection, PinholeCamera, fix_of_box
from geo.mixture import Mixture
from tests.geo.builders import BEKASI, pose

PICTURE = (1920, 1080)
CAMERA = PinholeCamera.from_pose(pose(), LocalProjection(BEKASI))


def box_on(u: float, v: float, width: float = 80, height: float = 60) -> Box:
    return Box(u - width / 2, v - height, u + width / 2, v)


def test_a_box_stands_where_its_foot_is() -> None:
    spot = np.array([[20.0, 40.0, 0.0]])
    ((u, v),), _ = CAMERA.project(spot)
    fix = fix_of_box(CAMERA, box_on(u, v), PICTURE, Sighting.CRASH)
    assert fix.xy == pytest.approx((20.0, 40.0), abs=1e-6)
    region = fix.region(0.95)
    assert region is not None and region.contains(Point(20, 40))


@given(st.floats(0.2, 3.0))
def test_the_pictures_size_makes_no_difference(scale: float) -> None:
    whole = fix_of_box(CAMERA, box_on(900, 700), PICTURE, Sighting.FIRE)
    size = (round(1920 * scale), round(1080 * scale))
    sx, sy = size[0] / 1920, size[1] / 1080
    small = Box(860 * sx, 640 * sy, 940 * sx, 700 * sy)
    scaled = fix_of_box(CAMERA, small, size, Sighting.FIRE)
    assert scaled.rho == pytest.approx(whole.rho, rel=1e-9)
    assert scaled.covariance == pytest.approx(whole.covariance, rel=1e-9)


@given(st.floats(500, 1000), st.floats(300, 1600))
def test_a_higher_confidence_holds_a_larger_region(v: float, u: float) -> None:
    fix = fix_of_box(CAMERA, box_on(u, v), PICTURE, Sighting.CRASH)
    regions = [fix.region(confidence) for confidence in (0.5, 0.9, 0.95)]
    areas = [0.0 if region is None else region.area for region in regions]
    assert areas == sorted(areas)


def test_the_region_opens_towards_the_horizon() -> None:
    near = fix_of_box(CAMERA, box_on(900, 900), PICTURE, Sighting.CRASH).region(0.95)
    far = fix_of_box(CAMERA, box_on(900, 300), PICTURE, Sighting.CRASH).region(0.95)
    assert near is not None and far is not None
    assert far.area > 10 * near.area


def test_above_the_horizon_there_is_a_bearing_and_no_place() -> None:
    fix = fix_of_box(CAMERA, box_on(900, 60, height=30), PICTURE, Sighting.FIRE)
    assert fix.rho < 0
    assert fix.xy is None
    x, y = fix.mixture().mean - (CAMERA.x, CAMERA.y)
    assert math.remainder(math.atan2(x, y) - fix.beta, 2 * math.pi) == pytest.approx(0, abs=0.05)


def test_a_box_straight_below_the_camera_has_a_place() -> None:
    below = PinholeCamera.from_pose(pose(tilt_deg=-90.0), LocalProjection(BEKASI))
    fix = fix_of_box(below, box_on(960, 540), PICTURE, Sighting.CRASH)
    assert fix.xy == pytest.approx((0, 0), abs=0.01)
    region = fix.region(0.95)
    assert region is not None and region.area > 0
    assert np.all(np.isfinite(fix.mixture().covariance))


def test_smoke_is_placed_by_bearing_before_its_foot() -> None:
    fix = fix_of_box(CAMERA, box_on(900, 500, 200, 300), PICTURE, Sighting.SMOKE)
    ground = fix_of_box(CAMERA, box_on(900, 500, 200, 300), PICTURE, Sighting.FIRE)
    assert fix.xy is None and fix.range_unknown
    region = fix.region(0.95)
    assert region is not None
    (x, y), seen_at = CAMERA.axes[2][:2], ground.xy
    assert seen_at is not None
    assert region.contains(Point(np.array(seen_at) * 0.6)), "it may be nearer, behind a roof"
    assert not region.contains(Point(x * 5000, y * 5000))


def test_a_box_cut_by_the_lower_border_has_a_one_sided_range() -> None:
    fix = fix_of_box(CAMERA, box_on(900, 1080), PICTURE, Sighting.CRASH)
    border = CAMERA.polar(900.0, 1080.0)
    assert fix.range_unknown
    assert fix.farthest_m < 2.5 / border.rho
    region = fix.region(0.95)
    assert region is not None
    assert region.contains(Point(math.sin(fix.beta) * 8, math.cos(fix.beta) * 8))


def test_boxes_of_one_camera_are_told_apart_better_than_they_are_placed() -> None:
    left = fix_of_box(CAMERA, box_on(800, 700), PICTURE, Sighting.CRASH)
    right = fix_of_box(CAMERA, box_on(1000, 700), PICTURE, Sighting.CRASH)
    off = np.array([left.rho - right.rho, left.beta - right.beta])
    placed = off @ np.linalg.solve(left.covariance + right.covariance, off)
    assert left.apart_from(right) > 10 * placed
    assert left.apart_from(left) == 0
    assert left.apart_from(right, extent_m=20) < left.apart_from(right)


@given(st.floats(300, 1060), st.floats(100, 1800))
def test_the_mixture_tells_the_same_story_as_the_wedge(v: float, u: float) -> None:
    """Samples of the (rho, beta) Gaussian within reach are ordinary to the mixture."""
    fix = fix_of_box(CAMERA, box_on(u, v), PICTURE, Sighting.CRASH)
    if fix.rho <= 1 / 150:
        return
    rng = np.random.default_rng(3)
    rho, beta = rng.multivariate_normal((fix.rho, fix.beta), fix.covariance, 2000).T
    kept = (rho > 1 / fix.farthest_m) & (rho < 1 / fix.nearest_m)
    drawn = np.column_stack((np.sin(beta), np.cos(beta)))[kept] / rho[kept, None]
    drawn += fix.camera_xy
    mixture = fix.mixture()
    middle = np.median(drawn, axis=0)
    spread = np.median(np.linalg.norm(drawn - middle, axis=1))
    assert np.linalg.norm(mixture.mean - drawn.mean(axis=0)) < max(spread, 0.5)
    own = _draw(mixture, rng, 2000)
    assert np.mean(mixture.log_density(drawn)) == pytest.approx(
        np.mean(mixture.log_density(own)), abs=1.0
    )


def _draw(mixture: Mixture, rng: np.random.Generator, count: int) -> np.ndarray:
    which = rng.choice(len(mixture.weights), p=mixture.weights, size=count)
    roots = np.linalg.cholesky(mixture.covariances)
    return np.asarray(
        mixture.means[which] + (roots[which] @ rng.normal(size=(count, 2, 1)))[..., 0]
    )
