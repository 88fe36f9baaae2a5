"""Incidents as CAP 1.2 alerts (OASIS Standard CAP-V1.2, 1 July 2010).

The schema lets pass what would mislead: a circle is ``lat,lon`` and kilometres, a polygon's corners
are ``lat,lon`` and its last is its first. What no operator has verified is `Possible`. Every
message is `Restricted`: whether the public is told is people's decision, and none has been made by
verifying an incident.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from api.formats import times
from api.formats.cap_issues import Issue, MessageName, MessageType
from api.formats.publisher import Publisher
from api.formats.shapes import outer_rings, radius_m
from api.formats.words import WORDS, Language, Words
from api.formats.xml import Element, add, document, element
from contracts import Hazard, Incident, IncidentState

MEDIA_TYPE = "application/cap+xml"
NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"

_CATEGORIES = {
    Hazard.FIRE: "Fire",
    Hazard.CRASH: "Transport",
    Hazard.FLOOD: "Met",
    Hazard.DISASTER: "Geo",
    Hazard.MEDICAL: "Health",
    Hazard.CRIME: "Security",
    Hazard.OTHER: "Other",
}
_TO_AVOID = frozenset({Hazard.FIRE, Hazard.CRASH, Hazard.FLOOD, Hazard.DISASTER})
# `Extreme` is an extraordinary threat; that is for people to say.
_SEVERITIES = {1: "Severe", 2: "Moderate", 3: "Minor", 4: "Unknown"}


def alert(incident: Incident, issue: Issue, publisher: Publisher) -> bytes:
    """The message as a document."""
    return document(alert_element(incident, issue, publisher))


def alert_element(incident: Incident, issue: Issue, publisher: Publisher) -> Element:
    """The message; ``incident`` is as it was at the log entry that the issue names."""
    root = element("alert", xmlns=NAMESPACE)
    add(root, "identifier", identifier(incident, issue.name, publisher))
    add(root, "sender", publisher.agency_id)
    add(root, "sent", times.whole_seconds(issue.name.sent, publisher.zone))
    add(root, "status", "Exercise" if incident.estimate.exercise else "Actual")
    add(root, "msgType", issue.type.value)
    add(root, "source", f"Siaga, {publisher.agency_name}")
    add(root, "scope", "Restricted")
    add(root, "restriction", " / ".join(words.restricted for words in WORDS.values()))
    if incident.estimate.exercise:
        add(root, "note", " / ".join(words.exercise for words in WORDS.values()))
    elif issue.type is MessageType.CANCEL:
        add(root, "note", " / ".join(words.states[incident.state] for words in WORDS.values()))
    if issue.replaces:
        add(root, "references", " ".join(_references(incident, issue, publisher)))
    add(root, "incidents", _name(incident.id))
    for language, words in WORDS.items():
        _add_info(root, incident, issue.name.sent, publisher, language, words)
    return root


def identifier(incident: Incident, name: MessageName, publisher: Publisher) -> str:
    """The message's own name, without any character that CAP forbids in it."""
    return f"{publisher.agency_id}:{_name(incident.id)}:{name.seq}.{name.repeat}"


def headline(incident: Incident, publisher: Publisher, words: Words) -> str:
    """The message in one line."""
    event, place = words.hazards[incident.hazard], incident.place_words or publisher.city
    if not incident.state.is_open:
        text = words.ended.format(state=words.states[incident.state], event=event, place=place)
    elif is_verified(incident):
        text = words.verified.format(event=event, place=place)
    else:
        text = words.suspected.format(event=event, place=place)
    return f"{words.exercise} {text}" if incident.estimate.exercise else text


def is_verified(incident: Incident) -> bool:
    """Whether a person has said that it is true, and nobody that it isn't."""
    return incident.verified_at is not None and incident.state is not IncidentState.REJECTED


def _name(text: str) -> str:
    # CAP forbids spaces, commas, < and & in identifiers; this leaves none.
    return quote(text, safe="")


def _references(incident: Incident, issue: Issue, publisher: Publisher) -> list[str]:
    return [
        ",".join(
            (
                publisher.agency_id,
                identifier(incident, name, publisher),
                times.whole_seconds(name.sent, publisher.zone),
            )
        )
        for name in issue.replaces
    ]


def _add_info(
    root: Element,
    incident: Incident,
    sent: datetime,
    publisher: Publisher,
    language: Language,
    words: Words,
) -> None:
    zone, estimate = publisher.zone, incident.estimate
    info = add(root, "info")
    add(info, "language", language.value)
    add(info, "category", _CATEGORIES[incident.hazard])
    add(info, "event", words.hazards[incident.hazard])
    add(info, "responseType", _response_type(incident))
    add(info, "urgency", "Immediate" if incident.state.is_open else "Past")
    add(info, "severity", _SEVERITIES[incident.priority])
    add(info, "certainty", _certainty(incident))
    _add_pair(info, "eventCode", "urn:siaga:hazard", incident.hazard.value)
    add(info, "effective", times.whole_seconds(sent, zone))
    add(info, "onset", times.whole_seconds(estimate.started_at, zone))
    add(info, "expires", times.whole_seconds(sent + publisher.cap_valid_for, zone))
    add(info, "senderName", publisher.agency_name)
    add(info, "headline", headline(incident, publisher, words))
    add(info, "description", _description(incident, words))
    add(info, "web", f"{publisher.base_url}/api/v1/incidents/{_name(incident.id)}")
    verification = "verified" if is_verified(incident) else "unverified"
    _add_pair(info, "parameter", "probability", f"{estimate.probability:.3f}")
    _add_pair(info, "parameter", "verification", verification)
    _add_pair(info, "parameter", "state", incident.state.value)
    _add_pair(info, "parameter", "level", incident.level.value)
    _add_pair(info, "parameter", "priority", str(incident.priority))
    _add_area(info, incident, publisher)


def _response_type(incident: Incident) -> str:
    if not incident.state.is_open:
        return "AllClear"
    if not is_verified(incident):
        return "Assess"
    return "Avoid" if incident.hazard in _TO_AVOID else "Monitor"


def _certainty(incident: Incident) -> str:
    if incident.state is IncidentState.REJECTED:
        return "Unlikely"
    return "Observed" if is_verified(incident) else "Possible"


def _description(incident: Incident, words: Words) -> str:
    estimate = incident.estimate
    told = words.sources.format(
        percent=f"{100 * estimate.probability:.0f}",
        cameras=len(estimate.camera_ids),
        calls=len(estimate.call_ids),
        state=words.states[incident.state],
    )
    parts = [told] if is_verified(incident) else [words.unverified, told]
    return " ".join([words.exercise, *parts] if estimate.exercise else parts)


def _add_area(info: Element, incident: Incident, publisher: Publisher) -> None:
    """The outlines hold the incident with 90 %; the disc, about the likeliest place and as large as
    the region of 50 %, is where to look first. Receivers take the union, which is the outlines."""
    estimate = incident.estimate
    area = add(info, "area")
    names = (incident.street, incident.place_name, publisher.city)
    place = ", ".join(dict.fromkeys(filter(None, names)))
    add(area, "areaDesc", place)
    for ring in outer_rings(estimate.region90.area):
        add(area, "polygon", " ".join(f"{lat:.6f},{lon:.6f}" for lon, lat in ring))
    centre, radius_km = estimate.location, radius_m(estimate.region50.area) / 1000
    add(area, "circle", f"{centre.lat:.6f},{centre.lon:.6f} {radius_km:.3f}")


def _add_pair(parent: Element, tag: str, name: str, value: str) -> None:
    pair = add(parent, tag)
    add(pair, "valueName", name)
    add(pair, "value", value)
