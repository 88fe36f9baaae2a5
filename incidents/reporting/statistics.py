"""The reports' arithmetic but for the alarms: plain values in, tables out, no I/O."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import quantiles
from zoneinfo import ZoneInfo

from contracts import Hazard, IncidentState
from incidents.reporting.facts import CallFact, IncidentFact

ACKNOWLEDGE_WITHIN = timedelta(seconds=15)
VERIFY_WITHIN = timedelta(seconds=60)
"""Our own targets, after NENA's and NFPA's for calls."""
METRES_PER_DEGREE = 111_320.0
NOWHERE = ""
"""The area of what lies in none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRow:
    """One kind of emergency, as the city's table has it."""

    kind: str
    incidents: int
    incident_share: float
    calls: int
    call_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """The month's table, and the same by area and by hour of the day."""

    rows: tuple[KindRow, ...]
    incidents: int
    calls: int
    by_area: dict[str, dict[str, int]]
    """Incidents of each kind an area, areas with most first."""
    by_hour: tuple[dict[str, int], ...]
    """Incidents of each kind, by the local hour that they began in (24 of them)."""


def kinds(
    incidents: Sequence[IncidentFact], calls: Sequence[CallFact], timezone: ZoneInfo
) -> Kinds:
    """Count what was real, and every call; a call without a hazard is of kind ``other``."""
    real = [one for one in incidents if one.was_real]
    of_incidents = Counter(one.hazard.value for one in real)
    of_calls = Counter((one.hazard or Hazard.OTHER).value for one in calls)
    areas: dict[str, Counter[str]] = defaultdict(Counter)
    hours: list[Counter[str]] = [Counter() for _ in range(24)]
    for one in real:
        areas[one.place_name or NOWHERE][one.hazard.value] += 1
        hours[one.started_at.astimezone(timezone).hour][one.hazard.value] += 1
    order = sorted(
        (hazard.value for hazard in Hazard),
        key=lambda kind: (-of_calls[kind], -of_incidents[kind], kind),
    )
    return Kinds(
        rows=tuple(
            KindRow(
                kind=kind,
                incidents=of_incidents[kind],
                incident_share=share(of_incidents[kind], len(real)),
                calls=of_calls[kind],
                call_share=share(of_calls[kind], len(calls)),
            )
            for kind in order
        ),
        incidents=len(real),
        calls=len(calls),
        by_area={
            area: dict(counts)
            for area, counts in sorted(areas.items(), key=lambda item: (-item[1].total(), item[0]))
        },
        by_hour=tuple(dict(counts) for counts in hours),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How long a step took, over the incidents that took it; seconds, none where none did."""

    step: str
    count: int
    missing: int
    """Incidents that never took it."""
    p50_s: float | None
    p90_s: float | None
    longest_s: float | None
    target_s: float | None
    within_target: float | None
    """Share within the target, of those that took it."""


_STEPS: tuple[
    tuple[
        str,
        Callable[[IncidentFact], datetime | None],
        Callable[[IncidentFact], datetime | None],
        timedelta | None,
    ],
    ...,
] = (
    (
        "acknowledge",
        lambda one: one.created_at,
        lambda one: one.acknowledged_at,
        ACKNOWLEDGE_WITHIN,
    ),
    ("verify", lambda one: one.created_at, lambda one: one.verified_at, VERIFY_WITHIN),
    ("dispatch", lambda one: one.verified_at, lambda one: one.dispatched_at, None),
    ("arrive", lambda one: one.dispatched_at, lambda one: one.on_scene_at, None),
    ("close", lambda one: one.created_at, lambda one: one.closed_at, None),
)


def clocks(incidents: Sequence[IncidentFact]) -> tuple[Clock, ...]:
    """The response clocks over what was real; each step from the one before it."""
    real = [one for one in incidents if one.was_real]
    found = []
    for step, begun, done, target in _STEPS:
        started = [one for one in real if begun(one) is not None]
        taken = sorted(
            (end - begin).total_seconds()
            for one in started
            if (begin := begun(one)) is not None and (end := done(one)) is not None
        )
        in_time = (
            None
            if target is None or not taken
            else share(sum(one <= target.total_seconds() for one in taken), len(taken))
        )
        found.append(
            Clock(
                step=step,
                count=len(taken),
                missing=len(started) - len(taken),
                p50_s=_quantile(taken, 50),
                p90_s=_quantile(taken, 90),
                longest_s=taken[-1] if taken else None,
                target_s=None if target is None else target.total_seconds(),
                within_target=in_time,
            )
        )
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """What became of the incidents that a camera reported, of one hazard on one day."""

    camera_id: str
    """Empty for those that calls alone reported."""
    hazard: str
    day: date
    rejected: int
    confirmed: int
    undecided: int


def ledger(incidents: Iterable[IncidentFact], timezone: ZoneInfo) -> tuple[LedgerRow, ...]:
    """The false-alarm ledger: by camera, hazard and local day; most rejected first.

    A repeat of another incident counts with that one. One that several cameras reported counts for
    each of them.
    """
    counts: dict[tuple[str, str, date], Counter[str]] = defaultdict(Counter)
    for one in incidents:
        if one.state is IncidentState.DUPLICATE:
            continue
        verdict = "undecided"
        if one.state is IncidentState.REJECTED:
            verdict = "rejected"
        elif one.verified_at is not None:
            verdict = "confirmed"
        day = one.started_at.astimezone(timezone).date()
        for camera_id in one.camera_ids or ("",):
            counts[camera_id, one.hazard.value, day][verdict] += 1
    rows = (
        LedgerRow(
            camera_id=camera_id,
            hazard=hazard,
            day=day,
            rejected=count["rejected"],
            confirmed=count["confirmed"],
            undecided=count["undecided"],
        )
        for (camera_id, hazard, day), count in counts.items()
    )
    return tuple(sorted(rows, key=lambda row: (-row.rejected, row.day, row.camera_id, row.hazard)))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatCell:
    """A square of the map with what happened in it; its middle."""

    lon: float
    lat: float
    count: int
    by_kind: dict[str, int]


def heat(incidents: Iterable[IncidentFact], cell_m: float) -> tuple[HeatCell, ...]:
    """Count what was real in squares of about ``cell_m``; the fullest first."""
    height = cell_m / METRES_PER_DEGREE
    cells: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for one in incidents:
        if one.was_real:
            row = math.floor(one.lat / height)
            cells[row, math.floor(one.lon / _width(row, height))][one.hazard.value] += 1
    found = (
        HeatCell(
            lon=(column + 0.5) * _width(row, height),
            lat=(row + 0.5) * height,
            count=counts.total(),
            by_kind=dict(counts),
        )
        for (row, column), counts in cells.items()
    )
    return tuple(sorted(found, key=lambda cell: (-cell.count, cell.lat, cell.lon)))


def _width(row: int, height: float) -> float:
    """A cell's width in degrees, the same in its whole row."""
    return height / max(0.01, math.cos(math.radians((row + 0.5) * height)))


def share(part: int, whole: int) -> float:
    """A share; 0 of nothing."""
    return part / whole if whole else 0.0


def _quantile(ordered: Sequence[float], percent: int) -> float | None:
    if not ordered:
        return None
    if len(ordered) == 1:
        return ordered[0]
    return quantiles(ordered, n=100, method="inclusive")[percent - 1]
