"""Leases, probes, cues, wake-ups and the register over a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import redis.asyncio

from contracts import (
    CameraId,
    CameraState,
    ProbeAnswer,
    ProbeCamera,
    StreamSource,
    WatchClosely,
)
from plumbing.bus import Bus, Lease, NoAnswer, RegisterMissing
from plumbing.embedded_bus import EmbeddedBus
from tests.support.detections import AT

PROBE = ProbeCamera(source=StreamSource(camera_id=CameraId("c"), url="rtsp://camera.example/1"))
FOUND = ProbeAnswer(state=CameraState.LIVE, detail="a picture came", codec="h264", width_px=640)


@asynccontextmanager
async def running(work: object) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# --- leases


async def test_one_holder_at_a_time_and_fencing_grows(bus: Bus) -> None:
    first = await bus.take_lease("writer", "a", 5)
    assert first == Lease("writer", "a", 1)
    assert await bus.take_lease("writer", "b", 5) is None
    assert await bus.take_lease("writer", "a", 5) == first, "one's own is prolonged"

    await bus.release_lease(first)
    second = await bus.take_lease("writer", "b", 5)
    assert second == Lease("writer", "b", 2)
    assert not await bus.renew_lease(first, 5)
    await bus.release_lease(first)
    assert await bus.renew_lease(second, 5), "a former holder can't give it away"


async def test_a_lease_lapses_and_its_return_has_a_new_number(bus: Bus) -> None:
    first = await bus.take_lease("writer", "a", 0.05)
    assert first is not None
    await asyncio.sleep(0.1)
    assert not await bus.renew_lease(first, 5)
    again = await bus.take_lease("writer", "a", 5)
    assert again is not None
    assert again.fencing > first.fencing, "it can't know who held it in between"


async def test_renewing_keeps_a_lease(bus: Bus) -> None:
    lease = await bus.take_lease("writer", "a", 2)
    assert lease is not None
    for _ in range(3):
        await asyncio.sleep(0.8)
        assert await bus.renew_lease(lease, 2)
    assert await bus.take_lease("writer", "b", 2) is None


async def test_fencing_exceeds_what_the_resource_has_seen(bus: Bus) -> None:
    lease = await bus.take_lease("writer", "a", 5, above=41)
    assert lease is not None
    assert lease.fencing == 42
    await bus.release_lease(lease)
    lease = await bus.take_lease("writer", "b", 5, above=7)
    assert lease is not None
    assert lease.fencing == 43


async def test_many_at_once_give_one_holder(bus: Bus) -> None:
    taken = await asyncio.gather(*(bus.take_lease("one", f"w{n}", 5) for n in range(20)))
    assert sum(lease is not None for lease in taken) == 1


async def test_leases_are_listed_by_prefix(bus: Bus) -> None:
    for name, holder in [("camera:1", "w1"), ("camera:2*", "w2"), ("writer", "f")]:
        await bus.take_lease(name, holder, 5)
    assert await bus.leases("camera:") == {"camera:1": "w1", "camera:2*": "w2"}
    assert await bus.leases("camera:2*") == {"camera:2*": "w2"}
    assert await bus.leases("*") == {}, "a prefix is text, not a pattern"
    assert len(await bus.leases("")) == 3


async def test_leases_and_numbers_survive_kill_9(own_server: EmbeddedBus) -> None:
    async with Bus(own_server.url) as bus:
        lease = await bus.take_lease("writer", "a", 60)
        assert lease is not None
        own_server.kill()
        own_server.start()
        assert await bus.take_lease("writer", "b", 60) is None
        await bus.release_lease(lease)
        assert await bus.take_lease("writer", "b", 60) == Lease("writer", "b", 2)


async def test_a_lease_needs_a_time(bus: Bus) -> None:
    with pytest.raises(ValueError, match="above 0"):
        await bus.take_lease("writer", "a", 0)


# --- probes


async def test_a_probe_is_answered(bus: Bus) -> None:
    asked: list[ProbeCamera] = []

    async def answer(command: ProbeCamera) -> ProbeAnswer:
        asked.append(command)
        return FOUND

    async with running(bus.answer_probes(answer)):
        assert await bus.ask(PROBE, 5) == FOUND
    assert asked == [PROBE]


async def test_a_probe_that_nobody_takes_ends_in_time_and_is_not_begun_later(bus: Bus) -> None:
    with pytest.raises(NoAnswer, match="no worker answered"):
        await bus.ask(PROBE, 0.2)
    asked: list[ProbeCamera] = []

    async def answer(command: ProbeCamera) -> ProbeAnswer:
        asked.append(command)
        return FOUND

    async with running(bus.answer_probes(answer)):
        await asyncio.sleep(0.2)
    assert asked == []


async def test_a_probe_that_fails_says_so_without_secrets_and_others_go_on(bus: Bus) -> None:
    async def answer(command: ProbeCamera) -> ProbeAnswer:
        if command.source.url.endswith("bad"):
            raise RuntimeError("can't open rtsp://admin:hush@camera/bad")
        return FOUND

    bad = ProbeCamera(source=StreamSource(camera_id=CameraId("b"), url="rtsp://camera/bad"))
    async with running(bus.answer_probes(answer)):
        with pytest.raises(NoAnswer, match="RuntimeError") as caught:
            await bus.ask(bad, 5)
        assert "hush" not in str(caught.value)
        assert await bus.ask(PROBE, 5) == FOUND


async def test_a_slow_probe_does_not_hold_up_the_next(bus: Bus) -> None:
    release = asyncio.Event()

    async def answer(command: ProbeCamera) -> ProbeAnswer:
        if command.source.url.endswith("slow"):
            await release.wait()
        return FOUND

    slow = ProbeCamera(source=StreamSource(camera_id=CameraId("s"), url="rtsp://camera/slow"))
    async with running(bus.answer_probes(answer)):
        waiting = asyncio.create_task(bus.ask(slow, 10))
        await asyncio.sleep(0.1)
        assert await bus.ask(PROBE, 5) == FOUND
        release.set()
        assert await waiting == FOUND


async def test_what_is_no_probe_is_skipped(
    bus: Bus, shared_server: EmbeddedBus, namespace: str
) -> None:
    async def answer(_: ProbeCamera) -> ProbeAnswer:
        return FOUND

    async with redis.asyncio.Redis.from_url(shared_server.url) as raw:
        await raw.rpush(f"{namespace}:probe", b"no json", b"[]", b'{"until_s": 9e99, "id": "x"}')
    async with running(bus.answer_probes(answer)):
        assert await bus.ask(PROBE, 5) == FOUND


async def test_answering_comes_back_after_the_bus_was_away(own_server: EmbeddedBus) -> None:
    async def answer(_: ProbeCamera) -> ProbeAnswer:
        return FOUND

    async with Bus(own_server.url) as bus, running(bus.answer_probes(answer)):
        assert await bus.ask(PROBE, 5) == FOUND
        own_server.kill()
        await asyncio.sleep(0.2)
        own_server.start()
        assert await bus.ask(PROBE, 10) == FOUND


# --- wake-ups and cues


async def test_wake_ups_reach_every_listener(bus: Bus) -> None:
    first, second = bus.wakes(), bus.wakes()
    assert [await anext(first), await anext(second)] == [0, 0]
    await bus.wake(7)
    async with asyncio.timeout(5):
        assert [await anext(first), await anext(second)] == [7, 7]


async def test_wake_ups_survive_a_reconnect_and_hint_at_what_was_missed(
    own_server: EmbeddedBus,
) -> None:
    async with Bus(own_server.url) as bus, asyncio.timeout(20):
        wakes = bus.wakes()
        await anext(wakes)
        await bus.wake(7)
        assert await anext(wakes) == 7
        own_server.kill()
        own_server.start()
        assert await anext(wakes) == 7, "look again: hints may have been missed"
        await bus.wake(9)
        assert await anext(wakes) == 9


def _cue(name: str) -> WatchClosely:
    return WatchClosely(camera_ids=(CameraId(name),), until=AT + timedelta(minutes=2), why="call-1")


async def test_cues_reach_every_worker_and_those_that_come_a_little_late(bus: Bus) -> None:
    early = bus.told()
    first = asyncio.ensure_future(anext(early))
    await asyncio.sleep(0.1)
    await bus.tell(_cue("one"))
    async with asyncio.timeout(5):
        assert await first == _cue("one")
        late = bus.told()
        assert await anext(late) == _cue("one")
        await bus.tell(_cue("two"))
        assert [await anext(early), await anext(late)] == [_cue("two"), _cue("two")]


async def test_a_cue_told_while_a_worker_was_cut_off_still_comes(own_server: EmbeddedBus) -> None:
    async with Bus(own_server.url) as worker, asyncio.timeout(20):
        told = worker.told()
        waiting = asyncio.ensure_future(anext(told))
        await asyncio.sleep(0.2)
        own_server.kill()
        own_server.start()
        async with Bus(own_server.url) as other:
            await other.tell(_cue("one"))
        assert await waiting == _cue("one")


async def test_a_cue_that_cannot_be_read_is_skipped(
    bus: Bus, shared_server: EmbeddedBus, namespace: str
) -> None:
    async with redis.asyncio.Redis.from_url(shared_server.url) as raw:
        await raw.xadd(f"{namespace}:cues", {"v": b"{}"})
    await bus.tell(_cue("one"))
    async with asyncio.timeout(5):
        assert await anext(bus.told()) == _cue("one")


# --- the register


def _source(name: str, version: int = 1) -> StreamSource:
    return StreamSource(
        camera_id=CameraId(name),
        url=f"rtsp://{name}/1",
        username="viewer",
        sealed_password="gAAAA",
        headers=(("Referer", "https://portal.example"),),
        version=version,
    )


async def test_the_register_is_read_as_it_was_published(
    bus: Bus, shared_server: EmbeddedBus, namespace: str
) -> None:
    await bus.publish_register([_source("b"), _source("a")])
    async with Bus(shared_server.url, namespace) as worker:
        assert await worker.read_register() == [_source("a"), _source("b")]
        assert await worker.read_register() == [_source("a"), _source("b")]
        await bus.publish_register([_source("b", 2), _source("c")])
        assert await worker.read_register() == [_source("b", 2), _source("c")]
        await bus.publish_register([])
        assert await worker.read_register() == []


async def test_no_register_is_not_an_empty_one(bus: Bus) -> None:
    with pytest.raises(RegisterMissing):
        await bus.read_register()
