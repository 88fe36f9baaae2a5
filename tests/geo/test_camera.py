from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import CameraPose, ContractError
from geo import LocalProjection, PinholeCamera
from geo.camera import THETA
from tests.geo.builders import BEKASI, pose, poses


def camera_of(given_pose: CameraPose) -> PinholeCamera:
    return PinholeCamera.from_pose(given_pose, LocalProjection(given_pose.position))


def test_conventions() -> None:
    """North-looking, level: east is to the right, up is up, and the middle is the axis."""
    camera = camera_of(pose(bearing_deg=0.0, tilt_deg=0.0))
    world = np.array([[0.0, 50.0, 8.0], [10.0, 50.0, 8.0], [0.0, 50.0, 0.0], [0.0, -50.0, 8.0]])
    pixels, visible = camera.project(world)
    assert visible.tolist() == [True, True, True, False]
    assert pixels[0] == pytest.approx((960, 540))
    assert pixels[1][0] > 960 and pixels[1][1] == pytest.approx(540)
    assert pixels[2][1] > 540
    assert np.isnan(pixels[3]).all()


def test_positive_roll_dips_the_right_side() -> None:
    camera = camera_of(pose(bearing_deg=0.0, tilt_deg=0.0, roll_deg=10.0))
    horizon, _ = camera.project(np.array([[-1e4, 1e5, 8.0], [1e4, 1e5, 8.0]]))
    assert horizon[1][1] < horizon[0][1], "the horizon climbs towards the right"


@given(st.floats(-0.1, 0.1), st.floats(20, 110))
def test_the_picture_spans_its_field_of_view(k1: float, hfov_deg: float) -> None:
    if 1 + 3 * k1 * math.tan(math.radians(hfov_deg / 2)) ** 2 <= 0:
        return
    camera = camera_of(pose(bearing_deg=0, tilt_deg=0, hfov_deg=hfov_deg, k1=k1))
    half = math.radians(hfov_deg / 2)
    pixels, _ = camera.project(np.array([[math.tan(half) * 100, 100.0, 8.0]]))
    assert pixels[0][0] == pytest.approx(1920, abs=1e-6)


@given(poses, st.floats(0.02, 0.98), st.floats(0.02, 0.98))
def test_a_pixel_on_the_ground_comes_back(given_pose: CameraPose, s: float, t: float) -> None:
    camera = camera_of(given_pose)
    u, v = s * camera.width_px, t * camera.height_px
    fix = camera.polar(u, v)
    if fix.rho < 1e-4:
        return
    ground = (math.sin(fix.beta) / fix.rho, math.cos(fix.beta) / fix.rho, 0.0)
    pixels, visible = camera.project(np.add([ground], (camera.x, camera.y, 0.0)))
    assert visible[0]
    assert pixels[0] == pytest.approx((u, v), abs=1e-5)


@given(poses)
def test_above_the_horizon_rho_is_not_positive(given_pose: CameraPose) -> None:
    camera = camera_of(given_pose)
    far = 1e7
    level = np.array([[math.sin(camera.yaw) * far, math.cos(camera.yaw) * far, camera.h]])
    pixels, visible = camera.project(level)
    if visible[0]:
        assert camera.polar(*pixels[0]).rho == pytest.approx(0.0, abs=1e-7)
        assert camera.polar(pixels[0][0], pixels[0][1] - 5).rho < 0


@given(poses, st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_jacobians_are_the_derivatives(given_pose: CameraPose, s: float, t: float) -> None:
    camera = camera_of(given_pose)
    u, v = s * camera.width_px, t * camera.height_px
    rho, beta, of_theta, of_pixel = camera.polar_with_jacobians(u, v)
    if not 1e-3 < rho * camera.h < 3:
        return

    def difference(plus: PinholeCamera, minus: PinholeCamera, step: float) -> list[float]:
        (r1, b1), (r0, b0) = (c.polar_with_jacobians(u, v)[:2] for c in (plus, minus))
        return [(r1 - r0) / (2 * step), math.remainder(b1 - b0, 2 * math.pi) / (2 * step)]

    step = 1e-6
    for column, name in enumerate(THETA[2:], start=2):
        value = getattr(camera, name)
        found = difference(
            dataclasses.replace(camera, **{name: value + step}),
            dataclasses.replace(camera, **{name: value - step}),
            step,
        )
        assert of_theta[:, column] == pytest.approx(found, rel=1e-3, abs=1e-6), name
    # The camera's own place moves the ground point as a whole.
    east, north = math.sin(beta) / rho + step, math.cos(beta) / rho
    assert of_theta[0, 0] == pytest.approx(
        (1 / math.hypot(east, north) - rho) / step, rel=1e-2, abs=1e-6
    )
    assert of_theta[1, 0] == pytest.approx(
        math.remainder(math.atan2(east, north) - beta, 2 * math.pi) / step, rel=1e-2, abs=1e-6
    )
    r1, b1 = camera.polar_with_jacobians(u, v + 1e-3)[:2]
    turn = math.remainder(b1 - beta, 2 * math.pi)
    assert of_pixel[:, 1] == pytest.approx(((r1 - rho) * 1e3, turn * 1e3), rel=1e-2, abs=1e-6)


@given(poses)
def test_arrays_and_scalars_agree(given_pose: CameraPose) -> None:
    camera = camera_of(given_pose)
    u, v = np.array([100.0, 900.0, 1800.0]), np.array([1000.0, 700.0, 900.0])
    many = camera.polar(u, v, 3.0)
    one = camera.polar(900.0, 700.0, 3.0)
    assert many.rho[1] == pytest.approx(one.rho, rel=1e-9)
    assert many.covariance[1] == pytest.approx(one.covariance, rel=1e-6, abs=1e-15)


def test_what_the_pose_leaves_open_is_in_the_covariance() -> None:
    sure = camera_of(
        pose(
            position_sigma_m=0,
            height_sigma_m=0,
            bearing_sigma_deg=0,
            tilt_sigma_deg=0,
            roll_sigma_deg=0,
            hfov_sigma_pct=0,
        )
    )
    assert np.all(sure.polar(900.0, 700.0).calibration == 0)
    fix = camera_of(pose()).polar(900.0, 700.0, 2.0)
    assert math.degrees(math.sqrt(fix.covariance[1, 1])) > 4
    wider = camera_of(pose(tilt_sigma_deg=4.0)).polar(900.0, 700.0, 2.0)
    assert wider.covariance[0, 0] > fix.covariance[0, 0]


def test_regions_hold_what_they_promise_over_the_poses_error() -> None:
    """Cameras drawn from the priors; the fix's 95 % ellipse in (rho, beta) holds the truth."""
    rng = np.random.default_rng(7)
    metadata = pose(
        position_sigma_m=0.5,
        bearing_sigma_deg=1,
        tilt_sigma_deg=0.5,
        roll_sigma_deg=0.5,
        hfov_sigma_pct=2,
    )
    believed = dataclasses.replace(camera_of(metadata), terrain_sigma_m=0.3)
    for range_m in (20.0, 60.0, 120.0):
        held = []
        for _ in range(1500):
            drawn = rng.multivariate_normal(believed.theta, believed.covariance)
            true = dataclasses.replace(believed, **dict(zip(THETA, drawn, strict=True)))
            bearing = believed.yaw + rng.uniform(-0.3, 0.3)
            spot = (math.sin(bearing) * range_m, math.cos(bearing) * range_m, rng.normal(0, 0.3))
            pixels, _ = true.project(np.array([spot]))
            u, v = pixels[0] + rng.normal(0, 2.0, 2)
            fix = believed.polar(u, v, 2.0)
            off = np.array([fix.rho - 1 / range_m, math.remainder(fix.beta - bearing, 2 * math.pi)])
            held.append(off @ np.linalg.solve(fix.covariance, off) < 5.991)
        assert 0.93 <= np.mean(held) <= 0.97, range_m


def test_a_lens_that_folds_its_picture_is_refused() -> None:
    with pytest.raises(ContractError, match="k1: folds a picture of 120 degrees"):
        pose(hfov_deg=120, k1=-0.5)


@given(st.floats(-0.3, 0.3), st.floats(20, 110))
def test_whatever_lens_was_fitted_can_be_registered(k1: float, hfov_deg: float) -> None:
    projection = LocalProjection(BEKASI)
    straight = PinholeCamera.from_pose(pose(hfov_deg=hfov_deg), projection)
    bent = dataclasses.replace(straight, k1=k1)
    again = PinholeCamera.from_pose(bent.to_pose(projection), projection)
    # What such a lens can draw at all: beyond it the picture's border shows nothing.
    drawable = math.inf if k1 >= 0 else 2 / 3 / math.sqrt(-3 * k1)
    if math.tan(math.radians(hfov_deg / 2)) < 0.98 * drawable:
        assert again.log_f == pytest.approx(bent.log_f, abs=1e-6)


def test_far_rays_are_not_drawn_inside_a_barrel_lens() -> None:
    camera = camera_of(pose(bearing_deg=0, tilt_deg=0, k1=-0.2))
    _, visible = camera.project(np.array([[500.0, 50.0, 8.0]]))
    assert not visible[0]


@given(poses)
def test_a_camera_survives_its_registration(given_pose: CameraPose) -> None:
    """Through the pose and back: the same camera, with the same covariance."""
    projection = LocalProjection(BEKASI)
    near = dataclasses.replace(given_pose, position=BEKASI)
    camera = PinholeCamera.from_pose(near, projection)
    tilted = camera.covariance.copy()
    tilted[4, 6] = tilted[6, 4] = 0.9 * math.sqrt(tilted[4, 4] * tilted[6, 6])
    fitted = dataclasses.replace(camera, covariance=tilted)
    again = PinholeCamera.from_pose(fitted.to_pose(projection), projection)
    # A yaw of a whole turn comes back as none.
    turned = (again.theta[3] - fitted.theta[3] + math.pi) % (2 * math.pi) - math.pi
    assert turned == pytest.approx(0, abs=1e-9)
    assert again.theta[4:] == pytest.approx(fitted.theta[4:], abs=1e-9)
    assert again.theta[2] == pytest.approx(fitted.theta[2], abs=1e-9)
    assert again.theta[:2] == pytest.approx(fitted.theta[:2], abs=0.02)
    assert again.covariance == pytest.approx(tilted)


def test_a_covariance_that_is_none_is_refused() -> None:
    wrong = [[0.0] * 8 for _ in range(8)]
    for diagonal in range(8):
        wrong[diagonal][diagonal] = 1.0
    wrong[0][1] = wrong[1][0] = 2.0
    with pytest.raises(ContractError, match="negative variance"):
        pose(covariance=tuple(map(tuple, wrong)))
    with pytest.raises(ContractError, match="8 rows"):
        pose(covariance=((1.0,),))
