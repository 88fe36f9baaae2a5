"""Workers share the cameras fairly, take over from the dead, and keep theirs without a bus."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import dataclass, field

import pytest

from contracts import CameraId, StreamSource
from plumbing.bus import Bus, Lease
from plumbing.clock import Clock, SystemClock
from plumbing.embedded_bus import EmbeddedBus
from plumbing.settings import WorkerSettings
from siaga.watching.leases import DEFAULT_COST, HAND_OVER_S, RETURN_S, CameraLeases, OwnCameras
from siaga.watching.sharing import TOLERANCE

LEASE_S = 3.0
"""The least that may be set."""


@dataclass
class Pretended:
    """What a worker would know of its cameras."""

    costs: dict[CameraId, float] = field(default_factory=dict)
    pictures: bool = True
    budget: float = math.inf


class HeldClock(SystemClock):
    """Its monotonic side is moved by hand."""

    ahead_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


def worker(
    bus: Bus,
    name: str,
    *,
    own: Pretended | None = None,
    most: int = 100,
    lease_s: float = LEASE_S,
    clock: Clock | None = None,
) -> CameraLeases:
    known = own or Pretended()
    settings = WorkerSettings.model_construct(lease_s=lease_s, max_cameras=most)
    cameras = OwnCameras(
        costs=lambda: known.costs,
        has_pictures=lambda _: known.pictures,
        address=lambda: f"{name}:1",
        budget=lambda: known.budget,
    )
    return CameraLeases(bus, name, settings, cameras, clock or SystemClock())


def sources(count: int) -> list[StreamSource]:
    return [
        StreamSource(camera_id=CameraId(f"c{number:02}"), url=f"rtsp://h/{number}")
        for number in range(count)
    ]


def held(leases: CameraLeases) -> set[str]:
    return {source.camera_id for source in leases.sources}


async def let_all_run_out(bus: Bus) -> None:
    """What time does to leases that nobody renews."""
    names = list(await bus.leases(""))
    for name, found in zip(names, await bus.look_at_leases(names), strict=True):
        if found is not None:
            await bus.release_lease(Lease(name, found.holder, found.fencing))
    assert await bus.leases("") == {}


async def test_one_worker_takes_all_up_to_its_limit(bus: Bus) -> None:
    await bus.publish_register(sources(7))
    leases = worker(bus, "w1", most=5)
    assert await leases.refresh()
    assert len(held(leases)) == 5


async def test_two_workers_share_and_never_overlap(bus: Bus) -> None:
    await bus.publish_register(sources(9))
    first = worker(bus, "w1")
    second = worker(bus, "w2")
    for _ in range(4):
        await first.refresh()
        await second.refresh()
    assert not held(first) & held(second)
    assert held(first) | held(second) == {source.camera_id for source in sources(9)}
    assert abs(len(held(first)) - len(held(second))) <= 1


async def test_a_dead_workers_cameras_move_on(bus: Bus) -> None:
    await bus.publish_register(sources(6))
    dead = worker(bus, "w1", lease_s=2.0)
    living = worker(bus, "w2")
    await dead.refresh()
    await living.refresh()
    await dead.refresh()
    await living.refresh()
    assert len(held(living)) == 3
    # w1 is silent from here on.
    for _ in range(100):
        await asyncio.sleep(0.15)
        await living.refresh()
        if len(held(living)) == 6:
            break
    assert len(held(living)) == 6


async def test_one_that_slept_too_long_lets_go(bus: Bus) -> None:
    await bus.publish_register(sources(2))
    sleeper = worker(bus, "w1", lease_s=1.0)
    await sleeper.refresh()
    assert sleeper.is_sound
    await asyncio.sleep(1.3)
    # It has not looked yet, and must not speak of cameras that may be another's by now.
    assert not sleeper.is_sound
    other = worker(bus, "w2")
    await other.refresh()
    await sleeper.refresh()
    assert not held(sleeper) & held(other)


async def test_a_removed_camera_is_given_back(bus: Bus) -> None:
    await bus.publish_register(sources(3))
    leases = worker(bus, "w1")
    await leases.refresh()
    await bus.publish_register(sources(1))
    await leases.refresh()
    assert held(leases) == {"c00"}
    assert set(await bus.leases("camera/")) == {"camera/c00"}


async def test_a_changed_source_reaches_the_worker(bus: Bus) -> None:
    await bus.publish_register(sources(1))
    leases = worker(bus, "w1")
    await leases.refresh()
    moved = StreamSource(camera_id=CameraId("c00"), url="rtsp://h/moved", version=2)
    await bus.publish_register([moved])
    await leases.refresh()
    assert leases.sources == [moved]


async def test_without_a_bus_the_cameras_stay(own_server: EmbeddedBus) -> None:
    async with Bus(own_server.url) as bus:
        await bus.publish_register(sources(4))
        leases = worker(bus, "w1")
        await leases.refresh()
        own_server.kill()
        assert not await leases.refresh()
        assert len(held(leases)) == 4
        own_server.start()
        await leases.refresh()
        assert len(held(leases)) == 4


async def test_no_camera_moves_when_the_bus_was_away_for_longer_than_the_leases_last(
    own_server: EmbeddedBus,
) -> None:
    clock = HeldClock()
    async with Bus(own_server.url) as bus:
        await bus.publish_register(sources(6))
        workers = [worker(bus, name, clock=clock) for name in ("w1", "w2")]
        for _ in range(3):
            for leases in workers:
                await leases.refresh()
        before = [held(leases) for leases in workers]
        assert [len(cameras) for cameras in before] == [3, 3]
        own_server.kill()
        for leases in workers:
            assert not await leases.refresh()
        own_server.start()
        await let_all_run_out(bus)
        for _ in range(3):
            for leases in workers:
                assert await leases.refresh()
                assert [held(leases) for leases in workers] == before
        # A worker that did not come back is taken for dead a little later.
        await workers[1].release_all()
        clock.ahead_s = RETURN_S
        await workers[0].refresh()
        assert len(held(workers[0])) == 6


async def test_no_camera_moves_when_all_leases_ran_out_at_once(bus: Bus) -> None:
    """As they do where the bus's clock is set forward."""
    await bus.publish_register(sources(6))
    workers = [worker(bus, name) for name in ("w1", "w2")]
    for _ in range(3):
        for leases in workers:
            await leases.refresh()
    before = [held(leases) for leases in workers]
    await let_all_run_out(bus)
    for _ in range(2):
        for leases in workers:
            await leases.refresh()
            assert [held(each) for each in workers] == before


async def test_releasing_lets_another_take_over_at_once(bus: Bus) -> None:
    await bus.publish_register(sources(4))
    leaving = worker(bus, "w1", lease_s=60)
    await leaving.refresh()
    await leaving.release_all()
    taking = worker(bus, "w2", lease_s=60)
    await taking.refresh()
    assert len(held(taking)) == 4


async def test_a_camera_is_watched_until_its_new_worker_has_pictures(bus: Bus) -> None:
    await bus.publish_register(sources(4))
    blind = Pretended(pictures=False)
    first, second = worker(bus, "w1"), worker(bus, "w2", own=blind)
    await first.refresh()
    for _ in range(3):
        await second.refresh()
        await first.refresh()
    assert len(held(second)) == 2
    assert len(held(first)) == 4  # two of them only until w2 sees something
    assert sum(first.holds(CameraId(camera)) for camera in held(first)) == 2
    blind.pictures = True
    await second.refresh()
    await first.refresh()
    assert not held(first) & held(second)
    assert len(held(first)) == 2


async def test_one_that_ends_hands_over_before_it_lets_go(bus: Bus) -> None:
    await bus.publish_register(sources(4))
    first, second = worker(bus, "w1"), worker(bus, "w2")
    for _ in range(4):
        await first.refresh()
        await second.refresh()
    gone: list[set[str]] = []
    draining = asyncio.create_task(first.drain(lambda: gone.append(held(first))))
    while not draining.done():
        assert held(first) | held(second) == {source.camera_id for source in sources(4)}
        await second.refresh()
        await asyncio.sleep(0.02)
    assert len(held(second)) == 4
    assert gone[-1] == set()


async def test_the_last_one_ends_at_once(bus: Bus) -> None:
    await bus.publish_register(sources(4))
    only = worker(bus, "w1")
    await only.refresh()
    await asyncio.wait_for(only.drain(lambda: None), 1)
    assert await bus.leases("") == {}


async def test_a_camera_that_nobody_can_open_is_not_held_on_to(bus: Bus) -> None:
    await bus.publish_register(sources(2))
    clock = HeldClock()
    first = worker(bus, "w1", clock=clock)
    second = worker(bus, "w2", own=Pretended(pictures=False))
    await first.refresh()
    for _ in range(3):
        await second.refresh()
        await first.refresh()
    assert len(held(first)) == 2
    clock.ahead_s = HAND_OVER_S + 1
    await first.refresh()
    assert len(held(first)) == 1


async def test_costly_cameras_count_for_more(bus: Bus) -> None:
    await bus.publish_register(sources(12))
    costs = {CameraId(f"c{n:02}"): 90.0 if n < 2 else 10.0 for n in range(12)}
    first = worker(bus, "w1", own=Pretended(costs))
    second = worker(bus, "w2", own=Pretended(costs))
    for _ in range(8):
        await first.refresh()
        await second.refresh()
    loads = [sum(costs[CameraId(camera)] for camera in held(one)) for one in (first, second)]
    assert sum(loads) == 280
    assert abs(loads[0] - loads[1]) <= 60
    before = held(first)
    for _ in range(5):
        await first.refresh()
        await second.refresh()
    assert held(first) == before  # within the tolerance nothing moves


async def test_what_fits_is_taken_while_another_has_room(bus: Bus) -> None:
    await bus.publish_register(sources(20))
    small, large = Pretended(budget=4 * DEFAULT_COST), Pretended(budget=100 * DEFAULT_COST)
    first, second = worker(bus, "w1", own=small), worker(bus, "w2", own=large)
    for _ in range(6):
        await second.refresh()
        await first.refresh()
    assert len(held(first)) <= 10, "the share of two; it never took more than fits"
    assert held(first) | held(second) == {source.camera_id for source in sources(20)}


async def test_what_has_come_to_cost_too_much_goes_to_one_with_room(bus: Bus) -> None:
    await bus.publish_register(sources(20))
    costs = {source.camera_id: DEFAULT_COST for source in sources(20)}
    small = Pretended(costs, budget=8 * DEFAULT_COST)
    large = Pretended(costs, budget=100 * DEFAULT_COST)
    first, second = worker(bus, "w1", own=small), worker(bus, "w2", own=large)
    for _ in range(6):
        await second.refresh()
        await first.refresh()
    own = [CameraId(camera) for camera in held(first)]
    for camera_id in own:
        costs[camera_id] = 2 * DEFAULT_COST  # it rains, somebody calls: all of them cost more
    for _ in range(12):
        await first.refresh()
        await second.refresh()
    assert first.figures()["cameras_cost_ms"] <= small.budget * (1 + TOLERANCE)
    assert held(first) | held(second) == {source.camera_id for source in sources(20)}
    before = held(first)
    for _ in range(5):
        await first.refresh()
        await second.refresh()
    assert held(first) == before, "and there it stays"


async def test_where_nobody_has_room_what_is_too_much_is_said_once(
    bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    await bus.publish_register(sources(20))
    caplog.set_level("INFO")
    costs = {source.camera_id: DEFAULT_COST for source in sources(20)}
    own = Pretended(costs, budget=4 * DEFAULT_COST)
    leases = worker(bus, "w1", own=own)
    for _ in range(6):
        await leases.refresh()
    assert len(held(leases)) == 20
    assert caplog.text.count("more cameras than fit") == 1
    own.budget = 40 * DEFAULT_COST
    await leases.refresh()
    assert "all cameras fit again" in caplog.text


async def test_where_nobody_has_room_cameras_are_watched_all_the_same(bus: Bus) -> None:
    await bus.publish_register(sources(20))
    leases = worker(bus, "w1", own=Pretended(budget=4 * DEFAULT_COST))
    await leases.refresh()
    assert len(held(leases)) <= 5
    for _ in range(3):
        await leases.refresh()
    assert len(held(leases)) == 20


async def test_where_live_video_is_stands_in_the_lease(bus: Bus) -> None:
    await bus.publish_register(sources(1))
    await worker(bus, "w1").refresh()
    (lease,) = await bus.look_at_leases(["camera/c00"])
    assert lease is not None
    assert lease.holder == "w1"
    assert json.loads(lease.note)["address"] == "w1:1"
    assert await bus.look_at_leases(["camera/unknown"]) == [None]
