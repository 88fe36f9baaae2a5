"""What calls that cue cameras are worth: the same simulated days with and without.

An event is **confirmed** once one incident that alarms holds both a caller and a camera's track of
it. The time runs from its first call, and is 0 where a camera had told of it before.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.fusion.cities import ReadCity, read_city
from bench.fusion.cued_day import Day, Seen, Way
from plumbing.settings import FusionSettings
from simulator.reports import CityAssumptions, NumericCity, make_city, write_city
from simulator.reports.assumptions import SEEN_BY_CAMERAS, sized
from simulator.reports.looking import Looking

RARELY_S = 30.0
"""Between two looks of a cold camera where there are many more cameras than the machine can look
at."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which days."""

    side_m: float = 10_000.0
    cameras: int = 2_000
    hours: float = 24.0
    busy: float = 4.0
    """Times as many events as on an ordinary day, of which a camera shows two; fusion knows."""
    first_seed: int = 101
    seeds: int = 2


def ways() -> tuple[Way, ...]:
    """The rows of the table; each cued one follows its like without."""
    often, rarely = Looking(), Looking(cold_every_s=RARELY_S)
    return (
        Way("every keyframe", often),
        Way("every keyframe, cued", often, cued=True),
        Way(f"every {RARELY_S:.0f} s", rarely),
        Way(f"every {RARELY_S:.0f} s, cued", rarely, cued=True),
        Way("all closely, all day", often, all_hot=True),
    )


@dataclass
class Tally:
    """What a way of watching came to, over days."""

    days: float = 0.0
    called: int = 0
    """Events of a kind that cameras see, which somebody called about."""
    in_view: int = 0
    """Those of them that a camera shows."""
    waits_s: list[float] = field(default_factory=list)
    """From the first call until they were confirmed."""
    vain_alarms: int = 0
    hot_s: float = 0.0
    hot_most: int = 0
    cues: int = 0
    refused: int = 0

    def add(self, seen: Seen, called: Mapping[int, float], days: float) -> None:
        """One day more; ``called`` are the events that count, with their first calls."""
        self.days += days
        self.called += len(called)
        self.in_view += len(called.keys() & seen.in_view)
        self.waits_s += [
            max(0.0, seen.confirmed_s[number] - called_s)
            for number, called_s in called.items()
            if number in seen.confirmed_s
        ]
        self.vain_alarms += seen.vain_alarms
        self.hot_s += seen.hot_s
        self.hot_most = max(self.hot_most, seen.hot_most)
        self.cues += seen.cues
        self.refused += seen.refused

    def figures(self) -> dict[str, Any]:
        """As they are printed; times are null where there is nothing to take them of."""
        waits = np.sort(np.array(self.waits_s))
        return {
            "called": self.called,
            "in_view": self.in_view,
            "confirmed": len(waits),
            "share_confirmed": round(len(waits) / max(1, self.in_view), 3),
            "share_within_10_s": round(float(np.sum(waits <= 10)) / max(1, self.in_view), 3),
            "share_within_60_s": round(float(np.sum(waits <= 60)) / max(1, self.in_view), 3),
            "median_s": _percentile(waits, 50),
            "p90_s": _percentile(waits, 90),
            "vain_alarms_a_day": round(self.vain_alarms / self.days, 2),
            "hot_camera_minutes_a_day": round(self.hot_s / 60 / self.days, 1),
            "hot_most": self.hot_most,
            "cues_a_day": round(self.cues / self.days, 1),
            "refused": self.refused,
        }


def _percentile(waits: np.ndarray[Any, np.dtype[np.float64]], share: float) -> float | None:
    return round(float(np.percentile(waits, share)), 1) if len(waits) else None


def run(
    plan: Plan, fusion: FusionSettings, say: Say, watched: Sequence[Way] | None = None
) -> dict[str, Any]:
    """The figures of every way, by its name; those of `ways` where none are given."""
    base = CityAssumptions()
    rates = {hazard: plan.busy * rate for hazard, rate in base.events_per_km2_day.items()}
    assumptions = sized(
        replace(base, events_per_km2_day=rates),
        side_m=plan.side_m,
        cameras=plan.cameras,
        hours=plan.hours,
    )
    known = {name: plan.busy * rate for name, rate in fusion.events_per_km2_day.items()}
    fusion = fusion.model_copy(update={"events_per_km2_day": known})
    tallies = {way: Tally() for way in watched or ways()}
    for seed in range(plan.first_seed, plan.first_seed + plan.seeds):
        city, read = _made(assumptions, seed)
        for way, tally in tallies.items():
            seen = Day(city, read, seed, way, fusion).run()
            called = {
                event.number: seen.first_call_s[event.number]
                for event in city.events
                if event.hazard in SEEN_BY_CAMERAS and event.number in seen.first_call_s
            }
            tally.add(seen, called, plan.hours / 24)
            say(f"seed {seed}, {way.name}: {len(seen.confirmed_s)} of {len(called)} confirmed")
    return {
        "cities": {
            "seeds": [plan.first_seed + number for number in range(plan.seeds)],
            "side_m": plan.side_m,
            "cameras": plan.cameras,
            "hours": plan.hours,
            "busy": plan.busy,
        },
        "hot_cameras": fusion.hot_cameras,
        "ways": {way.name: tally.figures() for way, tally in tallies.items()},
    }


def _made(assumptions: CityAssumptions, seed: int) -> tuple[NumericCity, ReadCity]:
    """A city as it truly is, and as it is read from its files."""
    city = make_city(assumptions, seed)
    with tempfile.TemporaryDirectory() as folder:
        write_city(city, Path(folder))
        return city, read_city(Path(folder))


_COLUMNS = {
    "in_view": "in view",
    "share_confirmed": "confirmed",
    "share_within_10_s": "in 10 s",
    "share_within_60_s": "in 60 s",
    "median_s": "median s",
    "p90_s": "p90 s",
    "vain_alarms_a_day": "vain/day",
    "hot_camera_minutes_a_day": "hot min/day",
    "hot_most": "hot most",
    "cues_a_day": "cues/day",
    "refused": "refused",
}


def table(figures: Mapping[str, Any]) -> str:
    """For people."""
    rows = [f"{'cameras are looked at':<24}" + "".join(f"{t:>12}" for t in _COLUMNS.values())]
    for name, row in figures["ways"].items():
        cells = ("-" if row[key] is None else f"{row[key]:g}" for key in _COLUMNS)
        rows.append(f"{name:<24}" + "".join(f"{cell:>12}" for cell in cells))
    made = figures["cities"]
    side_km = made["side_m"] / 1000
    rows.append(
        f"{len(made['seeds'])} days of {side_km:g} x {side_km:g} km, "
        f"{made['cameras']} cameras, {made['busy']:g} times as much as usual, "
        f"seeds from {made['seeds'][0]}; "
        f"at most {figures['hot_cameras']} cameras hot at a time"
    )
    return "\n".join(rows)
