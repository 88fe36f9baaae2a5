"""Posting to an address that a user has typed: to what was checked, and to nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from api.outgoing.posting import Answer, post
from plumbing.address_guard import AddressGuard
from plumbing.clock import SystemClock
from tests.api.receivers import Receiver, receiving
from tests.support.api import RunningApi

HERE = ("127.0.0.0/8",)


def answering(*addresses: str) -> Any:
    """A name server that gives one address after another to whoever asks."""
    left = iter(addresses)

    def resolve(host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, 1, 6, "", (next(left), port))]

    return resolve


async def sent(guard: AddressGuard, url: str) -> Answer:
    return await post(guard, SystemClock(), url, b"{}", {"webhook-id": "1"}, 5)


@contextlib.asynccontextmanager
async def redirecting(to: str, status: int) -> AsyncIterator[int]:
    """A receiver that says where else to go."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status} X\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirection_is_not_followed(status: int) -> None:
    inner = Receiver()
    async with receiving(inner), redirecting(inner.url, status) as port:
        answer = await sent(AddressGuard(HERE), f"http://127.0.0.1:{port}/hook")
    assert inner.tries == 0
    assert not answer.is_taken
    assert answer.is_away, "it is kept and tried again until somebody tells the new address"


async def test_a_name_is_looked_up_once_a_message_and_what_was_checked_is_what_is_opened() -> None:
    # No such name exists: only the address that the guard was told can have been opened.
    receiver = Receiver()
    guard = AddressGuard(HERE, answering("127.0.0.1", "10.0.0.1", "169.254.169.254"))
    async with receiving(receiver):
        url = f"http://rebind.invalid:{receiver.port}/hook"
        assert (await sent(guard, url)).is_taken
        assert receiver.taken[0].headers["host"] == f"rebind.invalid:{receiver.port}"
        private, metadata = await sent(guard, url), await sent(guard, url)
    assert "10.0.0.1 is a private or special address" in private.problem
    assert "never opened" in metadata.problem
    assert receiver.tries == 1


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An environment that would send everything elsewhere."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    yield


@pytest.mark.usefixtures("proxy")
async def test_no_proxy_of_the_environment_resolves_it_anew() -> None:
    async with receiving(Receiver()) as receiver:
        assert (await sent(AddressGuard(HERE), receiver.url)).is_taken


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::1]",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0",
        "[::]",
        "0.0.0.0",  # noqa: S104 - to be refused
        "169.254.169.254",
        "[fd00:ec2::254]",
        "10.0.0.8",
        "192.168.1.1",
        "100.64.0.1",
        "127.0.0.1.",
        "127\u30020.0.1",
        "①②⑦.0.0.1",
    ],
)
async def test_no_spelling_of_an_inner_address_becomes_a_webhook(
    own_api: RunningApi, host: str
) -> None:
    async with own_api.client() as client:
        url = f"http://{host}:{own_api.url.rpartition(':')[2]}/healthz"
        answer = await client.post("/api/v1/webhooks", json={"name": "x", "url": url})
        assert answer.status_code == 422, url
        assert (await client.get("/api/v1/webhooks")).json()["webhooks"] == []
    assert not (await sent(AddressGuard(), url)).is_taken
