"""Incidents while a transaction changes them, and how they are written: told in the log, or kept as
pending until their pause has passed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, update

from contracts import (
    AlarmLevel,
    Decision,
    Detection,
    Estimate,
    Incident,
    IncidentId,
    IncidentState,
    LogKind,
    from_json,
    to_json,
)
from incidents.database import SYSTEM, Writing
from incidents.fusing.telling import PAUSE, Urgency, urgency
from incidents.rows import NewRow, add_rows, change_row, latest
from incidents.tables import IncidentRow

MOST_REPORTS_TOLD = 200
"""Ids of reports an incident names, the first and the last half: one fire sends thousands in an
hour, and each log entry holds them all. Which reports an incident has is in the reports' rows."""


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


def founded(decision: Decision, now: datetime) -> Incident:
    """An incident as a decision founds it: a signal until its alarm level has been looked at."""
    return Incident(
        id=decision.incident_id,
        version=1,
        state=IncidentState.DETECTED,
        level=AlarmLevel.SIGNAL,
        priority=4,
        estimate=decision.estimate,
        created_at=now,
        updated_at=now,
        last_actor=SYSTEM,
    )


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
    pending: list[dict[str, Any]] = []
    new: list[NewRow] = []
    for draft in drafts:
        if not draft.changed:
            continue
        kind, waits = _due(draft, writing.now)
        if waits:
            waiting.add(draft.incident.id)
        if kind is None:
            text = to_json(draft.incident).decode()
            pending.append({"of": draft.incident.id, "text": text})
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
            new.append(NewRow(incident, seq, {"guard_version": 1, "acted_seq": 0, **values}))
        else:
            if draft.guarded:
                values["guard_version"] = version
            await change_row(writing.connection, draft.told, incident, **values)
        told.append((kind, incident))
    # A statement costs more than a row: in a backlog dozens of incidents come at once.
    await add_rows(writing.connection, new)
    if pending:
        await writing.connection.execute(
            update(IncidentRow)
            .where(IncidentRow.id == bindparam("of"))
            .values(pending=bindparam("text")),
            pending,
        )
    return Applied(tuple(told), frozenset(waiting))


def _due(draft: Draft, now: datetime) -> tuple[LogKind | None, bool]:
    """By which entry a draft is told now, if at all; and whether it is to be told later."""
    if draft.kind is not None or draft.told is None:
        return draft.kind, False
    how_soon = urgency(draft.told, draft.incident)
    rested = now - draft.told_at >= PAUSE
    if how_soon is Urgency.NOW or (how_soon is Urgency.SOON and rested):
        return LogKind.INCIDENT_UPDATED, False
    return None, how_soon is Urgency.SOON
