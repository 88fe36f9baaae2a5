"""The one writer of fusion's decisions: its claim, its cursor, and transactions in its name.

A writer claims a fencing number, and every commit checks that it is still the newest: a writer that
was suspended, and replaced meanwhile, gets `FencedOff` and can't write.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import Sequence as SequenceNumber
from incidents.database import Database, Writing
from incidents.errors import FencedOff
from incidents.tables import FusionWriterRow, ReportRow


class WriterDoor:
    """The ``fusion_writer`` row."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fencing(self) -> int:
        """The highest number that has claimed; a lease to claim with must be above it."""
        async with self._database.reading() as connection:
            return int(await connection.scalar(select(FusionWriterRow.fencing)) or 0)

    async def claim(self, fencing: int) -> None:
        """Become the one writer; every earlier one is fenced off. Claiming again is harmless.

        Raises:
            FencedOff: a writer with a higher number has claimed before.
        """
        async with self._database.writing() as writing:
            row = await _row(writing)
            if fencing < row.fencing:
                raise FencedOff(fencing, row.fencing)
            await writing.connection.execute(update(FusionWriterRow).values(fencing=fencing))

    async def progress(self) -> SequenceNumber:
        """The last report that was decided on."""
        async with self._database.reading() as connection:
            return await progress_of(connection)

    async def backlog(self) -> tuple[int, datetime | None]:
        """How many reports wait to be decided, and since when the oldest does."""
        done = select(FusionWriterRow.report_seq).scalar_subquery()
        async with self._database.reading() as connection:
            row = (
                await connection.execute(
                    select(func.count(ReportRow.seq), func.min(ReportRow.recorded_at)).where(
                        ReportRow.seq > done
                    )
                )
            ).one()
        return int(row[0]), row[1]

    @contextlib.asynccontextmanager
    async def writing_as(self, fencing: int) -> AsyncIterator[Writing]:
        """A writing transaction of the writer with this number.

        Raises:
            FencedOff: another writer has taken over.
        """
        async with self._database.writing() as writing:
            row = await _row(writing)
            if row.fencing != fencing:
                raise FencedOff(fencing, row.fencing)
            yield writing


async def progress_of(connection: AsyncConnection) -> SequenceNumber:
    """The last report that was decided on, as a transaction sees it."""
    return SequenceNumber(await connection.scalar(select(FusionWriterRow.report_seq)) or 0)


async def _row(writing: Writing) -> Any:
    found = await writing.connection.execute(select(FusionWriterRow).with_for_update())
    return found.one()
