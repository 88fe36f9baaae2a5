"""What learnt figures are reckoned from, and what fusion makes of them. No I/O."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from contracts import CameraId, Hazard, Incident, LearntFigure, Sighting
from geo.fusion import FusionParameters
from geo.fusion.learning import calls_per_event, gamma_poisson, isotonic

EXISTENCE = "existence"
DISTANCE = "caller_distance_factor"
FALSE_CALLS = "false_calls_per_km2_day"
CLUTTER = "clutter_tracks_per_day/"
"""Before a sighting, a slash and a camera's id."""
CALLS = "calls_per_event/"
"""Before a hazard."""

FALSE_CALLS_WEIGHT = 50.0
"""Calls decided about that count as much as what is assumed."""
CALLS_WEIGHT = 20.0
"""Events that count as much as what is assumed of how many people call."""
WORTH_CHANGING = 0.05
"""Share by which a figure must differ from the one in use to take its place."""


@dataclass(frozen=True, slots=True)
class Case:
    """An incident that people have called real or not."""

    incident: Incident
    decided_at: datetime
    real: bool


def parameters_with(
    assumed: FusionParameters, figures: Iterable[LearntFigure]
) -> tuple[FusionParameters, tuple[float, ...]]:
    """Parameters with what was learnt, and the pairs that probabilities are bent by."""
    known = {figure.name: figure.value for figure in figures if figure.value}
    changes: dict[str, float] = {}
    if DISTANCE in known:
        changes["standoff_factor"] = known[DISTANCE][0]
    if FALSE_CALLS in known:
        changes["false_calls_per_km2_day"] = known[FALSE_CALLS][0]
    clutter = {
        _sighting_of(name): value[0] for name, value in known.items() if name.startswith(CLUTTER)
    }
    calls = {
        Hazard(name.removeprefix(CALLS)): value[0]
        for name, value in known.items()
        if name.startswith(CALLS)
    }
    parameters = replace(
        assumed,
        **changes,  # type: ignore[arg-type]
        clutter_by_camera=clutter,
        calls_by_hazard=calls,
    )
    return parameters, known.get(EXISTENCE, ())


def clutter_name(camera_id: CameraId, sighting: Sighting) -> str:
    """What the figure is called of how much of a kind a camera reports of nothing real."""
    return f"{CLUTTER}{sighting}/{camera_id}"


def _sighting_of(name: str) -> tuple[CameraId, Sighting]:
    sighting, camera_id = name.removeprefix(CLUTTER).split("/", 1)
    return CameraId(camera_id), Sighting(sighting)


def existence(cases: Sequence[Case], now: datetime) -> LearntFigure:
    """How often what was reckoned turned out true."""
    # The contributions sum to the log odds as they were reckoned, before any bending.
    said = [
        1
        / (1 + math.exp(-max(-700.0, sum(c.log_odds for c in one.incident.estimate.contributions))))
        for one in cases
    ]
    value = isotonic(said, [one.real for one in cases])
    rounded = tuple(round(knot, 4) for knot in value)
    return LearntFigure(
        name=EXISTENCE, value=rounded, assumed=(), samples=len(cases), learnt_at=now
    )


def false_calls(cases: Sequence[Case], parameters: FusionParameters, now: datetime) -> LearntFigure:
    """By the share of the calls decided about that were about nothing: no area is needed."""
    assumed = parameters.false_calls_per_km2_day
    true_rate = parameters.true_calls_per_km2_day
    calls = [(len(case.incident.estimate.call_ids), case.real) for case in cases]
    false = sum(count for count, real in calls if not real)
    whole = sum(count for count, _ in calls)
    share = assumed / (assumed + true_rate)
    share = gamma_poisson(false, whole, share, FALSE_CALLS_WEIGHT)
    value = (round(max(true_rate * share / (1 - share), 1e-6), 5),) if whole else ()
    return LearntFigure(
        name=FALSE_CALLS, value=value, assumed=(assumed,), samples=whole, learnt_at=now
    )


def calls_by_hazard(
    cases: Sequence[Case],
    known: Mapping[str, LearntFigure],
    parameters: FusionParameters,
    now: datetime,
) -> list[LearntFigure]:
    """How many people call about an event, a hazard that there are ended real incidents of."""
    found = []
    for hazard in Hazard:
        name = CALLS + hazard.value
        calls = [
            (len(case.incident.estimate.call_ids), bool(case.incident.estimate.camera_ids))
            for case in after_reset(cases, known.get(name))
            if case.real and case.incident.hazard is hazard and not case.incident.state.is_open
        ]
        # What was told of by an agency or an app alone tells nothing of callers.
        calls = [one for one in calls if any(one)]
        if calls:
            mean = parameters.calls_per_event(hazard)
            rate = calls_per_event(calls, mean, CALLS_WEIGHT, parameters.call_rate_shape)
            found.append(
                LearntFigure(
                    name=name,
                    value=(round(rate, 3),),
                    assumed=(mean,),
                    samples=len(calls),
                    learnt_at=now,
                )
            )
    return found


def after_reset(cases: Sequence[Case], figure: LearntFigure | None) -> Sequence[Case]:
    """The cases that were decided after a figure was last reset."""
    if figure is None or figure.since is None:
        return cases
    return [case for case in cases if case.decided_at > figure.since]


def differs(known: LearntFigure | None, found: LearntFigure) -> bool:
    """Whether it is worth rebuilding fusion's memory for."""
    if known is None or len(known.value) != len(found.value):
        return bool(found.value) and not (known is not None and known.frozen)
    return not known.frozen and any(
        abs(before - after) > WORTH_CHANGING * max(abs(before), abs(after))
        for before, after in zip(known.value, found.value, strict=True)
    )
