"""Which cameras see a place, among a hundred thousand: CPU and memory."""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from contracts import CameraId, CameraPose, LonLat
from geo.camera import PinholeCamera
from geo.projection import LocalProjection
from geo.visibility import View, VisibilityIndex

CITY = LonLat(106.992, -6.2383)


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
            cpu_s(partial(index.cameras_seeing, lon, lat, radius_m), 1)
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


def cpu_s(work: Callable[[], object], times: int) -> float:
    """Seconds of CPU a call: what others on the machine do doesn't count."""
    started = time.process_time_ns()
    for _ in range(times):
        work()
    return (time.process_time_ns() - started) / 1e9 / times
