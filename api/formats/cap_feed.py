"""CAP messages as an Atom feed (RFC 4287), each entry with the whole message inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from api.formats import times
from api.formats.cap import MEDIA_TYPE as CAP
from api.formats.cap import alert_element, headline, identifier
from api.formats.cap_issues import Issue
from api.formats.publisher import Publisher
from api.formats.words import WORDS, Language
from api.formats.xml import Element, add, document, element
from contracts import Incident

MEDIA_TYPE = "application/atom+xml"


@dataclass(frozen=True, slots=True)
class Message:
    """An incident as a message tells it."""

    incident: Incident
    issue: Issue


def feed(messages: Sequence[Message], publisher: Publisher, address: str, now: datetime) -> bytes:
    """The feed, newest message first; ``address`` is its own."""
    newest_first = sorted(
        messages,
        key=lambda one: (one.issue.name.sent, one.issue.name.seq, one.issue.name.repeat),
        reverse=True,
    )
    root = element(
        "feed", xmlns="http://www.w3.org/2005/Atom", **{"xml:lang": Language.INDONESIAN.value}
    )
    add(root, "id", f"urn:siaga:cap-feed:{publisher.agency_id}")
    add(root, "title", f"{publisher.agency_name}: CAP 1.2")
    updated = newest_first[0].issue.name.sent if newest_first else now
    add(root, "updated", times.whole_seconds(updated, publisher.zone))
    add(add(root, "author"), "name", publisher.agency_name)
    add(root, "link", rel="self", type=MEDIA_TYPE, href=address)
    for message in newest_first:
        root.append(_entry(message, publisher))
    return document(root)


def _entry(message: Message, publisher: Publisher) -> Element:
    incident, issue = message.incident, message.issue
    sent = times.whole_seconds(issue.name.sent, publisher.zone)
    entry = element("entry")
    add(entry, "id", f"urn:siaga:cap:{identifier(incident, issue.name, publisher)}")
    add(entry, "title", headline(incident, publisher, WORDS[Language.INDONESIAN]))
    add(entry, "updated", sent)
    add(entry, "published", sent)
    page = f"{publisher.base_url}/api/v1/incidents/{quote(incident.id, safe='')}.cap.xml"
    add(entry, "link", rel="alternate", type=CAP, href=page)
    add(entry, "category", term=incident.hazard.value)
    content = add(entry, "content", type=CAP)
    content.append(alert_element(incident, issue, publisher))
    return entry
