"""Incidents as Emergency Incident Data Objects (NENA-STA-021), for other centres' dispatch systems.

``incidentComponent`` is one object, the other components are arrays; components point at one
another by ``$id`` and ``$ref``. Places are PIDF-LO documents, whose positions have the latitude
first (RFC 5491).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from api.formats import times
from api.formats.cap import is_verified
from api.formats.publisher import Publisher
from api.formats.shapes import outer_rings, radius_m
from api.formats.words import WORDS, Language
from api.formats.xml import add, document, element
from contracts import Hazard, Incident, IncidentState, Region, SourceKind
from contracts.places import Position

MEDIA_TYPE = "application/json"
VERSION = "1.0"

_TYPES = {
    Hazard.FIRE: "Fire",
    Hazard.CRASH: "Traffic Accident",
    Hazard.FLOOD: "Flood",
    Hazard.DISASTER: "Natural Disaster",
    Hazard.MEDICAL: "Medical",
    Hazard.CRIME: "Police",
    Hazard.OTHER: "Other",
}
_ENDS = {
    IncidentState.CLOSED: "Closed",
    IncidentState.REJECTED: "Closed",
    IncidentState.DUPLICATE: "Closed",
    IncidentState.CANCELLED: "Cancelled",
}
_METRE = "urn:ogc:def:uom:EPSG::9001"
_WGS84 = "urn:ogc:def:crs:EPSG::4326"


def eido(incident: Incident, publisher: Publisher) -> dict[str, Any]:
    """The object, in JSON's plain values."""
    build = _Builder(incident, publisher)
    notes, places = build.notes(), build.places()
    return {
        **build.head(
            f"urn:emergency:uid:incidentid:{quote(incident.id, safe='')}:{publisher.agency_id}"
        ),
        "eidoVersion": VERSION,
        "issuingElementIdentification": publisher.agency_id,
        "agencyComponent": [
            {
                **build.head(publisher.agency_id),
                "agencyRoleDescriptionRegistryText": ["Dispatch"],
                "agencyType": ["psap"],
            }
        ],
        "incidentComponent": build.incident_component(notes, places),
        "locationComponent": places,
        "notesComponent": notes,
    }


class _Builder:
    def __init__(self, incident: Incident, publisher: Publisher) -> None:
        self._incident = incident
        self._publisher = publisher

    def head(self, name: str, at: datetime | None = None) -> dict[str, Any]:
        """What every component starts with."""
        return {
            "$id": name,
            "lastUpdateTimeStamp": self._time(at or self._incident.updated_at),
            "updatedByAgencyReference": {"$ref": self._publisher.agency_id},
        }

    def incident_component(
        self, notes: list[dict[str, Any]], places: list[dict[str, Any]]
    ) -> dict[str, Any]:
        incident = self._incident
        # The object has no field of its own for an exercise.
        drill = "EXERCISE_" if incident.estimate.exercise else ""
        return {
            **self.head("incident"),
            "incidentTypeCommonRegistryText": _TYPES[incident.hazard],
            "incidentTypeInternalCode": f"{drill}{incident.hazard.value.upper()}",
            "incidentStatusCommonRegistryText": [_ENDS.get(incident.state, "Active")],
            "incidentCommonPriorityNumber": incident.priority,
            "internalIncidentId": incident.id,
            "locationReference": [{"$ref": place["$id"]} for place in places],
            "notesReference": [{"$ref": note["$id"]} for note in notes],
        }

    def places(self) -> list[dict[str, Any]]:
        """Where to look first, then the outlines that hold it with 90 %."""
        estimate = self._incident.estimate
        point = (estimate.location.lon, estimate.location.lat)
        shapes = [_circle(point, radius_m(estimate.region50.area))]
        shapes += _outlines(estimate.region90)
        return [
            {
                **self.head(f"location-{number}"),
                "locationTypeDescriptionRegistryText": "Incident",
                "locationByValue": _pidf_lo(shape, self._publisher).decode(),
            }
            for number, shape in enumerate(shapes, start=1)
        ]

    def notes(self) -> list[dict[str, Any]]:
        """What the system thinks, then what people wrote."""
        incident = self._incident
        texts = [(incident.estimate.last_report_at, self._summary())]
        texts += [(note.at, f"{note.actor}: {note.text}") for note in incident.notes]
        return [
            {**self.head(f"note-{number}", at), "notesActionComments": text}
            for number, (at, text) in enumerate(texts, start=1)
        ]

    def _summary(self) -> str:
        incident, estimate = self._incident, self._incident.estimate
        words = WORDS[Language.ENGLISH]
        parts = [words.exercise] if estimate.exercise else []
        parts += [] if is_verified(incident) else [words.unverified]
        parts.append(
            words.sources.format(
                percent=f"{100 * estimate.probability:.0f}",
                cameras=len(estimate.camera_ids),
                calls=len(estimate.call_ids),
                state=words.states[incident.state],
            )
        )
        parts += [
            f"Camera {one.source_id}: {one.sighting}"
            for one in estimate.contributions
            if one.source is SourceKind.CAMERA
        ]
        if incident.duplicate_of is not None:
            parts.append(f"Duplicate of {incident.duplicate_of}.")
        if incident.reason:
            parts.append(f"Reason: {incident.reason}")
        if incident.place_words:
            parts.append(f"Place: {incident.place_words}")
        return "\n".join(parts)

    def _time(self, at: datetime) -> str:
        return times.milliseconds(at, self._publisher.zone)


def _outlines(region: Region) -> list[Any]:
    found = []
    for ring in outer_rings(region.area):
        polygon = element("gml:Polygon", srsName=_WGS84)
        line = add(add(polygon, "gml:exterior"), "gml:LinearRing")
        add(line, "gml:posList", " ".join(map(_position, ring)))
        found.append(polygon)
    return found


def _circle(centre: Position, metres: float) -> Any:
    circle = element("gs:Circle", srsName=_WGS84)
    add(circle, "gml:pos", _position(centre))
    add(circle, "gs:radius", f"{metres:.1f}", uom=_METRE)
    return circle


def _position(position: Position) -> str:
    lon, lat = position
    return f"{lat:.6f} {lon:.6f}"


def _pidf_lo(shape: Any, publisher: Publisher) -> bytes:
    root = element(
        "presence",
        **{
            "xmlns": "urn:ietf:params:xml:ns:pidf",
            "xmlns:gp": "urn:ietf:params:xml:ns:pidf:geopriv10",
            "xmlns:gml": "http://www.opengis.net/gml",
            "xmlns:gs": "http://www.opengis.net/pidflo/1.0",
            "xmlns:dm": "urn:ietf:params:xml:ns:pidf:data-model",
            "entity": f"pres:incident@{publisher.agency_id}",
        },
    )
    private = add(add(root, "dm:device", id="incident"), "gp:geopriv")
    add(private, "gp:location-info").append(shape)
    add(private, "gp:usage-rules")
    add(private, "gp:method", "Derived")
    return document(root)
