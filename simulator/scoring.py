"""Truth beside what the system made of it: found, how soon, how far off, and what was in vain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

from shapely import Point, affinity
from shapely.geometry.base import BaseGeometry

from contracts import Area, Hazard, LonLat
from geo.projection import LocalProjection
from simulator.events import TrueEvent

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
    shown_at: datetime | None
    """When it was first a candidate or an alarm; None while it was a mere signal."""
    alarmed_at: datetime | None
    call_ids: tuple[str, ...] = ()
    camera_ids: tuple[str, ...] = ()
    is_absorbed: bool = False
    """Merged into another, or marked as a duplicate of it."""
    acknowledged_at: datetime | None = None
    verified_at: datetime | None = None
    dispatched_at: datetime | None = None


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
            event_id = max(
                votes, key=lambda name: (votes[name], near is not None and name == near.id)
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
    alarms = [i.alarmed_at for i in incidents if i.alarmed_at is not None]
    begins = [i.shown_at for i in incidents if i.shown_at is not None]
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


def _after(at: datetime, started_at: datetime, event: TrueEvent) -> float:
    return round((at - started_at).total_seconds() - event.starts_s, 1)


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


def as_document(score: Score) -> dict[str, Any]:
    """The score as plain JSON values."""
    found = [row for row in score.events if row.is_found]
    return {
        "scenario": score.scenario,
        "seed": score.seed,
        "started_at": score.started_at.isoformat().replace("+00:00", "Z"),
        "seconds": score.seconds,
        "events": [
            {
                "id": row.event.id,
                "kind": row.event.kind,
                "hazard": row.event.hazard.value if row.event.hazard else None,
                "place": {"lon": row.event.at.lon, "lat": row.event.at.lat},
                "starts_s": row.event.starts_s,
                "found": row.is_found,
                "by": row.by,
                "incidents": list(row.incident_ids),
                "shown_after_s": row.shown_after_s,
                "alarmed_after_s": row.alarmed_after_s,
                "place_error_m": row.place_error_m,
                "in_region": {"50": row.in50, "90": row.in90, "95": row.in95},
                "hazard_is_right": row.hazard_is_right,
                "duplicates": row.duplicates,
            }
            for row in score.events
        ],
        "in_vain": [_vain(row, score.mistaken_for.get(row.id)) for row in score.vain],
        "false_calls": [_vain(row, None) for row in score.false_calls],
        "totals": {
            "events": len(score.events),
            "found": len(found),
            "found_once": sum(row.duplicates == 0 for row in found),
            "duplicates": sum(row.duplicates for row in found),
            "in95": sum(bool(row.in95) for row in found),
            "false_alarms": sum(row.alarmed_at is not None for row in score.vain),
            "false_candidates": sum(row.alarmed_at is None for row in score.vain),
            "false_calls": len(score.false_calls),
            "signals": score.signals,
        },
        "operators": {
            "acknowledged_s": score.clocks.acknowledged_s,
            "verified_s": score.clocks.verified_s,
            "dispatched_s": score.clocks.dispatched_s,
            "untouched": score.clocks.untouched,
        },
    }


def _vain(row: Reported, mistaken_for: str | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "hazard": row.hazard.value,
        "probability": row.probability,
        "location": {"lon": row.location.lon, "lat": row.location.lat},
        "alarmed": row.alarmed_at is not None,
        "mistaken_for": mistaken_for,
    }


def as_table(document: Mapping[str, Any]) -> str:
    """The score for people, from its document."""
    lines = [f"{document['scenario']} (seed {document['seed']}), {document['seconds']:.0f} s"]
    lines.append(
        f"  {'event':<22}{'told by':<9}{'shown':>7}{'alarm':>7}{'off by':>8}  "
        f"{'50/90/95 %':<12}{'kind':<6}duplicates"
    )
    for row in document["events"]:
        if not row["found"]:
            lines.append(f"  {row['id']:<22}not found")
            continue
        regions = "/".join("yes" if row["in_region"][p] else "no" for p in ("50", "90", "95"))
        lines.append(
            f"  {row['id']:<22}{row['by']:<9}{_seconds(row['shown_after_s']):>7}"
            f"{_seconds(row['alarmed_after_s']):>7}{row['place_error_m']:>6.0f} m  "
            f"{regions:<12}{'right' if row['hazard_is_right'] else 'wrong':<6}{row['duplicates']}"
        )
    totals = document["totals"]
    lines.append(
        f"  found {totals['found']} of {totals['events']}, {totals['found_once']} of them once; "
        f"{totals['in95']} in the 95 % region; {totals['false_alarms']} false alarms, "
        f"{totals['false_candidates']} false candidates, {totals['false_calls']} from false calls, "
        f"{totals['signals']} kept as signals"
    )
    for row in document["in_vain"]:
        cause = f", near {row['mistaken_for']}" if row["mistaken_for"] else ""
        loud = "alarm" if row["alarmed"] else "candidate"
        lines.append(f"  false: {row['hazard']} {row['probability']:.1%} ({loud}){cause}")
    clocks = document["operators"]
    lines.append(
        f"  operators: acknowledged after {_seconds(clocks['acknowledged_s'])}, verified after "
        f"{_seconds(clocks['verified_s'])}, dispatched after {_seconds(clocks['dispatched_s'])}; "
        f"{clocks['untouched']} untouched"
    )
    return "\n".join(lines)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} s"
