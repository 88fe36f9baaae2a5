"""Fusion's door to the store: one writer at a time, its cursor, and what it decides.

A writer claims a fencing number, and every commit checks that it is still the newest: a writer that
was suspended, and replaced meanwhile, gets `FencedOff` and can't write. Decisions, the reports'
places in incidents, the log entries and the cursor move in one transaction, so that each report
takes effect exactly once, whatever dies when.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import or_, select, update

from contracts import (
    AlarmLevel,
    Estimate,
    Incident,
    IncidentId,
    IncidentState,
    LogKind,
    from_json,
)
from contracts import Sequence as SequenceNumber
from incidents.database import SYSTEM
from incidents.errors import ActedMeanwhile
from incidents.fusing.application import Application, Outcome
from incidents.fusing.drafts import Applied, draft_of, shortened, tell
from incidents.fusing.enrichment import Enrichment
from incidents.fusing.memory import FusionMemory
from incidents.fusing.writer import WriterDoor, progress_of
from incidents.log import first_seq_at
from incidents.reports import to_report
from incidents.rows import read_row
from incidents.tables import FusionWriterRow, IncidentRow, ReportRow

_EXPIRED_AT_ONCE = 200


class FusionDoor(WriterDoor):
    """The decisions' side of ``incidents`` and ``reports``."""

    async def remember(self, since: datetime) -> FusionMemory:
        """What fusion's state is rebuilt from: the decided reports that were recorded after
        ``since``, and all those of the incidents that these belong to; without the ones that were
        set aside."""
        async with self._database.reading(is_long=True) as connection:
            cursor = await connection.scalar(select(FusionWriterRow.report_seq)) or 0
            live = select(ReportRow.incident_id).where(
                ReportRow.recorded_at >= since, ReportRow.incident_id.is_not(None)
            )
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
                        or_(ReportRow.recorded_at >= since, ReportRow.incident_id.in_(live)),
                    )
                    .order_by(ReportRow.seq)
                )
            ).all()
        placed = [(to_report(row), row) for row in rows]
        return FusionMemory(
            report_seq=SequenceNumber(cursor),
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
        async with self.writing_as(fencing) as writing:
            done = await progress_of(writing.connection)
            work = Application(writing, known_seq, enrichment)
            await work.add_all([one for one in outcomes if one.report.seq > done])
            applied = await work.finish()
            if outcomes:
                await writing.connection.execute(
                    update(FusionWriterRow).values(report_seq=max(done, outcomes[-1].report.seq))
                )
        return applied

    async def pending(self) -> list[IncidentId]:
        """The open incidents of which fusion knows more than was told."""
        statement = select(IncidentRow.id).where(
            IncidentRow.pending.is_not(None), IncidentRow.is_open.is_(True)
        )
        async with self._database.reading(is_long=True) as connection:
            return [IncidentId(one) for one in await connection.scalars(statement)]

    async def log_before(self, at: datetime) -> SequenceNumber:
        """The last log entry before a time; 0 where there is none."""
        async with self._database.reading(is_long=True) as connection:
            return SequenceNumber(await first_seq_at(connection, at) - 1)

    async def told_since(self, when: datetime) -> list[Incident]:
        """The open incidents that were told at a time or later, as they were told, in order."""
        statement = (
            select(IncidentRow.body)
            .where(IncidentRow.is_open.is_(True), IncidentRow.told_at >= when)
            .order_by(IncidentRow.told_at)
        )
        async with self._database.reading(is_long=True) as connection:
            return [from_json(Incident, body) for body in await connection.scalars(statement)]

    async def publish_pending(
        self, *, fencing: int, only: Collection[IncidentId] | None = None
    ) -> Applied:
        """Tell what has waited for its pause to end; ``only`` names where to look.

        Raises:
            FencedOff: another writer has taken over.
        """
        async with self.writing_as(fencing) as writing:
            statement = select(IncidentRow).where(IncidentRow.pending.is_not(None))
            if only is not None:
                statement = statement.where(IncidentRow.id.in_(sorted(only)))
            drafts = [
                draft_of(found, changed=True)
                for found in await writing.connection.execute(statement)
            ]
            return await tell(writing, drafts)

    async def restate(
        self,
        estimates: Mapping[IncidentId, Estimate],
        *,
        fencing: int,
        known_seq: int,
        enrichment: Enrichment,
    ) -> Applied:
        """Tell at once what fusion thinks of incidents whose reports people have regrouped.

        Raises:
            FencedOff: another writer has taken over.
            ActedMeanwhile: a person acted, after ``known_seq``, on one of them.
        """
        return await self._think_anew(estimates, "regrouped", fencing, known_seq, enrichment)

    async def reconsider(
        self,
        estimates: Mapping[IncidentId, Estimate],
        *,
        fencing: int,
        known_seq: int,
        enrichment: Enrichment,
    ) -> Applied:
        """Take over what fusion thinks of incidents of which nothing new was reported; it is told
        where it is news.

        Raises:
            FencedOff: another writer has taken over.
            ActedMeanwhile: a person acted, after ``known_seq``, on one of them.
        """
        return await self._think_anew(estimates, "", fencing, known_seq, enrichment)

    async def _think_anew(
        self,
        estimates: Mapping[IncidentId, Estimate],
        why_now: str,
        fencing: int,
        known_seq: int,
        enrichment: Enrichment,
    ) -> Applied:
        async with self.writing_as(fencing) as writing:
            drafts = []
            for incident_id, estimate in estimates.items():
                row = await read_row(writing.connection, incident_id)
                if row is None or not row.is_open:
                    continue
                if row.acted_seq > known_seq:
                    raise ActedMeanwhile(incident_id)
                draft = draft_of(row, changed=True)
                draft.incident = enrichment.complete(
                    replace(draft.incident, estimate=shortened(estimate), updated_at=writing.now)
                )
                if why_now:
                    draft.kind, draft.detail = LogKind.INCIDENT_UPDATED, why_now
                drafts.append(draft)
            return await tell(writing, drafts)

    async def complete_anew(self, *, fencing: int, enrichment: Enrichment) -> Applied:
        """Hold every open incident against the desk's rules, which have changed.

        Raises:
            FencedOff: another writer has taken over.
        """
        async with self.writing_as(fencing) as writing:
            statement = select(IncidentRow).where(IncidentRow.is_open.is_(True))
            drafts = []
            for row in await writing.connection.execute(statement):
                draft = draft_of(row, changed=True)
                completed = enrichment.complete(draft.incident)
                if completed != draft.incident:
                    draft.incident = completed
                    drafts.append(draft)
            return await tell(writing, drafts)

    async def expire(self, silent_since: datetime, *, fencing: int) -> int:
        """End what never became an alarm, nobody touched, and nothing was heard of since a time.

        Returns how many. They are ``cancelled`` by the system, with the reason ``expired``.

        Raises:
            FencedOff: another writer has taken over.
        """
        async with self.writing_as(fencing) as writing:
            silent = (
                select(IncidentRow)
                .where(
                    IncidentRow.is_open.is_(True),
                    IncidentRow.acted_seq == 0,
                    IncidentRow.level != AlarmLevel.ALARM.value,
                    IncidentRow.told_at < silent_since,
                )
                .order_by(IncidentRow.founded_seq)
                .limit(_EXPIRED_AT_ONCE)
            )
            drafts = [
                draft_of(found, changed=True) for found in await writing.connection.execute(silent)
            ]
            for draft in drafts:
                draft.incident = replace(
                    draft.incident,
                    state=IncidentState.CANCELLED,
                    closed_at=writing.now,
                    updated_at=writing.now,
                    last_actor=SYSTEM,
                    reason="expired",
                )
                draft.kind, draft.detail, draft.guarded = LogKind.INCIDENT_UPDATED, "expired", True
            await tell(writing, drafts)
        return len(drafts)


__all__ = ["Applied", "FusionDoor", "Outcome"]
