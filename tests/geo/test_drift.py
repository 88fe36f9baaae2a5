from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from contracts import CameraPose, ViewShift
from geo import LocalProjection, PinholeCamera
from geo.drift import propose, widened
from tests.geo.builders import BEKASI, few, pose

PROJECTION = LocalProjection(BEKASI)


def shift_of(old: PinholeCamera, new: PinholeCamera, matches: int = 80) -> ViewShift:
    """What perfect matching of a straight lens' pictures gives."""
    k_old, k_new = (np.diag([c.f_px / c.width_px, c.f_px / c.width_px, 1.0]) for c in (old, new))
    whole: NDArray[np.float64] = k_new @ new.axes @ old.axes.T @ np.linalg.inv(k_old)
    values = (whole / np.linalg.norm(whole) * np.sign(whole[2, 2])).ravel().tolist()
    return ViewShift(
        homography=tuple(values), matches=matches, sigma=0.001, aspect=old.height_px / old.width_px
    )


def turned(
    camera: PinholeCamera, yaw: float, pitch: float, roll: float, zoom: float = 0.0
) -> PinholeCamera:
    return dataclasses.replace(
        camera,
        yaw=camera.yaw + math.radians(yaw),
        pitch=camera.pitch + math.radians(pitch),
        roll=camera.roll + math.radians(roll),
        log_f=camera.log_f + zoom,
    )


small = st.floats(-6, 6)


@few
@given(
    yaw=small,
    pitch=small,
    roll=small,
    zoom=st.floats(-0.1, 0.1),
    tilt=st.floats(-50, 5),
    hfov=st.floats(30, 95),
)
def test_a_turn_is_found_again(
    yaw: float, pitch: float, roll: float, zoom: float, tilt: float, hfov: float
) -> None:
    camera = PinholeCamera.from_pose(pose(tilt_deg=tilt, hfov_deg=hfov), PROJECTION)
    new = turned(camera, yaw, pitch, roll, zoom)
    told = propose(camera, shift_of(camera, new))
    assert told.turned_deg == pytest.approx(yaw, abs=0.01)
    assert told.tilted_deg == pytest.approx(pitch, abs=0.01)
    assert told.rolled_deg == pytest.approx(roll, abs=0.01)
    assert math.log(told.zoomed) == pytest.approx(zoom, abs=1e-4)
    assert told.residual_px < 0.1
    assert np.linalg.eigvalsh(told.camera.covariance).min() > -1e-12
    told.camera.to_pose(PROJECTION)


def test_what_was_wrong_with_the_old_pose_is_owned_up_to() -> None:
    """The proposal made from a wrong old pose lies within its own covariance of the truth."""
    rng = np.random.default_rng(3)
    distances = []
    for _ in range(60):
        believed = PinholeCamera.from_pose(pose(), PROJECTION)
        off = rng.multivariate_normal(np.zeros(8), believed.covariance)
        off[7] = 0.0
        names = ("x", "y", "h", "yaw", "pitch", "roll", "log_f", "k1")
        real = dataclasses.replace(
            believed, **dict(zip(names, (believed.theta + off).tolist(), strict=True))
        )
        new = turned(real, *rng.uniform(-5, 5, 3))
        told = propose(believed, shift_of(real, new)).camera
        miss = (told.theta - new.theta)[:7]
        distances.append(miss @ np.linalg.solve(told.covariance[:7, :7], miss))
    # Chi-squared of 7 degrees of freedom: mean 7, and 95 % below 14.07.
    assert 5 < np.mean(distances) < 9
    assert np.mean(np.array(distances) < 14.07) > 0.85


def test_a_camera_carried_elsewhere_is_warned_of() -> None:
    camera = PinholeCamera.from_pose(pose(), PROJECTION)
    squeezed = ViewShift(
        homography=(1.25, 0, 0.1, 0, 0.85, 0, 0, 0, 1), matches=90, sigma=0.001, aspect=0.5625
    )
    assert any("no turn explains" in text for text in propose(camera, squeezed).warnings)


def test_pictures_with_nothing_in_common_tell_nothing() -> None:
    camera = PinholeCamera.from_pose(pose(), PROJECTION)
    gone = ViewShift(homography=(1, 0, 3, 0, 1, 0, 0, 0, 1), matches=9, sigma=0.001, aspect=0.5625)
    with pytest.raises(ValueError, match="too little"):
        propose(camera, gone)
    assert widened(pose(), gone).bearing_sigma_deg > 20


def area_of(given_pose: CameraPose) -> float:
    camera = PinholeCamera.from_pose(given_pose, PROJECTION)
    covariance = camera.polar(960.0, 700.0).covariance
    return float(np.linalg.det(covariance))


def test_a_moved_camera_is_believed_less_and_least_where_nobody_knows_how_far() -> None:
    exact = dataclasses.replace(pose(), bearing_sigma_deg=0.3, tilt_sigma_deg=0.2)
    camera = PinholeCamera.from_pose(exact, PROJECTION)
    shift = shift_of(camera, turned(camera, 3, -1, 0.5))
    told, lost = widened(exact, shift), widened(exact)
    assert area_of(exact) < area_of(told) < area_of(lost)
    assert told.bearing_sigma_deg == pytest.approx(math.hypot(3.5, 0.3), abs=0.1)
    assert lost.position == exact.position and lost.bearing_deg == exact.bearing_deg
