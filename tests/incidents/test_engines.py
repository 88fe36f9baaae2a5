"""What PostgreSQL says when it goes: that it is away, and not that something is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import make_url, text

from incidents.fusing.intake import DATABASE_AWAY
from incidents.store import Store
from plumbing.bus import DETECTIONS, Bus
from plumbing.clock import SystemClock
from tests.incidents.live import detection
from tests.incidents.make import camera
from tests.incidents.running import decided, leading, running, until


@dataclass(frozen=True)
class Server:
    """The server of a test's database, as who administers it sees it."""

    admin: Any
    database: str

    async def go(self) -> None:
        """As where it is stopped: nobody is served any more."""
        await self.admin.execute(f"ALTER DATABASE {self.database} WITH ALLOW_CONNECTIONS false")
        await self.end_all()

    async def come_back(self) -> None:
        await self.admin.execute(f"ALTER DATABASE {self.database} WITH ALLOW_CONNECTIONS true")

    async def end_all(self) -> None:
        await self.admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
            self.database,
        )


@pytest.fixture
async def server(postgres_url: str) -> AsyncIterator[Server]:
    # Not above: where it isn't installed, there is no server either.
    import asyncpg

    url = make_url(postgres_url)
    admin = await asyncpg.connect(
        url.set(database="postgres").render_as_string(hide_password=False)
    )
    yield Server(admin, str(url.database))
    await admin.close()


async def test_a_server_that_ends_a_transaction_is_away(postgres_url: str, server: Server) -> None:
    store = await Store.open(postgres_url, SystemClock())
    with pytest.raises(DATABASE_AWAY):
        async with store._database.writing() as writing:
            await server.end_all()
            await writing.connection.execute(text("SELECT 1"))
    assert await store.log.last_seq() == 0
    await store.close()


async def test_a_server_that_takes_nobody_is_away(postgres_url: str, server: Server) -> None:
    store = await Store.open(postgres_url, SystemClock())
    await server.go()
    with pytest.raises(DATABASE_AWAY):
        await store.log.last_seq()
    await server.come_back()
    assert await store.log.last_seq() == 0
    await store.close()


async def test_what_comes_while_the_server_is_away_is_no_dead_letter(
    postgres_url: str, server: Server, bus: Bus
) -> None:
    store = await Store.open(postgres_url, SystemClock())
    await store.cameras.save(camera(1), actor="budi", version=None)
    async with running(store, bus) as service:
        await leading(service)
        await server.go()
        await bus.publish(DETECTIONS, detection(1))

        async def stood_down() -> bool:
            return not service.counts.leading

        await until(stood_down)
        await server.come_back()
        await decided(service, 1)
    assert await store.dead_letters.newest() == []
    (one,) = (await store.snapshot()).incidents
    assert one.estimate.report_ids == ("report-detection-1",)
    await store.close()
