"""Incidents as Cursor-on-Target events (version 2.0), as TAK clients draw them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from api.formats.words import WORDS, Language
from contracts import AlarmLevel, Incident, MultiPolygon, Position
from plumbing.settings import CotSettings

UNKNOWN = "9999999.0"
"""What the format says for a height that isn't known."""
_METRES_PER_DEGREE = 111_320.0
_RANK = {AlarmLevel.SIGNAL: 0, AlarmLevel.CANDIDATE: 1, AlarmLevel.ALARM: 2}


def is_worth_sending(incident: Incident, settings: CotSettings) -> bool:
    """Whether units in the field are to see it: loud enough, or verified by a person."""
    if not incident.state.is_open:
        return False
    return (
        incident.verified_at is not None
        or _RANK[incident.level] >= _RANK[AlarmLevel(settings.from_level)]
    )


def uid_of(incident: Incident) -> str:
    """The event's lasting name."""
    return f"siaga.{incident.id}"


def event(incident: Incident, settings: CotSettings, now: datetime) -> bytes:
    """One event, ended by a line break; one that isn't worth sending any more is stale at once.

    ``ce`` is the radius that holds it with 90 %; ``how`` says that a machine has fused it,
    or that a person stands behind it. An exercise says so in its callsign: TAK has no other field
    that every client shows.
    """
    estimate = incident.estimate
    is_over = not is_worth_sending(incident, settings)
    stale = now if is_over else now + timedelta(minutes=settings.stale_minutes)
    root = ElementTree.Element(
        "event",
        {
            "version": "2.0",
            "uid": uid_of(incident),
            "type": settings.types[incident.hazard.value],
            "how": "h-e" if incident.verified_at is not None else "m-f",
            "time": _time(now),
            "start": _time(estimate.started_at),
            "stale": _time(stale),
        },
    )
    ElementTree.SubElement(
        root,
        "point",
        {
            "lat": f"{estimate.location.lat:.6f}",
            "lon": f"{estimate.location.lon:.6f}",
            "hae": UNKNOWN,
            "ce": f"{_radius_m(incident):.1f}",
            "le": UNKNOWN,
        },
    )
    detail = ElementTree.SubElement(root, "detail")
    word = WORDS[Language.INDONESIAN].hazards[incident.hazard]
    place = f", {incident.place_words}" if incident.place_words else ""
    drill = "LATIHAN: " if estimate.exercise else ""
    ElementTree.SubElement(detail, "contact", {"callsign": _clean(f"{drill}{word}{place}")})
    remarks = ElementTree.SubElement(detail, "remarks")
    remarks.text = _clean(
        f"{drill}{word}{place}; {incident.state.value}; P{incident.priority}; "
        f"p={estimate.probability:.2f}; {incident.id}"
    )
    # Without a declaration: clients cut the stream behind each event, and one in the middle of it
    # would be no XML.
    body: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=False)
    return body + b"\n"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _radius_m(incident: Incident) -> float:
    here = incident.estimate.location
    area = incident.estimate.region90.area
    polygons = area.coordinates if isinstance(area, MultiPolygon) else (area.coordinates,)

    def metres(at: Position) -> float:
        east = (at[0] - here.lon) * math.cos(math.radians(here.lat))
        return math.hypot(east, at[1] - here.lat) * _METRES_PER_DEGREE

    return max(metres(at) for rings in polygons for at in rings[0])


def _clean(text: str) -> str:
    """Without what XML can't hold."""
    return "".join(one for one in text if one >= " " or one in "\t\n")
