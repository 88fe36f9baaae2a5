"""The feed described for programs: an AsyncAPI 3 document, made of the nouns' own schemas."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from api.feed.wishes import KNOWN
from contracts import (
    AlarmLevel,
    Call,
    DeskLoad,
    Hazard,
    Incident,
    LogEntry,
    LogKind,
    Shelf,
    Unit,
)

_REF = "#/components/schemas/{model}"

_WISHES = {
    "after": ("The last change that you have; the snapshot is left out then.", None),
    "hazard": ("Incidents of these hazards.", [one.value for one in Hazard]),
    "level": ("Incidents of these levels.", [one.value for one in AlarmLevel]),
    "area": ("Incidents in these areas.", None),
    "agency": ("What these agencies are told of, and nothing else.", None),
    "group": ("Cameras of these groups, and incidents of no other cameras.", None),
    "kind": ("Changes of these kinds.", [one.value for one in LogKind]),
    "exercise": ("Exercises only, or what is real only.", ["true", "false"]),
}


@cache
def description(title: str, version: str) -> dict[str, Any]:
    """The document; the server's address is where it was asked for."""
    schemas: dict[str, Any] = {}
    messages = {
        "snapshot": _message("How things are right after entry `seq`.", _snapshot(schemas)),
        "change": _message("One change, with the whole subject after it.", _change(schemas)),
        "changes": _message(
            "Several changes at once, in order.",
            _object(
                type={"const": "changes"},
                items={"type": "array", "minItems": 1, "items": _of("Change")},
            ),
        ),
        "ping": _message(
            "Nothing has changed for a while.",
            _object(
                type={"const": "ping"},
                seq={"type": "integer"},
                at={"type": "string", "format": "date-time"},
            ),
        ),
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"{title}: the feed",
            "version": version,
            "description": "Every change, once and in order. `prev_seq` of a change is the `seq` "
            "of the one that this reader was sent before: if it isn't, one is missing. Closed with "
            "1012 or 1013, resume with `after`; with 4410, connect without it; with 4401, sign in. "
            "A change of the kind `desk.load` tells when a flood of alarms begins and ends, what "
            "it is made of, which places are kept quiet because they chatter, and how much more an "
            "alarm by cameras alone needs meanwhile; the snapshot holds the last one. "
            "/sse/v1/feed sends the same as server-sent events.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "feed": {
                "address": "/ws/v1/feed",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {
                    "ws": {
                        "method": "GET",
                        "query": {
                            "type": "object",
                            "properties": {name: _wish(name) for name in KNOWN},
                        },
                    }
                },
            }
        },
        "operations": {
            "follow": {
                "action": "send",
                "summary": "The server sends a snapshot (or resumes), then every change.",
                "channel": {"$ref": "#/channels/feed"},
                "messages": [{"$ref": f"#/channels/feed/messages/{name}"} for name in messages],
                "security": [{"$ref": "#/components/securitySchemes/key"}],
            }
        },
        "components": {
            "messages": messages,
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _message(summary: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"summary": summary, "payload": payload}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _of(name: str) -> dict[str, str]:
    return {"$ref": _REF.format(model=name)}


def _noun(schemas: dict[str, Any], kind: type) -> dict[str, Any]:
    """A noun's schema, its parts among the shared ones."""
    made = TypeAdapter(kind).json_schema(ref_template=_REF, mode="serialization")
    schemas.update(made.pop("$defs", {}))
    if "$ref" not in made:
        schemas[kind.__name__] = made
    return _of(kind.__name__)


def _snapshot(schemas: dict[str, Any]) -> dict[str, Any]:
    camera = {"type": "object", "description": "As GET /api/v1/cameras gives it."}
    return _object(
        type={"const": "snapshot"},
        seq={"type": "integer", "minimum": 0},
        incidents={"type": "array", "items": _noun(schemas, Incident)},
        cameras={"type": "array", "items": camera},
        calls={"type": "array", "items": _noun(schemas, Call)},
        units={"type": "array", "items": _noun(schemas, Unit)},
        shelves={"type": "array", "items": _noun(schemas, Shelf)},
        desk_load={"oneOf": [_noun(schemas, DeskLoad), {"type": "null"}]},
    )


def _change(schemas: dict[str, Any]) -> dict[str, Any]:
    entry = _noun(schemas, LogEntry)
    schemas["Change"] = {
        "allOf": [
            entry,
            _object(type={"const": "change"}, prev_seq={"type": "integer", "minimum": 0}),
        ]
    }
    return _of("Change")


def _wish(name: str) -> dict[str, Any]:
    text, known = _WISHES[name]
    if name == "after":
        return {"type": "integer", "minimum": 0, "description": text}
    if name == "exercise":
        return {"type": "boolean", "description": text}
    item: dict[str, Any] = {"type": "string"} if known is None else {"enum": known}
    return {"type": "array", "items": item, "description": text}
