"""How fast what has no hurry changes many rows: little by little, beside those who wait for an
answer.

A batch is as large as fits into `AIM_S`, on whatever machine and disk it runs, for nobody else
writes meanwhile; and after each as much time is left to the others as it took.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from incidents.database import Database

AIM_S = 0.05
LONGEST_REST_S = 1.0
FEWEST = 100
"""Rows at once: on a slow disk the sync takes most of the time, and fewer don't help."""
MOST = 2_000


def after(rows: int, took_s: float, fewest: int = FEWEST) -> int:
    """How many rows the next batch changes when this one took so long."""
    if took_s > AIM_S:
        return max(fewest, rows // 2)
    return min(MOST, rows * 2) if took_s < AIM_S / 2 else rows


@dataclass(frozen=True, slots=True)
class Batch:
    """A writing transaction, and how many rows to change in it."""

    connection: AsyncConnection
    rows: int


class Pace:
    """One errand's: batch after batch. ``fewest`` is less where a row is much work."""

    def __init__(self, database: Database, fewest: int = FEWEST) -> None:
        self._database = database
        self._fewest = fewest
        self.rows = fewest
        """How many the next batch changes."""

    @contextlib.asynccontextmanager
    async def batch(self) -> AsyncIterator[Batch]:
        """The next batch; afterwards the others have their time."""
        loop = asyncio.get_running_loop()
        async with self._database.changing() as connection:
            began_s = loop.time()
            yield Batch(connection, self.rows)
        took_s = loop.time() - began_s
        self.rows = after(self.rows, took_s, self._fewest)
        await asyncio.sleep(min(took_s, LONGEST_REST_S))
