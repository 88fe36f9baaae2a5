"""Reading the log: from a cursor, through a filter, with the whole subject as it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import (
    AgencyId,
    AlarmLevel,
    Hazard,
    LogEntry,
    LogKind,
    Sequence,
    from_json,
    subject_type,
)
from incidents.database import Database
from incidents.tables import CounterRow, LogRow
from incidents.tags import has_any_tag, tag_of


class Filtered(Protocol):
    """What a filter looks at, beside the tags."""

    @property
    def kind(self) -> LogKind:
        """What the entry tells."""
        ...

    @property
    def subject_id(self) -> str:
        """Of what it tells."""
        ...

    @property
    def exercise(self) -> bool:
        """Of which partition."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """What a reader wants to see; a field left ``None`` lets everything through.

    ``hazards``, ``levels`` and ``areas`` speak of incidents, and entries about other things pass
    them. ``agencies`` lets through what those agencies are told of: incidents and units, nothing
    else. ``groups`` speaks of cameras, their clips, and the incidents that any camera has to do
    with. An entry by which something leaves the filter passes it too, so that no reader is left
    with what has become something else.
    """

    kinds: frozenset[LogKind] | None = None
    hazards: frozenset[Hazard] | None = None
    levels: frozenset[AlarmLevel] | None = None
    areas: frozenset[str] | None = None
    agencies: frozenset[AgencyId] | None = None
    groups: frozenset[str] | None = None
    subject_ids: frozenset[str] | None = None
    exercise: bool | None = None

    def passes(self, entry: Filtered, tags: str) -> bool:
        """Whether an entry with these tags passes; the same law as in the database."""
        if self == EVERYTHING:
            return True
        about = entry.kind.partition(".")[0]
        return (
            (self.kinds is None or entry.kind in self.kinds)
            and (self.subject_ids is None or entry.subject_id in self.subject_ids)
            and (self.exercise is None or entry.exercise == self.exercise)
            and all(
                about not in concerned
                or (is_lenient and f" {name}:" not in tags)
                or any(f" {tag_of(name, value)} " in tags for value in wanted)
                for name, wanted, concerned, is_lenient in self._tagged()
            )
            and (self.agencies is None or about in _OF_AGENCIES)
        )

    def _tagged(self) -> Iterator[tuple[str, frozenset[str], frozenset[str], bool]]:
        """Name, wanted values, what it speaks of, and whether what has no such tag passes."""
        for name, wanted, concerned, is_lenient in (
            ("hazard", self.hazards, _INCIDENTS, False),
            ("level", self.levels, _INCIDENTS, False),
            ("area", self.areas, _INCIDENTS, False),
            ("agency", self.agencies, _OF_AGENCIES, False),
            ("group", self.groups, _OF_CAMERAS, True),
        ):
            if wanted is not None:
                yield name, frozenset(wanted), concerned, is_lenient

    def _conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.kinds is not None:
            found.append(LogRow.kind.in_(sorted(self.kinds)))
        if self.subject_ids is not None:
            found.append(LogRow.subject_id.in_(sorted(self.subject_ids)))
        if self.exercise is not None:
            found.append(LogRow.exercise == self.exercise)
        for name, wanted, concerned, is_lenient in self._tagged():
            ways = [~_is_about(concerned), has_any_tag(LogRow.tags, name, wanted)]
            if is_lenient:
                ways.append(~LogRow.tags.contains(f" {name}:", autoescape=True))
            found.append(or_(*ways))
        if self.agencies is not None:
            found.append(_is_about(_OF_AGENCIES))
        return found


_INCIDENTS = frozenset({"incident"})
_OF_AGENCIES = frozenset({"incident", "unit"})
_OF_CAMERAS = frozenset({"incident", "camera", "clip"})


def _is_about(subjects: frozenset[str]) -> ColumnElement[bool]:
    return LogRow.kind.in_(sorted(kind for kind in LogKind if kind.partition(".")[0] in subjects))


EVERYTHING = LogFilter()
WINDOW = 20_000
"""Entries that one filtered read looks at: tens of milliseconds."""


@dataclass(frozen=True, slots=True)
class TaggedEntry:
    """An entry with what filters look at."""

    entry: LogEntry
    tags: str


class Log:
    """The log's reading side; entries are written by whoever makes the change."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def after(
        self, seq: int, limit: int = 500, only: LogFilter = EVERYTHING
    ) -> list[LogEntry]:
        """The first ``limit`` entries after ``seq`` that the filter lets through, in order."""
        statement = (
            select(LogRow)
            .where(and_(LogRow.seq > seq, *only._conditions()))
            .order_by(LogRow.seq)
            .limit(limit)
        )
        async with self._database.reading(is_long=True) as connection:
            return _entries(await connection.execute(statement))

    async def scan(
        self, seq: int, limit: int = 500, only: LogFilter = EVERYTHING
    ) -> tuple[list[TaggedEntry], Sequence]:
        """Like `after`, with the tags, looking no farther than `WINDOW` entries at once.

        Returns the entries and the place up to which the filter lets nothing else through: go on
        from there. A rare thing in a long log so takes many short reads, not one long one.
        """
        async with self._database.reading(is_long=True) as connection:
            last = min(seq + WINDOW, await read_last_seq(connection))
            statement = (
                select(LogRow)
                .where(and_(LogRow.seq > seq, LogRow.seq <= last, *only._conditions()))
                .order_by(LogRow.seq)
                .limit(limit)
            )
            rows = (await connection.execute(statement)).all()
        found = [
            TaggedEntry(entry, row.tags) for entry, row in zip(_entries(rows), rows, strict=True)
        ]
        return found, Sequence(rows[-1].seq if len(rows) == limit else max(seq, last))

    async def of_subject(
        self, subject_id: str, kinds: Iterable[LogKind], before: int | None, limit: int
    ) -> list[LogEntry]:
        """The newest entries about one thing, newest first; ``before`` is a sequence number."""
        statement = (
            select(LogRow)
            .where(LogRow.subject_id == subject_id, LogRow.kind.in_(sorted(kinds)))
            .order_by(LogRow.seq.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(LogRow.seq < before)
        async with self._database.reading(is_long=True) as connection:
            return _entries(await connection.execute(statement))

    async def last_seq(self) -> Sequence:
        """The newest entry's number; 0 while there is none."""
        async with self._database.reading() as connection:
            return await read_last_seq(connection)

    async def oldest_seq(self) -> Sequence:
        """The oldest number still kept, or the next one to come where nothing is.

        A reader whose cursor is below ``oldest_seq() - 1`` has missed something for good.
        """
        async with self._database.reading() as connection:
            oldest = await connection.scalar(select(func.min(LogRow.seq)))
            return Sequence(oldest or await read_last_seq(connection) + 1)


async def read_last_seq(connection: AsyncConnection) -> Sequence:
    """The newest entry's number, as this transaction sees it."""
    value = await connection.scalar(select(CounterRow.value).where(CounterRow.name == "log"))
    return Sequence(value or 0)


async def first_seq_at(connection: AsyncConnection, at: datetime) -> Sequence:
    """The first entry that was recorded at ``at`` or later, or the number after the last one.

    Entries are written in the order of their times, so a search by halves finds it without an
    index on the time, which every write would pay for.
    """
    last = await read_last_seq(connection)
    low = await connection.scalar(select(func.min(LogRow.seq))) or last + 1
    high = last + 1
    while low < high:
        middle = (low + high) // 2
        recorded_at = await connection.scalar(
            select(LogRow.recorded_at).where(LogRow.seq >= middle).order_by(LogRow.seq).limit(1)
        )
        if recorded_at is None or recorded_at >= at:
            high = middle
        else:
            low = middle + 1
    return Sequence(low)


def _entries(rows: Iterable[Any]) -> list[LogEntry]:
    return [
        LogEntry(
            seq=Sequence(row.seq),
            recorded_at=row.recorded_at,
            kind=LogKind(row.kind),
            subject_id=row.subject_id,
            actor=row.actor,
            exercise=row.exercise,
            detail=row.detail,
            subject=from_json(subject_type(LogKind(row.kind)), row.subject),
        )
        for row in rows
    ]
