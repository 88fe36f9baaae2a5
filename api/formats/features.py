"""Incidents and cameras as GeoJSON features (RFC 7946).

The geometry is the likeliest place; the regions that hold the incident with 50 % and 90 % are
properties, since one feature has one geometry. Cameras come without their addresses.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contracts import Camera, CameraHealth, CameraState, Incident, LonLat, to_plain

MEDIA_TYPE = "application/geo+json"


def incident_feature(incident: Incident) -> dict[str, Any]:
    """An incident, in JSON's plain values."""
    estimate = incident.estimate
    return {
        "type": "Feature",
        "id": incident.id,
        "geometry": point(estimate.location),
        "properties": {
            "hazard": incident.hazard.value,
            "state": incident.state.value,
            "is_open": incident.state.is_open,
            "level": incident.level.value,
            "priority": incident.priority,
            "probability": estimate.probability,
            "place_name": incident.place_name,
            "street": incident.street,
            "exercise": estimate.exercise,
            "started_at": instant(estimate.started_at),
            "last_report_at": instant(estimate.last_report_at),
            "created_at": instant(incident.created_at),
            "updated_at": instant(incident.updated_at),
            "acknowledged_at": instant(incident.acknowledged_at),
            "verified_at": instant(incident.verified_at),
            "dispatched_at": instant(incident.dispatched_at),
            "ended_at": instant(incident.closed_at),
            "duplicate_of": incident.duplicate_of,
            "version": incident.version,
            "cameras": len(estimate.camera_ids),
            "calls": len(estimate.call_ids),
            "region50": to_plain(estimate.region50.area),
            "region90": to_plain(estimate.region90.area),
        },
    }


def camera_feature(camera: Camera, health: CameraHealth | None) -> dict[str, Any]:
    """A camera with how it is, in JSON's plain values."""
    pose = camera.pose
    state = CameraState.UNWATCHED if health is None else health.state
    return {
        "type": "Feature",
        "id": camera.id,
        "geometry": point(camera.position),
        "properties": {
            "name": camera.name,
            "group": camera.group,
            "enabled": camera.enabled,
            "exercise": camera.exercise,
            "state": state.value,
            "state_since": instant(None if health is None else health.since),
            "height_m": None if pose is None else pose.height_m,
            "bearing_deg": None if pose is None else pose.bearing_deg,
            "hfov_deg": None if pose is None else pose.hfov_deg,
            "range_m": None if pose is None else pose.range_m,
        },
    }


def point(place: LonLat) -> dict[str, Any]:
    """A GeoJSON Point, longitude first."""
    return {"type": "Point", "coordinates": [place.lon, place.lat]}


def instant(at: datetime | None) -> str | None:
    """A time as RFC 3339 has it, in UTC."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")
