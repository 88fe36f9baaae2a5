"""Who may open the feed, who is shown out, and what readers may say."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest
import websockets
from sqlalchemy import text
from websockets.exceptions import ConnectionClosed, InvalidStatus

from incidents.people.accounts import Role
from plumbing.bus import Bus
from tests.api.figures import figure
from tests.api.reading import changes, message, reader, write_calls
from tests.support.api import PASSWORD, PLAIN_HTTP, RunningApi, api_settings, running_api


@pytest.mark.parametrize("how", ["signed out", "disabled elsewhere", "key revoked"])
async def test_who_may_no_longer_read_is_closed(
    own_api: RunningApi, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("api.feed.readers.CHECK_S", 0.1)
    await own_api.store.accounts.add("ani", PASSWORD, Role.OPERATOR)
    async with own_api.client(None) as client:
        await client.post("/api/v1/session", json={"username": "ani", "password": PASSWORD})
        headers = {"Cookie": f"siaga_session={client.cookies['siaga_session']}"}
        if how == "key revoked":
            headers = own_api.headers(Role.OPERATOR)
        async with (
            own_api.other_process() as store,
            websockets.connect(own_api.feed_url, additional_headers=headers) as connection,
            reader(own_api) as other,
        ):
            await message(connection)
            await message(other)
            match how:
                case "signed out":
                    await client.delete("/api/v1/session")
                case "disabled elsewhere":
                    await store.accounts.set_enabled("ani", enabled=False)
                case _:
                    await store.keys.revoke("key-operator-0")
            with pytest.raises(ConnectionClosed) as closed:
                await message(connection, 5)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4401
            await write_calls(store, 1)
            await changes(other, 1)


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", {}, 401),
        ("", {"Authorization": "Bearer wrong"}, 401),
        ("", {"Origin": "http://evil.example"}, 403),
        ("?after=-1", None, 422),
        ("?after=abc", None, 422),
        ("?after=99999999999999999999", None, 422),
        ("?after=%D9%A3", None, 422),
    ],
)
async def test_the_door_refuses_with_a_problem_document(
    own_api: RunningApi, query: str, headers: dict[str, str] | None, status: int
) -> None:
    sent = own_api.headers() if headers is None or "Origin" in headers else {}
    sent |= headers or {}
    with pytest.raises(InvalidStatus) as refused:
        async with websockets.connect(own_api.feed_url + query, additional_headers=sent):
            pass
    response = refused.value.response
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert json.loads(response.body or b"")["status"] == status


async def test_our_own_page_and_an_allowed_one_may_open_the_feed(tmp_path: Path, bus: Bus) -> None:
    allowed = "https://desk.example"
    settings = api_settings(tmp_path, api__allowed_origins=f"['{allowed}']")
    async with running_api(settings, bus) as api:
        for origin in (api.url, allowed):
            headers = {**api.headers(), "Origin": origin}
            async with websockets.connect(api.feed_url, additional_headers=headers) as connection:
                assert (await message(connection))["type"] == "snapshot"


async def test_what_readers_say_is_ignored_up_to_a_size(own_api: RunningApi) -> None:
    async with reader(own_api) as connection:
        await message(connection)
        for nonsense in ("{}", "[" * 1000, b"\x00\xff", ""):
            await connection.send(nonsense)
        await write_calls(own_api.store, 1)
        await changes(connection, 1)
        await connection.send("x" * 100_000)
        with pytest.raises(ConnectionClosed) as closed:
            await message(connection)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def test_readers_that_vanish_are_forgotten(own_api: RunningApi) -> None:
    async with own_api.client(None) as client:
        async with reader(own_api) as connection:
            await message(connection)
            await write_calls(own_api.store, 1)
            await changes(connection, 1)
            assert await figure(client, "siaga_feed_readers") == 1
            connection.transport.abort()
        async with asyncio.timeout(5):
            while await figure(client, "siaga_feed_readers") > 0:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_who_hangs_up_during_the_handshake_is_no_failure(
    own_api: RunningApi, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = own_api.feed_url.removeprefix("ws://").split("/")[0].split(":")
    hello = "GET /ws/v1/feed HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\n"
    hello += "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    hello += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    hello += "".join(f"{name}: {value}\r\n" for name, value in own_api.headers().items())
    for _ in range(5):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"{hello}\r\n".encode())
        await writer.drain()
        writer.transport.abort()
    async with reader(own_api) as connection:
        await message(connection)
    assert "Traceback" not in caplog.text
    assert not [one for one in caplog.records if one.exc_info]


async def break_table(api: RunningApi, name: str) -> None:
    """What a half-restored database looks like."""
    async with api.other_process() as store, store._database.changing() as connection:
        await connection.execute(text(f"ALTER TABLE {name} RENAME TO {name}_gone"))


async def test_a_database_that_fails_at_the_door_is_a_refusal_in_words(
    own_api: RunningApi, caplog: pytest.LogCaptureFixture
) -> None:
    await break_table(own_api, "machine_keys")
    for address in (own_api.feed_url, own_api.feed_url.replace("/ws/v1/feed", "/live/v1/camera-1")):
        with pytest.raises(InvalidStatus) as refused:
            async with websockets.connect(address, additional_headers=own_api.headers()):
                pass
        assert refused.value.response.status_code == 503
        body = json.loads(refused.value.response.body or b"")
        assert body["type"] == "urn:siaga:problem:database-unavailable"
    assert "Traceback" not in caplog.text
    assert "without completing handshake" not in caplog.text


async def test_a_reader_whose_connection_fails_is_told_and_the_log_says_why_once(
    own_api: RunningApi, caplog: pytest.LogCaptureFixture
) -> None:
    await write_calls(own_api.store, 3)
    async with reader(own_api) as connection:
        await message(connection)
        await break_table(own_api, "incidents")
        async with websockets.connect(
            own_api.feed_url + "?hazard=fire", additional_headers=own_api.headers()
        ) as failing:
            with pytest.raises(ConnectionClosed) as closed:
                await message(failing)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1011
        # Nobody else is touched.
        await write_calls(own_api.store, 1)
        await changes(connection, 1)
    told = [one for one in caplog.records if one.exc_info or "Traceback" in one.getMessage()]
    assert len(told) == 1, [one.getMessage()[:200] for one in told]


async def test_a_server_that_stops_ends_its_event_streams(tmp_path: Path, bus: Bus) -> None:
    async with httpx.AsyncClient(verify=PLAIN_HTTP, timeout=20) as client:
        async with running_api(api_settings(tmp_path), bus) as api:
            address = f"{api.url}/sse/v1/feed"
            asked = client.build_request("GET", address, headers=api.headers(Role.VIEWER))
            stream = await client.send(asked, stream=True)
            lines = stream.aiter_lines()
            while "snapshot" not in await anext(lines):
                pass
        # It was told that this is the end, and wasn't cut off: the rest comes without an error.
        assert [line async for line in lines if line.startswith("event: change")] == []
        await stream.aclose()
