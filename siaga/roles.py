"""One role in its process: open what it needs, work until asked to stop, close it all.

Every role calls `run_role`, which ties the process's life to its supervisor's, turns SIGTERM and
Ctrl-C into an orderly stop, and hands the settings on.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable

from plumbing.bus import Bus
from plumbing.clock import SystemClock
from plumbing.logs import configure_logging
from plumbing.processes import die_with_parent, settle_memory
from plumbing.settings import Settings
from plumbing.tracing import tracing
from siaga.failures import Failure

RoleBody = Callable[[Settings, asyncio.Event], Awaitable[None]]

_SETTLED_AFTER_S = 10.0
"""By then a role has loaded what it works with."""


def run_role(name: str, settings: Settings, body: RoleBody) -> None:
    """Run one role in this process until it is asked to stop."""
    die_with_parent()
    configure_logging(settings.log.level, settings.log.format, name)
    with tracing(settings.tracing, name):
        asyncio.run(_until_stopped(settings, body))


async def _until_stopped(settings: Settings, body: RoleBody) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    loop.call_later(_SETTLED_AFTER_S, settle_memory)
    await body(settings, stopping)


def connect_bus(settings: Settings) -> Bus:
    """The configured bus.

    Raises:
        Failure: none is configured; a role alone can't start the embedded one.
    """
    if settings.bus.url is None:
        raise Failure(
            "bus.url is not set: a role alone needs the address of the bus that all share "
            "(SIAGA__BUS__URL=redis://host:6379/0); `siaga up` starts everything on one machine"
        )
    return Bus(settings.bus.url, settings.bus.namespace, settings.bus.max_backlog)


async def worker_role(settings: Settings, stopping: asyncio.Event) -> None:
    """Ingest and detection for this worker's share of the cameras."""
    from siaga.watching.worker import Worker

    # A name that survives a restart finds its spool again; several on one host need different ones.
    name = os.environ.get("SIAGA_WORKER_NAME") or f"{socket.gethostname()}-1"
    async with connect_bus(settings) as bus:
        await Worker(settings, bus, SystemClock(), name).run(stopping)


async def fusion_role(settings: Settings, stopping: asyncio.Event) -> None:
    """From the bus to reports to incidents; one is active, others stand by."""
    from incidents.fusing.service import FusionService
    from incidents.store import Store

    clock = SystemClock()
    async with connect_bus(settings) as bus:
        store = await Store.open(settings.database_url, clock)
        try:
            await FusionService(store, bus, settings, clock).run(stopping)
        finally:
            await store.close()


async def api_role(settings: Settings, stopping: asyncio.Event) -> None:
    """REST, feed and console."""
    from api.server import serve

    await serve(settings, stopping)
