"""What a worker tells reaches the bus, whatever that and the leases do meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contracts import CameraHealth, CameraId, CameraState
from plumbing.bus import DETECTIONS, HEALTH, Bus
from plumbing.clock import SystemClock
from plumbing.embedded_bus import EmbeddedBus
from plumbing.spool import Spool
from siaga.watching.telling import Telling
from tests.support.detections import a_detection

A, B = CameraId("a"), CameraId("b")


@dataclass
class Leases:
    """What a worker would know of its cameras."""

    held: set[CameraId] = field(default_factory=set)
    leaving: set[CameraId] = field(default_factory=set)


@asynccontextmanager
async def telling(bus: Bus, spool: Spool, leases: Leases) -> AsyncIterator[Telling]:
    made = Telling(
        bus,
        spool,
        SystemClock(),
        "w1",
        is_sound=lambda: True,
        holds=leases.held.__contains__,
        watches=(lambda camera_id: camera_id in leases.held | leases.leaving),
        figures=dict,
    )
    jobs = [asyncio.create_task(job) for job in made.jobs()]
    try:
        yield made
        assert not any(job.done() for job in jobs), "none ends by itself"
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)


def health(camera_id: CameraId, state: CameraState) -> CameraHealth:
    return CameraHealth(camera_id=camera_id, state=state, since=SystemClock().now(), worker="w1")


async def until(done: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if done():
            return
        await asyncio.sleep(0.02)
    pytest.fail("it took too long")


@pytest.fixture
def leases() -> Leases:
    return Leases(held={A, B})


async def received(bus: Bus) -> list[str]:
    entries = await bus.receive(DETECTIONS, "fusion", "one", block_s=0.05)
    return [entry.value.id for entry in entries if entry.value is not None]


async def test_detections_wait_for_the_bus_and_come_once_in_their_order(
    own_server: EmbeddedBus, tmp_path: Path, leases: Leases
) -> None:
    with Spool(tmp_path / "spool") as spool:
        async with Bus(own_server.url) as bus, telling(bus, spool, leases) as tell:
            spool.append(a_detection("d0"))
            tell.detected()
            await until(lambda: len(spool) == 0)
            own_server.kill()
            for number in range(1, 200):
                spool.append(a_detection(f"d{number}"))
                tell.detected()
            await asyncio.sleep(0)
            own_server.start()
            await until(lambda: len(spool) == 0)
            # A publication whose answer was lost is repeated; ids tell.
            found = list(dict.fromkeys(await received(bus)))
            assert found == [f"d{number}" for number in range(200)]


async def test_detections_go_out_while_probes_and_clips_wait_for_the_network(
    bus: Bus, tmp_path: Path, leases: Leases
) -> None:
    """Those wait in the threads that the event loop has for such things: a handful."""
    over = threading.Event()
    loop = asyncio.get_running_loop()
    waits = [loop.run_in_executor(None, over.wait, 30) for _ in range(64)]
    try:
        with Spool(tmp_path / "spool") as spool:
            async with telling(bus, spool, leases) as tell:
                spool.append(a_detection("d0"))
                tell.detected()
                await until(lambda: len(spool) == 0)
                assert not any(wait.done() for wait in waits)
    finally:
        over.set()
        await asyncio.gather(*waits)


async def test_the_state_of_a_camera_that_comes_back_to_us_is_told_after_all(
    bus: Bus, tmp_path: Path, leases: Leases
) -> None:
    with Spool(tmp_path / "spool") as spool:
        async with telling(bus, spool, leases) as tell:
            leases.held.discard(A)
            leases.leaving.add(A)
            tell.health(health(A, CameraState.STALLED))
            tell.health(health(B, CameraState.LIVE))
            [first] = await bus.receive(HEALTH, "fusion", "one", block_s=5)
            leases.leaving.discard(A)
            leases.held.add(A)
            tell.look_again()
            [second] = await bus.receive(HEALTH, "fusion", "one", block_s=5)
    assert first.value is not None
    assert first.value.camera_id == B
    assert second.value is not None
    assert (second.value.camera_id, second.value.state) == (A, CameraState.STALLED)


async def test_the_state_of_a_camera_that_has_left_is_its_new_worker_s_to_tell(
    bus: Bus, tmp_path: Path, leases: Leases
) -> None:
    with Spool(tmp_path / "spool") as spool:
        async with telling(bus, spool, leases) as tell:
            leases.held.discard(A)
            tell.health(health(A, CameraState.STALLED))
            tell.health(health(B, CameraState.LIVE))
            [first] = await bus.receive(HEALTH, "fusion", "one", block_s=5)
            leases.held.add(A)
            tell.look_again()
            tell.health(health(B, CameraState.BLACK))
            [second] = await bus.receive(HEALTH, "fusion", "one", block_s=5)
    assert {one.value.camera_id for one in (first, second) if one.value} == {B}
