"""How loudly an incident is told: three levels, by what alarms cost and by what the desk can bear.

An alarm is worth sounding where the probability exceeds ``C_false / (C_false + C_missed)``; that is
what `alarm_from` says, a hazard at a time where `alarm_from_by_hazard` does. What the desk is given
beyond its budget it can't look at, so that the odds an alarm needs rise with the load of the last
hour, and fall again, within `alarm_bound`. A place that sounds again and again, where nobody
confirms anything, is chattering and is shown quietly. More than ten alarms in ten minutes are a
flood (ISA-18.2), which ends below five.

What callers report is never held back by load or chatter: people aren't lamps.

`level` is pure, so that a decision can be applied again; `note` counts what was told, after it was.
A new leader recalls the last hour from the log, so that a flood outlives the process that counted
it.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts import (
    AlarmGroup,
    AlarmLevel,
    DeskLoad,
    Estimate,
    Hazard,
    Incident,
    IncidentId,
    IncidentState,
)
from plumbing.settings import FusionSettings

FALLS_AT_ODDS = 0.4
"""A level falls only once the odds are this share of what it needs: levels that flutter around a
threshold are chattering alarms."""
LOAD_OVER = timedelta(hours=1)
CHATTERS_AT = 3
"""Alarms at one place within `CHATTER_OVER`, none confirmed."""
CHATTER_OVER = timedelta(minutes=30)
FLOOD_OVER = timedelta(minutes=10)
FLOOD_FROM, FLOOD_UNTIL = 10, 5
MOST_GROUPS = 20
_CELL_DEG = 0.001
"""About 110 m."""

_LEVELS = (AlarmLevel.SIGNAL, AlarmLevel.CANDIDATE, AlarmLevel.ALARM)

Place = tuple[Hazard, int, int]


@dataclass(frozen=True, slots=True)
class Sounded:
    """An alarm that was told."""

    at: datetime
    incident_id: IncidentId
    place: Place
    place_name: str


class AlarmPolicy:
    """Levels for one desk; see the module."""

    def __init__(self, settings: FusionSettings) -> None:
        self._settings = settings
        self._sounded: deque[Sounded] = deque()
        self._confirmed: set[Place] = set()
        self._loud: set[IncidentId] = set()
        self._flood_since: datetime | None = None
        self._now: datetime | None = None

    def level(self, estimate: Estimate, before: AlarmLevel) -> AlarmLevel:
        """How loudly to tell of what was told of as ``before``."""
        settings = self._settings
        alarm_from = settings.alarm_from_by_hazard.get(estimate.hazard.value, settings.alarm_from)
        # An exercise is told as on a calm desk: what really burdens it is no part of it.
        is_held_back = not estimate.call_ids and not estimate.exercise
        if is_held_back:
            alarm_from = _at_odds(alarm_from, self.odds_factor)
        found = AlarmLevel.SIGNAL
        for level, least in (
            (AlarmLevel.CANDIDATE, min(settings.candidate_from, alarm_from)),
            (AlarmLevel.ALARM, alarm_from),
        ):
            held = _LEVELS.index(before) >= _LEVELS.index(level)
            if estimate.probability >= (_at_odds(least, FALLS_AT_ODDS) if held else least):
                found = level
        if (
            found is AlarmLevel.ALARM
            and before is not AlarmLevel.ALARM
            and is_held_back
            and self._chatters(_place_of(estimate))
        ):
            return AlarmLevel.CANDIDATE
        return found

    def note(self, incident: Incident, now: datetime) -> None:
        """Count an incident that was told."""
        self._pass_to(now)
        if incident.estimate.exercise:
            return
        place = _place_of(incident.estimate)
        if incident.state not in (IncidentState.DETECTED, IncidentState.ACKNOWLEDGED):
            self._loud.discard(incident.id)
            if incident.verified_at is not None:
                self._confirmed.add(place)
            return
        if incident.level is not AlarmLevel.ALARM:
            self._loud.discard(incident.id)
        elif incident.id not in self._loud:
            self._loud.add(incident.id)
            self._sounded.append(Sounded(now, incident.id, place, incident.place_name))
            self._judge_flood(now)

    @property
    def odds_factor(self) -> float:
        """What the load makes of the odds that a camera's alarm needs."""
        load = len(self._sounded) / self._settings.alarm_budget_per_hour
        return min(max(load, 1.0), self._settings.alarm_bound)

    def load(self, now: datetime) -> DeskLoad:
        """For people to see."""
        self._pass_to(now)
        quiet = set(filter(self._chatters, {one.place for one in self._sounded}))
        lately = (one for one in self._sounded if now - one.at <= CHATTER_OVER)
        return DeskLoad(
            at=now,
            alarms_last_ten_minutes=self._recent(now),
            alarms_last_hour=len(self._sounded),
            budget_per_hour=self._settings.alarm_budget_per_hour,
            odds_factor=round(self.odds_factor, 2),
            odds_bound=self._settings.alarm_bound,
            flood_since=self._flood_since,
            groups=() if self._flood_since is None else _grouped(self._sounded),
            chattering=_grouped(one for one in lately if one.place in quiet),
        )

    def recall(self, told: Iterable[tuple[Incident, datetime]]) -> None:
        """Begin anew from what was told, and when, in the last hour."""
        self._sounded.clear()
        self._confirmed.clear()
        self._loud.clear()
        self._flood_since = None
        for incident, at in told:
            self.note(incident, at)

    def _chatters(self, place: Place) -> bool:
        if self._now is None or place in self._confirmed:
            return False
        since = self._now - CHATTER_OVER
        return sum(s.place == place and s.at >= since for s in self._sounded) >= CHATTERS_AT

    def _pass_to(self, now: datetime) -> None:
        self._now = now
        while self._sounded and now - self._sounded[0].at > LOAD_OVER:
            self._loud.discard(self._sounded.popleft().incident_id)
        if not self._sounded:
            self._confirmed.clear()
        self._judge_flood(now)

    def _recent(self, now: datetime) -> int:
        return sum(now - one.at <= FLOOD_OVER for one in self._sounded)

    def _judge_flood(self, now: datetime) -> None:
        recent = self._recent(now)
        if self._flood_since is None and recent > FLOOD_FROM:
            self._flood_since = now
        elif self._flood_since is not None and recent < FLOOD_UNTIL:
            self._flood_since = None


def _grouped(sounded: Iterable[Sounded]) -> tuple[AlarmGroup, ...]:
    counts = Counter((one.place[0], one.place_name) for one in sounded)
    return tuple(
        AlarmGroup(hazard=hazard, place_name=name, count=count)
        for (hazard, name), count in counts.most_common(MOST_GROUPS)
    )


def _at_odds(probability: float, factor: float) -> float:
    """The probability whose odds are a multiple of another's."""
    if probability >= 1:
        return 1.0
    odds = factor * probability / (1 - probability)
    return odds / (1 + odds)


def _place_of(estimate: Estimate) -> Place:
    place = estimate.location
    # Floor, so that a cell is as wide on both sides of the equator.
    return (
        estimate.hazard,
        math.floor(place.lon / _CELL_DEG),
        math.floor(place.lat / _CELL_DEG),
    )
