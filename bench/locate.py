"""Where a pixel lies on the ground: error and honesty by range, beside a homography.

Simulated cameras with known truth. Every camera is calibrated from the same noisy clicks by each
method, and then places pixels whose ground truth is known. ``coverage95`` is the share of truths
inside the 95 % region; a homography's region comes from the scatter of its own residuals.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from bench.clicked_cameras import (
    METADATA_SIGMA,
    RANGES_M,
    SETTINGS,
    Setting,
    camera_of,
    click_ground,
    click_horizon,
    mast,
    spots_of,
)
from bench.locate_methods import METHODS, fitted
from bench.lookups import cpu_s, lookups


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
        true = camera_of(setting.draw(rng), np.zeros((8, 8)))
        sigma = np.append(METADATA_SIGMA[:7], setting.lens_sigma)
        off = rng.normal(size=8) * sigma
        off[7] = -true.k1
        prior = camera_of(true.theta + off, np.diag(sigma**2), setting.terrain_sigma_m)
        points = click_ground(true, 8, setting.relief, rng)
        horizon = click_horizon(true, rng)
        spots = spots_of(true, setting.relief, rng)
        for method in METHODS:
            count = int(method.split()[-1]) if method[-1].isdigit() else 0
            count = int(method.split()[0]) if method.endswith("points") else count
            if len(points) < count or ("horizon" in method and horizon is None):
                continue
            started = time.process_time()
            locate = fitted(method, prior, points[:count], horizon or [])
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


def projection_speed() -> dict[str, float]:
    """CPU of one pixel and of a thousand, with covariance."""
    camera = camera_of(mast(np.random.default_rng(0)), np.diag(METADATA_SIGMA**2), 0.5)
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
