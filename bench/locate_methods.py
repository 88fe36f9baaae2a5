"""Ways to place a pixel on the ground from clicks: ours, and a homography as most do it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from bench.clicked_cameras import CLICK_M, CLICK_PX, SPOT_PX, Floats
from geo.calibration import Clicks, ControlPoint, HorizonPoint, fit_camera
from geo.camera import PinholeCamera

METHODS = ("metadata", "horizon + 2", "4 points", "6 points", "8 points", "homography 6")
CHI2_95 = 5.991

Locate = Callable[[Floats, Floats], tuple[float, bool]]


def fitted(
    method: str, prior: PinholeCamera, points: list[ControlPoint], horizon: list[HorizonPoint]
) -> Locate:
    """Places pixels by one of `METHODS`.

    Returns:
        From a pixel (2,) and its true place (2,) in metres: the error in metres, and whether the
        95 % region holds the truth.
    """
    if method.startswith("homography"):
        return _homography(points)
    clicks = Clicks(points=points, horizon=horizon if "horizon" in method else [])
    if "horizon" in method:
        clicks = dataclasses.replace(clicks, points=points[:2])
    camera = prior if method == "metadata" else fit_camera(prior, clicks).camera

    def locate(pixel: Floats, place: Floats) -> tuple[float, bool]:
        fix = camera.polar(pixel[0], pixel[1], SPOT_PX)
        east, north = place - (camera.x, camera.y)
        turn = math.remainder(math.atan2(east, north) - fix.beta, 2 * math.pi)
        off = np.array([1 / math.hypot(east, north) - fix.rho, turn])
        held = bool(off @ np.linalg.solve(fix.covariance, off) <= CHI2_95)
        range_m = 1 / max(float(fix.rho), 1e-4)
        found = np.array((math.sin(fix.beta), math.cos(fix.beta))) * range_m
        return float(np.hypot(*(found - (east, north)))), held

    return locate


def _homography(points: list[ControlPoint]) -> Locate:
    """Direct linear transformation, with the covariance of its residuals carried along."""
    pixels = np.array([(p.u, p.v) for p in points])
    ground = np.array([(p.x, p.y) for p in points])
    fitted = _dlt(pixels, ground)
    rng = np.random.default_rng(0)
    # What the clicks leave open, told by fitting jittered clicks.
    others = [
        _dlt(
            pixels + rng.normal(0, CLICK_PX, pixels.shape),
            ground + rng.normal(0, CLICK_M, ground.shape),
        )
        for _ in range(30)
    ]

    def locate(pixel: Floats, place: Floats) -> tuple[float, bool]:
        found = _mapped(fitted, pixel)
        scatter = np.array([_mapped(h, pixel + rng.normal(0, SPOT_PX, 2)) for h in others])
        covariance = np.cov(scatter.T) + 1e-6 * np.eye(2)
        off = place - found
        return float(np.hypot(*off)), bool(off @ np.linalg.solve(covariance, off) <= CHI2_95)

    return locate


def _dlt(pixels: Floats, ground: Floats) -> Floats:
    centre, scale = pixels.mean(axis=0), pixels.std() + 1e-9
    rows = []
    for (u, v), (x, y) in zip((pixels - centre) / scale, ground, strict=True):
        rows += [[u, v, 1, 0, 0, 0, -x * u, -x * v, -x], [0, 0, 0, u, v, 1, -y * u, -y * v, -y]]
    _, _, right = np.linalg.svd(np.array(rows))
    normal = np.array(
        [[1 / scale, 0, -centre[0] / scale], [0, 1 / scale, -centre[1] / scale], [0, 0, 1]]
    )
    return np.asarray(right[-1].reshape(3, 3) @ normal)


def _mapped(homography: Floats, pixel: Floats) -> Floats:
    x, y, w = homography @ (pixel[0], pixel[1], 1.0)
    return np.array((x, y)) / (w if abs(w) > 1e-12 else 1e-12)
