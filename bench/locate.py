"""Where a pixel lies on the ground: error and honesty by range, beside a homography.

Simulated cameras with known truth. Every camera is calibrated from the same noisy clicks by each
method, and then places pixels whose ground truth is known. ``coverage95`` is the share of truths
inside the 95 % region; a homography's region comes from the scatter of its own residuals.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.lookups import cpu_s, lookups
from geo.calibration import Clicks, ControlPoint, HorizonPoint, fit_camera
from geo.camera import THETA, PinholeCamera

Floats = NDArray[np.float64]

RANGES_M = (20, 50, 100, 150, 200)
CLICK_PX, CLICK_M, SPOT_PX = 2.0, 0.5, 2.0
CHI2_95 = 5.991

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


def _mast(rng: np.random.Generator) -> Floats:
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
    Setting("mast", _mast, _level, 0.0, lens_sigma=1e-3),
    Setting("any", _any, _rolling, 1.0),
    Setting("bounded", _any, _within, 1 / math.sqrt(3)),
)
"""``mast``: 8 m, -15 degrees, 60 degrees of view, a straight lens, level ground. ``any``: 4-25 m,
-5 to -45 degrees, 30-110 degrees, distortion, ground off by 1 m (one sigma). ``bounded``: the same
with ground that is off by a metre at most, evenly, which no Gaussian describes: where the ground
is the largest error, a region made for a Gaussian of that sigma holds more than it says."""

METHODS = ("metadata", "horizon + 2", "4 points", "6 points", "8 points", "homography 6")


def measure(cameras: int = 400, seed: int = 1, index_cameras: int = 100_000) -> dict[str, Any]:
    """All figures; ``coverage95`` and ``median_m`` are those of the horizon and two points."""
    rows = [row for setting in SETTINGS for row in accuracy(setting, cameras, seed)]
    ours = [row for row in rows if row["setting"] == "mast" and row["method"] == "horizon + 2"]
    return {
        "coverage95": {str(row["range_m"]): row["coverage95"] for row in ours},
        "median_m": {str(row["range_m"]): row["median_m"] for row in ours},
        "rows": rows,
        **projection_speed(),
        **lookups(index_cameras, seed),
    }


def accuracy(setting: Setting, cameras: int, seed: int) -> list[dict[str, Any]]:
    """Median error and coverage of each method at each range."""
    rng = np.random.default_rng(seed)
    errors: dict[tuple[str, int], list[float]] = {}
    inside: dict[tuple[str, int], list[list[bool]]] = {}
    """A list a camera: its spots err together, so that they aren't so many trials."""
    spent: dict[str, list[float]] = {}
    for _ in range(cameras):
        true = _camera(setting.draw(rng), np.zeros((8, 8)))
        sigma = np.append(METADATA_SIGMA[:7], setting.lens_sigma)
        off = rng.normal(size=8) * sigma
        off[7] = -true.k1
        prior = _camera(true.theta + off, np.diag(sigma**2), setting.terrain_sigma_m)
        points = _clicked(true, 8, setting.relief, rng)
        horizon = _horizon(true, rng)
        spots = _spots(true, setting.relief, rng)
        for method in METHODS:
            count = int(method.split()[-1]) if method[-1].isdigit() else 0
            count = int(method.split()[0]) if method.endswith("points") else count
            if len(points) < count or ("horizon" in method and horizon is None):
                continue
            started = time.process_time()
            locate = _fitted(method, prior, points[:count], horizon or [])
            spent.setdefault(method, []).append(time.process_time() - started)
            own: dict[int, list[bool]] = {}
            for range_m, pixel, place in spots:
                error, held = locate(pixel, place)
                errors.setdefault((method, range_m), []).append(error)
                own.setdefault(range_m, []).append(held)
            for range_m, helds in own.items():
                inside.setdefault((method, range_m), []).append(helds)
    return [
        {
            "setting": setting.name,
            "method": method,
            "range_m": range_m,
            "median_m": float(np.median(errors[method, range_m])),
            **_share(inside[method, range_m]),
            "count": len(errors[method, range_m]),
            "fit_cpu_ms": 1e3 * float(np.mean(spent[method])),
        }
        for method in METHODS
        for range_m in RANGES_M
        if (method, range_m) in errors
    ]


def _share(trials: list[list[bool]]) -> dict[str, float]:
    """The share of successes, and two standard errors of it with each camera as one sample."""
    good = np.array([sum(helds) for helds in trials], dtype=float)
    all_of = np.array([len(helds) for helds in trials], dtype=float)
    share = float(good.sum() / all_of.sum())
    spread = float(np.sum((good - share * all_of) ** 2))
    return {"coverage95": share, "two_se": 2 * math.sqrt(spread) / float(all_of.sum())}


def _camera(theta: Floats, covariance: Floats, terrain_sigma_m: float = 0.0) -> PinholeCamera:
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


def _clicked(
    camera: PinholeCamera, count: int, relief: Relief, rng: np.random.Generator
) -> list[ControlPoint]:
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


def _horizon(camera: PinholeCamera, rng: np.random.Generator) -> list[HorizonPoint] | None:
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


def _spots(
    camera: PinholeCamera, relief: Relief, rng: np.random.Generator
) -> list[tuple[int, Floats, Floats]]:
    found = []
    for range_m in RANGES_M:
        for _ in range(3):
            spot = _spot(camera, range_m, relief, rng)
            if spot is not None:
                found.append((range_m, spot[1] + rng.normal(0, SPOT_PX, 2), spot[0][:2]))
    return found


Locate = Callable[[Floats, Floats], tuple[float, bool]]


def _fitted(
    method: str, prior: PinholeCamera, points: list[ControlPoint], horizon: list[HorizonPoint]
) -> Locate:
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


def projection_speed() -> dict[str, float]:
    """CPU of one pixel and of a thousand, with covariance."""
    camera = _camera(_mast(np.random.default_rng(0)), np.diag(METADATA_SIGMA**2), 0.5)
    u, v = np.random.default_rng(1).uniform(200, 1000, (2, 1000))
    return {
        "project_scalar_us": 1e6 * cpu_s(lambda: camera.polar(900.0, 700.0, 2.0), 2000),
        "project_1000_ms": 1e3 * cpu_s(lambda: camera.polar(u, v, 2.0), 50),
    }


def table(figures: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [
        "median error m [share of truths in the 95 % region, % ± two standard errors]",
        f"{'cameras':<8}{'method':<16}"
        + "".join(f"{f'{r} m':>17}" for r in RANGES_M)
        + f"{'fit, CPU ms':>14}",
    ]
    rows = {(r["setting"], r["method"], r["range_m"]): r for r in figures["rows"]}
    for setting in SETTINGS:
        for method in METHODS:
            cells = [rows.get((setting.name, method, range_m)) for range_m in RANGES_M]
            shown = "".join(
                f"{'-':>17}"
                if cell is None
                else f"{cell['median_m']:>6.1f} [{100 * cell['coverage95']:3.0f}"
                f" ±{100 * cell['two_se']:3.1f}]"
                for cell in cells
            )
            fit = next((f"{cell['fit_cpu_ms']:>13.0f}" for cell in cells if cell), "")
            lines.append(f"{setting.name:<8}{method:<16}{shown}{fit}")
    lines += [
        f"{figures['cameras']} cameras: fields of view {figures['views_cpu_s']:.1f} s of CPU, "
        f"index {figures['index_cpu_s']:.2f} s, "
        f"{figures['memory_mb']:.0f} MB; point p99 {figures['lookup_point_p99_us']:.0f} us, "
        f"50 m disc p99 {figures['lookup_disc_p99_us']:.0f} us",
        f"a pixel with covariance {figures['project_scalar_us']:.0f} us, "
        f"1,000 of them {figures['project_1000_ms']:.2f} ms",
    ]
    return "\n".join(lines)
