"""Finding incidents by what they are: pages in the order of their founding, newest first.

A page must cost the same however many incidents there are, also where a filter lets hardly any
through. So what an incident can be found by stands in a table of its own, a row a *word*: its tags
(`incidents.tags`), the cells of the map that it lies in, and that it was long in coming or ending.
A question is driven by its rarest word, read backwards from the page's cursor; place and times
stand in the same row, and other words are looked up row by row.

Times need no word of their own: an incident is founded within a day of its beginning and ends
within a day after, so the days asked for are a range of the founding order. The few that are
otherwise, and those that go on, have the word `LASTING`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, union
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from contracts import AgencyId, AlarmLevel, Hazard, Incident, from_json
from incidents.tables import IncidentRow, IncidentWordRow
from incidents.tags import tag_of
from incidents.words import EXERCISE, LASTING, SOON, UNGROUPED, Box, Word, cells_of

MARGIN = 2 * SOON
"""Twice, so that a clock that was put back by less than a day does no harm."""
COUNTED = 2_000
"""A word that more incidents have is common enough for a page to fill soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for; a part left ``None`` asks for nothing.

    A ``box`` is west, south, east, north; its west above its east is one across the 180th meridian.
    An incident lasts from its start to its end, an open one until ever; it is found where that
    overlaps ``[since, until]``.
    """

    is_open: bool | None = None
    exercise: bool | None = None
    hazards: frozenset[Hazard] | None = None
    levels: frozenset[AlarmLevel] | None = None
    areas: frozenset[str] | None = None
    agencies: frozenset[AgencyId] | None = None
    groups: frozenset[str] | None = None
    """Also finds what is in no group."""
    box: Box | None = None
    since: datetime | None = None
    until: datetime | None = None

    def words(self) -> list[frozenset[Word]]:
        """Of each of these sets an incident that is asked for has a word."""
        found = [
            frozenset(tag_of(name, value) for value in values)
            for name, values in (
                ("area", self.areas),
                ("agency", self.agencies),
                ("hazard", self.hazards),
                ("level", self.levels),
            )
            if values is not None
        ]
        if self.groups is not None:
            found.append(frozenset({UNGROUPED, *(tag_of("group", one) for one in self.groups)}))
        if self.exercise:
            found.append(frozenset({EXERCISE}))
        if self.box is not None and (cells := cells_of(self.box)):
            found.append(frozenset(cells))
        return found

    def conditions(
        self, row: type[IncidentRow] | type[IncidentWordRow]
    ) -> list[ColumnElement[bool]]:
        """What the words don't say."""
        found: list[ColumnElement[bool]] = []
        if self.is_open is not None:
            found.append(row.is_open.is_(self.is_open))
        if self.exercise is not None:
            found.append(row.exercise.is_(self.exercise))
        if self.box is not None:
            west, south, east, north = self.box
            found.append(row.lat.between(south, north))
            if west <= east:
                found.append(row.lon.between(west, east))
            else:
                found.append(or_(row.lon >= west, row.lon <= east))
        if self.since is not None:
            found.append(or_(row.ended_at.is_(None), row.ended_at >= self.since))
        if self.until is not None:
            found.append(row.started_at <= self.until)
        return found


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """Incidents, newest first, and the cursor of the next page (none at the end)."""

    incidents: tuple[Incident, ...]
    next: int | None


async def find_page(
    connection: AsyncConnection, asked: Asked, *, before: int | None, limit: int
) -> IncidentPage:
    """The newest ``limit`` founded before ``before``, the cursor of the page before."""
    numbers = await find_numbers(connection, asked, before=before, limit=limit + 1)
    bodies = await connection.scalars(
        select(IncidentRow.body)
        .where(IncidentRow.founded_seq.in_(numbers[:limit]))
        .order_by(IncidentRow.founded_seq.desc())
    )
    return IncidentPage(
        tuple(from_json(Incident, body) for body in bodies),
        numbers[limit - 1] if len(numbers) > limit else None,
    )


async def find_numbers(
    connection: AsyncConnection, asked: Asked, *, before: int | None, limit: int
) -> list[int]:
    """The founding numbers of the newest ``limit`` founded before ``before``."""
    words = asked.words()
    if any(not some for some in words):
        return []
    # The open ones are few, and have an index.
    driver = None if asked.is_open else await _rarest(connection, words)
    span = await _span(connection, asked)
    branches = list(_branches(asked, words, driver, span, before, limit))
    if asked.since is not None or asked.until is not None:
        branches += _branches(asked, words, frozenset({LASTING}), _ALWAYS, before, limit)
    if len(branches) == 1:
        return list(await connection.scalars(branches[0]))
    every = union(*(select(one.subquery().c.founded_seq) for one in branches)).subquery()
    newest = select(every.c.founded_seq).order_by(every.c.founded_seq.desc()).limit(limit)
    return list(await connection.scalars(newest))


@dataclass(frozen=True, slots=True)
class _Span:
    """A range of the founding order, both ends included."""

    first: int | None
    last: int | None


_ALWAYS = _Span(None, None)
_NOTHING = _Span(1, 0)


async def _span(connection: AsyncConnection, asked: Asked) -> _Span:
    """Where everything lies that was founded about the time asked for."""
    number, at = IncidentRow.founded_seq, IncidentRow.created_at
    first = last = None
    if asked.since is not None:
        since = select(number).where(at >= asked.since - MARGIN).order_by(at, number).limit(1)
        first = await connection.scalar(since)
        if first is None:
            return _NOTHING
    if asked.until is not None:
        until = select(number).where(at <= asked.until + MARGIN)
        last = await connection.scalar(until.order_by(at.desc(), number.desc()).limit(1))
        if last is None:
            return _NOTHING
    return _Span(first, last)


async def _rarest(
    connection: AsyncConnection, words: Sequence[frozenset[Word]]
) -> frozenset[Word] | None:
    """The set that the fewest incidents have a word of."""
    if len(words) < 2:
        return words[0] if words else None
    counts = [
        select(func.count())
        .select_from(
            select(IncidentWordRow.founded_seq)
            .where(IncidentWordRow.word.in_(sorted(some)))
            .limit(COUNTED)
            .subquery()
        )
        .scalar_subquery()
        for some in words
    ]
    found = (await connection.execute(select(*counts))).one()
    return min(zip(found, words, strict=True), key=lambda one: one[0])[1]


def _branches(
    asked: Asked,
    words: Iterable[frozenset[Word]],
    driver: frozenset[Word] | None,
    span: _Span,
    before: int | None,
    limit: int,
) -> Iterator[Select[int]]:
    others = [some for some in words if some != driver]
    if driver is None:
        number = IncidentRow.founded_seq
        conditions = asked.conditions(IncidentRow) + [_has_any(number, some) for some in others]
        yield _newest(number, [*conditions, *_within(number, span, before)], limit)
        return
    for word in sorted(driver):
        row = aliased(IncidentWordRow)
        number = row.founded_seq
        conditions = [row.word == word, *_within(number, span, before), *asked.conditions(row)]
        conditions += [_has_any(number, some) for some in others]
        yield _newest(number, conditions, limit)


def _newest(number: Any, conditions: Iterable[ColumnElement[bool]], limit: int) -> Select[int]:
    return select(number).where(and_(True, *conditions)).order_by(number.desc()).limit(limit)


def _within(number: Any, span: _Span, before: int | None) -> Iterator[ColumnElement[bool]]:
    if span.first is not None:
        yield number >= span.first
    if span.last is not None:
        yield number <= span.last
    if before is not None:
        yield number < before


def _has_any(number: Any, words: Collection[Word]) -> ColumnElement[bool]:
    other = aliased(IncidentWordRow)
    # The sum keeps planners from driving by this side.
    return exists().where(other.founded_seq == number + 0, other.word.in_(sorted(words)))
