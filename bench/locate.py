"""Where a pixel lies on the ground: error and honesty by range, beside a homography; look-ups.

Simulated cameras with known truth. Every camera is calibrated from the same noisy clicks by each
method, and then places pixels whose ground truth is known. ``coverage95`` is the share of truths
inside the 95 % region; a homography's region comes from the scatter of its own residuals.
"""

from __future__ import annotations

import dataclasses
import math
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts import CameraId, CameraPose, LonLat
from geo.calibration import Clicks, ControlPoint, HorizonPoint, fit_camera
from geo.camera import THETA, PinholeCamera
from geo.projection import LocalProjection
from geo.visibility import View, VisibilityIndex

Floats = NDArray[np.float64]

RANGES_M = (20, 50, 100, 150, 200)
CLICK_PX, CLICK_M, SPOT_PX = 2.0, 0.5, 2.0
CHI2_95 = 5.991
CITY = LonLat(106.992, -6.2383)

METADATA_SIGMA = np.array(
    [2.0, 2.0, 0.5, math.radians(4), math.radians(2), math.radians(1.5), 0.05, 0.05]
)


@dataclass(frozen=True)
class Setting:
    """Which cameras are simulated."""

    name: str
    terrain_m: float
    """The ground lies this much above or below the plane, uniformly."""
    draw: Callable[[np.random.Generator], Floats]


def _mast(rng: np.random.Generator) -> Floats:
    f = 960 / math.tan(math.radians(30))
    return np.array([0, 0, 8.0, rng.uniform(0, 2 * math.pi), math.radians(-15), 0, math.log(f), 0])


def _any(rng: np.random.Generator) -> Floats:
    half = math.radians(rng.uniform(30, 110)) / 2
    k1 = rng.normal(0, 0.03) if half < math.radians(35) else 0.0
    return np.array(
        [
            0,
            0,
            rng.uniform(4, 25),
            rng.uniform(0, 2 * math.pi),
            math.radians(rng.uniform(-45, -5)),
            rng.normal(0, math.radians(1)),
            math.log(960 / math.tan(half)),
            k1,
        ]
    )


SETTINGS = (Setting("mast", 0.0, _mast), Setting("any", 1.0, _any))
"""``mast``: 8 m, -15 degrees, 60 degrees of view, level ground. ``any``: 4-25 m, -5 to -45 degrees,
30-110 degrees, distortion, and ground that is off by up to a metre."""

METHODS = ("metadata", "horizon + 2", "4 points", "6 points", "8 points", "homography 6")


def measure(cameras: int = 40, seed: int = 1, index_cameras: int = 100_000) -> dict[str, Any]:
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
    inside: dict[tuple[str, int], list[bool]] = {}
    spent: dict[str, list[float]] = {}
    for _ in range(cameras):
        true = _camera(setting.draw(rng), np.zeros((8, 8)))
        off = rng.normal(size=8) * METADATA_SIGMA
        off[7] = -true.k1
        prior = _camera(true.theta + off, np.diag(METADATA_SIGMA**2), terrain(setting))
        points = _clicked(true, 8, setting.terrain_m, rng)
        horizon = _horizon(true, rng)
        spots = _spots(true, setting.terrain_m, rng)
        for method in METHODS:
            count = int(method.split()[-1]) if method[-1].isdigit() else 0
            count = int(method.split()[0]) if method.endswith("points") else count
            if len(points) < count or ("horizon" in method and horizon is None):
                continue
            started = time.process_time()
            locate = _fitted(method, prior, points[:count], horizon or [])
            spent.setdefault(method, []).append(time.process_time() - started)
            for range_m, pixel, place in spots:
                error, held = locate(pixel, place)
                errors.setdefault((method, range_m), []).append(error)
                inside.setdefault((method, range_m), []).append(held)
    return [
        {
            "setting": setting.name,
            "method": method,
            "range_m": range_m,
            "median_m": float(np.median(errors[method, range_m])),
            "coverage95": float(np.mean(inside[method, range_m])),
            "count": len(errors[method, range_m]),
            "fit_cpu_ms": 1e3 * float(np.mean(spent[method])),
        }
        for method in METHODS
        for range_m in RANGES_M
        if (method, range_m) in errors
    ]


def terrain(setting: Setting) -> float:
    """Standard deviation of a uniform error; a level ground still has its kerbs."""
    return max(setting.terrain_m / math.sqrt(3), 0.05)


def _camera(theta: Floats, covariance: Floats, terrain_sigma_m: float = 0.0) -> PinholeCamera:
    return PinholeCamera(
        **dict(zip(THETA, theta.tolist(), strict=True)),
        width_px=1920,
        height_px=1080,
        covariance=covariance,
        terrain_sigma_m=terrain_sigma_m,
    )


def _spot(
    camera: PinholeCamera, range_m: float, terrain_m: float, rng: np.random.Generator
) -> tuple[Floats, Floats] | None:
    """A visible ground point at a range, and its pixel; None where the picture shows none."""
    half = math.atan(960 / camera.f_px)
    bearings = camera.yaw + rng.uniform(-half, half, 20)
    ground = np.column_stack(
        (
            range_m * np.sin(bearings),
            range_m * np.cos(bearings),
            rng.uniform(-terrain_m, terrain_m, 20),
        )
    )
    pixels, visible = camera.project(ground)
    if not visible.any():
        return None
    chosen = int(np.argmax(visible))
    return ground[chosen], pixels[chosen]


def _clicked(
    camera: PinholeCamera, count: int, terrain_m: float, rng: np.random.Generator
) -> list[ControlPoint]:
    found = []
    for range_m in rng.uniform(14, 80, 200):
        spot = _spot(camera, range_m, terrain_m, rng)
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
    camera: PinholeCamera, terrain_m: float, rng: np.random.Generator
) -> list[tuple[int, Floats, Floats]]:
    found = []
    for range_m in RANGES_M:
        for _ in range(3):
            spot = _spot(camera, range_m, terrain_m, rng)
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
        "project_scalar_us": 1e6 * _cpu(lambda: camera.polar(900.0, 700.0, 2.0), 2000),
        "project_1000_ms": 1e3 * _cpu(lambda: camera.polar(u, v, 2.0), 50),
    }


def lookups(cameras: int, seed: int) -> dict[str, float]:
    """Which cameras see a point, and a caller's 50 m disc, at a density of 60 cameras a km2."""
    rng = np.random.default_rng(seed)
    projection = LocalProjection(CITY)
    side_m = 1e3 * math.sqrt(cameras / 60)
    x, y = rng.uniform(-side_m / 2, side_m / 2, (2, cameras))
    lons, lats = projection.to_lonlat(x, y)
    bearings = rng.uniform(0, 360, cameras)
    poses = {
        CameraId(str(i)): CameraPose(
            position=LonLat(float(lons[i]), float(lats[i])),
            height_m=8,
            bearing_deg=bearings[i],
            tilt_deg=-15,
            hfov_deg=60,
            width_px=1920,
            height_px=1080,
        )
        for i in range(cameras)
    }
    before = _resident_bytes()
    started = time.process_time()
    models = (
        (camera_id, PinholeCamera.from_pose(pose, projection)) for camera_id, pose in poses.items()
    )
    views = [view for view in (View.of(*model) for model in models) if view is not None]
    computed = time.process_time()
    index = VisibilityIndex(projection, views)
    built = time.process_time()
    spots = np.column_stack(
        projection.to_lonlat(*(rng.uniform(-side_m / 3, side_m / 3, (2, 2000))))
    )
    figures: dict[str, float] = {
        "cameras": cameras,
        "views_cpu_s": computed - started,
        "index_cpu_s": built - computed,
        "memory_mb": (_resident_bytes() - before) / 1e6,
    }
    for name, radius_m in (("point", 0.0), ("disc", 50.0)):
        spent = [
            _cpu(partial(index.cameras_seeing, lon, lat, radius_m), 1)
            for lon, lat in spots.tolist()
        ]
        figures[f"lookup_{name}_p50_us"] = 1e6 * float(np.percentile(spent, 50))
        figures[f"lookup_{name}_p99_us"] = 1e6 * float(np.percentile(spent, 99))
    return figures


def _resident_bytes() -> int:
    """Memory of this process; 0 where the system doesn't tell it by /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * resource.getpagesize()


def _cpu(work: Callable[[], object], times: int) -> float:
    """Seconds of CPU a call: what others on the machine do doesn't count."""
    started = time.process_time_ns()
    for _ in range(times):
        work()
    return (time.process_time_ns() - started) / 1e9 / times


def table(figures: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [
        "median error m [share of truths in the 95 % region, %]",
        f"{'cameras':<8}{'method':<16}"
        + "".join(f"{f'{r} m':>14}" for r in RANGES_M)
        + f"{'fit, CPU ms':>14}",
    ]
    rows = {(r["setting"], r["method"], r["range_m"]): r for r in figures["rows"]}
    for setting in SETTINGS:
        for method in METHODS:
            cells = [rows.get((setting.name, method, range_m)) for range_m in RANGES_M]
            shown = "".join(
                f"{'-':>14}"
                if cell is None
                else f"{cell['median_m']:>7.1f} [{100 * cell['coverage95']:3.0f}] "
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
