"""What is copied out while others write is one moment, and comes in again on either database."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from contracts import IncidentAction, IncidentId
from incidents import migrations
from incidents.database import Database
from incidents.errors import StoreUnusable
from incidents.keeping.backup import BackupUnusable, Dump, dump, load, sha256_of
from incidents.people.accounts import Role
from incidents.store import Store
from plumbing.clock import HeldClock, SystemClock
from tests.incidents.forks import Forks
from tests.incidents.make import call, camera, fix, found
from tests.incidents.test_database import chain
from tests.incidents.writer import Writer

PASSWORD = "kuda lumping makan beling"


@pytest.fixture
def other_url(database_kind: str, request: pytest.FixtureRequest) -> str:
    """An empty database of the other kind."""
    other = "postgres" if database_kind == "sqlite" else "sqlite"
    url: str = request.getfixturevalue(f"empty_{other}_url")
    return url


async def fill(store: Store, clock: HeldClock) -> None:
    await store.accounts.add("sari", PASSWORD, Role.OPERATOR, camera_groups=["Timur"])
    await store.keys.issue("dispatch-1", Role.DISPATCH, clock.now() + timedelta(days=9))
    await store.sessions.open("sari")
    await store.cameras.save(camera(), actor="cakra", version=None)
    await store.reports.accept([call(note="asap 🔥"), fix()], actor="sari")
    await Writer(store).apply(call(2), found("incident-1", "report-call-2"))
    await store.incidents.act(
        IncidentId("incident-1"), IncidentAction.ACKNOWLEDGE, actor="sari", version=1
    )


async def test_a_dump_of_one_kind_makes_the_same_store_of_the_other(
    any_url: str, other_url: str, clock: HeldClock, tmp_path: Path
) -> None:
    store = await Store.open(any_url, clock)
    await fill(store, clock)
    dumped = await dump(store._database, tmp_path / "dump")
    await load(other_url, clock, dumped, tmp_path / "dump")
    other = await Store.open(other_url, clock)
    assert await other.snapshot() == await store.snapshot()
    assert await other.log.after(0) == await store.log.after(0)
    assert await other.reports.after(0, limit=9) == await store.reports.after(0, limit=9)
    assert (await other.audit.verify(await store.audit.head())).holds
    signed = await other.accounts.check_password("sari", PASSWORD)
    assert signed is not None
    assert signed.camera_groups == {"Timur"}
    # What was loaded goes on where it was.
    await other.reports.accept([call(3)], actor="sari")
    chain(await other.log.after(0))
    assert (await other.audit.verify()).holds
    await store.close()
    await other.close()


async def test_a_dump_under_load_is_one_moment(
    any_url: str, forks: Forks, tmp_path: Path, clock: HeldClock
) -> None:
    store = await Store.open(any_url, SystemClock())
    writers = [forks.start("hammer", any_url, name, 100_000) for name in ("a", "b")]
    while await store.log.last_seq() < 60:
        pass
    dumped = await dump(store._database, tmp_path / "dump")
    later = await store.log.last_seq()
    for writer in writers:
        forks.kill(writer)
    await store.close()
    url = f"sqlite+aiosqlite:///{tmp_path / 'copy.sqlite3'}"
    await load(url, clock, dumped, tmp_path / "dump")
    copy = await Store.open(url, clock)
    entries = await copy.log.after(0, limit=100_000)
    chain(entries)
    assert 60 <= len(entries) <= later
    # Every change of the log is in the tables that it speaks of, and none that isn't in it.
    calls = {e.subject_id: e.subject for e in entries if e.kind.startswith("call.")}
    assert {one.id: one for one in (await copy.calls.recent(limit=1000))[0]} == calls
    cameras = {e.subject_id: e.subject for e in entries if e.kind == "camera.saved"}
    assert {one.id: one for one in await copy.cameras.all()} == cameras
    assert (await copy.audit.verify()).holds
    await copy.close()


def as_of_old(folder: Path, dumped: Dump, old: MetaData) -> Dump:
    """The dump as a program with older tables would have written it."""
    tables = []
    for one in dumped.tables:
        if one.name not in old.tables:
            continue
        path = folder / one.file_name
        with gzip.open(path, "rt") as file:
            names = json.loads(next(file))["columns"]
            rows = [json.loads(line) for line in file]
        keep = [at for at, name in enumerate(names) if name in old.tables[one.name].columns]
        if one.name == "counters":
            rows = [row for row in rows if row[0] in ("log", "reports")]
        with gzip.open(path, "wt") as file:
            file.write(json.dumps({"columns": [names[at] for at in keep]}) + "\n")
            file.writelines(json.dumps([row[at] for at in keep]) + "\n" for row in rows)
        tables.append(replace(one, sha256=sha256_of(path)))
    return replace(dumped, revision="0004", tables=tuple(tables))


async def test_a_dump_of_older_tables_is_brought_up_to_date(
    store: Store, clock: HeldClock, tmp_path: Path
) -> None:
    await fill(store, clock)
    folder = tmp_path / "dump"
    dumped = await dump(store._database, folder)
    scratch = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'old.sqlite3'}", clock)
    async with scratch.changing() as connection:
        await connection.run_sync(migrations.downgrade, "0004")
        old = MetaData()
        await connection.run_sync(old.reflect)
    await scratch.close()
    url = f"sqlite+aiosqlite:///{tmp_path / 'new.sqlite3'}"
    await load(url, clock, as_of_old(folder, dumped, old), folder)
    new = await Store.open(url, clock)
    assert await new.cameras.all() == await store.cameras.all()
    assert await new.log.after(0) == await store.log.after(0)
    assert (await new.accounts.get("sari")).camera_groups is None
    assert (await new.audit.verify()).entries == 0
    await new.close()


async def test_what_cannot_be_loaded_is_refused_and_changes_nothing(
    store: Store, clock: HeldClock, tmp_path: Path
) -> None:
    await fill(store, clock)
    folder = tmp_path / "dump"
    dumped = await dump(store._database, folder)
    full = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'full.sqlite3'}", clock)
    await full.accounts.ensure_first_account()
    await full.close()
    with pytest.raises(BackupUnusable, match=r"not empty.*accounts"):
        await load(f"sqlite+aiosqlite:///{tmp_path / 'full.sqlite3'}", clock, dumped, folder)

    url = f"sqlite+aiosqlite:///{tmp_path / 'empty.sqlite3'}"
    with pytest.raises(StoreUnusable, match="another version"):
        await load(url, clock, replace(dumped, revision="9999"), folder)
    database = await Database.open(url, clock)
    async with database.writing() as writing:
        assert writing.last_seq == 0
    await database.close()

    (folder / "log.jsonl.gz").write_bytes(b"changed")
    with pytest.raises(BackupUnusable, match=r"log\.jsonl\.gz is not what was written"):
        await load(url, clock, dumped, folder)
    (folder / "log.jsonl.gz").unlink()
    with pytest.raises(BackupUnusable, match="missing"):
        await load(url, clock, dumped, folder)
