"""Detections over a real server: nothing confirmed is lost, nothing unacknowledged is trimmed."""

from __future__ import annotations

import asyncio

import pytest
import redis.asyncio

from contracts import CameraHealth, CameraId, CameraState, Detection
from plumbing.bus import DETECTIONS, HEALTH, Bus, BusFull, BusUnavailable, Delivery
from plumbing.embedded_bus import EmbeddedBus
from tests.support.detections import AT, a_detection


async def receive_all(
    bus: Bus, group: str = "fusion", consumer: str = "one"
) -> list[Delivery[Detection]]:
    found: list[Delivery[Detection]] = []
    while some := await bus.receive(DETECTIONS, group, consumer, block_s=0.05):
        found += some
    return found


def ids(deliveries: list[Delivery[Detection]]) -> list[str]:
    return [delivery.value.id for delivery in deliveries if delivery.value is not None]


async def waiting(server: EmbeddedBus, namespace: str) -> int:
    async with redis.asyncio.Redis.from_url(server.url) as raw:
        return int(await raw.xlen(f"{namespace}:stream:detections"))


async def test_arrives_whole_and_in_order(bus: Bus) -> None:
    sent = [a_detection(f"d{number}") for number in range(600)]
    for detection in sent[:10]:
        await bus.publish(DETECTIONS, detection)
    await bus.publish_all(DETECTIONS, sent[10:])
    assert [delivery.value for delivery in await receive_all(bus)] == sent


async def test_topics_and_groups_are_apart(bus: Bus) -> None:
    health = CameraHealth(camera_id=CameraId("c"), state=CameraState.LIVE, since=AT)
    await bus.publish(HEALTH, health)
    await bus.publish(DETECTIONS, a_detection("d"))
    [told] = await bus.receive(HEALTH, "fusion", "one", block_s=0.05)
    assert told.value == health
    assert ids(await receive_all(bus, "fusion")) == ["d"]
    assert ids(await receive_all(bus, "learning")) == ["d"]


async def test_two_consumers_of_a_group_share_the_work(bus: Bus) -> None:
    await bus.publish_all(DETECTIONS, [a_detection(f"d{number}") for number in range(20)])
    first = await bus.receive(DETECTIONS, "fusion", "one", count=12, block_s=0.05)
    second = await bus.receive(DETECTIONS, "fusion", "two", count=12, block_s=0.05)
    assert [len(first), len(second)] == [12, 8]
    assert len({*ids(first), *ids(second)}) == 20


async def test_a_waiting_consumer_gets_what_comes_at_once(bus: Bus) -> None:
    receiving = asyncio.create_task(bus.receive(DETECTIONS, "fusion", "one", block_s=10))
    await asyncio.sleep(0.1)
    await bus.publish(DETECTIONS, a_detection("now"))
    async with asyncio.timeout(2):
        assert ids(await receiving) == ["now"]


async def test_nothing_comes_after_the_wait(bus: Bus) -> None:
    assert await bus.receive(DETECTIONS, "fusion", "one", block_s=0.05) == []


async def test_a_consumer_that_restarts_gets_what_it_had(
    bus: Bus, shared_server: EmbeddedBus, namespace: str
) -> None:
    await bus.publish_all(DETECTIONS, [a_detection(f"d{number}") for number in range(5)])
    taken = await receive_all(bus)
    await bus.acknowledge(DETECTIONS, "fusion", [taken[0].entry_id, taken[3].entry_id])

    async with Bus(shared_server.url, namespace) as restarted:
        # Page by page, oldest first, and each once.
        again = [
            delivery
            for _ in range(3)
            for delivery in await restarted.receive(
                DETECTIONS, "fusion", "one", count=2, block_s=0.05
            )
        ]
    assert ids(again) == ["d1", "d2", "d4"]


async def test_a_consumer_that_begins_anew_gets_what_its_name_was_given_meanwhile(
    bus: Bus, shared_server: EmbeddedBus, namespace: str
) -> None:
    assert await receive_all(bus) == []
    await bus.publish_all(DETECTIONS, [a_detection("d0"), a_detection("d1")])
    async with Bus(shared_server.url, namespace) as other:
        assert ids(await other.receive(DETECTIONS, "fusion", "one", block_s=0.05)) == ["d0", "d1"]
    assert await receive_all(bus) == []
    bus.begin(DETECTIONS, "fusion", "one")
    assert ids(await receive_all(bus)) == ["d0", "d1"]


async def test_what_a_dead_consumer_had_goes_to_another(
    bus: Bus, shared_server: EmbeddedBus, namespace: str
) -> None:
    await bus.publish_all(DETECTIONS, [a_detection(f"d{number}") for number in range(3)])
    taken = await receive_all(bus, consumer="dead")
    await bus.acknowledge(DETECTIONS, "fusion", [taken[1].entry_id])

    async with Bus(shared_server.url, namespace) as heir:

        async def receive(after_s: float) -> list[str]:
            return ids(
                await heir.receive(
                    DETECTIONS, "fusion", "heir", block_s=0.05, reclaim_after_s=after_s
                )
            )

        assert await receive(60.0) == [], "it may still be alive"
    async with Bus(shared_server.url, namespace) as heir:
        await asyncio.sleep(0.15)
        assert await receive(0.1) == ["d0", "d2"]


async def test_only_what_every_group_acknowledged_is_trimmed(
    bus: Bus, shared_server: EmbeddedBus, namespace: str
) -> None:
    await bus.publish_all(DETECTIONS, [a_detection(f"d{number}") for number in range(6)])
    fusion = await receive_all(bus, "fusion")
    learning = await receive_all(bus, "learning")

    await bus.acknowledge(DETECTIONS, "fusion", [delivery.entry_id for delivery in fusion])
    assert await waiting(shared_server, namespace) == 6, "the other group has acknowledged nothing"

    # A gap: the first is still pending, so nothing behind it may go.
    await bus.acknowledge(DETECTIONS, "learning", [entry.entry_id for entry in learning[1:3]])
    assert await waiting(shared_server, namespace) == 6

    await bus.acknowledge(DETECTIONS, "learning", [learning[0].entry_id])
    assert await waiting(shared_server, namespace) == 3

    await bus.acknowledge(DETECTIONS, "learning", [entry.entry_id for entry in learning[3:]])
    assert await waiting(shared_server, namespace) == 0


async def test_what_was_not_yet_delivered_is_never_trimmed(
    bus: Bus, shared_server: EmbeddedBus, namespace: str
) -> None:
    await bus.publish_all(DETECTIONS, [a_detection(f"d{number}") for number in range(6)])
    first = await bus.receive(DETECTIONS, "fusion", "one", count=2, block_s=0.05)
    await bus.acknowledge(DETECTIONS, "fusion", [delivery.entry_id for delivery in first])
    assert await waiting(shared_server, namespace) == 4
    assert ids(await receive_all(bus)) == ["d2", "d3", "d4", "d5"]


async def test_thousands_are_acknowledged_at_once(
    bus: Bus, shared_server: EmbeddedBus, namespace: str
) -> None:
    await bus.publish_all(DETECTIONS, [a_detection(f"d{number}") for number in range(2500)])
    taken = await receive_all(bus)
    await bus.acknowledge(DETECTIONS, "fusion", [delivery.entry_id for delivery in taken])
    await bus.acknowledge(DETECTIONS, "fusion", [])
    assert await waiting(shared_server, namespace) == 0


async def test_what_cannot_be_read_is_delivered_with_its_problem(
    bus: Bus, shared_server: EmbeddedBus, namespace: str
) -> None:
    await bus.publish(DETECTIONS, a_detection("good"))
    async with redis.asyncio.Redis.from_url(shared_server.url) as raw:
        key = f"{namespace}:stream:detections"
        await raw.xadd(key, {"v": b'{"id": "x"}'})
        await raw.xadd(key, {"v": b"\xff\xfe"})
        await raw.xadd(key, {"other": b"1"})
    good, *bad = await receive_all(bus)
    assert good.problem == ""
    assert [delivery.value for delivery in bad] == [None, None, None]
    assert "Detection" in bad[0].problem and "camera_id" in bad[0].problem
    assert all(delivery.problem for delivery in bad)
    await bus.acknowledge(DETECTIONS, "fusion", [entry.entry_id for entry in (good, *bad)])
    assert await waiting(shared_server, namespace) == 0


async def test_what_somebody_trimmed_by_hand_is_told_not_lost_silently(
    bus: Bus, shared_server: EmbeddedBus, namespace: str
) -> None:
    await bus.publish(DETECTIONS, a_detection("trimmed"))
    await receive_all(bus)
    async with redis.asyncio.Redis.from_url(shared_server.url) as raw:
        await raw.xtrim(f"{namespace}:stream:detections", maxlen=0)
    async with Bus(shared_server.url, namespace) as restarted:
        gone = await receive_all(restarted)
    assert gone
    assert all(entry.value is None and "removed" in entry.problem for entry in gone)


async def test_a_full_topic_refuses_and_keeps_what_it_has(
    shared_server: EmbeddedBus, namespace: str
) -> None:
    async with Bus(shared_server.url, namespace, max_backlog=5) as bus:
        await bus.publish_all(DETECTIONS, [a_detection(f"d{number}") for number in range(4)])
        with pytest.raises(BusFull, match="detections holds 5"):
            await bus.publish_all(DETECTIONS, [a_detection("e0"), a_detection("e1")])
        await bus.publish(DETECTIONS, a_detection("d4"))
        with pytest.raises(BusFull):
            await bus.publish(DETECTIONS, a_detection("e0"))
        taken = await receive_all(bus)
        assert ids(taken) == ["d0", "d1", "d2", "d3", "d4"], "all or nothing of a batch"
        await bus.acknowledge(DETECTIONS, "fusion", [taken[0].entry_id])
        await bus.publish(DETECTIONS, a_detection("e0"))


async def test_a_server_that_lost_its_memory_is_begun_anew(own_server: EmbeddedBus) -> None:
    async with Bus(own_server.url) as bus:
        await bus.publish(DETECTIONS, a_detection("before"))
        assert ids(await receive_all(bus)) == ["before"]
        async with redis.asyncio.Redis.from_url(own_server.url) as raw:
            await raw.flushall()
        await bus.publish(DETECTIONS, a_detection("after"))
        # The first try may find the group gone; it comes back by itself.
        found = [*await receive_all(bus), *await receive_all(bus)]
        assert ids(found) == ["after"]


async def test_what_was_confirmed_survives_kill_9(own_server: EmbeddedBus) -> None:
    confirmed: list[str] = []
    async with Bus(own_server.url) as bus:

        async def publish_for_ever() -> None:
            number = 0
            while True:
                name = f"d{number}"
                try:
                    await bus.publish(DETECTIONS, a_detection(name))
                except BusUnavailable:
                    await asyncio.sleep(0.02)
                    continue
                confirmed.append(name)
                number += 1

        publishing = asyncio.create_task(publish_for_ever())
        for _ in range(2):
            await asyncio.sleep(0.3)
            await asyncio.to_thread(own_server.kill)
            await asyncio.to_thread(own_server.start)
        await asyncio.sleep(0.2)
        publishing.cancel()
        received = ids(await receive_all(bus))
    assert len(confirmed) > 20
    # At least once: one whose confirmation was cut off is published again.
    assert set(confirmed) <= set(received)
    assert list(dict.fromkeys(received))[: len(confirmed)] == confirmed


async def test_what_was_delivered_but_not_acknowledged_survives_kill_9(
    own_server: EmbeddedBus,
) -> None:
    async with Bus(own_server.url) as bus:
        await bus.publish_all(DETECTIONS, [a_detection("d0"), a_detection("d1")])
        taken = await receive_all(bus)
        await bus.acknowledge(DETECTIONS, "fusion", [taken[0].entry_id])
    own_server.kill()
    own_server.start()
    async with Bus(own_server.url) as bus:
        assert ids(await receive_all(bus)) == ["d1"]


async def test_the_server_syncs_every_write(own_server: EmbeddedBus) -> None:
    async with redis.asyncio.Redis.from_url(own_server.url) as raw:
        told = await raw.config_get("append*")
    assert (told["appendonly"], told["appendfsync"]) == ("yes", "always")


async def test_without_a_server_everything_says_so_soon() -> None:
    # Port 1 on loopback: nothing listens there.
    async with Bus("redis://:hush@127.0.0.1:1/0") as bus, asyncio.timeout(10):
        for attempt in (
            bus.ping(),
            bus.publish(DETECTIONS, a_detection()),
            bus.receive(DETECTIONS, "fusion", "one"),
            bus.acknowledge(DETECTIONS, "fusion", ["1-1"]),
            bus.wake(1),
            bus.read_register(),
            bus.publish_register([]),
            bus.take_lease("a", "b", 1.0),
            bus.leases(""),
        ):
            with pytest.raises(BusUnavailable) as caught:
                await attempt
            assert "hush" not in str(caught.value)


async def test_a_wrong_password_is_told_without_showing_it(shared_server: EmbeddedBus) -> None:
    wrong = f"redis://:hush@127.0.0.1:{shared_server.port}/0"
    async with Bus(wrong) as bus:
        with pytest.raises(BusUnavailable, match=r"(?i)password") as caught:
            await bus.ping()
    assert "hush" not in str(caught.value)


def test_a_url_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"bus\.url") as caught:
        Bus("http://user:hush@host")
    assert "hush" not in str(caught.value)


async def test_a_cancellation_is_never_lost(bus: Bus) -> None:
    async def publish_for_ever() -> None:
        while True:
            await bus.publish(DETECTIONS, a_detection())

    for _ in range(25):
        publishing = asyncio.create_task(publish_for_ever())
        await asyncio.sleep(0.02)
        publishing.cancel()
        done, _ = await asyncio.wait((publishing,), timeout=2)
        assert done, "the cancellation was swallowed"


async def test_a_cancelled_task_can_still_clean_up_over_the_bus(bus: Bus) -> None:
    async def hold() -> None:
        lease = await bus.take_lease("writer", "a", 60)
        assert lease is not None
        try:
            await asyncio.sleep(60)
        finally:
            await bus.release_lease(lease)

    holding = asyncio.create_task(hold())
    while not await bus.leases("writer"):  # noqa: ASYNC110 - the bus has no event for it
        await asyncio.sleep(0.01)
    holding.cancel()
    await asyncio.wait((holding,))
    assert await bus.leases("writer") == {}
