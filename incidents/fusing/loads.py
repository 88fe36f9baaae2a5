"""What was told of the desk's load, and of the alarms that make it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import AlarmLevel, DeskLoad, Incident, LogKind, from_json
from incidents.fusing.writer import WriterDoor
from incidents.log import first_seq_at
from incidents.tables import LogRow
from incidents.tags import has_any_tag

_INCIDENTS = sorted(kind for kind in LogKind if kind.partition(".")[0] == "incident")


class DeskLoads(WriterDoor):
    """Entries of the kind ``desk.load``."""

    async def tell(self, load: DeskLoad, *, fencing: int) -> None:
        """Write it into the log.

        Raises:
            FencedOff: another writer has taken over.
        """
        async with self.writing_as(fencing) as writing:
            writing.log(LogKind.DESK_LOAD, load, exercise=False)

    async def last(self) -> DeskLoad | None:
        """The one that was told last."""
        async with self._database.reading() as connection:
            return await read_load(connection)

    async def alarms_since(self, since: datetime) -> list[tuple[Incident, datetime]]:
        """Real incidents as they were told while they sounded and when they stopped, oldest
        first."""
        async with self._database.reading(is_long=True) as connection:
            rows = await connection.execute(
                select(LogRow.subject, LogRow.recorded_at)
                .where(
                    LogRow.seq >= await first_seq_at(connection, since),
                    LogRow.kind.in_(_INCIDENTS),
                    LogRow.exercise.is_(False),
                    has_any_tag(LogRow.tags, "level", [AlarmLevel.ALARM.value]),
                )
                .order_by(LogRow.seq)
            )
            return [(from_json(Incident, row.subject), row.recorded_at) for row in rows]


async def read_load(connection: AsyncConnection) -> DeskLoad | None:
    """The desk's load as it was told last, as this transaction sees it; none where it never was."""
    subject = await connection.scalar(
        select(LogRow.subject)
        .where(LogRow.kind == LogKind.DESK_LOAD.value)
        .order_by(LogRow.seq.desc())
        .limit(1)
    )
    return None if subject is None else from_json(DeskLoad, subject)
