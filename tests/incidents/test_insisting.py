"""What a reporter tells again of a call, beside what is known of it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from contracts import Call, CallChannel, Hazard
from incidents.calls import LONGEST_NOTE, insisted, with_report
from tests.incidents import make

NOTES = st.text(st.characters(codec="utf-8", categories=["L", "Zs"]), max_size=30)


def told(note: str) -> Call:
    return with_report(None, replace(make.call(), note=note, channel=CallChannel.APP))


@given(st.lists(NOTES, min_size=1, max_size=6))
def test_no_words_go_and_none_come_twice(notes: list[str]) -> None:
    call = told(notes[0])
    for note in notes[1:] * 2:
        again = insisted(call, replace(make.call(2), note=note, channel=CallChannel.APP))
        assert again is not None
        call = with_report(call, again)
    assert all(note.strip() in call.note for note in notes)
    assert len(call.note) <= sum(len(note) + 1 for note in notes)


def test_a_note_that_grows_too_long_loses_its_beginning() -> None:
    call = told("a" * LONGEST_NOTE)
    for more in ("b", "c" * (LONGEST_NOTE - 3), "d" * LONGEST_NOTE):
        again = insisted(call, replace(make.call(2), note=more))
        assert again is not None
        assert again.note.endswith(more)
        assert len(again.note) <= LONGEST_NOTE


def test_another_hazard_is_another_call() -> None:
    call = replace(told("asap"), hazard=Hazard.MEDICAL)
    assert insisted(call, make.call(2, hazard=Hazard.FIRE)) is None
