"""Applying fusion's decisions within one transaction: incidents, their log entries, and where each
report belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, update

from contracts import (
    AlarmLevel,
    Decision,
    DecisionKind,
    Detection,
    Estimate,
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
from incidents.database import SYSTEM, Writing
from incidents.errors import ActedMeanwhile
from incidents.fusing.enrichment import Enrichment, better_picture
from incidents.fusing.telling import PAUSE, Urgency, urgency
from incidents.register.clips import take_clips_over
from incidents.rows import add_row, change_row, latest, read_row
from incidents.tables import IncidentRow, ReportRow

MOST_REPORTS_TOLD = 200
"""Ids of reports an incident names, the first and the last half: one fire sends thousands in an
hour, and each log entry holds them all. Which reports an incident has is in the reports' rows."""

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


@dataclass(slots=True)
class Draft:
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


class Application:
    """Outcomes being applied within one transaction."""

    def __init__(self, writing: Writing, known_seq: int, enrichment: Enrichment) -> None:
        self._writing = writing
        self._known_seq = known_seq
        self._enrichment = enrichment
        self._drafts: dict[IncidentId, Draft] = {}
        self._moves: list[tuple[IncidentId, set[ReportId] | IncidentId]] = []
        """In order: reports, or all those of another incident, that belong to an incident now."""

    async def add(self, outcome: Outcome) -> None:
        """Take the next outcome in."""
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
        for incident_id, what in self._moves:
            if isinstance(what, set):
                keys = select(ReportRow.evidence_key).where(ReportRow.id.in_(sorted(what)))
                concerned: ColumnElement[bool] = ReportRow.evidence_key.in_(keys)
            else:
                concerned = ReportRow.incident_id == what
                await take_clips_over(self._writing, incident_id, what)
            await self._writing.connection.execute(
                update(ReportRow).where(concerned).values(incident_id=incident_id)
            )
        return applied

    async def _decide(self, decision: Decision, report: Report) -> None:
        draft = await self._open(decision.incident_id)
        if draft is None:
            draft = self._found(decision)
        elif draft.incident.duplicate_of is not None and draft.acted_seq == 0:
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
            await self._absorb(draft, decision.other_id)
        new_ids = set(decision.estimate.report_ids) - before
        if len(decision.estimate.report_ids) > MOST_REPORTS_TOLD and not first:
            # Most of what isn't named was here before. What another decision brings along is
            # moved by `_absorb`.
            new_ids &= {report.id}
        await self._collect(draft, new_ids, report)
        self._move(decision.incident_id, new_ids)

    async def _open(self, incident_id: IncidentId) -> Draft | None:
        draft = self._drafts.get(incident_id)
        if draft is None:
            row = await read_row(self._writing.connection, incident_id)
            if row is None:
                return None
            if row.acted_seq > self._known_seq:
                raise ActedMeanwhile(incident_id)
            draft = self._drafts[incident_id] = draft_of(row)
        return draft

    def _found(self, decision: Decision) -> Draft:
        now = self._writing.now
        draft = Draft(
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

    def _revive(self, draft: Draft, decision: Decision) -> None:
        """What fusion had merged it takes apart again."""
        draft.incident = replace(
            draft.incident, state=IncidentState.DETECTED, duplicate_of=None, closed_at=None
        )
        draft.kind = _LOG_KINDS[decision.kind]
        draft.detail = decision.other_id or ""

    async def _absorb(self, survivor: Draft, other_id: IncidentId) -> None:
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


def shortened(estimate: Estimate) -> Estimate:
    """An estimate that names no more reports than are told."""
    ids = estimate.report_ids
    if len(ids) <= MOST_REPORTS_TOLD:
        return estimate
    half = MOST_REPORTS_TOLD // 2
    return replace(estimate, report_ids=(*ids[:half], *ids[-half:]))


def draft_of(row: Any, *, changed: bool = False) -> Draft:
    """The incident of a row of `IncidentRow`, to be changed."""
    return Draft(
        incident=latest(row),
        told=from_json(Incident, row.body),
        told_at=row.told_at,
        acted_seq=row.acted_seq,
        changed=changed,
    )


async def tell(writing: Writing, drafts: Sequence[Draft]) -> Applied:
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
        seq = writing.log(
            kind,
            incident,
            exercise=incident.estimate.exercise,
            detail=draft.detail,
            before=draft.told,
        )
        values: dict[str, Any] = {"told_at": writing.now, "pending": None}
        if draft.is_new:
            await add_row(
                writing.connection,
                incident,
                founded_seq=seq,
                guard_version=1,
                acted_seq=0,
                **values,
            )
        else:
            if draft.guarded:
                values["guard_version"] = version
            await change_row(writing.connection, draft.told, incident, **values)
        told.append((kind, incident))
    return Applied(tuple(told), frozenset(waiting))
