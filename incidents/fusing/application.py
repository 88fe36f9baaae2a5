"""Applying fusion's decisions within one transaction: incidents, their log entries, and where each
report belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import aliased

from contracts import (
    Decision,
    DecisionKind,
    Detection,
    IncidentId,
    IncidentState,
    LogKind,
    Report,
    ReportId,
    ReportKind,
    from_json,
)
from incidents.database import SYSTEM, Writing
from incidents.errors import ActedMeanwhile
from incidents.fusing.drafts import (
    MOST_REPORTS_TOLD,
    Applied,
    Draft,
    draft_of,
    founded,
    shortened,
    tell,
)
from incidents.fusing.enrichment import Enrichment, better_picture
from incidents.register.clips import take_clips_over
from incidents.rows import read_rows
from incidents.tables import ReportRow

_SAME = aliased(ReportRow)
"""The reports once more, to ask of one which evidence it belongs to."""

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


class Application:
    """Outcomes being applied within one transaction."""

    def __init__(self, writing: Writing, known_seq: int, enrichment: Enrichment) -> None:
        self._writing = writing
        self._known_seq = known_seq
        self._enrichment = enrichment
        self._drafts: dict[IncidentId, Draft] = {}
        self._rows: dict[IncidentId, Any] = {}
        """Of the incidents decided about, as they are stored; those without a row are new."""
        self._moves: list[tuple[IncidentId, set[ReportId] | IncidentId]] = []
        """In order: reports, or all those of another incident, that belong to an incident now."""

    async def add_all(self, outcomes: Sequence[Outcome]) -> None:
        """Take outcomes in, in their order."""
        decisions = [decision for outcome in outcomes for decision in outcome.decisions]
        concerned = {decision.incident_id for decision in decisions}
        concerned |= {d.other_id for d in decisions if d.other_id is not None}
        self._rows = await read_rows(self._writing.connection, concerned)
        for outcome in outcomes:
            await self._add(outcome)

    async def _add(self, outcome: Outcome) -> None:
        if outcome.problem:
            await self._writing.connection.execute(
                update(ReportRow)
                .where(ReportRow.seq == outcome.report.seq)
                .values(problem=outcome.problem)
            )
        for decision in outcome.decisions:
            await self._decide(decision, outcome.report)

    async def finish(self) -> Applied:
        """Write what they came to."""
        drafts = list(self._drafts.values())
        for draft in drafts:
            if draft.changed:
                draft.incident = self._enrichment.complete(draft.incident, draft.detections)
        applied = await tell(self._writing, drafts)
        # Only now do new incidents have rows for the reports to point at.
        await self._move_all()
        return applied

    async def _move_all(self) -> None:
        """In the order of the decisions, all reports between two mergers by one statement."""
        reports: list[dict[str, str]] = []

        async def move_reports() -> None:
            if reports:
                key = select(_SAME.evidence_key).where(_SAME.id == bindparam("report"))
                await self._writing.connection.execute(
                    # What is there already stays untouched: each report of a long track would
                    # write all before it anew.
                    update(ReportRow)
                    .where(
                        ReportRow.evidence_key == key.scalar_subquery(),
                        ReportRow.incident_id.is_distinct_from(bindparam("incident")),
                    )
                    .values(incident_id=bindparam("incident")),
                    reports,
                )
                reports.clear()

        for incident_id, what in self._moves:
            if isinstance(what, set):
                reports += [{"report": one, "incident": incident_id} for one in sorted(what)]
                continue
            await move_reports()
            await take_clips_over(self._writing, incident_id, what)
            await self._writing.connection.execute(
                update(ReportRow)
                .where(ReportRow.incident_id == what)
                .values(incident_id=incident_id)
            )
        await move_reports()

    async def _decide(self, decision: Decision, report: Report) -> None:
        draft = self._open(decision.incident_id)
        if draft is None:
            draft = self._found(decision)
        elif not draft.incident.state.is_open and draft.acted_seq == 0:
            self._revive(draft, decision)
        first = draft.is_new and not draft.changed
        before = set() if first else set(draft.incident.estimate.report_ids)
        hazard_changed = draft.incident.hazard is not decision.estimate.hazard
        draft.guarded |= hazard_changed or decision.kind is not DecisionKind.UPDATE
        draft.incident = replace(
            draft.incident, estimate=shortened(decision.estimate), updated_at=self._writing.now
        )
        draft.changed = True
        if decision.kind is DecisionKind.MERGE and decision.other_id is not None:
            self._absorb(draft, decision.other_id)
        new_ids = set(decision.estimate.report_ids) - before
        if len(decision.estimate.report_ids) > MOST_REPORTS_TOLD and not first:
            # Most of what isn't named was here before. What another decision brings along is
            # moved by `_absorb`.
            new_ids &= {report.id}
        await self._collect(draft, new_ids, report)
        self._move(decision.incident_id, new_ids)

    def _open(self, incident_id: IncidentId) -> Draft | None:
        draft = self._drafts.get(incident_id)
        if draft is None:
            row = self._rows.get(incident_id)
            if row is None:
                return None
            if row.acted_seq > self._known_seq:
                raise ActedMeanwhile(incident_id)
            draft = self._drafts[incident_id] = draft_of(row)
        return draft

    def _found(self, decision: Decision) -> Draft:
        now = self._writing.now
        draft = Draft(
            incident=founded(decision, now),
            told=None,
            told_at=now,
            acted_seq=0,
            kind=_LOG_KINDS[decision.kind],
            detail=decision.other_id or "",
            is_new=True,
        )
        self._drafts[decision.incident_id] = draft
        return draft

    def _revive(self, draft: Draft, decision: Decision) -> None:
        """What fusion had merged it takes apart again, and what had ended by itself goes on:
        nothing is told in an incident that nobody is shown."""
        draft.incident = replace(
            draft.incident,
            state=IncidentState.DETECTED,
            duplicate_of=None,
            closed_at=None,
            reason="",
        )
        draft.guarded = True
        draft.kind = _LOG_KINDS[decision.kind]
        draft.detail = decision.other_id or ""

    def _absorb(self, survivor: Draft, other_id: IncidentId) -> None:
        survivor.kind = survivor.kind or LogKind.INCIDENT_MERGED
        survivor.detail = other_id
        absorbed = self._open(other_id)
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
        self._moves.append((survivor.incident.id, other_id))

    async def _collect(self, draft: Draft, new_ids: set[ReportId], report: Report) -> None:
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
        before = self._moves[-1] if self._moves else None
        if before is not None and before[0] == incident_id and isinstance(before[1], set):
            before[1].update(report_ids)
        else:
            self._moves.append((incident_id, set(report_ids)))
