"""Calls and new incidents make the cameras look: which ones, how many, and for how long."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from contracts import (
    AlarmLevel,
    CallerFix,
    CameraId,
    Disc,
    FixShape,
    Incident,
    IncidentId,
    LonLat,
    Outline,
    Polygon,
    Report,
    Sector,
    WatchClosely,
)

WATCH_FOR = timedelta(minutes=2)
"""A camera goes back to its keyframes after this long without another cue."""
MOST_CAMERAS = 12
"""Cameras a cue: watching one at full rate costs about as much as ten cold ones."""
FRESH_FOR = timedelta(minutes=5)
"""Older calls are caught up with, not looked for: what they tell of is elsewhere by now."""
LARGEST_RADIUS_M = 1_000.0
"""Of a wider region no camera sees a share worth its cost; its middle is looked at."""

_METRES_PER_DEGREE = 111_320.0


class Views(Protocol):
    """Who sees a place."""

    def cameras_seeing(
        self, place: LonLat, radius_m: float, exercise: bool, most: int
    ) -> tuple[CameraId, ...]:
        """The cameras that see a part of a disc, best first."""
        ...


class Cueing:
    """Remembers which incidents it has cued for, so that each does so once a level."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._cued: dict[IncidentId, AlarmLevel] = {}

    def for_reports(self, reports: Iterable[Report], now: datetime) -> list[WatchClosely]:
        """A cue for each fresh caller's position that cameras see."""
        cues: list[WatchClosely] = []
        for report in reports:
            fix = report.body
            if not isinstance(fix, CallerFix) or now - fix.received_at > FRESH_FOR:
                continue
            centre, radius_m = disc_around(fix.shape)
            cameras = self._views.cameras_seeing(
                centre, min(radius_m, LARGEST_RADIUS_M), fix.exercise, MOST_CAMERAS
            )
            if cameras:
                why = f"call {fix.call_id}"
                cues.append(WatchClosely(camera_ids=cameras, until=now + WATCH_FOR, why=why))
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
            if incident.best_camera_ids:
                cues.append(
                    WatchClosely(
                        camera_ids=incident.best_camera_ids[:MOST_CAMERAS],
                        until=now + WATCH_FOR,
                        why=f"incident {incident.id}",
                    )
                )
        return cues


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
