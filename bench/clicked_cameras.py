"""Simulated cameras with known truth, and what an admin clicks on their pictures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.calibration import ControlPoint, HorizonPoint
from geo.camera import THETA, PinholeCamera

Floats = NDArray[np.float64]

RANGES_M = (20, 50, 100, 150, 200)
CLICK_PX, CLICK_M, SPOT_PX = 2.0, 0.5, 2.0

METADATA_SIGMA = np.array(
    [2.0, 2.0, 0.5, math.radians(4), math.radians(2), math.radians(1.5), 0.05, 0.05]
)
"""As `geo.camera.THETA`; the last is what is assumed of a lens whose bend nobody states."""


Relief = Callable[[np.random.Generator, int], Floats]


@dataclass(frozen=True)
class Setting:
    """Which cameras are simulated."""

    name: str
    draw: Callable[[np.random.Generator], Floats]
    relief: Relief
    """How far the ground lies off the plane through the camera's foot, metres."""
    terrain_sigma_m: float
    """What the camera is told of it."""
    lens_sigma: float = 0.05
    """What is known of the lens' bend k1 beforehand, around 0; k1 is drawn accordingly."""


def mast(rng: np.random.Generator) -> Floats:
    """A camera 8 m up, 15 degrees down, with 60 degrees of view and a straight lens."""
    f = 960 / math.tan(math.radians(30))
    return np.array([0, 0, 8.0, rng.uniform(0, 2 * math.pi), math.radians(-15), 0, math.log(f), 0])


def _any(rng: np.random.Generator) -> Floats:
    edge = math.tan(math.radians(rng.uniform(30, 110)) / 2)
    corner2 = edge**2 * (1 + (9 / 16) ** 2)
    # No lens folds its picture: that would be two places in one pixel.
    k1 = max(rng.normal(0, 0.05), -0.6 / (3 * corner2))
    return np.array(
        [
            0,
            0,
            rng.uniform(4, 25),
            rng.uniform(0, 2 * math.pi),
            math.radians(rng.uniform(-45, -5)),
            rng.normal(0, math.radians(1)),
            math.log(960 / edge / (1 + k1 * edge**2)) if k1 > 0 else math.log(960 / edge),
            k1,
        ]
    )


def _level(_: np.random.Generator, count: int) -> Floats:
    return np.zeros(count)


def _rolling(rng: np.random.Generator, count: int) -> Floats:
    return rng.normal(0, 1.0, count)


def _within(rng: np.random.Generator, count: int) -> Floats:
    return rng.uniform(-1, 1, count)


SETTINGS = (
    Setting("mast", mast, _level, 0.0, lens_sigma=1e-3),
    Setting("any", _any, _rolling, 1.0),
    Setting("bounded", _any, _within, 1 / math.sqrt(3)),
)
"""``mast``: 8 m, -15 degrees, 60 degrees of view, a straight lens, level ground. ``any``: 4-25 m,
-5 to -45 degrees, 30-110 degrees, distortion, ground off by 1 m (one sigma). ``bounded``: the same
with ground that is off by a metre at most, evenly, which no Gaussian describes: where the ground
is the largest error, a region made for a Gaussian of that sigma holds more than it says."""


def camera_of(theta: Floats, covariance: Floats, terrain_sigma_m: float = 0.0) -> PinholeCamera:
    """A camera of 1920 x 1080 px; ``theta`` (8,) and ``covariance`` (8, 8) in `THETA`'s order."""
    return PinholeCamera(
        **dict(zip(THETA, theta.tolist(), strict=True)),
        width_px=1920,
        height_px=1080,
        covariance=covariance,
        terrain_sigma_m=terrain_sigma_m,
    )


def _spot(
    camera: PinholeCamera, range_m: float, relief: Relief, rng: np.random.Generator
) -> tuple[Floats, Floats] | None:
    """A visible ground point at a range, and its pixel; None where the picture shows none."""
    half = math.atan(960 / camera.f_px)
    bearings = camera.yaw + rng.uniform(-half, half, 20)
    ground = range_m * np.column_stack((np.sin(bearings), np.cos(bearings), np.zeros(20)))
    _, visible = camera.project(ground)
    if not visible.any():
        return None
    chosen = ground[int(np.argmax(visible))]
    # Chosen on the plane: of many tries, those that relief lifts into the picture would win.
    chosen[2] = relief(rng, 1)[0]
    pixels, shown = camera.project(chosen[None])
    return (chosen, pixels[0]) if shown[0] else None


def click_ground(
    camera: PinholeCamera, count: int, relief: Relief, rng: np.random.Generator
) -> list[ControlPoint]:
    """Up to so many clicks on spots 14 to 80 m away, in the picture and on the map."""
    found = []
    for range_m in rng.uniform(14, 80, 200):
        spot = _spot(camera, range_m, relief, rng)
        if spot is not None:
            (u, v), (x, y) = spot[1] + rng.normal(0, CLICK_PX, 2), spot[0][:2]
            x, y = np.array((x, y)) + rng.normal(0, CLICK_M, 2)
            found.append(ControlPoint(u, v, x, y, CLICK_PX, CLICK_M))
        if len(found) == count:
            break
    return found


def click_horizon(camera: PinholeCamera, rng: np.random.Generator) -> list[HorizonPoint] | None:
    """Two clicks on the horizon; none where the picture doesn't show it on both sides."""
    found = []
    for share in (-0.6, 0.6):
        bearing = camera.yaw + share * math.atan(960 / camera.f_px)
        far = np.array([[1e6 * math.sin(bearing), 1e6 * math.cos(bearing), camera.h]])
        pixels, visible = camera.project(far)
        if not visible[0]:
            return None
        u, v = pixels[0] + rng.normal(0, CLICK_PX, 2)
        found.append(HorizonPoint(u, v, CLICK_PX))
    return found


def spots_of(
    camera: PinholeCamera, relief: Relief, rng: np.random.Generator
) -> list[tuple[int, Floats, Floats]]:
    """Three spots a range: the range in metres, the pixel (2,) as a detector has it, and the true
    place (2,) in metres."""
    found = []
    for range_m in RANGES_M:
        for _ in range(3):
            spot = _spot(camera, range_m, relief, rng)
            if spot is not None:
                found.append((range_m, spot[1] + rng.normal(0, SPOT_PX, 2), spot[0][:2]))
    return found
