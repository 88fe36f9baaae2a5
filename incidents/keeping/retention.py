"""Retention: what is forgotten when, by kind; run now and then by whoever leads.

Each step is short and can be repeated: it deletes or coarsens a bounded number of rows in a
transaction of its own, so that calls and actions never wait for it, and a run that is cut short is
finished by the next. Nothing that belongs to an incident under legal hold is touched. The log is
shortened from its beginning only, and up to the first entry of a held incident, so that what is
left has no gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import (
    Call,
    CallerFix,
    Detection,
    Disc,
    EvidenceClip,
    Incident,
    LonLat,
    ReportKind,
    from_json,
    to_json,
)
from contracts.verdicts import Verdict
from incidents.database import SYSTEM, Database
from incidents.fusing.cueing import disc_around
from incidents.people.audit import Audit
from incidents.people.audit_chain import AuditEvent, append
from incidents.people.sessions import Sessions
from incidents.tables import (
    CallRow,
    ClipRow,
    CounterRow,
    DeadLetterRow,
    ExerciseRow,
    IncidentRow,
    LogRow,
    RawMessageRow,
    ReportRow,
    VerdictRow,
    WebhookDeliveryRow,
)
from incidents.webhooks import DEAD
from plumbing.clock import Clock
from plumbing.evidence import EvidenceStore
from plumbing.settings import Settings

AT_ONCE = 500
LOG_AT_ONCE = 5_000
COARSE_DEG = 0.01
COARSE_RADIUS_M = 1_000.0
"""A hundredth of a degree is about a kilometre: a part of the city, and nobody's house."""
LARGEST_RADIUS_M = 100_000.0
COARSENED = "coarsened"
"""The counter that says up to which call positions are coarsened."""


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
        found.exercise_reports, found.exercise_calls = await self._forget_exercises()
        found.log_entries = await self._shorten_log(held)
        kept_days = self._settings.retention.audit_days
        found.audit_entries = await Audit(self._database).prune(self._before(kept_days))
        if self._evidence is not None:
            found.files = await self._forget_files(self._evidence)
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
        some = select(RawMessageRow.id).where(due).limit(AT_ONCE)
        return await self._delete(RawMessageRow, RawMessageRow.id, some)

    async def _coarsen_calls(self, held: Iterable[Incident]) -> int:
        kept = {call for incident in held for call in incident.estimate.call_ids}
        before = self._before(self._settings.retention.caller_position_days)
        done = 0
        while True:
            async with self._database.changing() as connection:
                place = await _counter(connection, COARSENED)
                rows = (
                    await connection.execute(
                        select(CallRow)
                        .where(CallRow.received_seq > place, CallRow.received_at < before)
                        .order_by(CallRow.received_seq)
                        .limit(AT_ONCE)
                    )
                ).all()
                if not rows:
                    return done
                for row in rows:
                    if row.id not in kept:
                        await _coarsen_call(connection, row)
                        done += 1
                await _set_counter(connection, COARSENED, rows[-1].received_seq)

    async def _forget_dead_letters(self) -> int:
        before = self._before(self._settings.retention.dead_letter_days)
        some = select(DeadLetterRow.id).where(DeadLetterRow.recorded_at < before).limit(AT_ONCE)
        gone = await self._delete(DeadLetterRow, DeadLetterRow.id, some)
        async with self._database.changing() as connection:
            undelivered = await connection.execute(
                delete(WebhookDeliveryRow).where(
                    WebhookDeliveryRow.state == DEAD, WebhookDeliveryRow.queued_at < before
                )
            )
        return gone + int(undelivered.rowcount)

    async def _forget_exercises(self) -> tuple[int, int]:
        before = self._before(self._settings.retention.exercise_days)
        closed = select(IncidentRow.id).where(
            IncidentRow.exercise.is_(True),
            IncidentRow.is_open.is_(False),
            IncidentRow.on_hold.is_(False),
        )
        some = (
            select(ReportRow.seq)
            .where(
                ReportRow.exercise.is_(True),
                ReportRow.recorded_at < before,
                or_(ReportRow.incident_id.is_(None), ReportRow.incident_id.in_(closed)),
            )
            .limit(AT_ONCE)
        )
        reports = await self._delete(ReportRow, ReportRow.seq, some)
        await self._delete(
            ExerciseRow,
            ExerciseRow.id,
            select(ExerciseRow.id).where(ExerciseRow.started_at < before).limit(AT_ONCE),
        )
        calls = await self._delete(
            CallRow,
            CallRow.id,
            select(CallRow.id)
            .where(CallRow.exercise.is_(True), CallRow.received_at < before)
            .limit(AT_ONCE),
        )
        return reports, calls

    async def _shorten_log(self, held: Iterable[Incident]) -> int:
        before = self._before(self._settings.retention.log_days)
        async with self._database.reading(is_long=True) as connection:
            last = await _last_before(connection, before)
            ids = [incident.id for incident in held]
            if last and ids:
                first_held = await connection.scalar(
                    select(func.min(LogRow.seq)).where(LogRow.subject_id.in_(ids))
                )
                last = min(last, (first_held or last + 1) - 1)
        if not last:
            return 0
        some = select(LogRow.seq).where(LogRow.seq <= last).order_by(LogRow.seq).limit(LOG_AT_ONCE)
        return await self._delete(LogRow, LogRow.seq, some)

    async def _forget_files(self, evidence: EvidenceStore) -> int:
        retention = self._settings.retention
        old = self._before(retention.unconfirmed_picture_days)
        wanted = await self._wanted(self._before(retention.incident_evidence_days))
        gone = 0
        for evidence_id in await asyncio.to_thread(lambda: list(evidence.older_than(old))):
            if evidence_id not in wanted:
                await asyncio.to_thread(evidence.remove, evidence_id)
                gone += 1
        return gone

    async def _wanted(self, ended_since: datetime) -> set[str]:
        """Files of incidents that are open, held, or were verified and have ended lately; and what
        people's verdicts rest on, from which detection learns."""
        kept = or_(
            IncidentRow.is_open.is_(True),
            IncidentRow.on_hold.is_(True),
            IncidentRow.ended_at >= ended_since,
        )
        wanted: set[str] = set()
        async with self._database.reading(is_long=True) as connection:
            bodies = await connection.scalars(select(IncidentRow.body).where(kept))
            incidents = [from_json(Incident, body) for body in bodies]
            worth = [
                one
                for one in incidents
                if one.state.is_open or one.on_hold or one.verified_at is not None
            ]
            for one in worth:
                wanted.update(attached.evidence_id for attached in one.attachments)
                if one.key_picture is not None:
                    wanted.add(one.key_picture.picture_id)
            ids = [one.id for one in worth]
            for start in range(0, len(ids), AT_ONCE):
                some = ids[start : start + AT_ONCE]
                detections = await connection.scalars(
                    select(ReportRow.body).where(
                        ReportRow.incident_id.in_(some),
                        ReportRow.kind == ReportKind.DETECTION.value,
                    )
                )
                wanted.update(_pictures(detections))
                clips = await connection.scalars(
                    select(ClipRow.body).where(ClipRow.incident_id.in_(some))
                )
                for clip in clips:
                    parts = from_json(EvidenceClip, clip).parts
                    wanted.update(part.evidence_id for part in parts)
            verdicts = await connection.scalars(
                select(VerdictRow.body).where(VerdictRow.decided_at >= ended_since)
            )
            wanted.update(_pictures(verdicts, Verdict))
        return wanted

    async def _delete(self, table: Any, key: Any, some: Any) -> int:
        gone = 0
        while True:
            async with self._database.changing() as connection:
                keys = list(await connection.scalars(some))
                if keys:
                    await connection.execute(delete(table).where(key.in_(keys)))
            if not keys:
                return gone
            gone += len(keys)


def coarsened(fix: CallerFix) -> CallerFix:
    """A position that tells the part of the city and no more; coarsening again changes nothing."""
    centre, radius_m = disc_around(fix.shape)
    rounded = LonLat(
        round(round(centre.lon / COARSE_DEG) * COARSE_DEG, 2),
        round(round(centre.lat / COARSE_DEG) * COARSE_DEG, 2),
    )
    wide_m = min(max(radius_m, COARSE_RADIUS_M), LARGEST_RADIUS_M)
    shape = Disc(centre=rounded, radius_m=wide_m)
    return replace(fix, shape=shape, altitude_m=None, raw=None)


async def _coarsen_call(connection: AsyncConnection, row: Any) -> None:
    call = _coarse_call(row.body)
    await connection.execute(
        update(CallRow).where(CallRow.id == row.id).values(body=to_json(call).decode())
    )
    reports = await connection.execute(
        select(ReportRow.seq, ReportRow.body).where(
            ReportRow.evidence_key == f"call:{row.id}", ReportRow.kind == ReportKind.FIX.value
        )
    )
    for report in reports.all():
        fix = coarsened(from_json(CallerFix, report.body))
        await connection.execute(
            update(ReportRow).where(ReportRow.seq == report.seq).values(body=to_json(fix).decode())
        )
    entries = await connection.execute(
        select(LogRow.seq, LogRow.subject).where(
            and_(LogRow.subject_id == row.id, LogRow.kind.startswith("call.", autoescape=True))
        )
    )
    for entry in entries.all():
        await connection.execute(
            update(LogRow)
            .where(LogRow.seq == entry.seq)
            .values(subject=to_json(_coarse_call(entry.subject)).decode())
        )


def _coarse_call(body: str) -> Call:
    call = from_json(Call, body)
    return replace(call, fixes=tuple(coarsened(fix) for fix in call.fixes))


def _pictures(bodies: Iterable[str], kind: type[Detection] | type[Verdict] = Detection) -> set[str]:
    found = (from_json(kind, body).picture_id for body in bodies)
    return {one for one in found if one is not None}


async def _last_before(connection: AsyncConnection, before: datetime) -> int:
    """The last entry recorded before a time, 0 for none; by halves, since time has no index."""
    low = await connection.scalar(select(func.min(LogRow.seq)))
    high = await connection.scalar(select(func.max(LogRow.seq)))
    if low is None or high is None:
        return 0
    low -= 1
    while low < high:
        middle = (low + high + 1) // 2
        at = await connection.scalar(select(LogRow.recorded_at).where(LogRow.seq == middle))
        if at is not None and at < before:
            low = middle
        else:
            high = middle - 1
    first = await connection.scalar(select(LogRow.recorded_at).where(LogRow.seq == low))
    return low if first is not None and first < before else 0


async def _counter(connection: AsyncConnection, name: str) -> int:
    value = await connection.scalar(select(CounterRow.value).where(CounterRow.name == name))
    return value or 0


async def _set_counter(connection: AsyncConnection, name: str, value: int) -> None:
    changed = await connection.execute(
        update(CounterRow).where(CounterRow.name == name).values(value=value)
    )
    if changed.rowcount == 0:
        await connection.execute(insert(CounterRow).values(name=name, value=value))
