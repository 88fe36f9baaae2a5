"""Scores a partition of reports into incidents against the truth.

Every figure is of sources: a call, or a camera's track, however many reports it made.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from shapely import Point
from shapely.geometry.base import BaseGeometry

from simulator.reports import TrueEvent

SURE = 0.5
"""Incidents at least this probable are held to exist."""
GOSPA_M = 300.0
"""Cut-off of GOSPA: farther than this, an incident isn't the event's."""


@dataclass(frozen=True, slots=True)
class Found:
    """One incident as a method found it, in metres of the city's plane."""

    sources: frozenset[str]
    probability: float
    xy: tuple[float, float]
    created_at: datetime | None = None
    region50: BaseGeometry | None = None
    region90: BaseGeometry | None = None


@dataclass(slots=True)
class Tally:
    """Counts that add up over cities."""

    pairs_right: int = 0
    pairs_wrong: int = 0
    pairs_missed: int = 0
    events: int = 0
    seen: int = 0
    duplicates: int = 0
    incidents: int = 0
    merged: int = 0
    false: int = 0
    false_not_lone_calls: int = 0
    hours: float = 0.0
    inside50: int = 0
    inside90: int = 0
    regions: int = 0
    gospa2: float = 0.0
    cities: int = 0
    probabilities: list[float] = field(default_factory=list)
    real: list[bool] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    errors_m: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """Shares of one; counts a city-day; metres; seconds."""
        precision = _share(self.pairs_right, self.pairs_right + self.pairs_wrong)
        recall = _share(self.pairs_right, self.pairs_right + self.pairs_missed)
        both = precision + recall
        days = self.hours / 24
        return {
            "events": self.events,
            "pair_f1": 2 * precision * recall / both if both else 0.0,
            "pair_precision": precision,
            "pair_recall": recall,
            "pairs": self.pairs_right + self.pairs_missed,
            "duplicates": _share(self.duplicates, self.seen),
            "false_merges": _share(self.merged, self.incidents),
            "missed": 1 - _share(self.seen, self.events),
            "false_a_day": self.false / days,
            "false_not_lone_calls_a_day": self.false_not_lone_calls / days,
            "coverage50": _share(self.inside50, self.regions),
            "coverage90": _share(self.inside90, self.regions),
            "regions": self.regions,
            "gospa_m": math.sqrt(self.gospa2 / max(1, self.events)),
            "calibration_error": calibration_error(self.probabilities, self.real),
            "brier": float(np.mean((np.array(self.probabilities) - np.array(self.real)) ** 2)),
            "median_m": _median(self.errors_m),
            "create_s_p50": _median(self.waits_s),
        }


def score(
    tally: Tally,
    found: Sequence[Found],
    truth: Mapping[str, int | None],
    events: Sequence[TrueEvent],
    hours: float,
    first_report: Mapping[int, datetime],
) -> None:
    """Adds one city's incidents to the tally.

    Args:
        tally: Grows.
        found: All incidents, also the improbable ones.
        truth: A source to the event it is about; None for clutter and nonsense.
        events: What happened, by number.
        hours: How long the city was watched.
        first_report: When the first report about an event came.
    """
    tally.cities += 1
    tally.hours += hours
    home = {source: number for number, one in enumerate(found) for source in one.sources}
    _pairs(tally, home, truth)
    reported = sorted({number for number in truth.values() if number is not None})
    tally.events += len(reported)
    held = [one for one in found if one.probability >= SURE]
    holders: Counter[int] = Counter()
    for one in found:
        about = Counter(number for s in one.sources if (number := truth.get(s)) is not None)
        tally.probabilities.append(one.probability)
        tally.real.append(bool(about))
        if one.probability < SURE:
            continue
        tally.incidents += 1
        tally.merged += len(about) > 1
        if not about:
            tally.false += 1
            tally.false_not_lone_calls += not _is_lone_call(one.sources)
            continue
        # The earlier event wins a tie, so that a score doesn't hang on a dictionary's order.
        main = min(about, key=lambda number: (-about[number], number))
        holders[main] += 1
        _regions(tally, one, events[main])
        if one.created_at is not None and holders[main] == 1 and main in first_report:
            tally.waits_s.append((one.created_at - first_report[main]).total_seconds())
    tally.seen += len(holders)
    tally.duplicates += sum(count - 1 for count in holders.values())
    tally.gospa2 += gospa2([one.xy for one in held], [events[n].xy for n in reported])


def gospa2(found: Sequence[tuple[float, float]], true: Sequence[tuple[float, float]]) -> float:
    """Squared generalised OSPA (Rahmathullah et al. 2017): p = 2, alpha = 2, c = `GOSPA_M`."""
    lone = GOSPA_M**2 / 2
    if not found or not true:
        return lone * (len(found) + len(true))
    off = np.array(found)[:, None] - np.array(true)[None]
    cost = np.minimum(np.sum(off**2, axis=2), GOSPA_M**2)
    rows, columns = linear_sum_assignment(cost)
    paired = cost[rows, columns]
    near = paired[paired < GOSPA_M**2]
    return float(near.sum() + lone * (len(found) + len(true) - 2 * len(near)))


def calibration_error(said: Sequence[float], true: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error over equal bins of probability."""
    p, real = np.array(said), np.array(true, dtype=float)
    if not len(p):
        return 0.0
    which = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [
        abs(p[which == b].mean() - real[which == b].mean()) * np.mean(which == b)
        for b in range(bins)
        if np.any(which == b)
    ]
    return float(sum(gaps))


def _pairs(tally: Tally, home: Mapping[str, int], truth: Mapping[str, int | None]) -> None:
    together: Counter[int] = Counter(home[s] for s in truth if s in home)
    of_event = Counter(number for number in truth.values() if number is not None)
    both = Counter((home[s], n) for s, n in truth.items() if n is not None and s in home)
    right = sum(_choose2(count) for count in both.values())
    tally.pairs_right += right
    tally.pairs_wrong += sum(map(_choose2, together.values())) - right
    tally.pairs_missed += sum(map(_choose2, of_event.values())) - right


def _regions(tally: Tally, one: Found, event: TrueEvent) -> None:
    tally.errors_m.append(math.dist(one.xy, event.xy))
    if one.region50 is None or one.region90 is None:
        return
    point = Point(event.xy)
    tally.regions += 1
    tally.inside50 += one.region50.contains(point)
    tally.inside90 += one.region90.contains(point)


def _is_lone_call(sources: Iterable[str]) -> bool:
    first, *others = sources
    return not others and first.startswith("call:")


def _choose2(count: int) -> int:
    return count * (count - 1) // 2


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else 0.0
