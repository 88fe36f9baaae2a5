"""What comes over the bus is kept, and let go of, in its order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import redis.asyncio

from contracts import CameraState
from incidents.fusing.intake import Intake
from incidents.store import Store
from plumbing.bus import HEALTH, Bus, BusUnavailable, Topic
from plumbing.clock import SystemClock
from plumbing.embedded_bus import EmbeddedBus
from plumbing.sealing import Sealer
from tests.incidents.make import health
from tests.incidents.running import until


class Failing(Bus):
    """A bus that says when it couldn't acknowledge."""

    failed: asyncio.Event

    async def acknowledge(self, topic: Topic[Any], group: str, entry_ids: Iterable[str]) -> None:
        try:
            await super().acknowledge(topic, group, entry_ids)
        except BusUnavailable:
            self.failed.set()
            raise


async def test_what_was_kept_as_the_bus_went_does_not_come_again_over_what_is_newer(
    live_store: Store, own_server: EmbeddedBus, tmp_path: Path
) -> None:
    gone = asyncio.Event()
    async with (
        Failing(own_server.url, "t") as bus,
        redis.asyncio.Redis.from_url(own_server.url) as raw,
    ):
        bus.failed = asyncio.Event()

        def goes(_seq: int) -> None:
            if not gone.is_set():
                own_server.kill()
            gone.set()

        async def has_come_to(state: CameraState) -> bool:
            healths = await live_store.cameras.healths()
            return bool(healths) and next(iter(healths.values())).state is state

        async def all_is_acknowledged() -> bool:
            return (await raw.xpending("t:stream:health", "fusion"))["pending"] == 0

        taking = asyncio.create_task(
            Intake(live_store, bus, Sealer(tmp_path / "key"), SystemClock()).healths()
        )
        await bus.publish(HEALTH, health(1, state=CameraState.BLACK))
        live_store.listen(goes)
        await bus.failed.wait()
        own_server.start()
        await bus.publish(HEALTH, health(1, state=CameraState.LIVE))
        await until(lambda: has_come_to(CameraState.LIVE))
        # Not by the time that tells a dead consumer from a slow one.
        await until(all_is_acknowledged, seconds=10)
        assert await has_come_to(CameraState.LIVE)
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
