"""What the reports count: incidents, calls and alarms of a time, with the fields that matter."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from contracts import AlarmLevel, ContractError, Hazard, IncidentState
from incidents.database import Database
from incidents.log import first_seq_at
from incidents.tables import CallRow, IncidentRow, LogRow

F = TypeVar("F")

MOST = 200_000
"""Incidents or calls that one report counts: a whole city's year, and some seconds of work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From ``since`` up to, not including, ``until``; of reality or of exercises."""

    since: datetime
    until: datetime
    exercise: bool

    def __post_init__(self) -> None:
        if self.since >= self.until:
            raise ContractError("until", "must be later than since")


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFact:
    """An incident as reports count it."""

    id: str
    hazard: Hazard
    state: IncidentState
    level: AlarmLevel
    place_name: str
    lon: float
    lat: float
    started_at: datetime
    created_at: datetime
    acknowledged_at: datetime | None
    verified_at: datetime | None
    dispatched_at: datetime | None
    on_scene_at: datetime | None
    closed_at: datetime | None
    camera_ids: tuple[str, ...]
    calls: int

    @property
    def was_real(self) -> bool:
        """Neither rejected, nor a repeat of another one, nor called off."""
        return self.state not in _NOT_REAL


_NOT_REAL = frozenset({IncidentState.REJECTED, IncidentState.DUPLICATE, IncidentState.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFact:
    """A call as reports count it."""

    received_at: datetime
    hazard: Hazard | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmFact:
    """An incident that was sounded, when it first was; and what became of it since."""

    at: datetime
    incident: IncidentFact


class Facts:
    """Reads what reports are made of; changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def incidents(self, span: Span) -> list[IncidentFact]:
        """Those that began in the span, oldest first.

        Raises:
            ContractError: too many for one report.
        """
        return await self._each(
            IncidentRow, IncidentRow.started_at, span, lambda row: _incident(row.body)
        )

    async def calls(self, span: Span) -> list[CallFact]:
        """Those that came in the span, oldest first.

        Raises:
            ContractError: too many for one report.
        """
        return await self._each(CallRow, CallRow.received_at, span, _call)

    async def _each(
        self,
        table: type[IncidentRow] | type[CallRow],
        at: InstrumentedAttribute[datetime],
        span: Span,
        fact: Callable[[Any], F],
    ) -> list[F]:
        statement = (
            select(at, table.body)
            .where(table.exercise.is_(span.exercise), at >= span.since, at < span.until)
            .order_by(at)
            .limit(MOST + 1)
        )
        async with self._database.reading(is_long=True) as connection:
            rows = (await connection.execute(statement)).all()
        _require_few(rows)
        return await asyncio.to_thread(lambda: [fact(row) for row in rows])

    async def alarms(self, span: Span) -> list[AlarmFact]:
        """The incidents that were sounded in the span for the first time, in that order.

        Raises:
            ContractError: too many for one report.
        """
        async with self._database.reading(is_long=True) as connection:
            first = await first_seq_at(connection, span.since)
            after = await first_seq_at(connection, span.until)
            sounded = (
                select(LogRow.subject_id, func.min(LogRow.recorded_at).label("at"))
                .where(
                    LogRow.seq >= first,
                    LogRow.seq < after,
                    LogRow.level == AlarmLevel.ALARM.value,
                    LogRow.exercise.is_(span.exercise),
                )
                .group_by(LogRow.subject_id)
                .subquery()
            )
            statement = (
                select(sounded.c.at, IncidentRow.body)
                .join(IncidentRow, IncidentRow.id == sounded.c.subject_id)
                .order_by(sounded.c.at)
                .limit(MOST + 1)
            )
            rows = (await connection.execute(statement)).all()
            earlier = await _sounded_before(connection, first, span)
        _require_few(rows)
        found = await asyncio.to_thread(
            lambda: [AlarmFact(at=row.at, incident=_incident(row.body)) for row in rows]
        )
        return [one for one in found if one.incident.id not in earlier]


async def _sounded_before(connection: AsyncConnection, first: int, span: Span) -> set[str]:
    """Incidents that were told of in the span, and sounded before it already."""
    told = (
        select(LogRow.subject_id)
        .where(LogRow.seq >= first, LogRow.level == AlarmLevel.ALARM.value)
        .distinct()
    )
    statement = (
        select(IncidentRow.id)
        .where(IncidentRow.id.in_(told), IncidentRow.founded_seq < first)
        .limit(MOST)
    )
    candidates = list(await connection.scalars(statement))
    before: set[str] = set()
    for number in range(0, len(candidates), 500):
        some = select(LogRow.subject_id.distinct()).where(
            LogRow.subject_id.in_(candidates[number : number + 500]),
            LogRow.seq < first,
            LogRow.level == AlarmLevel.ALARM.value,
        )
        before.update(await connection.scalars(some))
    return before


def _require_few(rows: Sequence[object]) -> None:
    if len(rows) > MOST:
        raise ContractError("until", f"more than {MOST} in this time; choose a shorter one")


def _incident(body: str) -> IncidentFact:
    found: dict[str, Any] = json.loads(body)
    estimate = found["estimate"]
    return IncidentFact(
        id=found["id"],
        hazard=Hazard(estimate["hazard"]),
        state=IncidentState(found["state"]),
        level=AlarmLevel(found["level"]),
        place_name=found.get("place_name", ""),
        lon=estimate["location"]["lon"],
        lat=estimate["location"]["lat"],
        started_at=datetime.fromisoformat(estimate["started_at"]),
        created_at=datetime.fromisoformat(found["created_at"]),
        acknowledged_at=_time(found.get("acknowledged_at")),
        verified_at=_time(found.get("verified_at")),
        dispatched_at=_time(found.get("dispatched_at")),
        on_scene_at=_time(found.get("on_scene_at")),
        closed_at=_time(found.get("closed_at")),
        camera_ids=tuple(estimate.get("camera_ids", ())),
        calls=len(estimate.get("call_ids", ())),
    )


def _call(row: Any) -> CallFact:
    hazard = json.loads(row.body).get("hazard")
    return CallFact(received_at=row.received_at, hazard=None if hazard is None else Hazard(hazard))


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
