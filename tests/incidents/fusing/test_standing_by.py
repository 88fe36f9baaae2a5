"""Who leads while the bus is away, who takes over, and who may not write any more."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest

from contracts import (
    ReportId,
)
from incidents.fusing.mind import Mind
from incidents.store import Store
from plumbing.bus import DETECTIONS, Bus
from plumbing.clock import SystemClock
from plumbing.embedded_bus import EmbeddedBus
from tests.incidents.live import call_bodies, detection
from tests.incidents.running import QUICK, decided, leading, now, running, until


async def test_while_the_bus_is_away_calls_go_on_and_afterwards_it_catches_up(
    live_store: Store, own_server: EmbeddedBus
) -> None:
    async with Bus(own_server.url) as bus, running(live_store, bus) as service:
        await leading(service)
        await bus.publish(DETECTIONS, detection(1))
        await decided(service, 1)
        own_server.stop()
        await live_store.reports.accept(call_bodies(1))  # type: ignore[arg-type]
        await decided(service, 3, seconds=5)
        # Longer than the lease lasts.
        await asyncio.sleep(2.5)
        await live_store.reports.accept(call_bodies(2))  # type: ignore[arg-type]
        await decided(service, 5, seconds=5)
        own_server.start()

        async def published() -> bool:
            await bus.publish(DETECTIONS, detection(2))
            return True

        await asyncio.sleep(0.2)
        await until(published)
        await decided(service, 6, seconds=15)
        assert service.counts.leading


async def test_a_standby_takes_over_and_goes_on_where_the_other_stopped(
    live_store: Store, bus: Bus, sqlite_url: str, shared_server: EmbeddedBus, namespace: str
) -> None:
    other_store = await Store.open(sqlite_url, SystemClock())
    async with Bus(shared_server.url, namespace) as other_bus:
        async with running(live_store, bus) as first:
            await leading(first)
            async with running(other_store, other_bus) as second:
                await bus.publish(DETECTIONS, detection(1))
                await decided(first, 1)
                await asyncio.sleep(1.2)
                assert not second.counts.leading
        # Both are stopped now; a third takes over at once, since a lease is given back.
        async with running(other_store, other_bus) as third:
            await leading(third, 3)
            await bus.publish(DETECTIONS, detection(2))
            await decided(third, 2)
    await other_store.close()
    (one,) = (await live_store.snapshot()).incidents
    memory = await live_store.fusion.remember(now() - timedelta(hours=1))
    assert dict(memory.assignment) == {
        ReportId("report-detection-1"): one.id,
        ReportId("report-detection-2"): one.id,
    }


async def test_a_writer_that_was_replaced_while_it_slept_writes_nothing(
    live_store: Store, bus: Bus
) -> None:
    async with running(live_store, bus) as service:
        await leading(service)
        fencing = await live_store.fusion.fencing()
        await live_store.fusion.claim(fencing + 5)
        await live_store.reports.accept(call_bodies(1))  # type: ignore[arg-type]

        async def stood_down() -> bool:
            return not service.counts.leading

        await until(stood_down, 3)
        # It holds the lease still, or can have it again: then it claims above the other.
        await decided(service, 2)
        assert await live_store.fusion.fencing() > fencing + 5
    assert len((await live_store.snapshot()).incidents) == 1


async def test_a_memory_that_takes_longer_to_rebuild_than_a_lease_lasts_is_led_by_once(
    live_store: Store, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Mind.rebuild

    def slowly(mind: Mind, *memory: Any) -> None:
        if memory[0] is not None:
            time.sleep(3 * QUICK.fusion.writer_lease_s / 2)
        whole(mind, *memory)

    monkeypatch.setattr(Mind, "rebuild", slowly)
    async with running(live_store, bus) as service:
        await leading(service)
        await live_store.reports.accept(call_bodies(1))  # type: ignore[arg-type]
        await decided(service, 2)
        assert service.counts.rebuilt == 1
