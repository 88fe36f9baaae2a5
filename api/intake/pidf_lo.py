"""PIDF-LO documents (RFC 4119, 5491) with RFC 7459's confidence, read without entities or DTDs.

One document may hold several locations, the most trusted first; each is kept as a position of its
own. Civic addresses are left to people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from api.intake.pidf_shapes import ShapeError, is_shape, local, read_shape
from api.intake.readings import Notes, Position, Reading, number_key, shown
from contracts import FixMethod

PIDF = "{urn:ietf:params:xml:ns:pidf}"
DATA_MODEL = "{urn:ietf:params:xml:ns:pidf:data-model}"
GEOPRIV = "{urn:ietf:params:xml:ns:pidf:geopriv10}"
CONFIDENCE = "{urn:ietf:params:xml:ns:geopriv:conf}confidence"

DEFAULT_CONFIDENCE = 0.95
"""RFC 7459: what an uncertainty without a stated confidence is taken at."""
UNKNOWN_CONFIDENCE = 0.68
"""``unknown`` says that the sender can't tell; one sigma is the careful reading."""
MOST_LOCATIONS = 8
DEEPEST = 40

METHODS = {
    "gps": FixMethod.GNSS,
    "a-gps": FixMethod.GNSS,
    "agps": FixMethod.GNSS,
    "gnss": FixMethod.GNSS,
    "device-based_a-gps": FixMethod.GNSS,
    "device-assisted_a-gps": FixMethod.GNSS,
    "802.11": FixMethod.WIFI,
    "wifi": FixMethod.WIFI,
    "wiremap": FixMethod.WIFI,
    "cell": FixMethod.CELL,
    "otdoa": FixMethod.CELL,
    "triangulation": FixMethod.CELL,
    "handset_aflt": FixMethod.CELL,
    "hybrid": FixMethod.FUSED,
    "hybrid_a-gps": FixMethod.FUSED,
    "manual": FixMethod.MANUAL,
}
"""IANA's method tokens, in lower case; what isn't here is unknown to us and said so."""


def read_pidf_lo(body: bytes, country_code: str = "62") -> Reading:
    """What a document says."""
    notes = Notes()
    try:
        root = fromstring(body, forbid_dtd=True)
    except DefusedXmlException:
        return _nothing("(document)", "must not hold a DTD or entities")
    except ParseError as error:
        return _nothing("(document)", f"is no XML: {shown(str(error))}")
    except (ValueError, LookupError):
        return _nothing("(document)", "is in an encoding that is not known here; send UTF-8")
    if _depth(root) > DEEPEST:
        return _nothing("(document)", f"is nested deeper than {DEEPEST} elements")
    if root.tag != PIDF + "presence":
        notes.add(local(root.tag), "is not the presence element of urn:ietf:params:xml:ns:pidf")
    positions = tuple(_positions(root, notes))
    if not positions and not notes.problems:
        notes.add("location-info", "is missing; there is no position in this document")
    return Reading(positions, tuple(_caller(root, country_code)), tuple(notes.problems))


def _nothing(name: str, why: str) -> Reading:
    return Reading((), (), (f"{name}: {why}",), is_damaged=True)


def _depth(root: Element) -> int:
    deepest, level = 0, [root]
    while level and deepest <= DEEPEST:
        deepest += 1
        level = [child for element in level for child in element]
    return deepest


def _positions(root: Element, notes: Notes) -> Iterator[Position]:
    found = 0
    for holder in root:
        for geopriv in holder.iter(GEOPRIV + "geopriv"):
            for position in _of_geopriv(holder, geopriv, notes):
                found += 1
                if found > MOST_LOCATIONS:
                    notes.add("geopriv", f"holds more than {MOST_LOCATIONS} locations")
                    return
                yield position


def _of_geopriv(holder: Element, geopriv: Element, notes: Notes) -> Iterator[Position]:
    method = _method(geopriv, notes)
    positioned_at = _timestamp(holder, geopriv, notes)
    for info in geopriv.iter(GEOPRIV + "location-info"):
        # Of one location-info only the first shape counts; what follows describes it further.
        shapes = [element for element in info if is_shape(element)]
        if not shapes:
            names = ", ".join(local(element.tag) for element in info) or "nothing"
            notes.add("location-info", f"holds no shape that is known here, but {names}")
            continue
        try:
            shape, altitude_m = read_shape(shapes[0], method, notes)
        except ShapeError as error:
            notes.add(*error.args)
            continue
        yield Position(
            shape=shape,
            confidence=_confidence(info, notes),
            method=method,
            positioned_at=positioned_at,
            altitude_m=altitude_m,
        )


def _method(geopriv: Element, notes: Notes) -> FixMethod:
    text = (geopriv.findtext(GEOPRIV + "method") or "").strip()
    method = METHODS.get(text.lower())
    if method is None and text:
        notes.add("method", f"{shown(text)} is not known here")
    return method or FixMethod.UNKNOWN


def _timestamp(holder: Element, geopriv: Element, notes: Notes) -> datetime | None:
    for where, path in (
        (holder, PIDF + "timestamp"),
        (holder, DATA_MODEL + "timestamp"),
        (geopriv, GEOPRIV + "timestamp"),
    ):
        text = (where.findtext(path) or "").strip()
        if not text:
            continue
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.,]{5,20}(Z|[+-]\d\d:\d\d)", text, re.ASCII):
            notes.add("timestamp", f"must be a time with its offset, got {shown(text)}")
            return None
        return notes.moment("timestamp", partial(datetime.fromisoformat, text))
    return None


def _confidence(info: Element, notes: Notes) -> float:
    text = (info.findtext(CONFIDENCE) or "").strip()
    if not text:
        return DEFAULT_CONFIDENCE
    if text == "unknown":
        notes.add("confidence", f"is unknown; {UNKNOWN_CONFIDENCE:.0%} taken")
        return UNKNOWN_CONFIDENCE
    return notes.confidence("confidence", notes.number("confidence", text), DEFAULT_CONFIDENCE)


def _caller(root: Element, country_code: str) -> list[tuple[str, str]]:
    """The number, where the document speaks of a ``tel:`` entity or contact."""
    stated = [root.get("entity", "")]
    stated += [one.text or "" for one in root.iter(PIDF + "contact")]
    stated += [one.text or "" for one in root.iter(DATA_MODEL + "deviceID")]
    for text in stated:
        if text.strip().startswith("tel:"):
            return number_key(text.strip(), country_code)
    return []
