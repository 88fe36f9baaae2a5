"""How long a standby takes to go on where the leader has died or fallen asleep, and whether one
that wakes up can still write.

A takeover lasts from the blow until a report that came with it has been decided on. Every second
leader isn't killed but suspended (SIGSTOP), and woken (SIGCONT) once the other leads and works: it
must find itself replaced.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np

from bench.fusion.cities import ReadCity, made_city
from bench.fusion.killing import AWAIT_S, FAULTS, verdict
from bench.fusion.live import FusionProcess, Live, live
from contracts import ReportBody
from simulator.reports import CityAssumptions
from simulator.reports.assumptions import sized

WARM_S = 3.0
"""A standby has come up by then, and asks for the lease."""


async def take_over(city: ReadCity, blows: int) -> dict[str, Any]:
    """Every figure of `FAULTS` must be 0."""
    bodies = city.bodies
    took_s: list[float] = []
    async with live(city) as service:
        leader, standby = service.process, FusionProcess(service.settings)
        try:
            leader.start()
            await service.led()
            share = len(bodies) // (2 * blows + 1)
            fed = await _feed(service, bodies, 0, share)
            for number in range(blows):
                standby.start()
                await asyncio.sleep(WARM_S)
                fencing = await service.store.fusion.fencing()
                suspended = number % 2 == 1
                if suspended:
                    leader.suspend()
                else:
                    leader.kill()
                blow_s = time.monotonic()
                fed = await _feed(service, bodies, fed, 1)
                took_s.append(time.monotonic() - blow_s)
                await service.led(above=fencing)
                if suspended:
                    leader.wake()
                fed = await _feed(service, bodies, fed, share)
                leader.kill()
                leader, standby = standby, leader
            await _feed(service, bodies, fed, len(bodies))
            found = await verdict(service, city)
        finally:
            standby.kill()
            leader.kill()
    return {
        "takeovers": blows,
        "lease_s": service.settings.fusion.writer_lease_s,
        "median_s": round(float(np.median(took_s)), 1),
        "longest_s": round(max(took_s), 1),
        "reports": len(bodies),
        **found,
    }


async def _feed(service: Live, bodies: list[ReportBody], fed: int, count: int) -> int:
    """Hand in so many more reports and wait until they are decided on; how many there are now."""
    some = bodies[fed : fed + count]
    await service.report(some)
    async with asyncio.timeout(AWAIT_S):
        await service.decided(fed + len(some))
    return fed + len(some)


def run(blows: int, seed: int) -> dict[str, Any]:
    """Over a day of a small city."""
    day = sized(CityAssumptions(), side_m=4_000.0, cameras=320, hours=24.0)
    return asyncio.run(take_over(made_city(day, seed), blows))


__all__ = ["FAULTS", "run", "take_over"]
