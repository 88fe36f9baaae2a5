"""Reading the feed in tests, and writing what is read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection

from contracts import CallId, CallReport, ReportId
from incidents.people.accounts import Role
from incidents.store import Store
from plumbing.clock import SystemClock
from plumbing.ids import new_id
from tests.support.api import RunningApi


@asynccontextmanager
async def reader(api: RunningApi, after: int | None = None) -> AsyncIterator[ClientConnection]:
    query = "" if after is None else f"?after={after}"
    async with websockets.connect(
        api.feed_url + query,
        additional_headers=api.headers(Role.VIEWER),
        max_size=None,
        compression=None,
    ) as connection:
        yield connection


async def message(connection: ClientConnection, timeout_s: float = 8.0) -> dict[str, Any]:
    async with asyncio.timeout(timeout_s):
        found: dict[str, Any] = json.loads(await connection.recv())
    return found


async def changes(connection: ClientConnection, count: int) -> list[dict[str, Any]]:
    """The next so many changes, in however many messages they come."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        one = await message(connection)
        if one["type"] == "ping":
            continue
        found += one["items"] if one["type"] == "changes" else [one]
    return found


def assert_chain(entries: list[dict[str, Any]], after: int) -> None:
    seqs = [entry["seq"] for entry in entries]
    assert seqs == list(range(after + 1, after + 1 + len(seqs)))
    assert [entry["prev_seq"] for entry in entries] == [seq - 1 for seq in seqs]


def a_report(note: str = "") -> CallReport:
    return CallReport(
        id=ReportId(new_id("report")),
        call_id=CallId(new_id("call")),
        hazard=None,
        note=note,
        received_at=SystemClock().now(),
    )


async def write_calls(store: Store, count: int) -> None:
    """So many entries in the log, one commit each."""
    for _ in range(count):
        await store.reports.accept([a_report()])
