"""The audit log: complete, gapless, chained, and quick to say where it was touched."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from contracts import IncidentAction, IncidentId
from incidents.keeping.retention import Retention
from incidents.people.accounts import Role
from incidents.people.audit import AuditAction
from incidents.people.audit_chain import AuditEvent, Head
from incidents.store import Store
from plumbing.clock import HeldClock, SystemClock
from plumbing.settings import Settings
from tests.incidents.forks import Forks
from tests.incidents.make import call, camera, fix, found
from tests.incidents.writer import Writer

PASSWORD = "kuda lumping makan beling"


def seen(number: int) -> AuditEvent:
    return AuditEvent(
        action="view.call", actor="ani", subject=f"call-{number}", details={"address": "10.0.0.7"}
    )


async def touch(store: Store, statement: str) -> None:
    """Change the table as somebody would who can do everything: without its guards."""
    async with store._database.changing() as connection:
        if connection.dialect.name == "sqlite":
            for trigger in ("audit_keeps", "audit_stays"):
                await connection.execute(text(f"DROP TRIGGER IF EXISTS {trigger}"))
        else:
            await connection.execute(text("DROP TRIGGER IF EXISTS audit_keeps ON audit"))
        await connection.execute(text(statement))


async def test_whatever_somebody_does_is_written_down_by_reference(any_store: Store) -> None:
    await any_store.accounts.add("sari", PASSWORD, Role.OPERATOR, actor="budi")
    await any_store.keys.issue("dispatch-1", Role.DISPATCH, actor="budi")
    await any_store.cameras.save(camera(), actor="cakra", version=None)
    await any_store.reports.accept([call(note="Bu Siti, 0812"), fix()], actor="sari")
    writer = Writer(any_store)
    await writer.apply(call(2), found("incident-1", "report-call-2"))
    await any_store.incidents.act(
        IncidentId("incident-1"),
        IncidentAction.REJECT,
        actor="sari",
        version=1,
        reason="Pak Joko membakar sampah",
    )
    page = await any_store.audit.page()
    told = [(one.actor, one.action, one.subject) for one in reversed(page.entries)]
    assert told == [
        ("budi", "account.added", "sari"),
        ("budi", "key.issued", "dispatch-1"),
        ("cakra", "camera.saved", "camera-1"),
        ("sari", "call.received", "call-1"),
        ("sari", "call.updated", "call-1"),
        ("sari", "incident.acted", "incident-1"),
    ]
    kept = json.dumps([one.details for one in page.entries])
    for person in ("Siti", "0812", "Joko", PASSWORD, "106.99", "-6.23"):
        assert person not in kept
    assert page.entries[0].details == {"did": "reject", "log_seq": await any_store.log.last_seq()}


async def test_a_change_that_fails_is_not_written_down(any_store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        async with any_store._database.writing() as writing:
            writing.audit(seen(1))
            raise ZeroDivisionError
    assert (await any_store.audit.page()).entries == ()


async def test_pages_and_filters(any_store: Store, clock: HeldClock) -> None:
    for number in range(5):
        await any_store.audit.record(seen(number))
        clock.advance(60)
    await any_store.audit.record(
        AuditEvent(action=AuditAction.SIGNED_IN, actor="budi", subject="budi")
    )
    audit = any_store.audit
    first = await audit.page(limit=4)
    assert [one.seq for one in first.entries] == [6, 5, 4, 3]
    assert first.next == 3
    rest = await audit.page(before=first.next, limit=4)
    assert [one.seq for one in rest.entries] == [2, 1]
    assert rest.next is None
    assert [one.seq for one in (await audit.page(action="session.")).entries] == [6]
    assert [one.seq for one in (await audit.page(subject="call-3")).entries] == [4]
    assert len((await audit.page(actor="ani")).entries) == 5
    since = clock.now() - timedelta(seconds=90)
    assert [one.seq for one in (await audit.page(since=since)).entries] == [6, 5]


async def test_a_whole_chain_holds_and_its_head_can_be_noted(any_store: Store) -> None:
    empty = await any_store.audit.verify()
    assert empty.holds
    assert empty.entries == 0
    await any_store.audit.record(*map(seen, range(10)))
    noted = await any_store.audit.head()
    await any_store.audit.record(*map(seen, range(10)))
    verdict = await any_store.audit.verify(noted)
    assert verdict.holds
    assert (verdict.entries, verdict.head.seq) == (20, 20)
    wrong = await any_store.audit.verify(Head(noted.seq, "f" * 64))
    assert wrong.broken_seq == noted.seq
    ahead = await any_store.audit.verify(Head(25, "f" * 64))
    assert ahead.broken_seq == 21


@pytest.mark.parametrize(
    ("statement", "broken", "why"),
    [
        ("UPDATE audit SET actor = 'budi' WHERE seq = 4", 4, "changed"),
        ("UPDATE audit SET details = '{}' WHERE seq = 5", 5, "details"),
        ("UPDATE audit SET hash = 'f' WHERE seq = 6", 6, "changed"),
        ("DELETE FROM audit WHERE seq = 7", 7, "missing"),
        ("DELETE FROM audit WHERE seq > 8", 9, "end is missing"),
        ("DELETE FROM audit WHERE seq < 3", 1, "missing"),
        ("DELETE FROM audit", 1, "end is missing"),
    ],
)
async def test_the_first_broken_link_is_named(
    any_store: Store, statement: str, broken: int, why: str
) -> None:
    await any_store.audit.record(*map(seen, range(10)))
    await touch(any_store, statement)
    verdict = await any_store.audit.verify()
    assert verdict.broken_seq == broken
    assert why in verdict.why


async def test_a_chain_made_anew_is_found_out_by_a_noted_head(any_store: Store) -> None:
    await any_store.audit.record(*map(seen, range(3)))
    noted = await any_store.audit.head()
    await touch(any_store, "DELETE FROM audit")
    await touch(any_store, "UPDATE counters SET value = 0 WHERE name = 'audit'")
    await any_store.audit.record(*map(seen, range(5)))
    assert (await any_store.audit.verify()).holds
    assert (await any_store.audit.verify(noted)).broken_seq == 3


async def test_the_database_itself_refuses_changes(any_store: Store) -> None:
    await any_store.audit.record(*map(seen, range(3)))
    for statement in (
        "UPDATE audit SET actor = 'budi' WHERE seq = 2",
        "UPDATE audit SET details = '{}' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 3",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            async with any_store._database.changing() as connection:
                await connection.execute(text(statement))
    assert (await any_store.audit.verify()).holds


async def test_what_must_be_forgotten_goes_and_the_chain_stays(
    any_store: Store, clock: HeldClock
) -> None:
    await any_store.audit.record(*map(seen, range(4)))
    assert await any_store.audit.forget("call-2", actor="cakra") == 1
    (forgotten,) = (await any_store.audit.page(subject="call-2", action="view.")).entries
    assert forgotten.details is None
    assert (await any_store.audit.verify()).holds
    noted = await any_store.audit.head()

    clock.advance(3600)
    await any_store.audit.record(seen(9))
    assert await any_store.audit.prune(clock.now()) == 5
    verdict = await any_store.audit.verify(noted)
    assert verdict.holds
    assert (verdict.first_seq, verdict.entries) == (6, 2)
    clock.advance(1)
    assert await any_store.audit.prune(clock.now()) == 2
    assert await any_store.audit.prune(clock.now() - timedelta(days=1)) == 0
    assert (await any_store.audit.verify()).holds


async def test_many_at_once_share_the_work_and_lose_nothing(any_store: Store) -> None:
    given_up = asyncio.create_task(any_store.audit.record(seen(999)))
    tasks = [asyncio.create_task(any_store.audit.record(seen(one))) for one in range(200)]
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(*tasks)
    subjects = [one.subject for one in (await any_store.audit.page(limit=500)).entries]
    assert set(subjects) >= {f"call-{one}" for one in range(200)}
    verdict = await any_store.audit.verify()
    assert verdict.holds
    assert verdict.entries == len(subjects)


async def test_processes_that_write_at_once_make_one_chain(any_url: str, forks: Forks) -> None:
    store = await Store.open(any_url, SystemClock())
    writers = [forks.start("hammer", any_url, name, 40) for name in ("a", "b")]
    while any(forks.is_alive(writer) for writer in writers):
        await store.audit.record(seen(1))
    verdict = await store.audit.verify()
    assert verdict.holds
    # A camera and then calls and fixes, of each process (`tests.incidents.forks`).
    theirs = 2 * (1 + 40 + 40)
    ours = len((await store.audit.page(actor="ani", limit=10_000)).entries)
    assert verdict.entries == ours + theirs
    await store.close()


async def test_retention_takes_the_oldest_and_says_so(any_store: Store, clock: HeldClock) -> None:
    settings = Settings.model_validate({"retention": {"audit_days": 30}})
    await any_store.audit.record(*map(seen, range(3)))
    clock.advance(31 * 86_400)
    await any_store.audit.record(seen(9))
    forgotten = await Retention(any_store._database, clock, settings, None).run()
    assert forgotten.audit_entries == 3
    kept = (await any_store.audit.page()).entries
    assert [one.action for one in kept] == ["retention.run", "audit.pruned", "view.call"]
    assert (await any_store.audit.verify()).holds
