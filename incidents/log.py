"""Reading the log: from a cursor, through a filter, with the whole subject as it was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import AlarmLevel, Hazard, LogEntry, LogKind, Sequence, from_json, subject_type
from incidents.database import Database
from incidents.tables import CounterRow, LogRow


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """What a reader wants to see; a field left ``None`` lets everything through.

    ``hazards`` and ``levels`` speak of incidents; entries about other things pass them.
    """

    kinds: frozenset[LogKind] | None = None
    hazards: frozenset[Hazard] | None = None
    levels: frozenset[AlarmLevel] | None = None
    subject_ids: frozenset[str] | None = None
    exercise: bool | None = None

    def _conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        about_incidents = LogRow.kind.startswith("incident.", autoescape=True)
        if self.kinds is not None:
            found.append(LogRow.kind.in_(sorted(self.kinds)))
        if self.hazards is not None:
            found.append(or_(~about_incidents, LogRow.hazard.in_(sorted(self.hazards))))
        if self.levels is not None:
            found.append(or_(~about_incidents, LogRow.level.in_(sorted(self.levels))))
        if self.subject_ids is not None:
            found.append(LogRow.subject_id.in_(sorted(self.subject_ids)))
        if self.exercise is not None:
            found.append(LogRow.exercise == self.exercise)
        return found


EVERYTHING = LogFilter()


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
