"""Retention: what is forgotten when, by kind; run now and then by whoever leads.

Each step is short and can be repeated: it deletes or coarsens a few rows in a transaction of its
own (`incidents.pace`), so that calls and actions hardly wait for it, and a run that is cut short is
finished by the next. Nothing that belongs to an incident under legal hold is touched. The log is
shortened from its beginning only, and up to the first entry of a held incident, so that what is
left has no gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select

from contracts import Incident, from_json
from incidents.database import SYSTEM, Database
from incidents.keeping.coarsening import coarsen_some
from incidents.keeping.wanted_files import wanted_files
from incidents.log import first_seq_at
from incidents.outboxes import DEAD
from incidents.pace import Pace
from incidents.people.audit import Audit
from incidents.people.audit_chain import AuditEvent, append
from incidents.people.sessions import Sessions
from incidents.tables import (
    CallRow,
    DeadLetterRow,
    ExerciseRow,
    IncidentRow,
    LogRow,
    RawMessageRow,
    ReportRow,
    WebhookDeliveryRow,
    WebhookRow,
)
from plumbing.clock import Clock
from plumbing.evidence import EvidenceError, EvidenceStore
from plumbing.logs import get_logger
from plumbing.settings import Settings

_log = get_logger(__name__)

CALLS_AT_LEAST = 10
"""Each of them stands in a call, its reports and the log."""


@dataclass(slots=True)
class Forgotten:
    """What a run took away."""

    sessions: int = 0
    messages: int = 0
    calls_coarsened: int = 0
    log_entries: int = 0
    files: int = 0
    exercise_reports: int = 0
    exercise_calls: int = 0
    dead_letters: int = 0
    audit_entries: int = 0

    @property
    def is_anything(self) -> bool:
        """Whether there is anything to tell."""
        return any(asdict(self).values())


class Retention:
    """Applies `Settings.retention` to a database and an evidence store."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        evidence: EvidenceStore | None,
    ) -> None:
        """``evidence`` none leaves files alone."""
        self._database = database
        self._clock = clock
        self._settings = settings
        self._evidence = evidence

    async def run(self) -> Forgotten:
        """Forget what is due; the audit log says how much."""
        found = Forgotten()
        api = self._settings.api
        found.sessions = await Sessions(self._database).forget_unused(
            idle=timedelta(minutes=api.session_idle_minutes),
            longest=timedelta(hours=api.session_longest_hours),
        )
        held = await self._held()
        found.messages = await self._forget_messages(held)
        found.calls_coarsened = await self._coarsen_calls(held)
        found.dead_letters = await self._forget_dead_letters()
        found.exercise_reports, found.exercise_calls = await self._forget_exercises(held)
        found.log_entries = await self._shorten_log(held)
        kept_days = self._settings.retention.audit_days
        found.audit_entries = await Audit(self._database).prune(self._before(kept_days))
        if self._evidence is not None:
            found.files = await self._forget_files(self._evidence, held)
        if found.is_anything:
            event = AuditEvent(action="retention.run", actor=SYSTEM, details=asdict(found))
            async with self._database.changing() as connection:
                await append(connection, self._clock.now(), [event])
        return found

    def _before(self, days: float) -> datetime:
        return self._clock.now() - timedelta(days=days)

    async def _held(self) -> list[Incident]:
        async with self._database.reading(is_long=True) as connection:
            bodies = await connection.scalars(
                select(IncidentRow.body).where(IncidentRow.on_hold.is_(True))
            )
            return [from_json(Incident, body) for body in bodies]

    async def _forget_messages(self, held: Iterable[Incident]) -> int:
        kept = sorted({call for incident in held for call in incident.estimate.call_ids})
        due: ColumnElement[bool] = RawMessageRow.seen_at < self._before(
            self._settings.retention.raw_message_days
        )
        if kept:
            due &= or_(RawMessageRow.call_id.is_(None), RawMessageRow.call_id.not_in(kept))
        return await self._delete(RawMessageRow, RawMessageRow.id, due)

    async def _coarsen_calls(self, held: Iterable[Incident]) -> int:
        kept = {call for incident in held for call in incident.estimate.call_ids}
        before = self._before(self._settings.retention.caller_position_days)
        done, pace = 0, Pace(self._database, CALLS_AT_LEAST)
        while True:
            async with pace.batch() as batch:
                some = await coarsen_some(batch.connection, before, kept, batch.rows)
            if some is None:
                return done
            done += some

    async def _forget_dead_letters(self) -> int:
        before = self._before(self._settings.retention.dead_letter_days)
        old = DeadLetterRow.recorded_at < before
        gone = await self._delete(DeadLetterRow, DeadLetterRow.id, old)
        is_dead = and_(WebhookDeliveryRow.state == DEAD, WebhookDeliveryRow.queued_at < before)
        async with self._database.reading() as connection:
            hooks = list(await connection.scalars(select(WebhookRow.id)))
        for hook in hooks:
            of_hook = and_(WebhookDeliveryRow.webhook_id == hook, is_dead)
            gone += await self._delete(WebhookDeliveryRow, WebhookDeliveryRow.seq, of_hook)
        return gone

    async def _forget_exercises(self, held: Iterable[Incident]) -> tuple[int, int]:
        kept = sorted({call for incident in held for call in incident.estimate.call_ids})
        before = self._before(self._settings.retention.exercise_days)
        closed = select(IncidentRow.id).where(
            IncidentRow.exercise.is_(True),
            IncidentRow.is_open.is_(False),
            IncidentRow.on_hold.is_(False),
        )
        reports = await self._delete(
            ReportRow,
            ReportRow.seq,
            and_(
                ReportRow.exercise.is_(True),
                ReportRow.recorded_at < before,
                or_(ReportRow.incident_id.is_(None), ReportRow.incident_id.in_(closed)),
            ),
        )
        await self._delete(ExerciseRow, ExerciseRow.id, ExerciseRow.started_at < before)
        calls = await self._delete(
            CallRow,
            CallRow.id,
            and_(CallRow.exercise.is_(True), CallRow.received_at < before, CallRow.id.not_in(kept)),
        )
        return reports, calls

    async def _shorten_log(self, held: Iterable[Incident]) -> int:
        before = self._before(self._settings.retention.log_days)
        async with self._database.reading(is_long=True) as connection:
            first = await connection.scalar(select(func.min(LogRow.seq)))
            end: int = await first_seq_at(connection, before)
            if ids := [incident.id for incident in held]:
                first_held = await connection.scalar(
                    select(func.min(LogRow.seq)).where(LogRow.subject_id.in_(ids))
                )
                end = min(end, first_held or end)
        gone, seq, pace = 0, first or end, Pace(self._database)
        while seq < end:
            async with pace.batch() as batch:
                seq = min(seq + batch.rows, end)
                deleted = await batch.connection.execute(delete(LogRow).where(LogRow.seq < seq))
            gone += int(deleted.rowcount)
        return gone

    async def _forget_files(self, evidence: EvidenceStore, held: Sequence[Incident]) -> int:
        retention = self._settings.retention
        old = self._before(retention.unconfirmed_picture_days)
        since = self._before(retention.incident_evidence_days)
        wanted = await wanted_files(self._database, since, held)
        gone = 0
        try:
            for evidence_id in await asyncio.to_thread(lambda: list(evidence.older_than(old))):
                if evidence_id not in wanted:
                    await asyncio.to_thread(evidence.remove, evidence_id)
                    gone += 1
        except EvidenceError as error:
            # Whoever leads has more to do than to forget; the next run begins anew.
            _log.error("old evidence can't be removed; trying again later", why=str(error))
        return gone

    async def _delete(self, table: Any, key: Any, due: ColumnElement[bool]) -> int:
        """Delete what is due. It is looked for outside of the writing transaction, which nobody
        else's could come before meanwhile, and must be due still within it."""
        gone, pace = 0, Pace(self._database)
        while True:
            async with self._database.reading(is_long=True) as connection:
                keys = list(await connection.scalars(select(key).where(due).limit(pace.rows)))
            if not keys:
                return gone
            async with pace.batch() as batch:
                deleted = await batch.connection.execute(delete(table).where(key.in_(keys), due))
            gone += int(deleted.rowcount)
