"""How loud the alarms were: plain values in, figures out, no I/O.

They follow ISA-18.2 (and EEMUA 191): about one alarm in ten minutes an operator is fine, more than
ten are a flood, and less than 1 % of the time should be in flood.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents.reporting.facts import AlarmFact, Span
from incidents.reporting.statistics import share

PERIOD = timedelta(minutes=10)
FLOOD_FROM = 10
"""More alarms than this in `PERIOD`, an operator, are a flood (ISA-18.2)."""
MANAGEABLE = 2
"""At most so many in `PERIOD`, an operator, are manageable; one is fine."""
CHATTER_COUNT = 3
CHATTER_WITHIN = timedelta(hours=1)
"""One source that sounds so often within this time chatters. ISA-18.2 says three a minute of a
sensor; an incident of ours stands for minutes, so the time is longer."""
STALE_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chatter:
    """A source that sounded again and again."""

    camera_id: str
    hazard: str
    alarms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmFigures:
    """How loud it was, an operator."""

    operators: int
    alarms: int
    periods: int
    """Of ten minutes."""
    average: float
    """Alarms a period and operator."""
    busiest: float
    busiest_at: datetime | None
    share_fine: float
    """Of the periods: at most one alarm an operator."""
    share_manageable: float
    share_in_flood: float
    chattering: tuple[Chatter, ...]
    stale: tuple[str, ...]
    """Incidents that stood for longer than a day without being acknowledged or ended."""
    unacknowledged: int


def alarm_figures(
    alarms: Sequence[AlarmFact], span: Span, now: datetime, operators: int = 1
) -> AlarmFigures:
    """The ISA-18.2 figures of a span; what of it lies ahead of ``now`` isn't counted."""
    until = max(span.since, min(span.until, now))
    periods = max(1, math.ceil((until - span.since) / PERIOD))
    counts = Counter((one.at - span.since) // PERIOD for one in alarms)
    loads = [count / operators for count in counts.values()]
    quiet = periods - len(loads)
    busiest = max(counts, key=lambda period: counts[period], default=None)
    return AlarmFigures(
        operators=operators,
        alarms=len(alarms),
        periods=periods,
        average=len(alarms) / operators / periods,
        busiest=max(loads, default=0.0),
        busiest_at=None if busiest is None else span.since + busiest * PERIOD,
        share_fine=share(quiet + sum(load <= 1 for load in loads), periods),
        share_manageable=share(quiet + sum(load <= MANAGEABLE for load in loads), periods),
        share_in_flood=share(sum(load > FLOOD_FROM for load in loads), periods),
        chattering=_chattering(alarms),
        stale=tuple(one.incident.id for one in alarms if _stood(one, now) > STALE_AFTER),
        unacknowledged=sum(
            one.incident.acknowledged_at is None and one.incident.state.is_open for one in alarms
        ),
    )


def _stood(alarm: AlarmFact, now: datetime) -> timedelta:
    """For how long nobody acknowledged or ended it."""
    ends = (alarm.incident.acknowledged_at, alarm.incident.closed_at)
    end = min((one for one in ends if one is not None), default=now)
    return end - alarm.at


def _chattering(alarms: Sequence[AlarmFact]) -> tuple[Chatter, ...]:
    times: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for one in alarms:
        for camera_id in one.incident.camera_ids:
            times[camera_id, one.incident.hazard.value].append(one.at)
    found = [
        Chatter(camera_id=camera_id, hazard=hazard, alarms=len(at))
        for (camera_id, hazard), at in times.items()
        if any(
            last - first <= CHATTER_WITHIN
            for first, last in zip(at, at[CHATTER_COUNT - 1 :], strict=False)
        )
    ]
    return tuple(sorted(found, key=lambda one: (-one.alarms, one.camera_id, one.hazard)))
