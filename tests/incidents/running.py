"""Fusion services running beside a test, with the machine's own clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TypeVar

from incidents.fusing.service import FusionService
from incidents.store import Store
from plumbing.bus import Bus
from plumbing.clock import Clock, SystemClock
from plumbing.settings import Settings

T = TypeVar("T")

QUICK = Settings.model_validate({"fusion": {"writer_lease_s": 2}})


def now() -> datetime:
    return datetime.now(UTC)


async def until(look: Callable[[], Awaitable[T | None]], seconds: float = 40) -> T:
    """The first truthy answer; fails the test when none comes in time."""
    end = time.monotonic() + seconds
    while True:
        if found := await look():
            return found
        assert time.monotonic() < end, f"nothing within {seconds} s"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def running(
    store: Store, bus: Bus, settings: Settings = QUICK, clock: Clock | None = None
) -> AsyncIterator[FusionService]:
    """A service that runs until the end of the block; what it raises fails the test."""
    service = FusionService(store, bus, settings, clock or SystemClock())
    stopping = asyncio.Event()
    task = asyncio.create_task(service.run(stopping))
    try:
        yield service
    finally:
        stopping.set()
        with suppress(asyncio.CancelledError):
            await task


async def leading(service: FusionService, seconds: float = 40) -> None:
    async def look() -> bool:
        return service.counts.leading

    await until(look, seconds)


async def decided(service: FusionService, seq: int, seconds: float = 40) -> None:
    async def look() -> bool:
        return service.counts.decided_to >= seq

    await until(look, seconds)
