from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from incidents.store import Store
from plumbing.clock import SystemClock
from tests.incidents.forks import forks
from tests.incidents.make import camera

__all__ = ["forks"]


@pytest.fixture
async def live_store(sqlite_url: str) -> AsyncIterator[Store]:
    """A store on the machine's own clock, with two cameras that look at the centre."""
    opened = await Store.open(sqlite_url, SystemClock())
    for number in (1, 2):
        await opened.cameras.save(camera(number), actor="budi", version=None)
    await opened.cameras.save(camera(3, exercise=True), actor="budi", version=None)
    yield opened
    await opened.close()
