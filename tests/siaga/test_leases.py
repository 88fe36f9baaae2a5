"""Workers share the cameras fairly, take over from the dead, and keep theirs without a bus."""

from __future__ import annotations

import asyncio

from contracts import CameraId, StreamSource
from plumbing.bus import Bus
from plumbing.embedded_bus import EmbeddedBus
from siaga.leases import CameraLeases

LEASE_S = 0.6


def sources(count: int) -> list[StreamSource]:
    return [
        StreamSource(camera_id=CameraId(f"c{number:02}"), url=f"rtsp://h/{number}")
        for number in range(count)
    ]


def held(leases: CameraLeases) -> set[str]:
    return {source.camera_id for source in leases.sources}


async def test_one_worker_takes_all_up_to_its_limit(bus: Bus) -> None:
    await bus.publish_register(sources(7))
    leases = CameraLeases(bus, "w1", LEASE_S, max_cameras=5)
    assert await leases.refresh()
    assert len(held(leases)) == 5


async def test_two_workers_share_and_never_overlap(bus: Bus) -> None:
    await bus.publish_register(sources(9))
    first = CameraLeases(bus, "w1", LEASE_S, 100)
    second = CameraLeases(bus, "w2", LEASE_S, 100)
    for _ in range(3):
        await first.refresh()
        await second.refresh()
        assert not held(first) & held(second)
    assert held(first) | held(second) == {source.camera_id for source in sources(9)}
    assert abs(len(held(first)) - len(held(second))) <= 1


async def test_a_dead_workers_cameras_move_on(bus: Bus) -> None:
    await bus.publish_register(sources(6))
    dead = CameraLeases(bus, "w1", LEASE_S, 100)
    living = CameraLeases(bus, "w2", LEASE_S, 100)
    await dead.refresh()
    await living.refresh()
    await dead.refresh()
    await living.refresh()
    assert len(held(living)) == 3
    # w1 is silent from here on.
    for _ in range(12):
        await asyncio.sleep(LEASE_S / 4)
        await living.refresh()
    assert len(held(living)) == 6


async def test_one_that_slept_too_long_lets_go(bus: Bus) -> None:
    await bus.publish_register(sources(2))
    sleeper = CameraLeases(bus, "w1", LEASE_S, 100)
    await sleeper.refresh()
    await asyncio.sleep(2 * LEASE_S)
    other = CameraLeases(bus, "w2", LEASE_S, 100)
    await other.refresh()
    await sleeper.refresh()
    assert not held(sleeper) & held(other)


async def test_a_removed_camera_is_given_back(bus: Bus) -> None:
    await bus.publish_register(sources(3))
    leases = CameraLeases(bus, "w1", LEASE_S, 100)
    await leases.refresh()
    await bus.publish_register(sources(1))
    await leases.refresh()
    assert held(leases) == {"c00"}
    assert set(await bus.leases("camera/")) == {"camera/c00"}


async def test_a_changed_source_reaches_the_worker(bus: Bus) -> None:
    await bus.publish_register(sources(1))
    leases = CameraLeases(bus, "w1", LEASE_S, 100)
    await leases.refresh()
    moved = StreamSource(camera_id=CameraId("c00"), url="rtsp://h/moved", version=2)
    await bus.publish_register([moved])
    await leases.refresh()
    assert leases.sources == [moved]


async def test_without_a_bus_the_cameras_stay(own_server: EmbeddedBus) -> None:
    async with Bus(own_server.url) as bus:
        await bus.publish_register(sources(4))
        leases = CameraLeases(bus, "w1", LEASE_S, 100)
        await leases.refresh()
        own_server.kill()
        assert not await leases.refresh()
        assert len(held(leases)) == 4
        own_server.start()
        await leases.refresh()
        assert len(held(leases)) == 4


async def test_releasing_lets_another_take_over_at_once(bus: Bus) -> None:
    await bus.publish_register(sources(4))
    leaving = CameraLeases(bus, "w1", 60, 100)
    await leaving.refresh()
    await leaving.release_all()
    taking = CameraLeases(bus, "w2", 60, 100)
    await taking.refresh()
    assert len(held(taking)) == 4
