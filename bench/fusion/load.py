"""Many reports a second through the real service, from the bus to the incidents in the database."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from bench.fusion.cities import ReadCity, made_city
from bench.fusion.live import Live, live
from simulator.reports import CityAssumptions
from simulator.reports.assumptions import sized

STEP_S = 0.1
LOOK_S = 0.5
AWAIT_S = 900.0

FAULTS = ("lost", "doubled")


async def load_through(city: ReadCity, a_second: float, seconds: float) -> dict[str, Any]:
    """Hand in so many reports a second for some time, and wait until all are decided on."""
    bodies = list(islice(city.bodies, round(a_second * seconds)))
    async with live(city) as service:
        service.process.start()
        await service.led()
        watching = asyncio.create_task(_watch(service))
        started_s = time.monotonic()
        given = held_back = 0
        while given < len(bodies):
            due = min(len(bodies), int((time.monotonic() - started_s) * a_second) + 1)
            held_back += await service.report(bodies[given:due])
            given = due
            await asyncio.sleep(STEP_S)
        given_s = time.monotonic() - started_s
        async with asyncio.timeout(AWAIT_S):
            await service.decided(len(bodies))
        decided_s = time.monotonic() - started_s
        watching.cancel()
        ((most_waiting, oldest_s),) = await asyncio.gather(watching)
        memory = await service.store.fusion.remember(datetime(2000, 1, 1, tzinfo=UTC))
    stored = {report.id for report in memory.reports}
    return {
        "reports": len(bodies),
        "given_s": round(given_s, 1),
        "decided_s": round(decided_s, 1),
        "reports_per_s": round(len(bodies) / decided_s, 1),
        "lost": len({body.id for body in bodies} - stored),
        "doubled": len(memory.reports) - len(stored),
        "bus_full": held_back,
        "most_waiting": most_waiting,
        "oldest_waited_s": round(oldest_s, 1),
        "incidents": len(set(memory.assignment.values())),
    }


async def _watch(service: Live) -> tuple[int, float]:
    """The greatest number of accepted reports that waited, and the longest that one did."""
    most, oldest_s = 0, 0.0
    try:
        while True:
            waiting, since = await service.store.fusion.backlog()
            most = max(most, waiting)
            if since is not None:
                oldest_s = max(oldest_s, (datetime.now(UTC) - since).total_seconds())
            await asyncio.sleep(LOOK_S)
    except asyncio.CancelledError:
        return most, oldest_s


def run(a_second: float, seconds: float, seed: int, *, cameras: int = 2_000) -> dict[str, Any]:
    """A day of 10 x 10 km with so much clutter that it fills the time."""
    tracks = 0.6 * a_second * seconds / cameras
    busy = replace(CityAssumptions(), clutter_per_camera_day=tracks)
    day = sized(busy, side_m=10_000.0, cameras=cameras, hours=24.0)
    return asyncio.run(load_through(made_city(day, seed), a_second, seconds))
