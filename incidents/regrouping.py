"""Incidents merged and split by people: the reports move, and fusion follows.

What a person decides about the partition is a fact. The reports' rows say where each belongs; the
fusion service rebuilds its memory from them when it reads of it in the log, and tells what it then
thinks of both. Until then an incident shows what is known of its parts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import ColumnElement, or_, select, update

from contracts import (
    CallId,
    CameraId,
    ContractError,
    Incident,
    IncidentId,
    IncidentState,
    LogKind,
    ReportId,
)
from incidents.actions import decided_on, done_before, request_key, settle
from incidents.database import Database, Writing
from incidents.errors import IllegalStep
from incidents.lifecycle import allowed_actions
from incidents.partings import check_sources, only, united, without
from incidents.register.clips import take_clips_over
from incidents.rows import add_row
from incidents.tables import ReportRow
from plumbing.ids import new_id


class Regrouping:
    """Merges and splits by people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def merge(
        self,
        incident_id: IncidentId,
        other_id: IncidentId,
        *,
        actor: str,
        version: int,
        other_version: int,
        reason: str,
        request_id: str | None = None,
    ) -> Incident:
        """Make two open incidents one: ``incident_id`` takes everything of ``other_id``, which
        becomes its duplicate. It is as far as the farther of the two was.

        Raises:
            NotFound: one of them isn't there.
            VersionConflict: something that a decision rests on changed in one of them.
            IllegalStep: one of them has ended.
            ContractError: they are the same, or one is an exercise and one is not; no reason.
        """
        if incident_id == other_id:
            raise ContractError("other_id", "an incident can't be merged with itself")
        reason = _reason(reason)
        key = request_key(incident_id, "merge", actor, request_id, other_id, reason)
        async with self._database.writing() as writing:
            if key is not None and (done := await done_before(writing, key)):
                return done
            told, kept = await decided_on(writing, incident_id, version)
            other_told, other = await decided_on(writing, other_id, other_version)
            for one in (kept, other):
                if not one.state.is_open:
                    raise IllegalStep(one.state, "merge", allowed_actions(one.state))
            if kept.estimate.exercise != other.estimate.exercise:
                raise ContractError("other_id", "exercise and reality don't mix")
            await writing.connection.execute(
                update(ReportRow)
                .where(ReportRow.incident_id == other_id)
                .values(incident_id=incident_id)
            )
            await take_clips_over(writing, incident_id, other_id)
            # Its units are at work on what is left; they go on, and aren't freed with it.
            gone = replace(
                other,
                version=other.version + 1,
                state=IncidentState.DUPLICATE,
                duplicate_of=incident_id,
                closed_at=writing.now,
                updated_at=writing.now,
                last_actor=actor,
                reason=reason,
                assignments=(),
            )
            await settle(
                writing,
                other_told,
                gone,
                actor=actor,
                detail=f"into {incident_id}",
                kind=LogKind.INCIDENT_MERGED,
            )
            return await settle(
                writing,
                told,
                united(kept, other, actor, reason, writing.now),
                actor=actor,
                detail=other_id,
                key=key,
                kind=LogKind.INCIDENT_MERGED,
            )

    async def split(
        self,
        incident_id: IncidentId,
        *,
        camera_ids: Collection[CameraId] = (),
        call_ids: Collection[CallId] = (),
        actor: str,
        version: int,
        reason: str,
        request_id: str | None = None,
    ) -> tuple[Incident, Incident]:
        """Make two incidents of one: what these cameras and calls reported becomes a new one,
        acknowledged by who split it. Returns what is left, and the new one.

        Raises:
            NotFound, VersionConflict, IllegalStep: as for `merge`.
            ContractError: a camera or call that isn't in it, or nothing would be left; no reason.
        """
        reason = _reason(reason)
        said = (*sorted(camera_ids), "", *sorted(call_ids), "", reason)
        key = request_key(incident_id, "split", actor, request_id, *said)
        async with self._database.writing() as writing:
            if key is not None and (done := await done_before(writing, key)):
                made = await decided_on(writing, IncidentId(done.reason.rpartition(" ")[2]), None)
                return done, made[0]
            told, now = await decided_on(writing, incident_id, version)
            if not now.state.is_open:
                raise IllegalStep(now.state, "split", allowed_actions(now.state))
            check_sources(now.estimate, camera_ids, call_ids)
            moved = await _reports_of(writing, incident_id, camera_ids, call_ids)
            new = await self._found(writing, now, moved, camera_ids, call_ids, actor, reason)
            await writing.connection.execute(
                update(ReportRow)
                .where(ReportRow.incident_id == incident_id, _speaks(camera_ids, call_ids))
                .values(incident_id=new.id)
            )
            left = replace(
                now,
                version=now.version + 1,
                estimate=without(now.estimate, camera_ids, call_ids, moved),
                key_picture=None
                if now.key_picture is not None and now.key_picture.camera_id in camera_ids
                else now.key_picture,
                updated_at=writing.now,
                last_actor=actor,
                reason=f"{reason}: {new.id}",
            )
            left = await settle(
                writing,
                told,
                left,
                actor=actor,
                detail=f"off {new.id}",
                key=key,
                kind=LogKind.INCIDENT_SPLIT,
            )
        return left, new

    async def _found(
        self,
        writing: Writing,
        origin: Incident,
        moved: list[ReportId],
        camera_ids: Collection[CameraId],
        call_ids: Collection[CallId],
        actor: str,
        reason: str,
    ) -> Incident:
        picture = origin.key_picture
        new = Incident(
            id=IncidentId(new_id("inc")),
            version=1,
            state=IncidentState.ACKNOWLEDGED,
            level=origin.level,
            priority=origin.priority,
            estimate=only(origin.estimate, camera_ids, call_ids, moved),
            created_at=writing.now,
            updated_at=writing.now,
            place_name=origin.place_name,
            street=origin.street,
            key_picture=picture
            if picture is not None and picture.camera_id in camera_ids
            else None,
            best_camera_ids=origin.best_camera_ids,
            acknowledged_at=writing.now,
            last_actor=actor,
            reason=reason,
            agency_ids=origin.agency_ids,
            camera_groups=origin.camera_groups,
        )
        seq = writing.log(
            LogKind.INCIDENT_SPLIT,
            new,
            actor=actor,
            exercise=new.estimate.exercise,
            detail=origin.id,
        )
        await add_row(
            writing.connection,
            new,
            founded_seq=seq,
            guard_version=1,
            acted_seq=seq,
            told_at=writing.now,
            pending=None,
        )
        return new


def _reason(text: str) -> str:
    if not text.strip():
        raise ContractError("reason", "say why; it stands in the log")
    return text.strip()


def _speaks(camera_ids: Collection[CameraId], call_ids: Collection[CallId]) -> ColumnElement[bool]:
    keys = ReportRow.evidence_key
    return or_(
        keys.in_([f"call:{call_id}" for call_id in sorted(call_ids)]),
        *(
            keys.startswith(f"track:{camera_id}/", autoescape=True)
            for camera_id in sorted(camera_ids)
        ),
    )


async def _reports_of(
    writing: Writing,
    incident_id: IncidentId,
    camera_ids: Collection[CameraId],
    call_ids: Collection[CallId],
) -> list[ReportId]:
    found = await writing.connection.scalars(
        select(ReportRow.id)
        .where(ReportRow.incident_id == incident_id, _speaks(camera_ids, call_ids))
        .order_by(ReportRow.seq)
    )
    return [ReportId(one) for one in found]
