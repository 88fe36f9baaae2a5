"""The feed: a snapshot or a resumption, then every change, once and in order, whatever happens."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import websockets
from sqlalchemy import delete
from websockets.exceptions import ConnectionClosed

from contracts import Camera, CameraHealth, CameraId, CameraState, LonLat
from incidents.tables import LogRow
from plumbing.bus import Bus
from plumbing.clock import SystemClock
from plumbing.embedded_bus import EmbeddedBus
from tests.api.made import LAT, LON, a_call, found_incident
from tests.api.reading import a_report, assert_chain, changes, message, reader, write_calls
from tests.support.api import RunningApi, api_settings, running_api


async def test_a_reader_starts_with_the_state_and_goes_on_with_every_change(
    own_api: RunningApi,
) -> None:
    incident = await found_incident(own_api.store)
    async with own_api.client() as client, reader(own_api) as connection:
        first = await message(connection)
        assert first["type"] == "snapshot"
        assert [one["id"] for one in first["incidents"]] == [incident.id]
        assert len(first["calls"]) == 1
        body = {"action": "acknowledge", "version": 1}
        await client.post(f"/api/v1/incidents/{incident.id}/actions", json=body)
        (change,) = await changes(connection, 1)
    assert_chain([change], first["seq"])
    assert change["kind"] == "incident.acted"
    assert change["subject_id"] == incident.id
    assert change["detail"] == "acknowledge"
    assert change["actor"].startswith("key-supervisor")
    assert change["subject"]["state"] == "acknowledged"


async def test_the_snapshot_shows_cameras_as_the_list_does(own_api: RunningApi) -> None:
    camera = Camera(
        id=CameraId("one"), name="One", url="rtsp://127.0.0.1/x", position=LonLat(LON, LAT)
    )
    await own_api.store.cameras.save(camera, actor="test", version=None)
    health = CameraHealth(
        camera_id=camera.id, state=CameraState.LIVE, since=SystemClock().now(), worker="w"
    )
    await own_api.store.cameras.record_health(health)
    async with own_api.client() as client, reader(own_api) as connection:
        listed = (await client.get("/api/v1/cameras")).json()
        assert (await message(connection))["cameras"] == listed["cameras"]
    assert listed["cameras"][0]["health"]["state"] == "live"


async def test_what_another_process_commits_arrives_when_the_bus_wakes_us(
    own_api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with own_api.other_process() as store, reader(own_api) as connection:
        await message(connection)
        # From its next look on the feed would find nothing by itself for longer than we wait.
        monkeypatch.setattr("api.feed.hub.POLL_S", 600.0)

        async def wake() -> None:
            while True:
                # Again and again: the feed may not be listening yet.
                await own_api.bus.wake(await store.log.last_seq())
                await asyncio.sleep(0.05)

        waking = asyncio.create_task(wake())
        for _ in range(3):
            await write_calls(store, 1)
            await changes(connection, 1)
        waking.cancel()


async def test_a_dead_bus_delays_changes_and_loses_none(
    tmp_path: Path, own_server: EmbeddedBus, namespace: str
) -> None:
    async with (
        Bus(own_server.url, namespace) as bus,
        running_api(api_settings(tmp_path / "api"), bus) as api,
        api.other_process() as store,
        api.client() as client,
        reader(api) as connection,
    ):
        start = await message(connection)
        await write_calls(store, 3)
        own_server.kill()
        await write_calls(store, 3)
        assert (await client.post("/api/v1/calls", json=a_call(location=None))).status_code == 201
        entries = await changes(connection, 7)
        assert_chain(entries, start["seq"])
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        own_server.start()
        await write_calls(store, 1)
        assert_chain(await changes(connection, 1), entries[-1]["seq"])
        assert (await client.get("/readyz")).json()["checks"]["bus"] == "ok"


@pytest.mark.parametrize("count", [0, 3, 30])
async def test_a_reader_resumes_after_its_last_change(tmp_path: Path, bus: Bus, count: int) -> None:
    # With a ring of ten, three entries come from the ring and thirty from the database.
    async with running_api(api_settings(tmp_path, api__feed_queue=10), bus) as api:
        await write_calls(api.store, 5)
        async with reader(api) as connection:
            seq = (await message(connection))["seq"]
        await write_calls(api.store, count)
        async with reader(api, after=seq) as connection:
            assert_chain(await changes(connection, count), seq)
            await write_calls(api.store, 2)
            assert_chain(await changes(connection, 2), seq + count)


async def test_resuming_from_the_beginning_reads_the_whole_log(own_api: RunningApi) -> None:
    await write_calls(own_api.store, 4)
    async with reader(own_api, after=0) as connection:
        assert_chain(await changes(connection, 4), 0)


async def test_nothing_is_lost_or_doubled_between_snapshot_and_first_change(
    own_api: RunningApi,
) -> None:
    async with own_api.other_process() as store:
        writing = asyncio.create_task(write_calls(store, 120))
        readers = []
        for _ in range(12):
            readers.append(asyncio.create_task(_known_after(own_api, 120)))
            await asyncio.sleep(0.05)
        await writing
        async with asyncio.timeout(30):
            known = await asyncio.gather(*readers)
    assert all(calls == known[0] and len(calls) == 120 for calls in known)


async def _known_after(api: RunningApi, seq: int) -> list[str]:
    """The calls that a reader knows once it has come to ``seq``, in order."""
    async with reader(api) as connection:
        first = await message(connection)
        known = [call["id"] for call in first["calls"]]
        assert len(known) == first["seq"]
        if first["seq"] < seq:
            entries = await changes(connection, seq - first["seq"])
            assert_chain(entries, first["seq"])
            known += [entry["subject_id"] for entry in entries]
        return known


async def test_a_burst_comes_as_few_messages(own_api: RunningApi) -> None:
    async with own_api.other_process() as store, reader(own_api) as connection:
        start = (await message(connection))["seq"]
        await store.reports.accept([a_report() for _ in range(200)])
        while (one := await message(connection, 30))["type"] == "ping":
            pass
        assert one["type"] == "changes"
        assert_chain(one["items"], start)
        assert len(one["items"]) == 200


async def test_a_reader_that_does_not_read_is_cut_off_and_resumes_without_loss(
    tmp_path: Path, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A machine that does other things too may take longer than that to come to the reading.
    monkeypatch.setattr("api.feed.line.CLOSE_GRACE_S", 120.0)
    settings = api_settings(tmp_path, api__feed_queue=20)
    async with running_api(settings, bus) as api, reader(api) as brisk:
        await message(brisk)
        async with websockets.connect(
            api.feed_url,
            additional_headers=api.headers(),
            max_size=None,
            max_queue=1,
            compression=None,
            ping_interval=None,
        ) as slow:
            start = (await message(slow))["seq"]
            # More than the buffers between the two ends can hold.
            for _ in range(60):
                await api.store.reports.accept([a_report("x" * 4_000) for _ in range(20)])
                await changes(brisk, 20)
            got: list[dict[str, Any]] = []
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    got += await changes(slow, 1)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013
        assert 0 < len(got) < 1200
        assert_chain(got, start)
        async with reader(api, after=got[-1]["seq"]) as again:
            rest = await changes(again, 1200 - len(got))
        assert_chain(got + rest, start)


async def test_a_cursor_that_retention_has_passed_gets_4410(tmp_path: Path, bus: Bus) -> None:
    async with running_api(api_settings(tmp_path, api__feed_queue=10), bus) as api:
        await write_calls(api.store, 30)
        async with api.store._database.changing() as connection:
            await connection.execute(delete(LogRow).where(LogRow.seq <= 15))
        assert await _close_code(api, after=14) == 4410
        async with reader(api, after=15) as connection:
            assert_chain(await changes(connection, 15), 15)
        async with reader(api) as connection:
            assert (await message(connection))["seq"] == 30
        async with api.client() as client:
            answer = await client.get("/api/v1/log", params={"after": 14})
            assert answer.status_code == 410
            assert answer.json()["oldest_seq"] == 16


async def test_a_cursor_from_another_database_gets_4410(own_api: RunningApi) -> None:
    assert await _close_code(own_api, after=1_000) == 4410


async def _close_code(api: RunningApi, after: int) -> int:
    async with reader(api, after) as connection:
        with pytest.raises(ConnectionClosed) as closed:
            await message(connection)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


async def test_a_quiet_line_is_pinged(own_api: RunningApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.feed.hub.QUIET_S", 0.1)
    await write_calls(own_api.store, 1)
    async with reader(own_api) as connection:
        await message(connection)
        ping = await message(connection, 2)
    assert (ping["type"], ping["seq"]) == ("ping", 1)
