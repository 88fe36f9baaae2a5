"""Messages are kept whole; those that are trusted bring their positions to the right call."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from contracts import CallerFix, CallId
from incidents import call_keys, messages
from incidents.errors import NotFound
from incidents.message_rows import NewMessage
from incidents.store import Store
from plumbing.clock import HeldClock
from tests.incidents.make import call, fix

HOUR = timedelta(hours=1)


def message(
    name: str,
    *fixes: CallerFix,
    keys: tuple[str, ...] = ("number:1",),
    is_trusted: bool = True,
    call_id: str | None = None,
) -> NewMessage:
    return NewMessage(
        id=f"message-{name}",
        channel="aml",
        sender="",
        sealed="sealed",
        is_trusted=is_trusted,
        keys=keys,
        fixes=fixes,
        call_id=None if call_id is None else CallId(call_id),
    )


async def test_messages_of_one_key_are_of_one_call_while_it_is_heard_of(
    any_store: Store, clock: HeldClock
) -> None:
    first = await any_store.messages.take(message("1", fix(1, call_number=1)), HOUR)
    clock.advance(50 * 60)
    second = await any_store.messages.take(message("2", fix(2, call_number=2)), HOUR)
    clock.advance(50 * 60)
    third = await any_store.messages.take(message("3", fix(3, call_number=3)), HOUR)
    assert first.call_id == second.call_id == third.call_id == "call-1"
    clock.advance(61 * 60)
    later = await any_store.messages.take(message("4", fix(4, call_number=4)), HOUR)
    assert later.call_id == "call-4"
    assert [one.id for one in (await any_store.calls.get(CallId("call-1"))).fixes] == [
        fix(number).id for number in (1, 2, 3)
    ]


async def test_one_key_leads_to_the_others(any_store: Store) -> None:
    both = message("1", fix(1, call_number=1), keys=("number:1", "imei:1"))
    await any_store.messages.take(both, HOUR)
    found = await any_store.messages.take(
        message("2", fix(2, call_number=2), keys=("imei:1",)), HOUR
    )
    assert found.call_id == "call-1"


async def test_a_call_that_is_named_comes_before_a_number(any_store: Store) -> None:
    await any_store.reports.accept([call(7)])
    await any_store.messages.take(message("1", fix(1, call_number=1)), HOUR)
    named = await any_store.messages.take(
        message("2", fix(2, call_number=2), call_id="call-7"), HOUR
    )
    assert named.call_id == "call-7"


async def test_the_same_message_at_once_is_stored_once(any_store: Store) -> None:
    same = message("1", fix(1))
    kept = await asyncio.gather(*(any_store.messages.take(same, HOUR) for _ in range(5)))
    assert sorted(one.seen for one in kept) == [1, 2, 3, 4, 5]
    assert {one.fix_ids for one in kept} == {(fix(1).id,)}
    assert await any_store.messages.count() == 1
    assert len(await any_store.reports.after(0)) == 1


async def test_what_is_not_trusted_changes_no_call_and_teaches_no_key(any_store: Store) -> None:
    await any_store.messages.take(message("1", fix(1)), HOUR)
    seq = await any_store.log.last_seq()
    doubtful = message("2", fix(2), keys=("number:1", "imei:evil"), is_trusted=False)
    kept = await any_store.messages.take(doubtful, HOUR)
    assert (kept.call_id, kept.fix_ids) == ("call-1", ())
    assert await any_store.log.last_seq() == seq
    later = message("3", fix(3, call_number=3), keys=("imei:evil",))
    assert (await any_store.messages.take(later, HOUR)).call_id == "call-3"


async def test_a_message_for_an_exercise_call_is_of_the_exercise(any_store: Store) -> None:
    bodies = [call(1, exercise=True)]
    await any_store.messages.take_call(bodies, key="number:1", window=HOUR)
    await any_store.messages.take(message("1", fix(1, call_number=9)), HOUR)
    found = await any_store.calls.get(CallId("call-1"))
    assert [one.exercise for one in found.fixes] == [True]


async def test_a_desk_takes_the_call_that_a_message_founded_once(any_store: Store) -> None:
    await any_store.messages.take(message("1", fix(1, call_number=1)), HOUR)
    for number, of_call in ((5, "call-1"), (6, "call-6")):
        accepted = await any_store.messages.take_call([call(number)], key="number:1", window=HOUR)
        body = accepted[0].report.body
        assert getattr(body, "call_id", None) == of_call
    exercise = await any_store.messages.take_call(
        [call(8, exercise=True)], key="number:1", window=HOUR
    )
    assert getattr(exercise[0].report.body, "call_id", None) == "call-8"


async def test_keys_are_forgotten(any_store: Store, clock: HeldClock) -> None:
    await any_store.messages.take(message("1", fix(1, call_number=1)), HOUR)
    clock.advance(3 * 86_400)
    await any_store.messages.take(
        message("2", fix(2, call_number=2), keys=("number:2",)), timedelta(days=30)
    )
    again = message("3", fix(3, call_number=3))
    assert (await any_store.messages.take(again, timedelta(days=30))).call_id == "call-3"


async def test_a_message_that_is_not_there_is_not_found(any_store: Store) -> None:
    with pytest.raises(NotFound):
        await any_store.messages.sealed("message-none")


async def test_a_phone_gone_wild_fills_its_call_and_no_more(
    any_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_keys, "MOST_FIXES", 3)
    monkeypatch.setattr(messages, "MOST_FIXES", 3)
    kept = [
        await any_store.messages.take(message(str(number), fix(number)), HOUR)
        for number in range(1, 6)
    ]
    assert [len(one.fix_ids) for one in kept] == [1, 1, 1, 0, 0]
    assert "3 positions already" in kept[-1].problems[-1]
    assert await any_store.messages.count() == 5
    assert len((await any_store.calls.get(CallId("call-1"))).fixes) == 3
