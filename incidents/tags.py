"""What lists and readers filter by, as words in one text column: `` hazard:fire level:alarm ``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Boolean, ColumnElement, false, literal, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.functions import FunctionElement

from contracts import Call, Camera, Incident, LogSubject, Shelf, Unit


def tag_of(name: str, value: str) -> str:
    """One tag; a blank in a value would end it, and no two values may have the same: who may see
    the cameras of one group must not see those of another whose name is like it."""
    return f"{name}:{''.join(map(_written, value))}"


def _written(character: str) -> str:
    if character == " ":
        return "_"
    if character in "_%" or character.isspace():
        return f"%{ord(character):02X};"
    return character


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
    ways = [_Holds(column, f" {tag_of(name, value)} ") for value in sorted(values)]
    return or_(*ways) if ways else false()


class _Holds(FunctionElement[bool]):
    """Whether a text holds another, letter by letter: to SQLite's LIKE, ``a`` is ``A``."""

    inherit_cache = True
    type = Boolean()

    def __init__(self, column: InstrumentedAttribute[str], text: str) -> None:
        super().__init__(column, literal(text))


@compiles(_Holds)
def _on_postgresql(holds: _Holds, compiler: Any, **options: Any) -> str:
    return f"(strpos({compiler.process(holds.clauses, **options)}) > 0)"


@compiles(_Holds, "sqlite")
def _on_sqlite(holds: _Holds, compiler: Any, **options: Any) -> str:
    return f"(instr({compiler.process(holds.clauses, **options)}) > 0)"
