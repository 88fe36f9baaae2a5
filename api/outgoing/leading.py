"""Work that one of several processes does at a time, by a lease on the bus."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Coroutine

from plumbing.bus import Bus, BusUnavailable, Lease
from plumbing.ids import new_id
from plumbing.logs import get_logger

LEASE_S = 15.0
PAUSE_S = 1.0
"""After work that failed."""

_log = get_logger(__name__)


async def lead(bus: Bus, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Do the work whenever this process holds the lease ``name``; until cancelled.

    While the bus is away nobody can take the lease, so that the holder goes on. Work that fails is
    begun again, here or elsewhere.
    """
    holder = f"{socket.gethostname()}-{os.getpid()}-{new_id(name)[-8:]}"
    while True:
        lease = await _obtain(bus, name, holder)
        keeping = asyncio.create_task(_keep(bus, lease))
        working = asyncio.create_task(work())
        try:
            await asyncio.wait({keeping, working}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (keeping, working):
                task.cancel()
            _, ended = await asyncio.gather(keeping, working, return_exceptions=True)
            if isinstance(ended, Exception):
                _log.error("the work has failed; beginning again", work=name, exc_info=ended)
            with contextlib.suppress(BusUnavailable):
                await bus.release_lease(lease)
        await asyncio.sleep(PAUSE_S)


async def _obtain(bus: Bus, name: str, holder: str) -> Lease:
    while True:
        with contextlib.suppress(BusUnavailable):
            lease = await bus.take_lease(name, holder, LEASE_S)
            if lease is not None:
                return lease
        await asyncio.sleep(LEASE_S / 5)


async def _keep(bus: Bus, lease: Lease) -> None:
    """Returns when another process has the lease."""
    while True:
        await asyncio.sleep(LEASE_S / 3)
        with contextlib.suppress(BusUnavailable):
            if not await bus.renew_lease(lease, LEASE_S):
                return
