import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import ContractError, Incident, IncidentAction, IncidentId, IncidentState
from incidents.errors import IllegalStep
from incidents.lifecycle import MAX_TEXT, TRANSITIONS, allowed_actions, step
from tests.incidents.make import incident
from tests.support.store import START

A, S = IncidentAction, IncidentState

actions = st.sampled_from(IncidentAction)
histories = st.lists(actions, max_size=30)


def take(before: Incident, action: IncidentAction, seconds: float = 0) -> Incident:
    """The step with everything that it may need said."""
    return step(
        before,
        action,
        actor="sari",
        at=START + timedelta(seconds=seconds),
        reason="sebab",
        note="catatan" if action is A.NOTE else "",
        duplicate_of=IncidentId("incident-2") if action is A.MARK_DUPLICATE else None,
    )


def walk(history: list[IncidentAction]) -> list[Incident]:
    """Every state on the way; steps that the life cycle refuses are left out."""
    path = [incident()]
    for seconds, action in enumerate(history, start=1):
        if action in allowed_actions(path[-1].state):
            path.append(take(path[-1], action, seconds))
    return path


def test_the_designed_life() -> None:
    states = [
        one.state
        for one in walk([A.ACKNOWLEDGE, A.VERIFY, A.DISPATCH, A.EN_ROUTE, A.ON_SCENE, A.CLOSE])
    ]
    assert states == [
        S.DETECTED,
        S.ACKNOWLEDGED,
        S.VERIFIED,
        S.DISPATCHED,
        S.EN_ROUTE,
        S.ON_SCENE,
        S.CLOSED,
    ]


def test_acknowledging_is_not_verifying() -> None:
    after = take(incident(), A.ACKNOWLEDGE, 5)
    assert after.state is S.ACKNOWLEDGED
    assert after.acknowledged_at == START + timedelta(seconds=5)
    assert after.verified_at is None
    with pytest.raises(IllegalStep):
        take(after, A.DISPATCH)


def test_verifying_at_once_also_acknowledges() -> None:
    after = take(incident(), A.VERIFY, 7)
    assert after.acknowledged_at == after.verified_at == START + timedelta(seconds=7)


@given(histories)
def test_every_step_is_one_version_and_in_the_table(history: list[IncidentAction]) -> None:
    path = walk(history)
    assert [one.version for one in path] == list(range(1, len(path) + 1))
    lawful = {(state, to) for (state, _), to in TRANSITIONS.items()}
    assert all((a.state, b.state) in lawful for a, b in itertools.pairwise(path))


@given(histories)
def test_clocks_keep_the_first_time_and_never_run_backwards(history: list[IncidentAction]) -> None:
    path = walk(history)
    for a, b in itertools.pairwise(path):
        for clock in ("acknowledged_at", "verified_at", "dispatched_at"):
            assert getattr(a, clock) in (None, getattr(b, clock))
        assert b.updated_at >= a.updated_at
        assert (b.closed_at is None) == b.state.is_open
        assert (b.duplicate_of is not None) == (b.state is S.DUPLICATE)


@given(st.sampled_from(IncidentState), actions)
def test_what_is_not_allowed_is_refused_and_says_what_is(
    state: IncidentState, action: IncidentAction
) -> None:
    before = incident(
        state, duplicate_of=IncidentId("incident-2") if state is S.DUPLICATE else None
    )
    if (state, action) in TRANSITIONS:
        assert take(before, action).state is TRANSITIONS[state, action]
        return
    with pytest.raises(IllegalStep) as refused:
        take(before, action)
    assert refused.value.state is state
    assert refused.value.allowed == allowed_actions(state)
    assert action not in refused.value.allowed


@given(st.sampled_from(IncidentState))
def test_from_everywhere_there_is_a_way_to_the_end_and_back(state: IncidentState) -> None:
    ends = {TRANSITIONS[state, action] for action in allowed_actions(state)}
    assert not state.is_open or any(not end.is_open for end in ends)
    assert state.is_open or S.ACKNOWLEDGED in ends


@given(st.sampled_from(IncidentState))
def test_a_note_changes_no_state_and_no_clock(state: IncidentState) -> None:
    before = incident(state, reason="sebab lama")
    after = take(before, A.NOTE, 3)
    assert [note.text for note in after.notes] == ["catatan"]
    assert (
        replace(
            after,
            notes=(),
            version=before.version,
            updated_at=before.updated_at,
            last_actor=before.last_actor,
        )
        == before
    )


@pytest.mark.parametrize("action", [A.REJECT, A.CANCEL, A.REOPEN])
def test_some_steps_need_a_reason(action: IncidentAction) -> None:
    before = incident(S.CLOSED if action is A.REOPEN else S.DETECTED)
    with pytest.raises(ContractError, match="needs a reason") as refused:
        step(before, action, actor="sari", at=START, reason="  ")
    assert refused.value.field == "reason"


def test_words_that_are_missing_or_out_of_place() -> None:
    def refused(action: IncidentAction, **words: str) -> str:
        with pytest.raises(ContractError) as error:
            step(incident(), action, actor="sari", at=START, **words)  # type: ignore[arg-type]
        return error.value.field

    assert refused(A.NOTE) == "note"
    assert refused(A.MARK_DUPLICATE) == "duplicate_of"
    assert refused(A.MARK_DUPLICATE, duplicate_of="incident-1") == "duplicate_of"
    assert refused(A.VERIFY, duplicate_of="incident-2") == "duplicate_of"
    assert refused(A.VERIFY, note="x" * (MAX_TEXT + 1)) == "note"
    assert refused(A.REJECT, reason="x" * (MAX_TEXT + 1)) == "reason"


def test_reopening_takes_back_the_end_and_nothing_else() -> None:
    closed = walk([A.VERIFY, A.DISPATCH, A.CLOSE])[-1]
    again = take(closed, A.REOPEN, 60)
    assert (again.state, again.closed_at) == (S.ACKNOWLEDGED, None)
    assert (again.verified_at, again.dispatched_at) == (closed.verified_at, closed.dispatched_at)
