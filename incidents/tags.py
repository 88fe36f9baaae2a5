"""What lists and readers filter by, as words in one text column: `` hazard:fire level:alarm ``."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, false, or_
from sqlalchemy.orm import InstrumentedAttribute

from contracts import Call, Camera, Incident, LogSubject, Shelf, Unit


def tag_of(name: str, value: str) -> str:
    """One tag; a blank in a value would end it."""
    return f"{name}:{'_'.join(value.split())}"


def tags_of(subject: LogSubject | None) -> frozenset[str]:
    """What a thing can be found by."""
    match subject:
        case Incident():
            found = [("hazard", subject.hazard.value), ("level", subject.level.value)]
            found += [("area", subject.place_name)] if subject.place_name else []
            found += [("agency", agency) for agency in subject.told_agencies]
            found += [("group", group) for group in subject.camera_groups]
        case Call() | Shelf():
            found = [("hazard", subject.hazard.value)] if subject.hazard else []
        case Camera():
            found = [("group", subject.group)]
        case Unit():
            found = [("agency", subject.agency_id)]
        case _:
            found = []
    return frozenset(tag_of(name, value) for name, value in found)


def joined(*tags: Iterable[str]) -> str:
    """Tags as they are stored, each between blanks."""
    every = sorted({tag for some in tags for tag in some})
    return f" {' '.join(every)} " if every else ""


def has_any_tag(
    column: InstrumentedAttribute[str], name: str, values: Iterable[str]
) -> ColumnElement[bool]:
    """Whether a row has one of these."""
    ways = [
        column.contains(f" {tag_of(name, value)} ", autoescape=True) for value in sorted(values)
    ]
    return or_(*ways) if ways else false()
