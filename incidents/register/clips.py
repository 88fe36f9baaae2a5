"""The ``clips`` table: what was asked for of each camera of an incident, and what came of it.

Every change is a log entry, and what is kept stands in the audit log with the SHA-256 of each file:
whoever has a file can prove that it is the one that was kept, and when.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import insert, select, update

from contracts import (
    Camera,
    ClipId,
    ClipPart,
    ClipReport,
    ClipState,
    EvidenceClip,
    IncidentId,
    LogKind,
    from_json,
    to_json,
)
from incidents.database import SYSTEM, Database, Writing
from incidents.people.audit_chain import AuditEvent
from incidents.register.camera_rows import find_row
from incidents.tables import ClipRow
from plumbing.logs import get_logger

_log = get_logger(__name__)

KEPT = "evidence.kept"
"""The audit log's name for it."""
NOBODY_HAD_IT = "no worker had the camera's pictures of that time"


_ROWS = select(ClipRow.incident_id, ClipRow.body)


class Clips:
    """Asked for by fusion, reported by workers, read by everybody."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def want(self, clips: Sequence[EvidenceClip]) -> list[EvidenceClip]:
        """Ask for clips; back come those that nobody had asked for before."""
        if not clips:
            return []
        async with self._database.writing() as writing:
            known = set(
                await writing.connection.scalars(
                    select(ClipRow.id).where(ClipRow.id.in_([clip.id for clip in clips]))
                )
            )
            new = [clip for clip in clips if clip.id not in known]
            for clip in new:
                await writing.connection.execute(
                    insert(ClipRow).values(
                        id=clip.id,
                        incident_id=clip.incident_id,
                        camera_id=clip.camera_id,
                        until=clip.until,
                        is_final=False,
                        body=to_json(clip).decode(),
                    )
                )
                await _tell(writing, clip)
        return new

    async def record(self, reports: Sequence[ClipReport]) -> None:
        """Take in what workers made of them; saying the same twice changes nothing."""
        async with self._database.writing() as writing:
            for report in reports:
                found = await writing.connection.execute(_ROWS.where(ClipRow.id == report.clip_id))
                row = found.one_or_none()
                if row is None:
                    _log.warning("a clip that nobody asked for", clip=report.clip_id)
                    continue
                await _settle(writing, _clip(row), report)

    async def of_incident(self, incident_id: IncidentId) -> list[EvidenceClip]:
        """All clips of an incident, in the order in which they were asked for."""
        statement = _ROWS.where(ClipRow.incident_id == incident_id)
        async with self._database.reading() as connection:
            found = [_clip(row) for row in await connection.execute(statement)]
        return sorted(found, key=lambda clip: (clip.requested_at, clip.id))

    async def unfinished(self) -> list[EvidenceClip]:
        """Those of which more is to come, earliest end first."""
        statement = _ROWS.where(ClipRow.is_final.is_(False)).order_by(ClipRow.until).limit(500)
        async with self._database.reading(is_long=True) as connection:
            return [_clip(row) for row in await connection.execute(statement)]

    async def give_up(self, clip_ids: Iterable[ClipId]) -> None:
        """Nothing more will come of these: what there is of them is all."""
        async with self._database.writing() as writing:
            statement = _ROWS.where(ClipRow.id.in_(sorted(clip_ids)), ClipRow.is_final.is_(False))
            for row in (await writing.connection.execute(statement)).all():
                clip = _clip(row)
                detail = clip.detail or ("" if clip.parts else NOBODY_HAD_IT)
                state = ClipState.KEPT if clip.parts else ClipState.EMPTY
                await _save(writing, replace(clip, state=state, detail=detail))


def _clip(row: Any) -> EvidenceClip:
    """Of the incident that it belongs to now: the one that asked may have been merged into it."""
    return replace(from_json(EvidenceClip, row.body), incident_id=row.incident_id)


async def take_clips_over(writing: Writing, survivor: IncidentId, absorbed: IncidentId) -> None:
    """What was kept of an incident belongs to the one that it was merged into."""
    await writing.connection.execute(
        update(ClipRow).where(ClipRow.incident_id == absorbed).values(incident_id=survivor)
    )


async def _settle(writing: Writing, clip: EvidenceClip, report: ClipReport) -> None:
    parts = {part.evidence_id: part for part in (*clip.parts, *report.parts)}
    fresh = [part for part in report.parts if part not in clip.parts]
    state, detail = report.state, report.detail
    if clip.state.is_final:
        # Another worker finished it, or it was given up: more pictures are welcome all the same.
        state, detail = clip.state, clip.detail
    if state is ClipState.EMPTY and parts:
        state = ClipState.KEPT
    changed = replace(
        clip,
        state=state,
        detail=detail,
        parts=tuple(sorted(parts.values(), key=lambda part: part.started_at)),
    )
    if changed == clip:
        return
    for part in fresh:
        writing.audit(_kept(clip, part, report.worker))
    await _save(writing, changed)


async def _save(writing: Writing, clip: EvidenceClip) -> None:
    clip = replace(clip, updated_at=writing.now)
    await writing.connection.execute(
        update(ClipRow)
        .where(ClipRow.id == clip.id)
        .values(is_final=clip.state.is_final, body=to_json(clip).decode())
    )
    await _tell(writing, clip)


async def _tell(writing: Writing, clip: EvidenceClip) -> None:
    # Found by its camera's group: who may not see the camera is told of none of its pictures.
    row = await find_row(writing.connection, clip.camera_id)
    writing.log(
        LogKind.CLIP_SAVED,
        clip,
        exercise=clip.exercise,
        detail=clip.state.value,
        before=None if row is None else from_json(Camera, row.body),
    )


def _kept(clip: EvidenceClip, part: ClipPart, worker: str) -> AuditEvent:
    return AuditEvent(
        action=KEPT,
        actor=SYSTEM,
        subject=clip.incident_id,
        details={
            "camera_id": clip.camera_id,
            "sha256": part.evidence_id,
            "started_at": part.started_at.isoformat(),
            "ended_at": part.ended_at.isoformat(),
            "worker": worker,
        },
    )
