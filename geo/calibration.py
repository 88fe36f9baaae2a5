"""A camera's pose from clicks: control points, the horizon, verticals and things of known height.

Nonlinear least squares in whitened unknowns. Metadata is the prior, so that nothing need be
clicked at all; a control point's map position and the height of its ground are unknowns too, with
their own priors, since a click on the map errs as a click in the picture does. The covariance is
the inverse of the normal matrix at the optimum.

A horizon and two far points fix more than six near ones: an error of the tilt moves a point at
range r by r^2 / h a radian.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from shapely import MultiPoint

from geo.camera import THETA, PinholeCamera

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ControlPoint:
    """A spot on the ground, clicked in the picture and on the map (metres in the city's plane)."""

    u: float
    v: float
    x: float
    y: float
    sigma_px: float = 2.0
    sigma_m: float = 0.5


@dataclass(frozen=True, slots=True)
class HorizonPoint:
    """A pixel on the true horizon (sea, plain, far roofs at the camera's height)."""

    u: float
    v: float
    sigma_px: float = 2.0


@dataclass(frozen=True, slots=True)
class Vertical:
    """Two pixels on one plumb line: a pole, a building's edge."""

    u0: float
    v0: float
    u1: float
    v1: float
    sigma_px: float = 2.0


@dataclass(frozen=True, slots=True)
class KnownHeight:
    """Foot and top of something that stands on the ground and is so high."""

    foot_u: float
    foot_v: float
    top_u: float
    top_v: float
    height_m: float
    sigma_px: float = 2.0


@dataclass(frozen=True, slots=True)
class Clicks:
    """Everything that an admin marked in one picture."""

    points: Sequence[ControlPoint] = ()
    horizon: Sequence[HorizonPoint] = ()
    verticals: Sequence[Vertical] = ()
    heights: Sequence[KnownHeight] = ()


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted camera.

    Attributes:
        camera: with the fit's covariance.
        residuals_px: for each control point, from its click to where its map position is drawn.
        left_out: the number (from 0) of a control point that contradicts the rest, if any.
        warnings: what the admin should know, in sentences.
    """

    camera: PinholeCamera
    residuals_px: tuple[float, ...]
    left_out: int | None
    warnings: tuple[str, ...]


OUTLIER_GAIN = 25.0
"""A click is left out where that lowers the sum of squares by more than this: five sigmas."""
MOST_TRIALS = 8
"""Fits that the search for a bad click may cost."""
WIDE_YAW_RAD = math.radians(15)
"""A bearing less sure than this is searched for all around its prior."""
NEAR_M = 40.0
"""Control points all nearer than this leave the range far out to the metadata."""
CLUSTER_SHARE = 0.01
"""Share of the picture that three control points or more should span."""


def fit_camera(prior: PinholeCamera, clicks: Clicks) -> Calibration:
    """Fit a camera to clicks; ``prior`` carries the metadata and its covariance."""
    best = _fit(prior, clicks)
    left_out = None
    if len(clicks.points) >= 3:
        left_out, best = _without_the_worst(prior, clicks, best)
    camera = best.camera
    residuals = _click_residuals(camera, clicks.points)
    return Calibration(
        camera=camera,
        residuals_px=residuals,
        left_out=left_out,
        warnings=tuple(_warnings(prior, camera, clicks, left_out, residuals)),
    )


@dataclass(frozen=True, slots=True)
class _Fit:
    camera: PinholeCamera
    cost: float
    """Sum of squares."""
    point_costs: Floats
    """``(n,)``: each control point's share of it."""


def _without_the_worst(
    prior: PinholeCamera, clicks: Clicks, whole: _Fit
) -> tuple[int | None, _Fit]:
    """The control point without which the others agree best, if it is bad enough."""
    if whole.cost <= OUTLIER_GAIN:
        return None, whole
    suspects = list(range(len(clicks.points)))
    if len(suspects) > MOST_TRIALS:
        # One of many can't bend the fit far enough to hide in it: its own cost gives it away.
        suspects = np.argsort(whole.point_costs)[-MOST_TRIALS:].tolist()
    trials = [
        (_fit(prior, replace(clicks, points=_but(clicks.points, number)), whole.camera), number)
        for number in suspects
    ]
    fit, number = min(trials, key=lambda trial: trial[0].cost)
    return (number, fit) if whole.cost - fit.cost > OUTLIER_GAIN else (None, whole)


def _but(points: Sequence[ControlPoint], number: int) -> tuple[ControlPoint, ...]:
    return (*points[:number], *points[number + 1 :])


def _fit(prior: PinholeCamera, clicks: Clicks, start: PinholeCamera | None = None) -> _Fit:
    problem = _Problem(prior, clicks)
    starts = [np.zeros(problem.size)]
    if start is not None:
        starts[0][:8] = (start.theta - prior.theta) / problem.theta_sigma
    elif clicks.points and problem.theta_sigma[3] > WIDE_YAW_RAD:
        for turn in np.linspace(-math.pi, math.pi, 12, endpoint=False):
            turned = np.zeros(problem.size)
            turned[3] = turn / problem.theta_sigma[3]
            starts.append(turned)
    found = [
        least_squares(problem.residuals, at, method="lm", xtol=1e-9, ftol=1e-9) for at in starts
    ]
    best = min(found, key=lambda result: float(result.cost))
    jacobian = np.asarray(best.jac)
    information = jacobian.T @ jacobian
    whitened = np.linalg.inv(information)[:8, :8]
    scale = problem.theta_sigma
    covariance = whitened * scale[:, None] * scale[None, :]
    camera = problem.camera(best.x)
    return _Fit(
        replace(camera, covariance=covariance),
        2 * float(best.cost),
        problem.point_costs(np.asarray(best.fun)),
    )


class _Problem:
    """Unknowns in sigmas of their priors: theta, three a control point, two a known height."""

    def __init__(self, prior: PinholeCamera, clicks: Clicks) -> None:
        self._prior = prior
        self._clicks = clicks
        # A figure that is exactly known still needs a scale.
        self.theta_sigma: Floats = np.maximum(np.sqrt(np.diag(prior.covariance)), 1e-9)
        points, heights = clicks.points, clicks.heights
        self._points = np.array([(p.u, p.v, p.x, p.y, p.sigma_px, p.sigma_m) for p in points])
        self._points = self._points.reshape(-1, 6)
        self._horizon = np.array([(p.u, p.v, p.sigma_px) for p in clicks.horizon]).reshape(-1, 3)
        self._heights = np.array(
            [(h.foot_u, h.foot_v, h.top_u, h.top_v, h.height_m, h.sigma_px) for h in heights]
        ).reshape(-1, 6)
        self._feet = np.array([self._first_foot(h) for h in heights]).reshape(-1, 2)
        self.size = 8 + 3 * len(points) + 2 * len(heights)

    def _first_foot(self, height: KnownHeight) -> tuple[float, float]:
        fix = self._prior.polar(height.foot_u, height.foot_v)
        range_m = min(1 / max(float(fix.rho), 1e-3), 500.0)
        x = self._prior.x + math.sin(fix.beta) * range_m
        return x, self._prior.y + math.cos(fix.beta) * range_m

    def camera(self, unknowns: Floats) -> PinholeCamera:
        theta = self._prior.theta + unknowns[:8] * self.theta_sigma
        return replace(self._prior, **dict(zip(THETA, theta.tolist(), strict=True)))

    def residuals(self, unknowns: Floats) -> Floats:
        camera = self.camera(unknowns)
        parts: list[Floats] = [unknowns[:8]]
        count = len(self._points)
        if count:
            shifts = unknowns[8 : 8 + 3 * count].reshape(-1, 3)
            ground = np.empty((count, 3))
            ground[:, :2] = self._points[:, 2:4] + shifts[:, :2] * self._points[:, 5:6]
            ground[:, 2] = shifts[:, 2] * self._prior.terrain_sigma_m
            off = (_drawn(camera, ground) - self._points[:, :2]) / self._points[:, 4:5]
            parts += [off.ravel(), shifts.ravel()]
        if len(self._horizon):
            parts.append(self._horizon_residuals(camera))
        if self._clicks.verticals:
            parts.append(self._vertical_residuals(camera))
        if len(self._heights):
            feet = self._feet + unknowns[8 + 3 * count :].reshape(-1, 2) * 10.0
            sigma = self._heights[:, 5:6]
            low = np.column_stack((feet, np.zeros(len(feet))))
            high = np.column_stack((feet, self._heights[:, 4]))
            parts.append(((_drawn(camera, low) - self._heights[:, 0:2]) / sigma).ravel())
            parts.append(((_drawn(camera, high) - self._heights[:, 2:4]) / sigma).ravel())
        return np.concatenate(parts)

    def point_costs(self, residuals: Floats) -> Floats:
        """Each control point's share of the sum of squares: in the picture and on the ground."""
        count = len(self._points)
        pixels = residuals[8 : 8 + 2 * count].reshape(-1, 2)
        shifts = residuals[8 + 2 * count : 8 + 5 * count].reshape(-1, 3)
        return np.asarray((pixels**2).sum(axis=1) + (shifts**2).sum(axis=1))

    def _horizon_residuals(self, camera: PinholeCamera) -> Floats:
        u, v, sigma = self._horizon.T
        far = camera.ray(u, v) @ camera.axes
        far[:, 2] = 0.0
        level = _drawn(camera, np.add(far, (camera.x, camera.y, camera.h)))
        down = (math.sin(camera.roll), math.cos(camera.roll))
        off = (u - level[:, 0]) * down[0] + (v - level[:, 1]) * down[1]
        return np.asarray(off / sigma)

    def _vertical_residuals(self, camera: PinholeCamera) -> Floats:
        """Distance of each end from the plumb line through the other, in sigmas of a click."""
        ends = np.array([(p.u0, p.v0, p.u1, p.v1, p.sigma_px) for p in self._clicks.verticals])
        first, second = camera.ray(ends[:, 0], ends[:, 1]), camera.ray(ends[:, 2], ends[:, 3])
        up = camera.axes[:, 2]
        line = np.cross(first, np.broadcast_to(up, first.shape))
        off = np.sum(line * second, axis=1) / np.hypot(line[:, 0], line[:, 1])
        # Both ends err, the first by way of the line that it turns.
        return np.asarray(off * camera.f_px / (math.sqrt(2) * ends[:, 4]))


def _drawn(camera: PinholeCamera, world: Floats) -> Floats:
    """Pixels of world points; what is behind the camera is drawn far outside, but somewhere."""
    seen = (world - (camera.x, camera.y, camera.h)) @ camera.axes.T
    flat = seen[:, :2] / np.maximum(seen[:, 2:3], 1e-2)
    flat = np.clip(flat, -50.0, 50.0)
    gain = 1 + camera.k1 * np.sum(flat**2, axis=1)
    return np.asarray(
        flat * gain[:, None] * camera.f_px + (camera.width_px / 2, camera.height_px / 2)
    )


def _click_residuals(camera: PinholeCamera, points: Sequence[ControlPoint]) -> tuple[float, ...]:
    if not points:
        return ()
    world = np.array([(p.x, p.y, 0.0) for p in points])
    off = _drawn(camera, world) - np.array([(p.u, p.v) for p in points])
    return tuple(np.hypot(off[:, 0], off[:, 1]).tolist())


_FIGURES: tuple[tuple[str, float, str], ...] = (
    ("east position", 1.0, "m"),
    ("north position", 1.0, "m"),
    ("height", 1.0, "m"),
    ("bearing", math.degrees(1), "degrees"),
    ("tilt", math.degrees(1), "degrees"),
    ("roll", math.degrees(1), "degrees"),
    ("focal length", 100.0, "%"),
    ("distortion k1", 1.0, ""),
)


def _warnings(
    prior: PinholeCamera,
    camera: PinholeCamera,
    clicks: Clicks,
    left_out: int | None,
    residuals: Sequence[float],
) -> list[str]:
    found = []
    if left_out is not None:
        found.append(
            f"point {left_out + 1} contradicts the others by {residuals[left_out]:.0f} px and was "
            "left out; click it again in the picture and on the map"
        )
    kept = [p for number, p in enumerate(clicks.points) if number != left_out]
    if not kept and not clicks.horizon:
        found.append(
            "no control points and no horizon: positions rest on metadata alone; "
            "mark the horizon and two far points"
        )
    if kept:
        ranges = [math.hypot(p.x - camera.x, p.y - camera.y) for p in kept]
        if max(ranges) < NEAR_M and not clicks.horizon:
            found.append(
                f"all points are nearer than {max(ranges):.0f} m and there is no horizon: places "
                "far out stay unsure; click points as far off as can be told, or the horizon"
            )
    if len(kept) >= 3:
        hull = MultiPoint([(p.u, p.v) for p in kept]).convex_hull.area
        if hull < CLUSTER_SHARE * camera.width_px * camera.height_px:
            found.append(
                "the points lie in a cluster or on a line of the picture; spread them over it"
            )
    sigma = np.sqrt(np.diag(prior.covariance))
    off = camera.theta - prior.theta
    for (name, scale, unit), moved, known in zip(_FIGURES, off, sigma, strict=True):
        if known > 0 and abs(moved) > 3 * known:
            found.append(
                f"{name} differs from the metadata by {moved * scale:+.3g} {unit}".rstrip()
                + f", {abs(moved) / known:.1f} of its standard deviations; check the metadata"
            )
    return found
