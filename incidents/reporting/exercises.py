"""The ``exercises`` table: what was played for training, and how it went."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from contracts import ExerciseRecord, from_json, to_json
from incidents.database import Database
from incidents.errors import NotFound
from incidents.people.audit_chain import AuditEvent, append
from incidents.tables import ExerciseRow

RECORDED = "exercise.recorded"
"""The audit log's name for it."""


class Exercises:
    """Recorded once each, read by those who train others."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, record: ExerciseRecord, *, actor: str) -> None:
        """Record one; a repeat replaces it."""
        event = AuditEvent(
            action=RECORDED,
            actor=actor,
            subject=record.id,
            details={"scenario": record.scenario, "asked_by": record.asked_by},
        )
        async with self._database.changing() as connection:
            await connection.execute(delete(ExerciseRow).where(ExerciseRow.id == record.id))
            await connection.execute(
                insert(ExerciseRow).values(
                    id=record.id, started_at=record.started_at, body=to_json(record).decode()
                )
            )
            await append(connection, self._database.clock.now(), [event])

    async def recent(self, limit: int) -> list[ExerciseRecord]:
        """The newest first."""
        statement = select(ExerciseRow.body).order_by(ExerciseRow.started_at.desc()).limit(limit)
        async with self._database.reading() as connection:
            return [from_json(ExerciseRecord, body) for body in await connection.scalars(statement)]

    async def get(self, exercise_id: str) -> ExerciseRecord:
        """One of them.

        Raises:
            NotFound: no such exercise.
        """
        statement = select(ExerciseRow.body).where(ExerciseRow.id == exercise_id)
        async with self._database.reading() as connection:
            body = await connection.scalar(statement)
        if body is None:
            raise NotFound("exercise", exercise_id)
        return from_json(ExerciseRecord, body)
