from dataclasses import replace
from datetime import timedelta

import pytest

from contracts import CallId, Hazard, LogKind
from incidents.errors import NotFound
from incidents.store import Store
from tests.incidents.make import call, fix
from tests.support.store import START


async def test_a_call_is_put_together_from_its_reports(any_store: Store) -> None:
    await any_store.reports.accept([call(), fix(1), fix(2)], actor="sari")
    seen = await any_store.calls.get(CallId("call-1"))
    assert (seen.hazard, seen.note, seen.version) == (Hazard.FIRE, "asap tebal", 3)
    assert seen.fixes == (fix(1), fix(2))
    entries = await any_store.log.after(0)
    assert [entry.kind for entry in entries] == [
        LogKind.CALL_RECEIVED,
        LogKind.CALL_UPDATED,
        LogKind.CALL_UPDATED,
    ]
    assert entries[-1].subject == seen
    assert {entry.actor for entry in entries} == {"sari"}


async def test_a_position_may_come_before_its_call(store: Store) -> None:
    await store.reports.accept([fix()])
    await store.reports.accept([call(hazard=Hazard.FLOOD)])
    seen = await store.calls.get(CallId("call-1"))
    assert (seen.hazard, seen.fixes) == (Hazard.FLOOD, (fix(),))


async def test_a_correction_keeps_the_time_of_the_first(store: Store) -> None:
    later = START + timedelta(minutes=2)
    correction = replace(
        call(hazard=Hazard.CRASH, note="ternyata tabrakan"), id="report-b", received_at=later
    )
    await store.reports.accept([call(), correction])
    seen = await store.calls.get(CallId("call-1"))
    assert (seen.hazard, seen.note) == (Hazard.CRASH, "ternyata tabrakan")
    assert seen.received_at == START


async def test_raw_messages_stay_out_of_the_feed(store: Store) -> None:
    raw = 'A"ML=1;ei=356728115537788'
    await store.reports.accept([fix(raw=raw)])
    assert (await store.reports.after(0))[0].body == fix(raw=raw)
    (entry,) = await store.log.after(0)
    assert raw not in repr(entry)
    assert raw not in repr(await store.snapshot())


async def test_pages_go_back_in_time_without_gap_or_repeat(any_store: Store) -> None:
    await any_store.reports.accept([call(number) for number in range(1, 8)])
    seen: list[str] = []
    before: int | None = None
    while True:
        calls, before = await any_store.calls.recent(limit=3, before=before)
        seen += [one.id for one in calls]
        if before is None:
            break
    assert seen == [f"call-{number}" for number in range(7, 0, -1)]


async def test_an_unknown_call(store: Store) -> None:
    with pytest.raises(NotFound, match="no call 'call-9'"):
        await store.calls.get(CallId("call-9"))
