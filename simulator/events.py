"""A scenario's events: what they are in the scene, and the truth to score a system against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contracts import Hazard, LonLat
from geo.projection import LocalProjection
from simulator.scenario import (
    CrashPlan,
    DecoyPlan,
    EventPlan,
    FalseCallPlan,
    FirePlan,
    FloodPlan,
    Scenario,
    UnseenPlan,
)
from simulator.scene.crashes import Crash
from simulator.scene.fires import Fire
from simulator.scene.floods import Flood
from simulator.scene.lookalikes import Decoy, LookAlike
from simulator.scene.people import Gathering
from simulator.scene.place import Place
from simulator.scene.script import Jam, Script

_WET_M = 0.035
"""Wet asphalt is water of this depth: it mirrors, and nobody would call it a flood."""


@dataclass(frozen=True, slots=True)
class TrueEvent:
    """What truly happens, in one round of a scenario."""

    id: str
    index: int
    """Of the scenario's events."""
    kind: str
    hazard: Hazard | None
    """What an incident about it should be; None for a look-alike or a false call."""
    at: LonLat
    place_index: int
    a: float
    b: float
    starts_s: float
    ends_s: float
    extent_m: float
    """It reaches so far about its place."""

    @property
    def is_seen(self) -> bool:
        """Whether cameras can see it."""
        return self.kind not in (*_UNSEEN_KINDS, "false_call")


_UNSEEN_KINDS = ("medical", "crime", "disaster", "other")


def true_event(
    scenario: Scenario,
    index: int,
    places: Sequence[Place],
    projection: LocalProjection,
    number: int,
) -> TrueEvent:
    """The truth about one event of a scenario, in its ``number``-th round."""
    plan = scenario.events[index]
    place_index = min(plan.at.junction, len(places) - 1)
    a, b, extent_m = plan.at.a, plan.at.b, 3.0
    match plan:
        case FirePlan():
            extent_m = plan.width_m / 2
        case CrashPlan():
            a, b = _crash(plan, "", 0).middle()
            extent_m = 8.0
        case FloodPlan():
            extent_m = max(plan.reach_a_m, plan.reach_b_m)
        case _:
            pass
    x, y = places[place_index].to_plane(np.array([(a, b)]))[0]
    starts = plan.starts_s + number * scenario.seconds
    lasts = 0.0 if isinstance(plan, FalseCallPlan) else plan.lasts_s
    name = scenario.id_of(index)
    return TrueEvent(
        id=f"{name}.{number + 1}" if number else name,
        index=index,
        kind=plan.kind,
        hazard=hazard_of(plan),
        at=projection.place(float(x), float(y)),
        place_index=place_index,
        a=a,
        b=b,
        starts_s=starts,
        ends_s=starts + lasts,
        extent_m=extent_m,
    )


def hazard_of(plan: EventPlan) -> Hazard | None:
    """What a plan's incident should be."""
    match plan:
        case FirePlan() | CrashPlan() | FloodPlan() | UnseenPlan():
            return Hazard(plan.kind)
        case _:
            return None


def script_of(scenario: Scenario, place_index: int, seed: int) -> Script:
    """What happens at one junction, as its cameras see it."""
    fires, crashes, floods = [], [], []
    decoys, jams, gatherings = [], [], []
    for index, plan in enumerate(scenario.events):
        if plan.at.junction != place_index:
            continue
        name, own = scenario.id_of(index), seed * 31 + index
        at = plan.at
        match plan:
            case FirePlan():
                fires.append(
                    Fire(
                        name, at.a, at.b, plan.starts_s, plan.lasts_s, plan.width_m, own % 97,
                        wind=plan.wind,
                    )
                )  # fmt: skip
                gatherings.append(
                    Gathering(
                        f"{name}/people", at.a, at.b, plan.starts_s, plan.lasts_s, 6,
                        ring_m=4.5 + 1.2 * plan.width_m, seed=own,
                    )
                )  # fmt: skip
            case CrashPlan():
                crash = _crash(plan, name, own)
                a, b = crash.middle()
                crashes.append(crash)
                gatherings.append(
                    Gathering(
                        f"{name}/people", a, b, plan.starts_s, plan.lasts_s, 8, seed=own,
                        lying=(a + 3.4, b + 1.6) if plan.hurt else None,
                    )
                )  # fmt: skip
            case FloodPlan():
                floods.append(
                    Flood(
                        name, at.a, at.b, plan.reach_a_m, plan.reach_b_m, plan.depth_m,
                        plan.starts_s, plan.rises_s, plan.lasts_s, plan.recedes_s, own,
                    )
                )  # fmt: skip
            case DecoyPlan(kind="congestion"):
                jams.append(Jam(name, at.a, at.b, plan.starts_s, plan.lasts_s))
            case DecoyPlan(kind="wet_asphalt"):
                reach = 9.0 * plan.size
                floods.append(
                    Flood(
                        name, at.a, at.b, reach, reach / 2, _WET_M, plan.starts_s, 5.0,
                        plan.lasts_s, 5.0, own,
                    )
                )  # fmt: skip
            case DecoyPlan():
                decoys.append(
                    Decoy(
                        name, LookAlike(plan.kind), at.a, at.b, plan.starts_s, plan.lasts_s,
                        plan.up_m, plan.size, own % 97,
                    )
                )  # fmt: skip
            case _:
                pass
    return Script(
        seed,
        fires,
        crashes,
        floods,
        decoys,
        jams,
        gatherings,
        period_s=scenario.seconds if scenario.repeats else None,
        density=scenario.traffic,
        walkers=scenario.walkers,
    )


def _crash(plan: CrashPlan, name: str, seed: int) -> Crash:
    return Crash(name, plan.at.a, plan.at.b, plan.starts_s, plan.lasts_s, plan.shape, seed % 89)
