"""Calls and new incidents make the cameras look: which ones, how many, and for how long."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from contracts import (
    AlarmLevel,
    CallerFix,
    CameraId,
    Disc,
    Estimate,
    FixShape,
    Hazard,
    Incident,
    IncidentId,
    LonLat,
    Outline,
    Polygon,
    Report,
    Sector,
    WatchClosely,
)
from geo.visibility import RankedCamera

WATCH_FOR = timedelta(minutes=2)
"""A camera goes back to its keyframes after this long without another cue."""
MOST_CAMERAS = 12
"""Cameras a cue: watching one at full rate costs about as much as ten cold ones."""
FRESH_FOR = timedelta(minutes=5)
"""Older calls are caught up with, not looked for: what they tell of is elsewhere by now."""
LARGEST_RADIUS_M = 1_000.0
"""Of a wider region no camera sees a share worth its cost; its middle is looked at."""

STANDS_OFF_M = 60.0
"""About a caller, however well placed, an event is looked for this far."""
CALL_PRIOR = 0.8
"""That a call is about an event, before fusion has thought about it."""
SEEN_WITHIN_M = 10.0
"""How well a camera places what it sees."""

_METRES_PER_DEGREE = 111_320.0


class Views(Protocol):
    """Who sees a place."""

    def ranked(
        self, place: LonLat, radius_m: float, exercise: bool, hazard: Hazard | None
    ) -> Sequence[RankedCamera]:
        """The cameras that see a part of a disc, with their chances of finding a hazard in it."""
        ...


class Cueing:
    """Remembers which incidents it has cued for, so that each does so once a level, and which
    cameras are hot, so that there are never more than the budget of those that it asked for.

    Of the cameras that see a place, those that are expected to tell most come first; where the
    budget is spent, only what is hot already is kept hot.
    """

    def __init__(self, views: Views, budget: int, detection_probability: float) -> None:
        self._views = views
        self._budget = budget
        self._finds = detection_probability
        self._cued: dict[IncidentId, AlarmLevel] = {}
        self._hot: dict[CameraId, datetime] = {}
        self.refused = 0
        """Cameras that would have told something, but for the budget."""

    def for_reports(self, reports: Iterable[Report], now: datetime) -> list[WatchClosely]:
        """A cue for each fresh caller's position that cameras see."""
        cues: list[WatchClosely] = []
        for report in reports:
            fix = report.body
            if not isinstance(fix, CallerFix) or now - fix.received_at > FRESH_FOR:
                continue
            centre, radius_m = disc_around(fix.shape)
            radius_m = max(min(radius_m, LARGEST_RADIUS_M), STANDS_OFF_M)
            ranked = self._views.ranked(centre, radius_m, fix.exercise, None)
            cues += self._cue(ranked, CALL_PRIOR, radius_m, now, f"call {fix.call_id}")
        return cues

    def for_incidents(self, incidents: Iterable[Incident], now: datetime) -> list[WatchClosely]:
        """A cue for each incident that became worth showing, or an alarm, with cameras in view."""
        cues: list[WatchClosely] = []
        for incident in incidents:
            if not incident.state.is_open:
                self._cued.pop(incident.id, None)
                continue
            if incident.level is AlarmLevel.SIGNAL or self._cued.get(incident.id) in (
                incident.level,
                AlarmLevel.ALARM,
            ):
                continue
            self._cued[incident.id] = incident.level
            estimate = incident.estimate
            radius_m = min(_reach_m(estimate), LARGEST_RADIUS_M)
            ranked = self._views.ranked(
                estimate.location, radius_m, estimate.exercise, estimate.hazard
            )
            why = f"incident {incident.id}"
            cues += self._cue(ranked, estimate.probability, radius_m, now, why)
        return cues

    def _cue(
        self,
        ranked: Sequence[RankedCamera],
        probability: float,
        radius_m: float,
        now: datetime,
        why: str,
    ) -> list[WatchClosely]:
        for camera_id in [one for one, until in self._hot.items() if until <= now]:
            del self._hot[camera_id]
        told = {
            one.camera_id: information(probability, self._finds * one.probability, radius_m)
            for one in ranked
        }
        # Sorting is stable: of equals the better view stays first.
        best = sorted(told, key=lambda camera_id: -told[camera_id])[:MOST_CAMERAS]
        chosen = []
        for camera_id in best:
            if camera_id not in self._hot and len(self._hot) >= self._budget:
                self.refused += 1
                continue
            self._hot[camera_id] = now + WATCH_FOR
            chosen.append(camera_id)
        if not chosen:
            return []
        return [WatchClosely(camera_ids=tuple(chosen), until=now + WATCH_FOR, why=why)]


def information(probability: float, finds: float, radius_m: float) -> float:
    """Nats that a look is expected to tell: of whether there is an event, and of where.

    Args:
        probability: That there is an event.
        finds: That the camera shows it, if there is one where it may be.
        radius_m: How far off it may be from where it is thought to be.
    """
    seen = probability * finds
    left = (probability - seen) / (1 - seen) if seen < 1 else 0.0
    of_existence = _entropy(probability) - (1 - seen) * _entropy(left)
    return of_existence + seen * 2 * math.log1p(radius_m / SEEN_WITHIN_M)


def _entropy(p: float) -> float:
    return -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)


def _reach_m(estimate: Estimate) -> float:
    """How far the incident may be from its location, by its 50 % region."""
    area = estimate.region50.area
    rings = area.coordinates[:1] if isinstance(area, Polygon) else _outer(area.coordinates)
    east = _METRES_PER_DEGREE * math.cos(math.radians(estimate.location.lat))
    return max(
        math.hypot(
            (lon - estimate.location.lon) * east,
            (lat - estimate.location.lat) * _METRES_PER_DEGREE,
        )
        for ring in rings
        for lon, lat in ring
    )


def disc_around(shape: FixShape) -> tuple[LonLat, float]:
    """A disc that covers most of a caller's region: its centre and radius in metres."""
    match shape:
        case Disc():
            return shape.centre, shape.radius_m
        case Sector():
            # The middle of the sector's axis; half its range reaches both ends.
            off_m = shape.range_m / 2 if shape.opening_deg < 180 else 0.0
            azimuth = math.radians(shape.azimuth_deg)
            return (
                _moved(shape.antenna, off_m * math.sin(azimuth), off_m * math.cos(azimuth)),
                shape.range_m / 2 if off_m else shape.range_m,
            )
        case Outline():
            area = shape.area
            rings = area.coordinates[:1] if isinstance(area, Polygon) else _outer(area.coordinates)
            lons = [lon for ring in rings for lon, _ in ring]
            lats = [lat for ring in rings for _, lat in ring]
            centre = LonLat((min(lons) + max(lons)) / 2, (min(lats) + max(lats)) / 2)
            east_m = (max(lons) - min(lons)) * math.cos(math.radians(centre.lat))
            return centre, math.hypot(east_m, max(lats) - min(lats)) * _METRES_PER_DEGREE / 2


def _outer(
    polygons: tuple[tuple[tuple[tuple[float, float], ...], ...], ...],
) -> tuple[tuple[tuple[float, float], ...], ...]:
    return tuple(polygon[0] for polygon in polygons)


def _moved(place: LonLat, east_m: float, north_m: float) -> LonLat:
    per_lon = _METRES_PER_DEGREE * max(0.01, math.cos(math.radians(place.lat)))
    lat = max(-90.0, min(90.0, place.lat + north_m / _METRES_PER_DEGREE))
    return LonLat((place.lon + east_m / per_lon + 180) % 360 - 180, lat)
