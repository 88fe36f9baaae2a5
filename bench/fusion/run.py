"""`siaga bench fusion`: cities whose truth is known, as assumed, under stress, and varied."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.fusion.causes import Causes
from bench.fusion.cities import Results, made_city, measure
from geo.fusion import FusionParameters
from geo.projection import LocalProjection
from simulator.reports import STRESS, VARIATIONS, CityAssumptions
from simulator.reports.assumptions import sized
from simulator.reports.city import CENTRE

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which cities: ``seeds`` each of the assumed kind and of the stressed one, and one of each
    variation where asked for.
    """

    side_m: float = 5_000.0
    cameras: int = 500
    hours: float = 96.0
    first_seed: int = 101
    seeds: int = 2
    variations: bool = False
    explained: bool = False
    """Whether every fault is put down to what caused it."""


FULL = Plan(side_m=10_000.0, cameras=2_000, hours=24.0, seeds=5, variations=True)
"""The city that the aims are stated for."""


def run(plan: Plan, parameters: FusionParameters, say: Say) -> dict[str, Any]:
    """Figures of the assumed city at the top, those of the others below it."""
    assumed = _cities("as assumed", CityAssumptions(), plan, parameters, say, baselines=True)
    stressed = _cities("stress", STRESS, plan, parameters, say)
    milliseconds = 1e3 * np.array(assumed.seconds)
    figures: dict[str, Any] = {
        "p50_ms": float(np.percentile(milliseconds, 50)),
        "p95_ms": float(np.percentile(milliseconds, 95)),
        "p99_ms": float(np.percentile(milliseconds, 99)),
        "reports_per_s": 1e3 / float(milliseconds.mean()),
        **assumed.of("siaga").figures(),
        "cities": {
            "seeds": [plan.first_seed + number for number in range(plan.seeds)],
            "side_m": plan.side_m,
            "cameras": plan.cameras,
            "hours": plan.hours,
        },
        "baselines": {n: t.figures() for n, t in assumed.tallies.items() if n != "siaga"},
        "stress": stressed.of("siaga").figures(),
    }
    if assumed.causes is not None and stressed.causes is not None:
        figures["causes"] = assumed.causes.figures()
        figures["stress"]["causes"] = stressed.causes.figures()
        for name, causes in (("as assumed", assumed.causes), ("stress", stressed.causes)):
            say("\n".join((f"{name}:", *causes.rows())))
    if plan.variations:
        once = replace(plan, seeds=1)
        figures["variations"] = {
            name: _cities(name, city, once, parameters, say).of("siaga").figures()
            for name, city in VARIATIONS.items()
        }
    return figures


def _cities(
    name: str,
    assumptions: CityAssumptions,
    plan: Plan,
    parameters: FusionParameters,
    say: Say,
    *,
    baselines: bool = False,
) -> Results:
    results = Results(causes=Causes() if plan.explained else None)
    cameras = min(plan.cameras, round(assumptions.cameras * plan.cameras / 2_000))
    sized_city = sized(assumptions, side_m=plan.side_m, cameras=cameras, hours=plan.hours)
    for number in range(plan.seeds):
        seed = plan.first_seed + number
        city = made_city(sized_city, seed)
        say(f"{name}, seed {seed}: {len(city.lines)} reports about {len(city.events)} events")
        projection = LocalProjection(CENTRE)
        measure(results, city, projection, parameters, plan.hours, baselines=baselines)
    return results


_COLUMNS = {
    "pair_f1": "pair F1",
    "duplicates": "duplicates",
    "false_merges": "two in one",
    "missed": "missed",
    "false_a_day": "false/day",
    "coverage50": "in 50 %",
    "coverage90": "in 90 %",
    "gospa_m": "GOSPA m",
    "calibration_error": "ECE",
}


def table(figures: Mapping[str, Any]) -> str:
    """For people."""
    rows = [f"{'':<26}" + "".join(f"{title:>11}" for title in _COLUMNS.values())]
    rows.append(_row("siaga", figures))
    rows += [_row(name, row) for name, row in figures["baselines"].items()]
    rows.append(_row("siaga, stress", figures["stress"]))
    rows += [_row(f"siaga, {name}", row) for name, row in figures.get("variations", {}).items()]
    rows.append(
        f"a report: p50 {figures['p50_ms']:.2f} ms, p95 {figures['p95_ms']:.1f} ms, "
        f"p99 {figures['p99_ms']:.1f} ms, {figures['reports_per_s']:.0f} a second; "
        f"{json.dumps(figures['cities'])}"
    )
    return "\n".join(rows)


def _row(name: str, row: Mapping[str, Any]) -> str:
    return f"{name:<26}" + "".join(f"{row[key]:>11.3f}" for key in _COLUMNS)
