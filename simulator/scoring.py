"""Truth beside what the system made of it: found, how soon, how far off, and what was in vain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

from shapely import Point, affinity
from shapely.geometry.base import BaseGeometry

from contracts import Area, Hazard, LonLat
from geo.projection import LocalProjection
from simulator.events import TrueEvent
from simulator.trainees import Act, Case, TraineeScore, trainee_scores

_NEAR_M = 150.0
"""An incident that no call ties to an event is about the nearest one within this of its edge."""
_EARLY_S, _LATE_S = 5.0, 180.0
"""It may have been shown so long before the event's beginning and after its end."""
_WIDER_95 = 1.1405
"""A Gaussian's 95 % region is so much wider than its 90 % region: sqrt(ln 0.05 / ln 0.10)."""


@dataclass(frozen=True, slots=True)
class Reported:
    """An incident as its readers came to know it; a copy of `contracts.Incident` with its past."""

    id: str
    hazard: Hazard
    probability: float
    location: LonLat
    region50: Area
    region90: Area
    shown_as: Mapping[Hazard, datetime]
    """When it was first a candidate or an alarm, as each hazard that it was shown as; empty while
    it was a mere signal."""
    alarmed_as: Mapping[Hazard, datetime]
    """When it was first an alarm, as each hazard."""
    call_ids: tuple[str, ...] = ()
    camera_ids: tuple[str, ...] = ()
    is_absorbed: bool = False
    """Merged into another, or marked as a duplicate of it."""
    acknowledged_at: datetime | None = None
    verified_at: datetime | None = None
    dispatched_at: datetime | None = None
    acts: tuple[Act, ...] = ()
    """What people did about it, in order."""

    @property
    def shown_at(self) -> datetime | None:
        """When it was first shown, as whatever."""
        return min(self.shown_as.values(), default=None)

    @property
    def is_alarmed(self) -> bool:
        """Whether it was sounded."""
        return bool(self.alarmed_as)


@dataclass(frozen=True, slots=True)
class EventScore:
    """What became of one event; times in seconds after its beginning."""

    event: TrueEvent
    incident_ids: tuple[str, ...]
    by: str
    """Who told of it: ``cameras``, ``calls``, ``both``, or ``nobody``."""
    shown_after_s: float | None
    alarmed_after_s: float | None
    place_error_m: float | None
    in50: bool | None
    in90: bool | None
    in95: bool | None
    hazard_is_right: bool | None
    duplicates: int

    @property
    def is_found(self) -> bool:
        """Whether an incident about it was shown."""
        return bool(self.incident_ids)


@dataclass(frozen=True, slots=True)
class Clocks:
    """The operators', in seconds from when an incident was shown; medians, None where none."""

    acknowledged_s: float | None
    verified_s: float | None
    dispatched_s: float | None
    untouched: int
    """Shown incidents that nobody has acknowledged."""


@dataclass(frozen=True)
class Score:
    """A scenario's, or of one round of it."""

    scenario: str
    seed: int
    started_at: datetime
    seconds: float
    events: tuple[EventScore, ...]
    vain: tuple[Reported, ...]
    """Shown, and about nothing that happened; `mistaken_for` says what may have caused them.

    Those that were sounded are false alarms; the others stood among the candidates.
    """
    mistaken_for: Mapping[str, str] = field(default_factory=dict)
    false_calls: tuple[Reported, ...] = ()
    """Shown because somebody called about nothing."""
    signals: int = 0
    """Incidents that were kept and never shown."""
    clocks: Clocks = Clocks(None, None, None, 0)
    trainees: tuple[TraineeScore, ...] = ()


def score(
    scenario: str,
    seed: int,
    started_at: datetime,
    seconds: float,
    events: Sequence[TrueEvent],
    incidents: Sequence[Reported],
    call_events: Mapping[str, str],
    projection: LocalProjection,
) -> Score:
    """Lay the system's incidents beside the truth.

    Args:
        scenario: Its name.
        seed: What it was made from.
        started_at: When its own time began.
        seconds: How much of it was played.
        events: What truly happened in that time.
        incidents: All that the system came to have.
        call_events: Which event each call was truly about, by call id; calls that were about
            something that is no event of the scenario's (``medical-elsewhere-3``) too.
        projection: The city's plane.
    """
    by_id = {event.id: event for event in events}
    about: dict[str, list[Reported]] = {event.id: [] for event in events}
    vain: list[Reported] = []
    mistaken: dict[str, str] = {}
    shown = [incident for incident in incidents if incident.shown_at is not None]
    for incident in shown:
        votes = Counter(call_events[call] for call in incident.call_ids if call in call_events)
        near = _nearest(incident, events, started_at, projection)
        is_right = near is not None and near.hazard is incident.hazard
        if near is not None and is_right:
            # What cameras saw is about what happened there, whoever else was taken in.
            votes[near.id] += (
                max(1, len(incident.camera_ids)) if not votes else len(incident.camera_ids)
            )
        if votes:
            # Where it took in what several events caused, it is about one of the kind that it says.
            event_id = max(
                votes,
                key=lambda name: (
                    name in by_id and by_id[name].hazard is incident.hazard,
                    votes[name],
                    near is not None and name == near.id,
                ),
            )
            # Somebody who called about what isn't the scenario's was heard; that is no false alarm.
            if event_id in by_id:
                about[event_id].append(incident)
            continue
        vain.append(incident)
        if near is not None:
            mistaken[incident.id] = near.id
    real = [event for event in events if event.hazard is not None]
    false_calls = [
        incident for event in events if event.kind == "false_call" for incident in about[event.id]
    ]
    # A look-alike has no right incident: whatever is about it is in vain.
    for event in events:
        if event.hazard is None and event.kind != "false_call":
            vain += about[event.id]
            mistaken |= {incident.id: event.id for incident in about[event.id]}
    real_ids = {incident.id for event in real for incident in about[event.id]}
    false_ids = {incident.id for incident in (*vain, *false_calls)}
    cases = [
        Case(
            incident.shown_at,
            True if incident.id in real_ids else False if incident.id in false_ids else None,
            incident.acts,
        )
        for incident in shown
        if incident.shown_at is not None
    ]
    return Score(
        scenario,
        seed,
        started_at,
        seconds,
        tuple(_event_score(event, about[event.id], started_at, projection) for event in real),
        tuple(vain),
        mistaken,
        tuple(false_calls),
        len(incidents) - len(shown),
        _clocks(shown),
        tuple(trainee_scores(cases)),
    )


def _nearest(
    incident: Reported,
    events: Sequence[TrueEvent],
    started_at: datetime,
    projection: LocalProjection,
) -> TrueEvent | None:
    """The event that happened then nearest to it; one of its own kind before all others."""
    if incident.shown_at is None:
        return None
    at_s = (incident.shown_at - started_at).total_seconds()
    found = []
    for event in events:
        if event.starts_s - _EARLY_S <= at_s <= event.ends_s + _LATE_S:
            away = _distance(incident.location, event.at, projection) - event.extent_m
            if away <= _NEAR_M:
                found.append((event.hazard is not incident.hazard, away, event.id, event))
    return min(found)[3] if found else None


def _event_score(
    event: TrueEvent,
    incidents: Sequence[Reported],
    started_at: datetime,
    projection: LocalProjection,
) -> EventScore:
    standing = [incident for incident in incidents if not incident.is_absorbed] or list(incidents)
    standing.sort(key=lambda incident: (-len(incident.call_ids), incident.shown_at or started_at))
    if not standing:
        return EventScore(
            event, (), "nobody", None, None, None, None, None, None, None, 0
        )  # fmt: skip
    best = standing[0]
    region50 = projection.plane(best.region50)
    region90 = projection.plane(best.region90)
    x, y = projection.point(best.location)
    region95 = affinity.scale(region90, _WIDER_95, _WIDER_95, origin=(x, y))
    calls = any(incident.call_ids for incident in incidents)
    cameras = any(incident.camera_ids for incident in incidents)
    begins = [at for i in incidents if (at := _first_as(i.shown_as, event)) is not None]
    alarms = [at for i in incidents if (at := _first_as(i.alarmed_as, event)) is not None]
    return EventScore(
        event,
        tuple(incident.id for incident in standing),
        "both" if calls and cameras else "calls" if calls else "cameras" if cameras else "nobody",
        _after(min(begins), started_at, event) if begins else None,
        _after(min(alarms), started_at, event) if alarms else None,
        round(_distance(best.location, event.at, projection), 1),
        _holds(region50, event, projection),
        _holds(region90, event, projection),
        _holds(region95, event, projection),
        best.hazard is event.hazard,
        len(standing) - 1,
    )


def _first_as(times: Mapping[Hazard, datetime], event: TrueEvent) -> datetime | None:
    """When it was first told as what the event is; as what it was told, where it never was."""
    as_it_is = None if event.hazard is None else times.get(event.hazard)
    return min(times.values(), default=None) if as_it_is is None else as_it_is


def _after(at: datetime, started_at: datetime, event: TrueEvent) -> float:
    # What had been told there as one before was there at once.
    return round(max(0.0, (at - started_at).total_seconds() - event.starts_s), 1)


def _distance(one: LonLat, other: LonLat, projection: LocalProjection) -> float:
    return float(Point(projection.point(one)).distance(Point(projection.point(other))))


def _holds(region: BaseGeometry, event: TrueEvent, projection: LocalProjection) -> bool:
    return bool(region.buffer(0.5).contains(Point(projection.point(event.at))))


def _clocks(shown: Sequence[Reported]) -> Clocks:
    def middle(what: str) -> float | None:
        waits = [
            (at - incident.shown_at).total_seconds()
            for incident in shown
            if incident.shown_at is not None and (at := getattr(incident, what)) is not None
        ]
        return round(median(waits), 1) if waits else None

    untouched = sum(incident.acknowledged_at is None for incident in shown)
    return Clocks(
        middle("acknowledged_at"), middle("verified_at"), middle("dispatched_at"), untouched
    )
