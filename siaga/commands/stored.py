"""Commands that open the store, ask it one thing, and close it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from incidents.store import Store
from plumbing.clock import SystemClock
from siaga.commands.options import settings_from

T = TypeVar("T")


def with_store(config: Path | None, use: Callable[[Store], Awaitable[T]]) -> T:
    """What ``use`` makes of the configured database."""

    async def run() -> T:
        store = await Store.open(settings_from(config).database_url, SystemClock())
        try:
            return await use(store)
        finally:
            await store.close()

    return asyncio.run(run())
