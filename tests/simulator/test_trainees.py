from __future__ import annotations

from datetime import UTC, datetime, timedelta

from contracts import IncidentState
from simulator.trainees import Act, Case, trainee_scores

AT = datetime(2026, 11, 22, 3, tzinfo=UTC)


def act(actor: str, state: IncidentState, after_s: float) -> Act:
    return Act(actor, state, AT + timedelta(seconds=after_s))


def test_each_step_counts_for_who_took_it_first_and_waits_are_medians() -> None:
    real = Case(
        AT,
        True,
        (
            act("ani", IncidentState.ACKNOWLEDGED, 8),
            act("ani", IncidentState.VERIFIED, 30),
            act("budi", IncidentState.DISPATCHED, 44),
        ),
    )
    other = Case(
        AT,
        False,
        (act("ani", IncidentState.ACKNOWLEDGED, 12), act("ani", IncidentState.REJECTED, 25)),
    )
    ani, budi = (person.to_plain() for person in trainee_scores([real, other]))
    assert ani["name"] == "ani"
    assert (ani["acknowledged"], ani["acknowledged_s"]) == (2, 10.0)
    assert (ani["verified"], ani["verified_s"], ani["right"]) == (1, 30.0, 2)
    assert (budi["dispatched"], budi["dispatched_s"], budi["right"]) == (1, 44.0, 0)
    assert budi["acknowledged_s"] is None


def test_wrong_verdicts_are_told_apart_and_the_last_one_counts() -> None:
    believed = Case(AT, False, (act("ani", IncidentState.VERIFIED, 5),))
    dismissed = Case(AT, True, (act("ani", IncidentState.REJECTED, 5),))
    mended = Case(
        AT,
        True,
        (
            act("ani", IncidentState.REJECTED, 5),
            act("ani", IncidentState.DETECTED, 9),
            act("ani", IncidentState.VERIFIED, 14),
        ),
    )
    (ani,) = trainee_scores([believed, dismissed, mended])
    assert (ani.right, ani.believed, ani.dismissed) == (1, 1, 1)


def test_the_end_of_an_exercise_is_nobodys_decision_and_what_nobody_can_judge_isnt_judged() -> None:
    swept = Case(AT, True, (act("city", IncidentState.CANCELLED, 200),))
    unknown = Case(AT, None, (act("ani", IncidentState.VERIFIED, 5),))
    (ani,) = trainee_scores([swept, unknown])
    assert (ani.name, ani.right, ani.believed, ani.dismissed) == ("ani", 0, 0, 0)
