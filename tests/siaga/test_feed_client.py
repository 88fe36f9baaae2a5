"""The reference client: every change once and in order, whatever happens to the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy import delete

from contracts import CallId, CallReport, ReportId
from incidents.people.accounts import Role
from incidents.store import Store
from incidents.tables import LogRow
from plumbing.bus import Bus
from plumbing.clock import SystemClock
from plumbing.ids import new_id
from plumbing.ports import free_port
from siaga.feed_client import Change, FeedRefused, Gap, Item, Snapshot, Waits, follow_feed
from tests.api.made import found_incident
from tests.support.api import api_settings, running_api

BRISK = Waits(first_s=0.02, longest_s=0.1)


async def write(store: Store, count: int) -> None:
    for _ in range(count):
        report = CallReport(
            id=ReportId(new_id("report")),
            call_id=CallId(new_id("call")),
            hazard=None,
            note="",
            received_at=SystemClock().now(),
        )
        await store.reports.accept([report])


async def take(feed: AsyncGenerator[Item], count: int) -> list[Item]:
    async with asyncio.timeout(15):
        return [await anext(feed) for _ in range(count)]


def seqs(items: list[Item]) -> list[int]:
    assert all(isinstance(item, Change) for item in items)
    return [item.seq for item in items if isinstance(item, Change)]


async def test_a_snapshot_then_every_change(tmp_path: Path, bus: Bus) -> None:
    async with running_api(api_settings(tmp_path), bus) as api:
        await write(api.store, 2)
        feed = follow_feed(api.url, key=api.keys[Role.VIEWER], waits=BRISK)
        (first,) = await take(feed, 1)
        assert isinstance(first, Snapshot)
        assert (first.seq, len(first.calls)) == (2, 2)
        await write(api.store, 3)
        assert seqs(await take(feed, 3)) == [3, 4, 5]
        await feed.aclose()


async def test_a_server_that_goes_away_and_comes_back_costs_no_change(
    tmp_path: Path, bus: Bus
) -> None:
    # Nobody else gets it while nothing listens there.
    settings = api_settings(tmp_path, api__port=free_port())
    async with running_api(settings, bus) as api:
        key = api.keys[Role.VIEWER]
        feed = follow_feed(api.url, key=key, waits=BRISK)
        await take(feed, 1)
        await write(api.store, 2)
        assert seqs(await take(feed, 2)) == [1, 2]
    store = await Store.open(settings.database_url, SystemClock())
    await write(store, 5)
    waiting = asyncio.create_task(take(feed, 8))
    await asyncio.sleep(0.3)
    async with running_api(settings, bus):
        await write(store, 3)
        assert seqs(await waiting) == list(range(3, 11))
        await feed.aclose()
    await store.close()


async def test_it_resumes_where_it_is_told_to(tmp_path: Path, bus: Bus) -> None:
    async with running_api(api_settings(tmp_path), bus) as api:
        await write(api.store, 5)
        feed = follow_feed(api.url, key=api.keys[Role.VIEWER], after=2, waits=BRISK)
        assert seqs(await take(feed, 3)) == [3, 4, 5]
        await feed.aclose()


async def test_what_retention_has_taken_is_told_as_a_gap(tmp_path: Path, bus: Bus) -> None:
    async with running_api(api_settings(tmp_path, api__feed_queue=10), bus) as api:
        await write(api.store, 30)
        async with api.store._database.changing() as connection:
            await connection.execute(delete(LogRow).where(LogRow.seq <= 15))
        feed = follow_feed(api.url, key=api.keys[Role.VIEWER], after=3, waits=BRISK)
        gap, snapshot = await take(feed, 2)
        assert gap == Gap(after=3)
        assert isinstance(snapshot, Snapshot)
        assert snapshot.seq == 30
        await write(api.store, 1)
        assert seqs(await take(feed, 1)) == [31]
        await feed.aclose()


async def test_what_retrying_cannot_mend_is_raised(
    tmp_path: Path, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.feed.readers.CHECK_S", 0.1)
    async with running_api(api_settings(tmp_path), bus) as api:
        with pytest.raises(FeedRefused, match="Sign in") as refused:
            await take(follow_feed(api.url, key="wrong", waits=BRISK), 1)
        assert refused.value.status == 401
        with pytest.raises(FeedRefused, match="403"):
            await take(follow_feed(api.url + "/elsewhere", key="x", waits=BRISK), 1)
        feed = follow_feed(api.url, key=api.keys[Role.VIEWER], waits=BRISK)
        await take(feed, 1)
        await api.store.keys.revoke("key-viewer-0")
        with pytest.raises(FeedRefused, match="revoked"):
            await take(feed, 1)


async def test_it_waits_for_a_server_that_is_not_there_yet(tmp_path: Path, bus: Bus) -> None:
    # Nobody else gets it while nothing listens there.
    settings = api_settings(tmp_path, api__port=free_port())
    async with running_api(settings, bus) as api:
        key = api.keys[Role.VIEWER]
        url = api.url
    waiting = asyncio.create_task(take(follow_feed(url, key=key, waits=BRISK), 1))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    async with running_api(settings, bus):
        (first,) = await waiting
    assert isinstance(first, Snapshot)


def test_waits_grow_to_a_bound_and_differ_between_readers() -> None:
    waits = Waits(first_s=1, longest_s=8)
    assert all(0.5 <= waits.before(1) <= 1 for _ in range(20))
    assert all(4 <= waits.before(50) <= 8 for _ in range(20))
    assert len({waits.before(9) for _ in range(20)}) > 1


async def test_a_filter_is_followed(tmp_path: Path, bus: Bus) -> None:
    async with running_api(api_settings(tmp_path), bus) as api:
        key = api.keys[Role.VIEWER]
        await write(api.store, 2)
        items = follow_feed(api.url, key=key, only={"kind": ["call.received"], "level": ["alarm"]})
        first = await anext(items)
        assert isinstance(first, Snapshot)
        await found_incident(api.store)
        change = await anext(items)
        assert isinstance(change, Change)
        # The call that founded it; that it was founded is of another kind.
        assert change.kind == "call.received"
        await write(api.store, 1)
        following = await anext(items)
        assert isinstance(following, Change)
        assert (following.kind, following.seq) == ("call.received", change.seq + 2)
        await items.aclose()
