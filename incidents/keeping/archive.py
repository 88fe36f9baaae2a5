"""Incidents as maps, exports and other agencies' systems ask for them: by place and time, and by
what the log has told of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select

from contracts import (
    AgencyId,
    AlarmLevel,
    Hazard,
    Incident,
    IncidentAction,
    IncidentId,
    IncidentState,
    LogKind,
    Sequence,
    from_json,
)
from incidents.database import Database
from incidents.errors import NotFound
from incidents.finding import Asked, IncidentPage, find_numbers, find_page
from incidents.log import first_seq_at
from incidents.tables import IncidentRow, LogRow

_VERIFIED = (
    IncidentState.VERIFIED,
    IncidentState.DISPATCHED,
    IncidentState.EN_ROUTE,
    IncidentState.ON_SCENE,
)
_DECIDED = (LogKind.INCIDENT_ACTED.value, LogKind.INCIDENT_MERGED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Where and when; a part left ``None`` asks for nothing.

    ``west`` above ``east`` is a box across the 180th meridian. An incident lasts from its start to
    its end, an open one until ever; it is found where that overlaps ``[since, until]``.
    """

    west_south_east_north: tuple[float, float, float, float] | None = None
    since: datetime | None = None
    until: datetime | None = None
    agencies: frozenset[AgencyId] | None = None
    """Only what one of these is told of."""
    groups: frozenset[str] | None = None
    """Only what a camera of one of these groups has to do with, or none."""

    def _asked(self, exercise: bool) -> Asked:
        return Asked(
            exercise=exercise,
            agencies=self.agencies,
            groups=self.groups,
            box=self.west_south_east_north,
            since=self.since,
            until=self.until,
        )


EVERYWHERE = Extent()


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of an incident's history, without the incident as it was."""

    seq: Sequence
    recorded_at: datetime
    kind: LogKind
    detail: str
    hazard: Hazard | None
    level: AlarmLevel | None


class Archive:
    """Reads the ``incidents`` and ``log`` tables; changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self,
        extent: Extent = EVERYWHERE,
        *,
        exercise: bool,
        before: int | None = None,
        limit: int = 100,
    ) -> IncidentPage:
        """A page of one partition's incidents; ``before`` is the cursor of the page before."""
        async with self._database.reading(is_long=True) as connection:
            return await find_page(connection, extent._asked(exercise), before=before, limit=limit)

    async def count(self, extent: Extent, *, exercise: bool, at_most: int) -> int:
        """How many there are, counted no further than ``at_most``."""
        async with self._database.reading(is_long=True) as connection:
            return len(
                await find_numbers(connection, extent._asked(exercise), before=None, limit=at_most)
            )

    async def worth_telling(
        self, levels: Iterable[AlarmLevel], *, exercise: bool, limit: int
    ) -> list[Incident]:
        """The open incidents of these levels, and those that somebody verified; newest first."""
        statement = (
            select(IncidentRow.body)
            .where(
                IncidentRow.is_open.is_(True),
                IncidentRow.exercise.is_(exercise),
                or_(
                    IncidentRow.level.in_(sorted(levels)),
                    IncidentRow.state.in_(sorted(_VERIFIED)),
                ),
            )
            .order_by(IncidentRow.founded_seq.desc())
            .limit(limit)
        )
        async with self._database.reading(is_long=True) as connection:
            return [from_json(Incident, body) for body in await connection.scalars(statement)]

    async def history(self, incident_id: IncidentId) -> list[Told]:
        """What the log has told of an incident, in order.

        Raises:
            NotFound: no such incident.
        """
        statement = (
            select(
                LogRow.seq,
                LogRow.recorded_at,
                LogRow.kind,
                LogRow.detail,
                LogRow.hazard,
                LogRow.level,
            )
            .where(
                LogRow.subject_id == incident_id,
                LogRow.kind.startswith("incident.", autoescape=True),
            )
            .order_by(LogRow.seq)
        )
        async with self._database.reading(is_long=True) as connection:
            rows = (await connection.execute(statement)).all()
        if not rows:
            raise NotFound("incident", incident_id)
        return [
            Told(
                seq=Sequence(row.seq),
                recorded_at=row.recorded_at,
                kind=LogKind(row.kind),
                detail=row.detail,
                hazard=None if row.hazard is None else Hazard(row.hazard),
                level=None if row.level is None else AlarmLevel(row.level),
            )
            for row in rows
        ]

    async def as_told(self, seq: int) -> Incident:
        """The incident as it was after an entry of its history.

        Raises:
            NotFound: no such entry.
        """
        async with self._database.reading() as connection:
            body = await connection.scalar(select(LogRow.subject).where(LogRow.seq == seq))
        if body is None:
            raise NotFound("log entry", str(seq))
        return from_json(Incident, body)

    async def lately_decided(self, since: datetime, *, exercise: bool, limit: int) -> list[str]:
        """Ids of the incidents that somebody acted on, or fusion merged, most recent first."""
        async with self._database.reading(is_long=True) as connection:
            statement = (
                select(LogRow.subject_id)
                .where(
                    LogRow.seq >= await first_seq_at(connection, since),
                    LogRow.kind.in_(_DECIDED),
                    LogRow.detail != IncidentAction.NOTE.value,
                    LogRow.exercise.is_(exercise),
                )
                .group_by(LogRow.subject_id)
                .order_by(func.max(LogRow.seq).desc())
                .limit(limit)
            )
            return list(await connection.scalars(statement))
