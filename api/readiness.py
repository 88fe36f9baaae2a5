"""Whether the installation can do its work now, part by part, in words that say what is missing.

Without the database nothing can be done. Without the bus calls and actions are still taken and told
of, a little later; without fusion they make no incidents; without workers no camera is watched; and
with a full disk no picture is kept. So those only degrade it.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from api.services import Services

PATIENCE_S = 2.0
"""A part that takes longer to answer isn't ready."""
FUSION_LEASE = "fusion"
WORKER_LEASES = "worker/"
CAMERA_LEASES = "camera/"
OK = "ok"


@dataclass(frozen=True, slots=True)
class Readiness:
    """``checks`` has a line a part: ``ok``, or what is wrong and what that means."""

    status: str
    checks: dict[str, str]


async def look(services: Services) -> Readiness:
    """Ask every part, all at once."""
    names = ("database", "bus", "fusion", "workers", "disk")
    database, bus, fusion, workers, disk = await asyncio.gather(
        _asked(services.store.touch, "does not take writes: nothing can be accepted"),
        _asked(
            services.bus.ping,
            "does not answer: changes come up to 0.25 s late, no camera can be probed",
        ),
        _found(_fusion(services), "is not led: reports wait, and make no incidents"),
        _found(_workers(services), "can't be counted: the bus does not answer"),
        _found(asyncio.to_thread(_disk, services), "can't be measured"),
    )
    checks = dict(zip(names, (database, bus, fusion, workers, disk), strict=True))
    status = "ready" if set(checks.values()) == {OK} else "degraded"
    return Readiness("unavailable" if database != OK else status, checks)


async def _asked(question: Callable[[], Awaitable[object]], otherwise: str) -> str:
    async def answered() -> str:
        await question()
        return OK

    return await _found(answered(), otherwise)


async def _found(answer: Awaitable[str], otherwise: str) -> str:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await answer
    except Exception:  # noqa: BLE001 - whatever a driver raises, it isn't ready
        return otherwise


async def _fusion(services: Services) -> str:
    held = await services.bus.leases(FUSION_LEASE)
    return OK if FUSION_LEASE in held else "is not led: reports wait, and make no incidents"


async def _workers(services: Services) -> str:
    cameras = [one for one in await services.store.cameras.all() if one.enabled]
    if not cameras:
        return OK
    if not await services.bus.leases(WORKER_LEASES):
        return "none is there: no camera is watched"
    held = await services.bus.leases(CAMERA_LEASES)
    unwatched = sum(f"{CAMERA_LEASES}{one.id}" not in held for one in cameras)
    return f"{unwatched} of {len(cameras)} cameras are unwatched" if unwatched else OK


def _disk(services: Services) -> str:
    least = services.settings.evidence.min_free_bytes
    for folder in (services.settings.data_dir, services.settings.evidence_folder):
        if not folder.exists():
            continue
        free = shutil.disk_usage(folder).free
        if free < least:
            return (
                f"only {free / 1e6:.0f} MB are free in {folder.name}: pictures and clips are no "
                "longer kept (evidence.min_free_bytes)"
            )
    return OK
