"""Which messages an incident is told by."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from api.formats.cap_issues import SHORTEST_GAP, Issue, MessageName, MessageType, newest_issue
from contracts import AlarmLevel, Hazard, LogKind, Sequence
from incidents.keeping.archive import Told
from tests.support.store import START

HOUR = timedelta(hours=1)


def told(
    seq: int, after_s: float, kind: str, detail: str = "", hazard: Hazard = Hazard.FIRE
) -> Told:
    return Told(
        seq=Sequence(seq),
        recorded_at=START + timedelta(seconds=after_s),
        kind=LogKind(f"incident.{kind}"),
        detail=detail,
        hazard=hazard,
        level=AlarmLevel.ALARM,
    )


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def newest(history: list[Told], after_s: float) -> Issue:
    return newest_issue(history, HOUR, at(after_s))


FOUNDED = told(1, 0.4, "founded")


def test_the_first_is_an_alert_of_whole_seconds() -> None:
    assert newest([FOUNDED], 5) == Issue(MessageName(1, 0, START), MessageType.ALERT, ())


def test_a_person_s_step_is_told_at_once_and_names_what_it_replaces() -> None:
    history = [FOUNDED, told(5, 10, "acted", "acknowledge"), told(9, 20, "acted", "verify")]
    issue = newest(history, 20)
    assert (issue.name.seq, issue.type) == (9, MessageType.UPDATE)
    assert [one.seq for one in issue.replaces] == [1, 5]


def test_a_mere_refinement_waits_for_its_minute() -> None:
    history = [FOUNDED, *(told(seq, seq, "updated") for seq in range(2, 50))]
    assert newest(history, 50).name.seq == 1
    issue = newest(history, 61)
    assert (issue.name, issue.type) == (MessageName(49, 0, at(60)), MessageType.UPDATE)
    another = [*history, told(50, 50, "updated", hazard=Hazard.FLOOD)]
    assert newest(another, 50).name == MessageName(50, 0, at(50))
    note = [*history, told(50, 50, "acted", "note")]
    assert newest(note, 50).name.seq == 1


def test_an_open_one_is_renewed_before_it_expires() -> None:
    issue = newest([FOUNDED], 2 * 3600 + 5)
    assert issue.name == MessageName(1, 4, at(7200))
    assert [one.repeat for one in issue.replaces] == [3]


def test_an_ended_one_is_cancelled_and_not_renewed() -> None:
    history = [FOUNDED, told(5, 10, "acted", "reject"), told(6, 20, "acted", "note")]
    issue = newest(history, 100_000)
    assert (issue.name, issue.type) == (MessageName(5, 0, at(10)), MessageType.CANCEL)
    assert [one.seq for one in issue.replaces] == [1]


def test_one_that_was_merged_into_another_is_cancelled_and_the_other_goes_on() -> None:
    assert newest([FOUNDED, told(3, 9, "merged", "into incident-2")], 9).type is MessageType.CANCEL
    assert newest([FOUNDED, told(3, 9, "merged", "incident-2")], 9).type is MessageType.UPDATE


def test_a_reopened_one_starts_anew() -> None:
    history = [FOUNDED, told(5, 10, "acted", "close"), told(6, 20, "acted", "reopen")]
    assert newest(history, 20) == Issue(MessageName(6, 0, at(20)), MessageType.ALERT, ())


def test_an_ending_that_was_undone_leaves_no_cancellation() -> None:
    rejected = [FOUNDED, told(2, 5, "acted", "acknowledge"), told(5, 10, "acted", "reject")]
    history = [*rejected, told(6, 12, "updated"), told(7, 20, "acted", "undo")]
    assert newest(rejected, 15).type is MessageType.CANCEL
    assert newest(history, 20) == Issue(MessageName(7, 0, at(20)), MessageType.ALERT, ())
    assert newest(history, 4000).type is MessageType.UPDATE
    verified = [FOUNDED, told(5, 10, "acted", "verify"), told(7, 20, "acted", "undo")]
    assert newest(verified, 20).type is MessageType.UPDATE
    reopened = [FOUNDED, told(3, 5, "acted", "close"), told(5, 10, "acted", "reopen")]
    assert newest([*reopened, told(7, 20, "acted", "undo")], 100_000).type is MessageType.CANCEL


def test_a_history_whose_start_is_no_longer_kept() -> None:
    assert newest([told(40, 10, "updated")], 20).type is MessageType.ALERT
    assert newest([told(40, 10, "acted", "close")], 20).type is MessageType.CANCEL


def test_a_clock_that_was_set_back() -> None:
    issue = newest([told(1, 100, "founded"), told(2, 40, "acted", "verify")], 200)
    assert issue.name.sent == at(100)


STEPS = st.lists(
    st.tuples(
        st.integers(0, 4000),
        st.sampled_from(
            ["updated", "acted verify", "acted note", "acted close", "acted reopen", "merged x"]
        ),
    ),
    max_size=25,
)


@given(STEPS, st.integers(0, 20_000), st.integers(0, 20_000))
def test_messages_form_a_chain(steps: list[tuple[int, str]], wait_s: int, longer_s: int) -> None:
    history, now_s = [FOUNDED], 0
    for seq, (after_s, what) in enumerate(steps, start=2):
        now_s += after_s
        kind, _, detail = what.partition(" ")
        history.append(told(seq, now_s, kind, detail))
    issue = newest(history, now_s + wait_s)
    assert issue.name.sent <= at(now_s + wait_s)
    assert (issue.type is MessageType.UPDATE) <= bool(issue.replaces)
    assert (issue.type is MessageType.ALERT) <= (not issue.replaces)
    for one in issue.replaces:
        assert one.sent <= issue.name.sent < one.sent + HOUR
    assert len({issue.name, *issue.replaces}) == 1 + len(issue.replaces)
    # Who asks later is told of this one, as long as it hasn't expired or been cancelled.
    later = newest(history, now_s + wait_s + longer_s)
    if later != issue and issue.type is not MessageType.CANCEL:
        if later.name.sent < issue.name.sent + HOUR:
            assert issue.name in later.replaces
    else:
        assert later == issue
    # An open incident's message never expires, and a refinement is told within its minute.
    if issue.type is not MessageType.CANCEL:
        assert issue.name.sent + HOUR / 2 >= at(now_s + wait_s) - SHORTEST_GAP
