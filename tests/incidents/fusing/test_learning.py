from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts import (
    CallId,
    CameraId,
    Contribution,
    Incident,
    IncidentId,
    IncidentState,
    Sighting,
    SourceKind,
    TrackId,
)
from geo.fusion import FusionParameters
from incidents.errors import NotFound
from incidents.fusing.learnt import CALLS, CLUTTER, EXISTENCE, FALSE_CALLS, parameters_with
from incidents.rows import add_row
from incidents.store import Store
from tests.incidents.make import detection, estimate, incident
from tests.support.store import START

ASSUMED = FusionParameters()


def decided(number: int, *, real: bool, log_odds: float, exercise: bool = False) -> Incident:
    state = IncidentState.CLOSED if real else IncidentState.REJECTED
    share = Contribution(source=SourceKind.PRIOR, source_id="", log_odds=log_odds)
    return replace(
        incident(state),
        id=IncidentId(f"inc-{number}"),
        verified_at=START if real else None,
        closed_at=START,
        estimate=replace(estimate(), contributions=(share,), exercise=exercise),
    )


async def put(store: Store, *incidents: Incident) -> None:
    async with store._database.writing() as writing:
        for one in incidents:
            await add_row(
                writing.connection,
                one,
                founded_seq=10_000 + int(one.id.removeprefix("inc-")),
                guard_version=1,
                acted_seq=1,
                told_at=START,
            )


def verdicts(*, exercise: bool = False) -> list[Incident]:
    """What was said to be certain was so half the time."""
    return [
        decided(
            number, real=number % 2 == 0, log_odds=4.0 if number < 60 else -4.0, exercise=exercise
        )
        for number in range(80)
    ]


async def test_verdicts_bend_probabilities_and_change_rates(store: Store) -> None:
    await put(store, *verdicts())
    assert await store.learning.learn(ASSUMED, START + timedelta(hours=1))
    parameters, knots = parameters_with(ASSUMED, await store.learning.figures())
    assert 0.4 < knots[-1] < 0.6
    calls = len(estimate().call_ids)
    assert (parameters.false_calls_per_km2_day > ASSUMED.false_calls_per_km2_day) is (calls > 0)
    assert not await store.learning.learn(ASSUMED, START + timedelta(hours=2)), "nothing is new"


async def test_exercises_teach_nothing(store: Store) -> None:
    await put(store, *verdicts(exercise=True))
    assert not await store.learning.learn(ASSUMED, START + timedelta(hours=1))
    assert await store.learning.figures() == []


async def test_what_is_frozen_stays_and_what_is_reset_starts_anew(store: Store) -> None:
    await put(store, *verdicts())
    await store.learning.learn(ASSUMED, START)
    frozen = await store.learning.freeze(EXISTENCE, frozen=True)
    assert frozen.frozen and frozen.value
    await put(store, *(decided(100 + n, real=True, log_odds=4.0) for n in range(200)))
    await store.learning.learn(ASSUMED, START)
    assert await store.learning.freeze(EXISTENCE, frozen=True) == frozen
    await store.learning.freeze(EXISTENCE, frozen=False)
    assert await store.learning.learn(ASSUMED, START)
    anew = await store.learning.reset(EXISTENCE)
    assert anew.value == () and anew.since is not None
    await store.learning.learn(ASSUMED, START)
    assert parameters_with(ASSUMED, await store.learning.figures())[1] == ()


async def test_what_was_never_learnt_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.learning.reset(FALSE_CALLS)


async def test_how_many_people_call_is_learnt_from_ended_incidents(store: Store) -> None:
    calls = tuple(CallId(f"call-{number}") for number in range(9))
    loud = [
        replace(one, estimate=replace(one.estimate, call_ids=calls))
        for one in (decided(number, real=True, log_odds=4.0) for number in range(40))
    ]
    await put(store, *loud)
    await store.learning.learn(ASSUMED, START + timedelta(hours=1))
    (figure,) = [one for one in await store.learning.figures() if one.name.startswith(CALLS)]
    hazard = loud[0].hazard
    assert figure.name == f"{CALLS}{hazard.value}" and figure.samples == 40
    assert figure.assumed == (ASSUMED.calls_per_event(hazard),)
    parameters, _ = parameters_with(ASSUMED, await store.learning.figures())
    assert ASSUMED.calls_per_event(hazard) < parameters.calls_per_event(hazard) < 9
    await store.learning.reset(figure.name)
    parameters, _ = parameters_with(ASSUMED, await store.learning.figures())
    assert parameters.calls_per_event(hazard) == ASSUMED.calls_per_event(hazard)


async def test_what_a_camera_cries_of_one_kind_is_not_held_against_another(
    any_store: Store,
) -> None:
    for number in range(60):
        sighting = Sighting.FIRE if number == 0 else Sighting.CRASH
        seen = replace(
            detection(number), track_id=TrackId(f"{sighting}-{number}"), sighting=sighting
        )
        await any_store.reports.accept([seen])
    camera_id = CameraId("camera-1")
    await any_store.learning.learn(ASSUMED, START + timedelta(days=1))
    figures = {one.name: one for one in await any_store.learning.figures()}
    crash = figures[f"{CLUTTER}crash/{camera_id}"]
    assert crash.samples == 59 and figures[f"{CLUTTER}fire/{camera_id}"].samples == 1
    parameters, _ = parameters_with(ASSUMED, figures.values())
    assert parameters.clutter(camera_id, Sighting.CRASH) == crash.value[0] > 10
    assert parameters.clutter(camera_id, Sighting.FIRE) < 2 * ASSUMED.assumed_clutter(Sighting.FIRE)
    assert parameters.clutter(camera_id, Sighting.SMOKE) == ASSUMED.assumed_clutter(Sighting.SMOKE)
    other = CameraId("another")
    assert parameters.clutter(other, Sighting.CRASH) == ASSUMED.assumed_clutter(Sighting.CRASH)
