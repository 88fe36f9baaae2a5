"""What a report costs where many more cameras are registered: the same reports, one by one,
through two minds by turns, so that whatever else the machine does meets both alike. CPU time, as
the service decides: with cameras that are known to look, and what they don't see.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np

from bench.fusion.cities import made_city
from bench.fusion.cued_day import DECIDE_WITHIN_S, mind_of
from contracts import CameraId, CameraPose, Report, Sequence
from geo.projection import LocalProjection
from plumbing.settings import FusionSettings
from simulator.reports import CityAssumptions
from simulator.reports.assumptions import sized
from simulator.reports.city import CENTRE

CAMERAS = 2_000
PERCENTILES = (50, 95, 99)


def run(registered: int, seed: int, hours: float = 24.0) -> dict[str, Any]:
    """Milliseconds a report with the city's own cameras, and with so many, and the ratios."""
    city = made_city(sized(CityAssumptions(), side_m=10_000.0, cameras=CAMERAS, hours=hours), seed)
    crowd = crowded(city.poses, registered, seed)
    minds = [mind_of(poses, FusionSettings()) for poses in (city.poses, crowd)]
    spent: list[list[float]] = [[], []]
    for number, body in enumerate(city.bodies, start=1):
        report = Report(seq=Sequence(number), recorded_at=body.received_at, body=body)
        for which in (0, 1) if number % 2 else (1, 0):
            started_s = time.thread_time()
            minds[which].decide([report], DECIDE_WITHIN_S)
            spent[which].append(1e3 * (time.thread_time() - started_s))
    few, many = (np.percentile(one, PERCENTILES) for one in spent)
    means = [float(np.mean(one)) for one in spent]
    return {
        "reports": len(city.bodies),
        "cameras": [len(city.poses), len(crowd)],
        **{
            f"p{share}_ms": [round(float(a), 2), round(float(b), 2)]
            for share, a, b in zip(PERCENTILES, few, many, strict=True)
        },
        "mean_ms": [round(mean, 2) for mean in means],
        "ratio_p50": round(float(many[0] / few[0]), 2),
        "ratio_p99": round(float(many[2] / few[2]), 2),
        "ratio_mean": round(means[1] / means[0], 2),
    }


def crowded(
    poses: dict[CameraId, CameraPose], registered: int, seed: int
) -> dict[CameraId, CameraPose]:
    """The city's cameras among others like them, as densely as there, in a city so much larger."""
    projection = LocalProjection(CENTRE)
    random = np.random.default_rng(seed)
    half_m = 5_000.0 * math.sqrt(registered / len(poses))
    known = list(poses.values())
    found = dict(poses)
    while len(found) < registered:
        x, y = random.uniform(-half_m, half_m, 2).tolist()
        if max(abs(x), abs(y)) > 5_000.0:
            like = known[len(found) % len(known)]
            name = CameraId(f"far-{len(found)}")
            found[name] = replace(like, position=projection.place(x, y))
    return found
