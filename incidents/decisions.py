"""Fusion's door to the store: one writer at a time, its cursor, and what it decides.

A writer claims a fencing number, and every commit checks that it is still the newest: a writer that
was suspended, and replaced meanwhile, gets `FencedOff` and can't write. Decisions, the reports'
places in incidents, the log entries and the cursor move in one transaction, so that each report
takes effect exactly once, whatever dies when.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select, update

from contracts import (
    AlarmLevel,
    Decision,
    DecisionKind,
    Detection,
    Incident,
    IncidentId,
    IncidentState,
    LogKind,
    Report,
    ReportId,
    ReportKind,
    from_json,
    to_json,
)
from contracts import Sequence as SequenceNumber
from incidents.actions import columns, latest, read_row
from incidents.database import SYSTEM, Database, Writing
from incidents.enrichment import Enrichment, better_picture
from incidents.errors import ActedMeanwhile, FencedOff
from incidents.log import read_last_seq
from incidents.reports import to_report
from incidents.tables import FusionWriterRow, IncidentRow, ReportRow
from incidents.telling import PAUSE, Urgency, urgency

_LOG_KINDS = {
    DecisionKind.FOUND: LogKind.INCIDENT_FOUNDED,
    DecisionKind.UPDATE: LogKind.INCIDENT_UPDATED,
    DecisionKind.MERGE: LogKind.INCIDENT_MERGED,
    DecisionKind.SPLIT: LogKind.INCIDENT_SPLIT,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What fusion made of one report; ``problem`` says why it could make nothing of it."""

    report: Report
    decisions: tuple[Decision, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying outcomes came to."""

    told: tuple[tuple[LogKind, Incident], ...]
    """The incidents that got a log entry, in its order."""
    waiting: frozenset[IncidentId]
    """Those with news to tell by `FusionDoor.publish_pending` after a pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionMemory:
    """What a new writer starts from, all of one moment."""

    report_seq: SequenceNumber
    log_seq: SequenceNumber
    reports: tuple[Report, ...]
    assignment: Mapping[ReportId, IncidentId]
    touched: frozenset[IncidentId]
    """Incidents that a person has acted on."""
    ended: frozenset[IncidentId]
    """Those of them that take no more reports."""


@dataclass(slots=True)
class _Draft:
    """An incident while outcomes are applied to it."""

    incident: Incident
    told: Incident | None
    told_at: datetime
    acted_seq: int
    kind: LogKind | None = None
    """Set where the change must be told at once, whatever the estimate says."""
    detail: str = ""
    is_new: bool = False
    guarded: bool = False
    changed: bool = False
    detections: list[Detection] = field(default_factory=list)


class FusionDoor:
    """The ``fusion_writer`` row, and the decisions' side of ``incidents`` and ``reports``."""

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
            row = await _writer(writing)
            if fencing < row.fencing:
                raise FencedOff(fencing, row.fencing)
            await writing.connection.execute(update(FusionWriterRow).values(fencing=fencing))

    async def progress(self) -> SequenceNumber:
        """The last report that was decided on."""
        async with self._database.reading() as connection:
            return SequenceNumber(await connection.scalar(select(FusionWriterRow.report_seq)) or 0)

    async def remember(self, since: datetime) -> FusionMemory:
        """What fusion's state is rebuilt from: the decided reports of open incidents, and all
        those recorded after ``since``, without the ones that were set aside."""
        async with self._database.reading() as connection:
            log_seq = await read_last_seq(connection)
            cursor = await connection.scalar(select(FusionWriterRow.report_seq)) or 0
            rows = (
                await connection.execute(
                    select(
                        ReportRow.seq,
                        ReportRow.kind,
                        ReportRow.recorded_at,
                        ReportRow.body,
                        ReportRow.incident_id,
                        IncidentRow.acted_seq,
                        IncidentRow.is_open,
                    )
                    .outerjoin(IncidentRow, ReportRow.incident_id == IncidentRow.id)
                    .where(
                        ReportRow.seq <= cursor,
                        ReportRow.problem.is_(None),
                        or_(ReportRow.recorded_at >= since, IncidentRow.is_open.is_(True)),
                    )
                    .order_by(ReportRow.seq)
                )
            ).all()
        placed = [(to_report(row), row) for row in rows]
        return FusionMemory(
            report_seq=SequenceNumber(cursor),
            log_seq=log_seq,
            reports=tuple(report for report, _ in placed),
            assignment={
                report.id: IncidentId(row.incident_id) for report, row in placed if row.incident_id
            },
            touched=frozenset(IncidentId(row.incident_id) for row in rows if row.acted_seq),
            ended=frozenset(
                IncidentId(row.incident_id) for row in rows if row.incident_id and not row.is_open
            ),
        )

    async def apply(
        self,
        outcomes: Sequence[Outcome],
        *,
        fencing: int,
        known_seq: int,
        enrichment: Enrichment,
    ) -> Applied:
        """Make outcomes of consecutive reports true, in one transaction, and move the cursor.

        Outcomes that were applied before are passed over. ``known_seq`` is the log entry up to
        which fusion knows what people did.

        Raises:
            FencedOff: another writer has taken over.
            ActedMeanwhile: a person acted, after ``known_seq``, on an incident decided about.
        """
        async with self._database.writing() as writing:
            row = await _writer(writing)
            if row.fencing != fencing:
                raise FencedOff(fencing, row.fencing)
            work = _Application(writing, known_seq, enrichment)
            for outcome in outcomes:
                if outcome.report.seq > row.report_seq:
                    await work.add(outcome)
            applied = await work.finish()
            if outcomes:
                await writing.connection.execute(
                    update(FusionWriterRow).values(
                        report_seq=max(row.report_seq, outcomes[-1].report.seq)
                    )
                )
        return applied

    async def publish_pending(
        self, *, fencing: int, only: Collection[IncidentId] | None = None
    ) -> Applied:
        """Tell what has waited for its pause to end; ``only`` names where to look.

        Raises:
            FencedOff: another writer has taken over.
        """
        async with self._database.writing() as writing:
            row = await _writer(writing)
            if row.fencing != fencing:
                raise FencedOff(fencing, row.fencing)
            statement = select(IncidentRow).where(IncidentRow.pending.is_not(None))
            if only is not None:
                statement = statement.where(IncidentRow.id.in_(sorted(only)))
            drafts = [
                _draft(found, changed=True) for found in await writing.connection.execute(statement)
            ]
            return await _tell(writing, drafts)


class _Application:
    """Outcomes being applied within one transaction."""

    def __init__(self, writing: Writing, known_seq: int, enrichment: Enrichment) -> None:
        self._writing = writing
        self._known_seq = known_seq
        self._enrichment = enrichment
        self._drafts: dict[IncidentId, _Draft] = {}
        self._moves: list[tuple[IncidentId, set[ReportId]]] = []

    async def add(self, outcome: Outcome) -> None:
        if outcome.problem:
            await self._writing.connection.execute(
                update(ReportRow)
                .where(ReportRow.seq == outcome.report.seq)
                .values(problem=outcome.problem)
            )
        for decision in outcome.decisions:
            await self._decide(decision, outcome.report)

    async def finish(self) -> Applied:
        drafts = list(self._drafts.values())
        for draft in drafts:
            if draft.changed:
                draft.incident = self._enrichment.complete(draft.incident, draft.detections)
        applied = await _tell(self._writing, drafts)
        # Only now do new incidents have rows for the reports to point at.
        for incident_id, report_ids in self._moves:
            keys = select(ReportRow.evidence_key).where(ReportRow.id.in_(sorted(report_ids)))
            await self._writing.connection.execute(
                update(ReportRow)
                .where(ReportRow.evidence_key.in_(keys))
                .values(incident_id=incident_id)
            )
        return applied

    async def _decide(self, decision: Decision, report: Report) -> None:
        draft = await self._open(decision.incident_id)
        if draft is None:
            draft = self._found(decision)
        elif draft.incident.duplicate_of is not None and draft.acted_seq == 0:
            self._revive(draft, decision)
        before = set() if draft.is_new and not draft.changed else _ids(draft.incident)
        hazard_changed = draft.incident.hazard is not decision.estimate.hazard
        draft.guarded |= hazard_changed or decision.kind is not DecisionKind.UPDATE
        draft.incident = replace(
            draft.incident, estimate=decision.estimate, updated_at=self._writing.now
        )
        draft.changed = True
        if decision.kind is DecisionKind.MERGE and decision.other_id is not None:
            await self._absorb(draft, decision.other_id)
        new_ids = set(decision.estimate.report_ids) - before
        await self._collect(draft, new_ids, report)
        self._move(decision.incident_id, new_ids)

    async def _open(self, incident_id: IncidentId) -> _Draft | None:
        draft = self._drafts.get(incident_id)
        if draft is None:
            row = await read_row(self._writing.connection, incident_id)
            if row is None:
                return None
            if row.acted_seq > self._known_seq:
                raise ActedMeanwhile(incident_id)
            draft = self._drafts[incident_id] = _draft(row)
        return draft

    def _found(self, decision: Decision) -> _Draft:
        now = self._writing.now
        draft = _Draft(
            incident=Incident(
                id=decision.incident_id,
                version=1,
                state=IncidentState.DETECTED,
                level=AlarmLevel.SIGNAL,
                priority=4,
                estimate=decision.estimate,
                created_at=now,
                updated_at=now,
                last_actor=SYSTEM,
            ),
            told=None,
            told_at=now,
            acted_seq=0,
            kind=_LOG_KINDS[decision.kind],
            detail=decision.other_id or "",
            is_new=True,
        )
        self._drafts[decision.incident_id] = draft
        return draft

    def _revive(self, draft: _Draft, decision: Decision) -> None:
        """What fusion had merged it takes apart again."""
        draft.incident = replace(
            draft.incident, state=IncidentState.DETECTED, duplicate_of=None, closed_at=None
        )
        draft.kind = _LOG_KINDS[decision.kind]
        draft.detail = decision.other_id or ""

    async def _absorb(self, survivor: _Draft, other_id: IncidentId) -> None:
        survivor.kind = survivor.kind or LogKind.INCIDENT_MERGED
        survivor.detail = other_id
        absorbed = await self._open(other_id)
        if absorbed is None:
            return
        absorbed.incident = replace(
            absorbed.incident,
            state=IncidentState.DUPLICATE,
            duplicate_of=survivor.incident.id,
            closed_at=self._writing.now,
            updated_at=self._writing.now,
            last_actor=SYSTEM,
        )
        if not absorbed.is_new:
            absorbed.kind = LogKind.INCIDENT_MERGED
        absorbed.detail = f"into {survivor.incident.id}"
        absorbed.changed = absorbed.guarded = True
        survivor.incident = replace(
            survivor.incident,
            key_picture=better_picture(
                survivor.incident.key_picture, absorbed.incident.key_picture
            ),
        )
        survivor.detections += absorbed.detections

    async def _collect(self, draft: _Draft, new_ids: set[ReportId], report: Report) -> None:
        """Gather the detections that may have a better picture."""
        if isinstance(report.body, Detection) and report.id in new_ids:
            draft.detections.append(report.body)
        elsewhere = new_ids - {report.id}
        if not elsewhere:
            return
        bodies = await self._writing.connection.scalars(
            select(ReportRow.body).where(
                ReportRow.id.in_(sorted(elsewhere)),
                ReportRow.kind == ReportKind.DETECTION.value,
            )
        )
        draft.detections += [from_json(Detection, body) for body in bodies]

    def _move(self, incident_id: IncidentId, report_ids: set[ReportId]) -> None:
        if not report_ids:
            return
        if self._moves and self._moves[-1][0] == incident_id:
            self._moves[-1][1].update(report_ids)
        else:
            self._moves.append((incident_id, set(report_ids)))


def _ids(incident: Incident) -> set[ReportId]:
    return set(incident.estimate.report_ids)


def _draft(row: Any, *, changed: bool = False) -> _Draft:
    return _Draft(
        incident=latest(row),
        told=from_json(Incident, row.body),
        told_at=row.told_at,
        acted_seq=row.acted_seq,
        changed=changed,
    )


async def _writer(writing: Writing) -> Any:
    found = await writing.connection.execute(select(FusionWriterRow).with_for_update())
    return found.one()


async def _tell(writing: Writing, drafts: Sequence[_Draft]) -> Applied:
    """Write the drafts: those that are due with a log entry, the others as pending."""
    told: list[tuple[LogKind, Incident]] = []
    waiting: set[IncidentId] = set()
    for draft in drafts:
        if not draft.changed:
            continue
        incident_id = draft.incident.id
        rows = update(IncidentRow).where(IncidentRow.id == incident_id)
        kind = draft.kind
        if kind is None and draft.told is not None:
            how_soon = urgency(draft.told, draft.incident)
            rested = writing.now - draft.told_at >= PAUSE
            if how_soon is Urgency.NOW or (how_soon is Urgency.SOON and rested):
                kind = LogKind.INCIDENT_UPDATED
            elif how_soon is Urgency.SOON:
                waiting.add(incident_id)
        if kind is None:
            await writing.connection.execute(rows.values(pending=to_json(draft.incident).decode()))
            continue
        version = draft.incident.version if draft.is_new else draft.incident.version + 1
        incident = replace(draft.incident, version=version)
        seq = writing.log(kind, incident, exercise=incident.estimate.exercise, detail=draft.detail)
        values = {**columns(incident), "told_at": writing.now, "pending": None}
        if draft.is_new:
            await writing.connection.execute(
                insert(IncidentRow).values(
                    id=incident_id,
                    founded_seq=seq,
                    guard_version=1,
                    acted_seq=0,
                    **values,
                )
            )
        else:
            if draft.guarded:
                values["guard_version"] = version
            await writing.connection.execute(rows.values(**values))
        told.append((kind, incident))
    return Applied(tuple(told), frozenset(waiting))


__all__ = ["Applied", "FusionDoor", "FusionMemory", "Outcome"]
