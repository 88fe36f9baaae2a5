import asyncio
import itertools
import random
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from contracts import LogEntry
from incidents import migrations
from incidents.database import Database
from incidents.errors import StoreUnusable
from incidents.store import Store
from incidents.tables import Table
from plumbing.clock import HeldClock, SystemClock
from tests.incidents.forks import Forks
from tests.incidents.make import call, camera


def chain(entries: list[LogEntry]) -> None:
    """The log's law: numbers without gaps, times that don't run backwards."""
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert all(a.recorded_at <= b.recorded_at for a, b in itertools.pairwise(entries))


async def test_processes_that_write_at_once_make_one_log_without_gaps(
    empty_url: str, forks: Forks
) -> None:
    # They also open and migrate the empty database at once, while we do.
    writers = [forks.start("hammer", empty_url, name, 60) for name in ("a", "b")]
    store = await Store.open(empty_url, SystemClock())
    seen: list[LogEntry] = []
    while any(forks.is_alive(writer) for writer in writers):
        # What is visible is always a beginning of the log: a reader misses nothing by going on
        # from its cursor.
        seen += await store.log.after(len(seen), limit=50)
        chain(seen)
        await asyncio.sleep(0.01)
    seen += await store.log.after(len(seen))
    chain(seen)
    assert len(seen) == 2 * (1 + 60 + 60)
    reports = await store.reports.after(0, limit=1000)
    assert [report.seq for report in reports] == list(range(1, 121))
    assert {entry.actor for entry in seen} == {"a", "b"}
    await store.close()


async def test_killed_writers_leave_all_that_was_accepted_and_no_gap(
    any_url: str, forks: Forks, tmp_path: Path
) -> None:
    store = await Store.open(any_url, SystemClock())
    chance = random.Random(8)  # noqa: S311 - a scenario, no secret
    out = tmp_path / "accepted.txt"
    for number in range(8):
        writer = forks.start("hammer", any_url, f"w{number}", 100_000, out=out)
        while not out.exists() or f"w{number}-" not in out.read_text():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.005)
        await asyncio.sleep(chance.uniform(0, 0.15))
        forks.kill(writer)
        chain(await store.log.after(0, limit=10_000))
    reports = await store.reports.after(0, limit=10_000)
    assert [report.seq for report in reports] == list(range(1, len(reports) + 1))
    stored = [report.id for report in reports]
    accepted = [line.split()[1] for line in out.read_text().splitlines()]
    assert set(accepted) <= set(stored)
    assert len(accepted) >= len(stored) - 8
    calls = {e.subject_id for e in await store.log.after(0, limit=10_000) if "call" in e.kind}
    assert calls == {one.id for one in (await store.calls.recent(limit=1000))[0]}
    await store.close()


async def test_what_was_stored_is_there_after_opening_again(any_url: str, clock: HeldClock) -> None:
    first = await Store.open(any_url, clock)
    await first.cameras.save(camera(), actor="budi", version=None)
    await first.reports.accept([call()])
    before = await first.snapshot()
    await first.close()
    second = await Store.open(any_url, clock)
    assert await second.snapshot() == before
    await second.close()


async def test_migrations_go_up_and_down_and_make_the_tables_we_describe(
    empty_url: str, clock: HeldClock
) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    database = await Database.open(empty_url, clock)
    async with database.changing() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), Table.metadata)
        )
        assert differences == []
        await connection.run_sync(migrations.downgrade, "base")
        await connection.run_sync(migrations.upgrade)
    async with database.writing() as writing:
        assert writing.last_seq == 0
    await database.close()


async def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    await store.cameras.save(camera(), actor="budi", version=None)
    database = store._database
    with pytest.raises(ZeroDivisionError):
        async with database.writing() as writing:
            await writing.connection.execute(text("DELETE FROM cameras"))
            raise ZeroDivisionError
    assert len(await store.cameras.all()) == 1


async def test_what_is_accepted_survives_a_power_cut(store: Store) -> None:
    async with store._database.reading() as connection:
        mode = await connection.scalar(text("PRAGMA journal_mode"))
        synchronous = await connection.scalar(text("PRAGMA synchronous"))
        foreign_keys = await connection.scalar(text("PRAGMA foreign_keys"))
    assert (mode, synchronous, foreign_keys) == ("wal", 2, 1)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("nonsense", "must look like"),
        ("mysql://root@127.0.0.1/x", "use sqlite or postgresql"),
        ("oracle9://x", "use sqlite or postgresql"),
        ("sqlite://", "give SQLite a file"),
        ("sqlite+aiosqlite:///:memory:", "give SQLite a file"),
        ("postgresql://siaga:geheim@127.0.0.1:1/siaga", "can't open the database"),
        ("sqlite:////proc/siaga/x.sqlite3", "can't open the database"),
    ],
)
async def test_a_database_that_can_not_be_used(url: str, why: str, clock: HeldClock) -> None:
    with pytest.raises(StoreUnusable, match=why) as refused:
        await Store.open(url, clock)
    assert "geheim" not in str(refused.value)


async def test_a_file_that_is_no_database(tmp_path: Path, clock: HeldClock) -> None:
    path = tmp_path / "siaga.sqlite3"
    path.write_text("this is a letter to my grandmother, not a database at all " * 100)
    with pytest.raises(StoreUnusable, match="can't open the database"):
        await Store.open(f"sqlite:///{path}", clock)


async def test_a_database_of_a_newer_program(
    sqlite_url: str, store: Store, clock: HeldClock
) -> None:
    path = sqlite_url.removeprefix("sqlite+aiosqlite:///")
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreUnusable, match="another version of this program"):
        await Store.open(sqlite_url, clock)


async def test_postgres_says_no_in_our_words(empty_postgres_url: str, clock: HeldClock) -> None:
    engine = create_async_engine(empty_postgres_url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE counters (name TEXT)"))
    await engine.dispose()
    with pytest.raises(StoreUnusable, match="counters"):
        await Store.open(empty_postgres_url, clock)
