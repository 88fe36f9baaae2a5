"""Changes as CloudEvents 1.0, in their structured JSON form."""

from __future__ import annotations

from typing import Any

from api.wire import plain
from contracts import IncidentAction, LogEntry, LogKind, to_plain

MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"

_DONE = {
    IncidentAction.ACKNOWLEDGE: "acknowledged",
    IncidentAction.VERIFY: "verified",
    IncidentAction.REJECT: "rejected",
    IncidentAction.MARK_DUPLICATE: "duplicate",
    IncidentAction.DISPATCH: "dispatched",
    IncidentAction.EN_ROUTE: "en_route",
    IncidentAction.ON_SCENE: "on_scene",
    IncidentAction.CLOSE: "closed",
    IncidentAction.CANCEL: "cancelled",
    IncidentAction.REOPEN: "reopened",
    IncidentAction.NOTE: "noted",
}
_OTHERS = {"assign": "assigned", "attach": "attached", "hold": "held", "release": "released"}
_PAST = {action.value: past for action, past in _DONE.items()} | _OTHERS


def event_type(entry: LogEntry) -> str:
    """What happened, such as ``id.siaga.incident.verified.v1``."""
    name = entry.kind.value
    if entry.kind is LogKind.INCIDENT_ACTED:
        name = f"incident.{_PAST.get(entry.detail, entry.detail or 'acted')}"
    return f"id.siaga.{name}.v1"


def cloud_event(entry: LogEntry, source: str) -> dict[str, Any]:
    """One change; ``source`` and ``id`` together name it once and for all.

    ``sequence`` (an extension of the standard's own) orders the events of a source as text.
    """
    event = {
        "specversion": "1.0",
        "id": str(entry.seq),
        "source": source,
        "type": event_type(entry),
        "subject": f"{entry.kind.value.partition('.')[0]}/{entry.subject_id}",
        "time": entry.recorded_at.isoformat().replace("+00:00", "Z"),
        "sequence": f"{entry.seq:016d}",
        "datacontenttype": "application/json",
        "data": to_plain(entry),
    }
    return event | ({"exercise": True} if entry.exercise else {})


def encoded_event(entry: LogEntry, source: str) -> str:
    """The same as JSON text."""
    return plain(cloud_event(entry, source)).decode()
