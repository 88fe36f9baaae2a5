"""kill -9 of the fusion process at random moments of a replayed day: what comes out must be what an
undisturbed fusion makes of the same reports in the same order.

A part of the day is handed in during each life. A life ends at a random moment after the process
has begun to decide, one in ten wherever it is by then. The next has the lease at once, as if a
supervisor had seen the death, or one time in ten once it has lapsed.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bench.fusion.cities import ReadCity, made_city
from bench.fusion.live import Live, live
from contracts import IncidentId, ReportId
from geo.fusion import Fusion
from geo.projection import LocalProjection
from incidents.fusing.configured import parameters_of
from simulator.reports import CityAssumptions
from simulator.reports.assumptions import sized
from simulator.reports.city import CENTRE

LIFE_S = 0.4
"""Lives end within this after their first decision: about as long as a part of the day takes."""
EARLY = 0.1
"""Share of the lives that end within the first seconds, wherever the process is by then."""
LEASE_S = 2.0
"""The shortest that may be configured."""
LAPSES = 0.1
"""Share of the deaths after which the lease must lapse."""
AWAIT_S = 120.0
PAGE = 2_000

FAULTS = ("lost", "doubled", "set_aside", "misplaced", "gaps_in_log")


async def kill_through(city: ReadCity, kills: int, seed: int) -> dict[str, Any]:
    """Every figure of `FAULTS` must be 0."""
    chance = random.Random(seed)  # noqa: S311 - a scenario, no secret
    bodies = city.bodies
    with_work = 0
    started_s = time.monotonic()
    async with live(city, LEASE_S) as service:
        fed = 0
        for number in range(kills):
            fencing = await service.store.fusion.fencing()
            service.process.start()
            share = bodies[fed : len(bodies) * (number + 1) // (kills + 1)]
            fed += len(share)
            if chance.random() < EARLY:
                await service.report(share)
                await asyncio.sleep(chance.uniform(0, 2.0))
            else:
                before = await service.store.fusion.progress()
                await service.report(share[:1])
                async with asyncio.timeout(AWAIT_S):
                    await service.led(above=fencing)
                    await service.decided(before + 1 if share else before)
                await service.report(share[1:])
                await asyncio.sleep(chance.uniform(0, LIFE_S))
                done = await service.store.fusion.progress()
                with_work += done < fed
            service.process.kill()
            if chance.random() >= LAPSES:
                await service.end_lease()
        service.process.start()
        await service.report(bodies[fed:])
        async with asyncio.timeout(AWAIT_S):
            await service.decided(len(bodies))
        found = await verdict(service, city)
    return {
        "kills": kills,
        "with_work_left": with_work,
        "reports": len(bodies),
        **found,
        "seconds": round(time.monotonic() - started_s, 1),
    }


async def verdict(service: Live, city: ReadCity) -> dict[str, Any]:
    """What is in the database, beside an undisturbed fusion of the same reports."""
    memory = await service.store.fusion.remember(datetime(2000, 1, 1, tzinfo=UTC))
    cameras = {camera.id: camera.pose for camera in await service.store.cameras.all()}
    undisturbed = Fusion(
        parameters_of(service.settings.fusion, service.settings.city.timezone),
        LocalProjection(CENTRE),
        {camera_id: pose for camera_id, pose in cameras.items() if pose is not None},
    )
    for report in memory.reports:
        undisturbed.add(report)
    wanted = assignment(undisturbed)
    stored = Counter(report.id for report in memory.reports)
    entries: list[int] = []
    while page := await service.store.log.after(entries[-1] if entries else 0, PAGE):
        entries += [entry.seq for entry in page]
    return {
        "incidents": len(set(wanted.values())),
        "lost": len({body.id for body in city.bodies} - stored.keys()),
        "doubled": stored.total() - len(stored),
        "set_aside": len(city.bodies) - len(memory.reports),
        "misplaced": sum(
            memory.assignment.get(report_id) != incident_id
            for report_id, incident_id in wanted.items()
        )
        + len(memory.assignment.keys() - wanted.keys()),
        "gaps_in_log": len(entries) - (entries[-1] - entries[0] + 1) if entries else 0,
    }


def assignment(fusion: Fusion) -> Mapping[ReportId, IncidentId]:
    """Which incident each report belongs to."""
    found: dict[ReportId, IncidentId] = {}
    for incident_id in fusion.incident_ids:
        estimate = fusion.estimate(incident_id)
        if estimate is not None:
            found |= dict.fromkeys(estimate.report_ids, incident_id)
    return found


def run(kills: int, seed: int, *, side_m: float = 5_000.0, cameras: int = 500) -> dict[str, Any]:
    """A day of a city of its own."""
    day = sized(CityAssumptions(), side_m=side_m, cameras=cameras, hours=24.0)
    return asyncio.run(kill_through(made_city(day, seed), kills, seed))
