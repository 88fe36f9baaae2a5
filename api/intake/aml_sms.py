"""AML by SMS: ``A"ML=1;...`` of ETSI TS 103 625, and the ``A"ML=2;...`` of Android's beta.

The two share keys and not their meanings: ``lt`` is the latitude in version 1 and a time in version
2, ``lg`` the longitude and a language. So the version is read first.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from api.intake.readings import Notes, Position, Reading, device_keys, number_key, shown
from contracts import FixMethod

DEFAULT_CONFIDENCE = 0.68
MISCOUNT = 2
"""Characters by which ``ml`` may be wrong: published examples and phones are off by one or two. A
message that was cut has lost its ``ml`` altogether, for it stands last."""

METHODS = {
    "G": FixMethod.GNSS,
    "W": FixMethod.WIFI,
    "C": FixMethod.CELL,
    "F": FixMethod.FUSED,
    "U": FixMethod.UNKNOWN,
    "N": FixMethod.UNKNOWN,
}
_HEAD = re.compile(r'A"ML=([0-9]{1,3})(?:;|$)')


def read_sms(text: str, sender: str | None = None, country_code: str = "62") -> Reading:
    """What a message says; ``sender`` is the number that the gateway had it from."""
    notes = Notes()
    caller = number_key(sender, country_code)
    message = text.strip()
    head = _HEAD.match(message)
    if head is None:
        # Not quoted: what isn't AML may be anything, a person's own words among them.
        notes.add('A"ML', 'is no AML message; it must begin with A"ML=1; or A"ML=2;')
        return Reading((), tuple(caller), tuple(notes.problems), is_damaged=True)
    fields = _fields(message, notes)
    caller += device_keys(fields.get("si"), fields.get("ei"))
    version = int(head.group(1))
    if version == 1:
        whole = _is_whole(message, fields, notes, needed=True)
        position = _first_version(fields, notes)
    elif version == 2:
        whole = _is_whole(message, fields, notes, needed=False)
        position = _second_version(fields, notes)
    else:
        notes.add('A"ML', f"version {version} is not known here; 1 and 2 are")
        whole, position = True, None
    positions = () if position is None else (position,)
    return Reading(positions, tuple(caller), tuple(notes.problems), is_damaged=not whole)


def _fields(message: str, notes: Notes) -> dict[str, str]:
    fields: dict[str, str] = {}
    for part in message.split(";")[1:]:
        name, mark, value = part.strip().partition("=")
        if not mark:
            if name:
                notes.add(shown(name), "is no key=value")
            continue
        if fields.setdefault(name, value) != value:
            notes.add(shown(name), "comes twice, with different values; the first is taken")
    return fields


def _is_whole(message: str, fields: dict[str, str], notes: Notes, *, needed: bool) -> bool:
    """Whether the message is as long as it says."""
    stated = fields.get("ml")
    if stated is None:
        if needed:
            notes.add("ml", "is missing: the message was cut, and its position is not used")
        return not needed
    length = notes.number("ml", stated)
    if length is None or abs(length - len(message)) > MISCOUNT:
        notes.add(
            "ml",
            f"says {shown(stated)} characters and there are {len(message)}: the message was "
            "changed on its way, and its position is not used",
        )
        return False
    if length != len(message):
        notes.add("ml", f"says {length:g} characters and there are {len(message)}; let pass")
    return True


def _first_version(fields: dict[str, str], notes: Notes) -> Position | None:
    if fields.get("pm") == "N" or fields.get("rd") == "N":
        notes.add("pm", "the phone could not find its position")
        return None
    lat, lon = notes.number("lt", fields.get("lt")), notes.number("lg", fields.get("lg"))
    if lat is None and lon is None:
        notes.add("lt", "there is no position in this message")
    centre = notes.place(("lt", "lg"), lat, lon)
    if centre is None:
        return None
    method = _method("pm", fields, notes)
    return Position(
        shape=notes.disc("rd", centre, notes.number("rd", fields.get("rd")) or None, method),
        confidence=_confidence(fields, notes),
        method=method,
        positioned_at=_time_of_positioning(fields.get("top"), notes),
    )


def _second_version(fields: dict[str, str], notes: Notes) -> Position | None:
    parts = fields.get("lo", "").split(",")
    if len(parts) not in (2, 3):
        notes.add("lo", "must be latitude,longitude,accuracy; there is no position")
        return None
    lat, lon = notes.number("lo (latitude)", parts[0]), notes.number("lo (longitude)", parts[1])
    centre = notes.place(("lo (latitude)", "lo (longitude)"), lat, lon)
    if centre is None:
        return None
    # An accuracy of 0 stands for one that isn't known.
    radius_m = notes.number("lo (accuracy)", parts[2]) if len(parts) == 3 else None
    method = _method("ls", fields, notes)
    altitude = fields.get("lz", "").partition(",")[0]
    return Position(
        shape=notes.disc("lo (accuracy)", centre, radius_m or None, method),
        confidence=_confidence(fields, notes),
        method=method,
        positioned_at=_after_call(fields, notes),
        altitude_m=notes.number("lz", altitude),
    )


def _method(name: str, fields: dict[str, str], notes: Notes) -> FixMethod:
    letter = fields.get(name, "U").strip().upper()
    if letter not in METHODS:
        notes.add(name, f"is none of {', '.join(METHODS)}")
    return METHODS.get(letter, FixMethod.UNKNOWN)


def _confidence(fields: dict[str, str], notes: Notes) -> float:
    return notes.confidence("lc", notes.number("lc", fields.get("lc")), DEFAULT_CONFIDENCE)


def _time_of_positioning(text: str | None, notes: Notes) -> datetime | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{14}", text):
        notes.add("top", f"must be yyyyMMddHHmmss in UTC, got {shown(text)}")
        return None
    return notes.moment("top", lambda: datetime.strptime(text + "+0000", "%Y%m%d%H%M%S%z"))


def _after_call(fields: dict[str, str], notes: Notes) -> datetime | None:
    """``et`` is the call's time in seconds since 1970, ``lt`` the position's, relative to it."""
    called_at = notes.since_epoch("et", fields.get("et"), per_second=1)
    after_s = notes.number("lt", fields.get("lt"))
    if called_at is None or after_s is None:
        return called_at
    start = called_at
    return notes.moment("lt", lambda: (start + timedelta(seconds=after_s)).astimezone(UTC))
