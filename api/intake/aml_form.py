"""AML over HTTPS, as Android's Emergency Location Service posts it: a form, every field optional.

The signature is the last field: ``hmac``, HMAC-SHA1 in hexadecimal over the bytes before
``&hmac=``. ETSI TS 103 625; fields as Google's HTTPS specification lists them. ``location_source``
``cell`` and the rest come in either case.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from enum import StrEnum
from urllib.parse import parse_qsl, unquote_to_bytes

from api.intake.readings import Notes, Position, Reading, device_keys, number_key
from contracts import FixMethod

DEFAULT_CONFIDENCE = 0.68
"""Android's accuracy is the radius of 68 %; it says so where it says anything."""
MAX_FIELDS = 200

METHODS = {
    "gps": FixMethod.GNSS,
    "gnss": FixMethod.GNSS,
    "wifi": FixMethod.WIFI,
    "wlan": FixMethod.WIFI,
    "cell": FixMethod.CELL,
    "network": FixMethod.CELL,
    "fused": FixMethod.FUSED,
    "hybrid": FixMethod.FUSED,
    "manual": FixMethod.MANUAL,
    "unknown": FixMethod.UNKNOWN,
}
_SIGNATURE = b"&hmac="


class Signature(StrEnum):
    """What a message's signature is worth; the value is the sentence about it."""

    RIGHT = ""
    ABSENT = "hmac: is missing; anybody could have sent this"
    UNCHECKED = "hmac: can't be checked, since calls.aml_key is not configured"
    WRONG = "hmac: does not fit the message and the shared key"


def check_signature(body: bytes, key: str | None) -> Signature:
    """Compare the message's signature with the one that the shared key gives."""
    signed, mark, sent = body.rpartition(_SIGNATURE)
    if not mark:
        return Signature.ABSENT
    if key is None:
        return Signature.UNCHECKED
    made = hmac.new(key.encode(), signed, hashlib.sha1).digest()
    return Signature.RIGHT if hmac.compare_digest(made, _digest(sent)) else Signature.WRONG


def _digest(sent: bytes) -> bytes:
    text = unquote_to_bytes(sent.strip())
    try:
        return binascii.unhexlify(text) if len(text) == 40 else base64.b64decode(text)
    except ValueError:
        return b""


def read_form(body: bytes, country_code: str = "62") -> Reading:
    """What a form says. Latitude and longitude are named, so nothing can be swapped unseen."""
    notes = Notes()
    fields = _fields(body, notes)
    caller = number_key(fields.get("device_number"), country_code)
    caller += device_keys(fields.get("device_imsi"), fields.get("device_imei"))
    names = ("location_latitude", "location_longitude")
    lat, lon = (notes.number(name, fields.get(name)) for name in names)
    centre = notes.place(names, lat, lon)
    if centre is None:
        if lat is None and lon is None:
            notes.add("location_latitude", "there is no position in this message")
        return Reading((), tuple(caller), tuple(notes.problems))
    source = fields.get("location_source", "unknown").strip().lower()
    if source not in METHODS:
        notes.add("location_source", "is none of gps, wifi, cell, unknown")
    method = METHODS.get(source, FixMethod.UNKNOWN)
    radius_m = notes.number("location_accuracy", fields.get("location_accuracy"))
    positioned_at = notes.since_epoch(
        "location_time", fields.get("location_time"), per_second=1000
    ) or notes.since_epoch("time", fields.get("time"), per_second=1000)
    position = Position(
        shape=notes.disc("location_accuracy", centre, radius_m or None, method),
        confidence=_confidence(fields, notes),
        method=method,
        positioned_at=positioned_at,
        altitude_m=notes.number("location_altitude", fields.get("location_altitude")),
    )
    return Reading((position,), tuple(caller), tuple(notes.problems))


def _fields(body: bytes, notes: Notes) -> dict[str, str]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        notes.add("(body)", "is not UTF-8")
        text = body.decode("utf-8", "replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        notes.add("(body)", f"has more than {MAX_FIELDS} fields")
        return {}
    fields: dict[str, str] = {}
    for name, value in pairs:
        if fields.setdefault(name, value) != value:
            notes.add(ascii(name[:40]), "comes twice, with different values; the first is taken")
    if not fields:
        notes.add("(body)", "is no form: name=value&name=value was expected")
    return fields


def _confidence(fields: dict[str, str], notes: Notes) -> float:
    # ETSI's word is certainty, Google's is confidence; both per cent, some send a share of 1.
    name = next(
        (one for one in ("location_confidence", "location_certainty") if fields.get(one)), None
    )
    if name is None:
        return DEFAULT_CONFIDENCE
    stated = notes.number(name, fields[name])
    if stated is not None and 0 < stated <= 1:
        stated *= 100
    return notes.confidence(name, stated, DEFAULT_CONFIDENCE)
