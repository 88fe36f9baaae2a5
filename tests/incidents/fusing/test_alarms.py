from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts import AlarmLevel, CallId, Estimate, Hazard, Incident, IncidentId, IncidentState
from incidents.fusing.alarms import AlarmPolicy
from plumbing.settings import FusionSettings
from tests.incidents.make import estimate, incident
from tests.support.store import START


def seen(probability: float, **changes: Any) -> Estimate:
    return replace(estimate(), probability=probability, call_ids=(), **changes)


def told(number: int, **changes: Any) -> Incident:
    return replace(
        incident(),
        id=IncidentId(f"inc-{number}"),
        state=IncidentState.DETECTED,
        level=AlarmLevel.ALARM,
        estimate=seen(0.5),
        **changes,
    )


def test_a_level_falls_later_than_it_rises() -> None:
    policy = AlarmPolicy(FusionSettings())
    quiet, loud = AlarmLevel.CANDIDATE, AlarmLevel.ALARM
    assert policy.level(seen(0.04), quiet) is quiet
    assert policy.level(seen(0.04), loud) is loud
    assert policy.level(seen(0.01), loud) is quiet
    assert policy.level(seen(0.0001), loud) is AlarmLevel.SIGNAL


def test_a_hazard_has_its_own_costs() -> None:
    policy = AlarmPolicy(FusionSettings(alarm_from_by_hazard={"flood": 0.6}))
    flood = seen(0.5, hazard=Hazard.FLOOD)
    assert policy.level(flood, AlarmLevel.SIGNAL) is AlarmLevel.CANDIDATE
    assert policy.level(seen(0.5, hazard=Hazard.FIRE), AlarmLevel.SIGNAL) is AlarmLevel.ALARM


def test_load_raises_what_cameras_need_within_bounds_and_falls_again() -> None:
    policy = AlarmPolicy(FusionSettings(alarm_budget_per_hour=4, alarm_bound=3))
    for number in range(40):
        policy.note(told(number), START)
    assert policy.odds_factor == 3
    assert policy.level(seen(0.1), AlarmLevel.SIGNAL) is AlarmLevel.CANDIDATE
    called = replace(seen(0.1), call_ids=(CallId("call-1"),))
    assert policy.level(called, AlarmLevel.SIGNAL) is AlarmLevel.ALARM
    assert policy.load(START + timedelta(hours=1, seconds=1)).alarms_last_hour == 0
    assert policy.odds_factor == 1


def test_one_incident_is_one_alarm() -> None:
    policy = AlarmPolicy(FusionSettings())
    for second in range(5):
        policy.note(told(1), START + timedelta(seconds=second))
    assert policy.load(START).alarms_last_hour == 1


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_place_that_chatters_is_shown_quietly_unless_confirmed(*, confirmed: bool) -> None:
    policy = AlarmPolicy(FusionSettings())
    for number in range(3):
        policy.note(told(number), START)
    if confirmed:
        real = told(2, verified_at=START)
        policy.note(replace(real, state=IncidentState.VERIFIED), START)
    found = policy.level(seen(0.9), AlarmLevel.SIGNAL)
    assert found is (AlarmLevel.ALARM if confirmed else AlarmLevel.CANDIDATE)


def test_a_flood_begins_above_ten_and_is_grouped_and_ends() -> None:
    policy = AlarmPolicy(FusionSettings())
    for number in range(11):
        policy.note(told(number, place_name="Bekasi Timur"), START)
    load = policy.load(START)
    assert load.flood_since == START and load.alarms_last_ten_minutes == 11
    assert [(one.place_name, one.count) for one in load.groups] == [("Bekasi Timur", 11)]
    assert policy.load(START + timedelta(minutes=11)).flood_since is None


def test_a_new_leader_knows_of_the_flood_from_what_was_told() -> None:
    first, second = AlarmPolicy(FusionSettings()), AlarmPolicy(FusionSettings())
    alarms = [(told(number), START + timedelta(seconds=number)) for number in range(12)]
    for one, at in alarms:
        first.note(one, at)
    second.note(told(99), START)
    second.recall(alarms)
    now = START + timedelta(minutes=1)
    assert second.load(now) == first.load(now)
    assert first.load(now).flood_since is not None and first.load(now).chattering


def test_exercises_burden_nobody_and_nothing_real_burdens_them() -> None:
    policy = AlarmPolicy(FusionSettings(alarm_budget_per_hour=4, alarm_bound=3))
    policy.note(replace(told(1), estimate=seen(0.9, exercise=True)), START)
    assert policy.load(START).alarms_last_hour == 0
    for number in range(40):
        policy.note(told(number), START)
    assert policy.level(seen(0.1), AlarmLevel.SIGNAL) is AlarmLevel.CANDIDATE
    assert policy.level(seen(0.1, exercise=True), AlarmLevel.SIGNAL) is AlarmLevel.ALARM
