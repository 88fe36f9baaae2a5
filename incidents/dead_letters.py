"""What came over the bus and could not be used: kept whole until somebody has mended what was
wrong, or decides that it is worth nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from incidents.database import Database
from incidents.errors import NotFound
from incidents.people.audit_chain import AuditEvent, append
from incidents.tables import DeadLetterRow

TAKEN = "dead-letter.taken"
DISCARDED = "dead-letter.discarded"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One of them.

    Attributes:
        id: topic and the bus's entry id, ``detections/1763790000000-0``.
        problem: why it could not be used.
        sealed: its bytes in base64, encrypted; none of letters from before they were kept.
    """

    id: str
    problem: str
    sealed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLetter:
    """One that is stored."""

    id: str
    recorded_at: datetime
    problem: str
    is_whole: bool
    """Whether its bytes are there."""


class DeadLetters:
    """The ``dead_letters`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, letters: Sequence[DeadLetter]) -> int:
        """Keep them, each once; returns how many were new."""
        if not letters:
            return 0
        now = self._database.clock.now()
        rows = [
            {"id": one.id, "recorded_at": now, "problem": one.problem, "sealed": one.sealed}
            for one in letters
        ]
        ids = [one.id for one in letters]
        async with self._database.changing() as connection:
            before = await _count(connection, ids)
            make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            await connection.execute(make(DeadLetterRow).on_conflict_do_nothing(), rows)
            return await _count(connection, ids) - before

    async def newest(self, limit: int = 100) -> list[KeptLetter]:
        """The newest ones."""
        statement = (
            select(DeadLetterRow)
            .order_by(DeadLetterRow.recorded_at.desc(), DeadLetterRow.id)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [
                KeptLetter(
                    id=row.id,
                    recorded_at=row.recorded_at,
                    problem=row.problem,
                    is_whole=row.sealed is not None,
                )
                for row in await connection.execute(statement)
            ]

    async def sealed(self, letter_id: str) -> str:
        """One's bytes, in base64 and encrypted.

        Raises:
            NotFound: no such letter, or its bytes weren't kept.
        """
        statement = select(DeadLetterRow.sealed).where(DeadLetterRow.id == letter_id)
        async with self._database.reading() as connection:
            found: str | None = await connection.scalar(statement)
        if found is None:
            raise NotFound("dead letter", letter_id)
        return found

    async def remove(self, letter_id: str, *, action: str, actor: str, reason: str) -> None:
        """Take one away, with a line in the audit log in the same transaction; ``action`` is
        `TAKEN` or `DISCARDED`.

        Raises:
            NotFound: no such letter (any more).
        """
        event = AuditEvent(
            action=action, actor=actor, subject=letter_id, details={"reason": reason}
        )
        async with self._database.changing() as connection:
            gone = await connection.execute(
                delete(DeadLetterRow).where(DeadLetterRow.id == letter_id)
            )
            if gone.rowcount == 0:
                raise NotFound("dead letter", letter_id)
            await append(connection, self._database.clock.now(), [event])


async def _count(connection: AsyncConnection, ids: Iterable[str]) -> int:
    rows = await connection.execute(
        select(DeadLetterRow.id).where(DeadLetterRow.id.in_(sorted(ids)))
    )
    return len(rows.all())
