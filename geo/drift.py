"""A camera that was nudged: the pose its moved picture tells of, and what to believe meanwhile.

Whoever compares pictures hands over a `contracts.ViewShift`; here it becomes angles. The camera is
taken to have turned, and perhaps zoomed, where it stands: a mast isn't carried off by a ladder.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from contracts import CameraPose, ViewShift
from geo.camera import THETA, PinholeCamera
from geo.projection import LocalProjection

Floats = NDArray[np.float64]

_FREE = (3, 4, 5, 6)
"""Places of yaw, pitch, roll and log f in a camera's parameters."""
_STEPS = np.array([1e-4, 1e-4, 1e-4, 1e-3])
_POORLY_PX = 4.0
"""A shift that no turn explains to this many pixels of a picture 640 wide was no turn."""

LOST_SIGMAS = (20.0, 8.0, 5.0)
"""Bearing, tilt, roll in degrees of a camera that was moved by nobody knows how much."""
LOST_ZOOM_SIGMA = 0.1


@dataclass(frozen=True, slots=True)
class Proposal:
    """The pose that a moved camera seems to have now.

    Attributes:
        camera: with the covariance of the old pose carried over and the matching's own added.
        turned_deg, tilted_deg, rolled_deg: new less old; bearing clockwise, tilt upwards.
        zoomed: factor of the focal length.
        residual_px: root mean square of what a turn leaves unexplained, in pixels of the pose.
        warnings: what the admin should look at before accepting it.
    """

    camera: PinholeCamera
    turned_deg: float
    tilted_deg: float
    rolled_deg: float
    zoomed: float
    residual_px: float
    warnings: tuple[str, ...]


def propose(camera: PinholeCamera, shift: ViewShift) -> Proposal:
    """The camera's new pose after its picture has moved by ``shift``.

    Raises:
        ValueError: the two pictures have too little in common to tell.
    """
    before, after, sigma_px = _pairs(camera, shift)
    found, information, residual_px = _turned(camera, before, after)
    # A homography has four freedoms more than a turn; what it used them for counts as error.
    own = np.linalg.inv(information) * (sigma_px**2 + residual_px**2)
    # What was wrong with the old pose is wrong with the new one.
    carried = np.eye(8)
    for column in (4, 5, 6, 7):
        step = np.zeros(8)
        step[column] = _STEPS[min(column - 3, 3)]
        high, _, _ = _turned(_moved(camera, step), before, after)
        low, _, _ = _turned(_moved(camera, -step), before, after)
        slope = (high.theta - low.theta) / (2 * step[column])
        carried[:, column] = slope
    covariance = carried @ camera.covariance @ carried.T
    covariance[np.ix_(_FREE, _FREE)] += own
    off = found.theta - camera.theta
    turn = math.remainder(off[3], 2 * math.pi)
    warnings = []
    if residual_px > _POORLY_PX * camera.width_px / 640:
        warnings.append(
            f"no turn explains the new picture better than {residual_px:.0f} px: the camera may "
            "have been carried elsewhere, or changed; calibrate it anew"
        )
    if abs(turn) > math.radians(15) or abs(off[4]) > math.radians(10) or abs(off[6]) > 0.2:
        warnings.append("the change is large; check the new pose at a far point")
    return Proposal(
        camera=replace(found, covariance=(covariance + covariance.T) / 2),
        turned_deg=math.degrees(turn),
        tilted_deg=math.degrees(off[4]),
        rolled_deg=math.degrees(math.remainder(off[5], 2 * math.pi)),
        zoomed=math.exp(off[6]),
        residual_px=residual_px,
        warnings=tuple(warnings),
    )


def widened(pose: CameraPose, shift: ViewShift | None = None) -> CameraPose:
    """What to believe of a pose while its camera is known to have moved: its place still, its
    angles only to within the shift, or hardly at all where that is unknown.
    """
    projection = LocalProjection(pose.position)
    camera = PinholeCamera.from_pose(pose, projection)
    more = np.array([*np.radians(LOST_SIGMAS), LOST_ZOOM_SIGMA])
    if shift is not None:
        try:
            told = propose(camera, shift)
        except ValueError:
            pass  # it matches in too little to say how far it turned: as if nothing were known
        else:
            turns = (told.turned_deg, told.tilted_deg, told.rolled_deg)
            more = np.abs([*np.radians(turns), math.log(told.zoomed)]) + np.radians(0.5)
    covariance = camera.covariance.copy()
    covariance[_FREE, _FREE] += more**2
    sigma = np.sqrt(np.diag(covariance))
    half = math.radians(pose.hfov_deg) / 2
    return replace(
        pose,
        covariance=tuple(map(tuple, covariance.tolist())),
        bearing_sigma_deg=math.degrees(sigma[3]),
        tilt_sigma_deg=math.degrees(sigma[4]),
        roll_sigma_deg=math.degrees(sigma[5]),
        hfov_sigma_pct=100 * sigma[6] * math.sin(2 * half) / (2 * half),
    )


def _pairs(camera: PinholeCamera, shift: ViewShift) -> tuple[Floats, Floats, float]:
    """Pixels of the old and the new picture that show one thing, spread over what both show, and
    the sigma of each such that together they weigh as much as the spots that were matched.
    """
    x, y = np.meshgrid(np.linspace(-0.48, 0.48, 13), np.linspace(-0.48, 0.48, 9) * shift.aspect)
    points = np.stack((x.ravel(), y.ravel(), np.ones(x.size)))
    moved = np.array(shift.homography).reshape(3, 3) @ points
    with np.errstate(divide="ignore", invalid="ignore"):
        flat = moved[:2] / moved[2]
        shown = (moved[2] * np.sign(shift.homography[8]) > 0) & np.all(
            np.abs(flat) <= np.array([[0.5], [0.5 * shift.aspect]]), axis=0
        )
    if shown.sum() < 6:
        raise ValueError("the new picture shows too little of the old one to tell how it moved")
    scale = np.array([camera.width_px, camera.height_px / shift.aspect])
    middle = np.array([camera.width_px, camera.height_px]) / 2
    before, after = points[:2, shown].T * scale + middle, flat[:, shown].T * scale + middle
    sigma_px = shift.sigma * camera.width_px * math.sqrt(2 * int(shown.sum()) / shift.matches)
    return before, after, sigma_px


def _turned(
    camera: PinholeCamera, before: Floats, after: Floats
) -> tuple[PinholeCamera, Floats, float]:
    """The camera that draws ``after`` where this one draws ``before``; the information on its four
    free parameters a unit of pixel sigma, and the root mean square residual in pixels.
    """
    far = camera.ray(before[:, 0], before[:, 1]) @ camera.axes
    middle = np.array([camera.width_px, camera.height_px]) / 2

    def drawn_off(change: Floats) -> Floats:
        theta = np.zeros(8)
        theta[list(_FREE)] = change
        new = _moved(camera, theta)
        seen = far @ new.axes.T
        flat = np.clip(seen[:, :2] / np.maximum(seen[:, 2:], 1e-2), -50, 50)
        gain = 1 + new.k1 * np.sum(flat**2, axis=1, keepdims=True)
        return np.asarray((flat * gain * new.f_px + middle - after).ravel())

    found = least_squares(drawn_off, np.zeros(4), method="lm", xtol=1e-12, ftol=1e-12)
    jacobian = np.asarray(found.jac)
    theta = np.zeros(8)
    theta[list(_FREE)] = found.x
    residual = math.sqrt(2 * float(np.mean(np.square(found.fun))))
    return _moved(camera, theta), jacobian.T @ jacobian, residual


def _moved(camera: PinholeCamera, change: Floats) -> PinholeCamera:
    theta = camera.theta + change

    return replace(camera, **dict(zip(THETA, theta.tolist(), strict=True)))
