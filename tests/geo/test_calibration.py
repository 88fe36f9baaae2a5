from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from geo import LocalProjection, PinholeCamera
from geo.calibration import (
    Clicks,
    ControlPoint,
    HorizonPoint,
    KnownHeight,
    Vertical,
    fit_camera,
)
from geo.camera import THETA
from tests.geo.builders import BEKASI, pose

METADATA = dataclasses.replace(
    PinholeCamera.from_pose(pose(bearing_deg=0.0), LocalProjection(BEKASI)), terrain_sigma_m=0.1
)


def true_camera(rng: np.random.Generator) -> PinholeCamera:
    drawn = METADATA.theta + rng.normal(size=8) * np.sqrt(np.diag(METADATA.covariance))
    drawn[7] = 0.0
    return dataclasses.replace(METADATA, **dict(zip(THETA, drawn.tolist(), strict=True)))


def seen(camera: PinholeCamera, east: float, north: float, up: float = 0.0) -> tuple[float, float]:
    """A pixel of a place told from the camera along its axis."""
    sin_y, cos_y = math.sin(camera.yaw), math.cos(camera.yaw)
    x = camera.x + east * cos_y + north * sin_y
    y = camera.y - east * sin_y + north * cos_y
    ((u, v),), _ = camera.project(np.array([[x, y, up]]))
    return float(u), float(v)


def control(
    camera: PinholeCamera, east: float, north: float, rng: np.random.Generator | None = None
) -> ControlPoint:
    u, v = seen(camera, east, north)
    sin_y, cos_y = math.sin(camera.yaw), math.cos(camera.yaw)
    x = camera.x + east * cos_y + north * sin_y
    y = camera.y - east * sin_y + north * cos_y
    if rng is not None:
        u, v, x, y = np.array((u, v, x, y)) + rng.normal(size=4) * (2, 2, 0.5, 0.5)
    return ControlPoint(float(u), float(v), float(x), float(y))


def horizon(camera: PinholeCamera, rng: np.random.Generator | None = None) -> list[HorizonPoint]:
    found = []
    for east in (-3e5, 3e5):
        u, v = seen(camera, east, 1e6, camera.h)
        found.append(HorizonPoint(u, v + (0 if rng is None else rng.normal(0, 2))))
    return found


def error_at(fitted: PinholeCamera, true: PinholeCamera, range_m: float) -> float:
    u, v = seen(true, 0.0, range_m)
    fix = fitted.polar(u, v)
    x, y = fitted.x + math.sin(fix.beta) / fix.rho, fitted.y + math.cos(fix.beta) / fix.rho
    goal = (true.x + math.sin(true.yaw) * range_m, true.y + math.cos(true.yaw) * range_m)
    return math.hypot(x - goal[0], y - goal[1])


def test_exact_clicks_find_the_camera() -> None:
    true = true_camera(np.random.default_rng(1))
    points = [control(true, e, n) for e, n in ((-5, 20), (6, 25), (-15, 60), (20, 70), (0, 120))]
    found = fit_camera(METADATA, Clicks(points=points, horizon=horizon(true)))
    assert error_at(found.camera, true, 100) < 1.0
    assert max(found.residuals_px) < 10, "half a metre on the map is 40 px at 20 m"
    assert found.left_out is None
    assert math.degrees(abs(found.camera.pitch - true.pitch)) < 0.1


def test_nothing_clicked_leaves_the_metadata_and_says_so() -> None:
    found = fit_camera(METADATA, Clicks())
    assert found.camera.theta == pytest.approx(METADATA.theta)
    assert found.camera.covariance == pytest.approx(METADATA.covariance, rel=1e-6)
    assert any("metadata alone" in warning for warning in found.warnings)


def test_every_kind_of_click_helps() -> None:
    true = true_camera(np.random.default_rng(4))
    pole = (seen(true, 5, 30), seen(true, 5, 30, 6.0))
    edge = (seen(true, -9, 35), seen(true, -9, 35, 7.0))
    plumb = [Vertical(*foot, *top) for foot, top in (pole, edge)]
    person = KnownHeight(*seen(true, 2, 25), *seen(true, 2, 25, 3.0), 3.0, 1.0)

    def spread(clicks: Clicks) -> float:
        camera = fit_camera(METADATA, clicks).camera
        return float(camera.polar(*seen(true, 0, 60)).covariance[0, 0])

    alone = spread(Clicks())
    assert spread(Clicks(horizon=horizon(true))) < 0.3 * alone
    assert spread(Clicks(verticals=plumb)) < alone
    assert spread(Clicks(heights=[person])) < alone
    assert spread(Clicks(points=[control(true, 0, 60)])) < 0.3 * alone


def test_plumb_lines_find_the_roll() -> None:
    rolled = dataclasses.replace(METADATA, roll=math.radians(3.0))
    lines = [
        Vertical(*seen(rolled, e, 30), *seen(rolled, e, 30, 7.0), sigma_px=1.0) for e in (-8, 0, 8)
    ]
    found = fit_camera(METADATA, Clicks(verticals=lines)).camera
    assert math.degrees(found.roll) == pytest.approx(3.0, abs=0.4)


def test_one_bad_click_is_named_and_left_out() -> None:
    rng = np.random.default_rng(5)
    true = true_camera(rng)
    points = [
        control(true, e, n, rng) for e, n in ((-5, 20), (6, 25), (-15, 60), (20, 70), (0, 50))
    ]
    points[2] = dataclasses.replace(points[2], u=points[2].u + 150)
    found = fit_camera(METADATA, Clicks(points=points, horizon=horizon(true, rng)))
    assert found.left_out == 2
    assert any(warning.startswith("point 3 contradicts") for warning in found.warnings)
    assert error_at(found.camera, true, 60) < 4
    assert found.residuals_px[2] > 50


@pytest.mark.parametrize("count", [9, 40])
def test_one_bad_click_does_not_hide_among_many(count: int) -> None:
    for seed in range(2):
        rng = np.random.default_rng(seed)
        true = true_camera(rng)
        places = np.column_stack((rng.uniform(-0.4, 0.4, count), rng.uniform(18, 80, count)))
        points = [control(true, share * far, far, rng) for share, far in places.tolist()]
        assert fit_camera(METADATA, Clicks(points=points)).left_out is None
        points[7] = dataclasses.replace(points[7], y=points[7].y + 12.0)
        assert fit_camera(METADATA, Clicks(points=points)).left_out == 7


def test_good_clicks_are_all_kept() -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        true = true_camera(rng)
        points = [control(true, e, n, rng) for e, n in ((-5, 20), (6, 25), (-15, 60), (20, 70))]
        assert fit_camera(METADATA, Clicks(points=points)).left_out is None


def test_a_camera_that_looks_elsewhere_is_found_and_told() -> None:
    true = dataclasses.replace(METADATA, yaw=math.radians(140))
    points = [control(true, e, n) for e, n in ((-5, 20), (6, 25), (-15, 60), (20, 70))]
    unsure = METADATA.covariance.copy()
    unsure[3, 3] = math.radians(60) ** 2
    found = fit_camera(
        dataclasses.replace(METADATA, covariance=unsure), Clicks(points=points)
    ).camera
    assert math.degrees(found.yaw) % 360 == pytest.approx(140, abs=1)


def test_metadata_that_clicks_contradict_is_warned_of() -> None:
    true = dataclasses.replace(METADATA, pitch=math.radians(-25))
    points = [control(true, e, n) for e, n in ((-5, 14), (6, 18), (-9, 25), (10, 30))]
    found = fit_camera(METADATA, Clicks(points=points))
    assert any("tilt differs from the metadata" in warning for warning in found.warnings)


def test_near_and_clustered_points_are_warned_of() -> None:
    points = [control(METADATA, e, n) for e, n in ((0, 20), (0.5, 20.5), (0.4, 20))]
    warnings = " ".join(fit_camera(METADATA, Clicks(points=points)).warnings)
    assert "click points as far off" in warnings
    assert "cluster" in warnings


def test_regions_cover_after_a_fit_to_horizon_and_two_points() -> None:
    rng = np.random.default_rng(11)
    held = {50.0: 0, 100.0: 0, 200.0: 0}
    errors: dict[float, list[float]] = {range_m: [] for range_m in held}
    count = 60
    for _ in range(count):
        true = true_camera(rng)
        points = [
            control(true, rng.uniform(-6, 6), rng.uniform(16, 30), rng),
            control(true, rng.uniform(-15, 15), rng.uniform(50, 80), rng),
        ]
        camera = fit_camera(METADATA, Clicks(points=points, horizon=horizon(true, rng))).camera
        for range_m in held:
            u, v = np.array(seen(true, 0.0, range_m)) + rng.normal(0, 2, 2)
            fix = camera.polar(u, v, 2.0)
            goal = np.array(
                [math.sin(true.yaw) * range_m + true.x, math.cos(true.yaw) * range_m + true.y]
            )
            e, n = goal - (camera.x, camera.y)
            turn = math.remainder(math.atan2(e, n) - fix.beta, 2 * math.pi)
            off = np.array([1 / math.hypot(e, n) - fix.rho, turn])
            held[range_m] += bool(off @ np.linalg.solve(fix.covariance, off) < 5.991)
            errors[range_m].append(error_at(camera, true, range_m))
    # 60 draws at 95 %: fewer than 52 would come once in 2,000 runs of this seed's kind.
    assert all(52 <= number <= count for number in held.values()), held
    assert np.median(errors[100.0]) < 5
