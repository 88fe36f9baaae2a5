"""Incidents as people and machines read them and act on them.

Optimistic locking with sense: fusion refines a live incident about once a second, and an operator
must not be told "it has changed" for that. An action is refused only where something changed after
the actor's version that a decision rests on: the state, the hazard, what it was merged with, or
another person's action (``guard_version``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import (
    AgencyId,
    AlarmLevel,
    Attachment,
    ContractError,
    Hazard,
    Incident,
    IncidentAction,
    IncidentId,
    IncidentState,
    LogKind,
    from_json,
    to_json,
)
from incidents.assignments import end_assignments
from incidents.database import Database, Writing
from incidents.errors import NotFound, VersionConflict
from incidents.fusing.verdicts import note_verdicts
from incidents.lifecycle import step
from incidents.tables import CounterRow, IncidentRow, LogRow
from incidents.tags import has_any_tag, joined, tags_of

MOST_ATTACHMENTS = 50
"""Of one incident; each entry of the log names them all."""


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """Incidents, newest first, and the cursor of the next page (none at the end)."""

    incidents: tuple[Incident, ...]
    next: int | None


class Incidents:
    """The people's side of the ``incidents`` table; fusion's is `incidents.fusing.decisions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, incident_id: IncidentId) -> Incident:
        """One incident.

        Raises:
            NotFound: no such incident.
        """
        async with self._database.reading() as connection:
            row = await read_row(connection, incident_id)
        if row is None:
            raise NotFound("incident", incident_id)
        return from_json(Incident, row.body)

    async def page(
        self,
        *,
        is_open: bool | None = None,
        hazards: Iterable[Hazard] | None = None,
        levels: Iterable[AlarmLevel] | None = None,
        areas: Iterable[str] | None = None,
        agencies: Iterable[AgencyId] | None = None,
        groups: Iterable[str] | None = None,
        exercise: bool | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> IncidentPage:
        """A page of incidents, newest first; ``before`` is the cursor from the page before."""
        statement = select(IncidentRow.founded_seq, IncidentRow.body)
        if is_open is not None:
            statement = statement.where(IncidentRow.is_open.is_(is_open))
        if hazards is not None:
            statement = statement.where(IncidentRow.hazard.in_(sorted(hazards)))
        if levels is not None:
            statement = statement.where(IncidentRow.level.in_(sorted(levels)))
        for name, values in (("area", areas), ("agency", agencies), ("group", groups)):
            if values is not None:
                fits = has_any_tag(IncidentRow.tags, name, values)
                if name == "group":
                    # As in the feed: what no camera has to do with is in no group.
                    fits = or_(fits, ~IncidentRow.tags.contains(" group:", autoescape=True))
                statement = statement.where(fits)
        if exercise is not None:
            statement = statement.where(IncidentRow.exercise.is_(exercise))
        if before is not None:
            statement = statement.where(IncidentRow.founded_seq < before)
        statement = statement.order_by(IncidentRow.founded_seq.desc()).limit(limit + 1)
        async with self._database.reading(is_long=True) as connection:
            rows = (await connection.execute(statement)).all()
        return IncidentPage(
            tuple(from_json(Incident, row.body) for row in rows[:limit]),
            rows[limit - 1].founded_seq if len(rows) > limit else None,
        )

    async def act(
        self,
        incident_id: IncidentId,
        action: IncidentAction,
        *,
        actor: str,
        version: int,
        reason: str = "",
        note: str = "",
        duplicate_of: IncidentId | None = None,
        request_id: str | None = None,
    ) -> Incident:
        """Take one step of the life cycle, with its log entry, in one transaction.

        ``version`` is the one that the actor looked at. The same ``request_id`` again (of the same
        actor, incident and action) does nothing and returns what the first one did.

        Raises:
            NotFound: no such incident, or no such ``duplicate_of``.
            VersionConflict: something that a decision rests on changed since ``version``.
            IllegalStep: the life cycle has no such step.
            ContractError: a reason, note or ``duplicate_of`` is missing or out of place.
        """
        key = None if request_id is None else f"{incident_id}/{action}/{actor}/{request_id}"
        async with self._database.writing() as writing:
            if key is not None and (done := await done_before(writing, key)):
                return done
            told, now = await decided_on(writing, incident_id, version)
            after = step(
                now,
                action,
                actor=actor,
                at=writing.now,
                reason=reason,
                note=note,
                duplicate_of=duplicate_of,
            )
            if duplicate_of is not None:
                await _check_original(writing.connection, after, duplicate_of)
            after = await settle(writing, told, after, actor=actor, detail=action, key=key)
            await note_verdicts(writing, after, action)
        return after

    async def attach(
        self,
        incident_id: IncidentId,
        attachment: Attachment,
        *,
        version: int | None = None,
    ) -> Incident:
        """Add a picture or document whose content is kept already; the same one is added once.

        Raises:
            NotFound, VersionConflict: as for `act`.
            ContractError: it has `MOST_ATTACHMENTS` already.
        """
        async with self._database.writing() as writing:
            told, now = await decided_on(writing, incident_id, version)
            if any(one.evidence_id == attachment.evidence_id for one in now.attachments):
                return told
            if len(now.attachments) >= MOST_ATTACHMENTS:
                raise ContractError("(body)", f"there are {MOST_ATTACHMENTS} attachments already")
            after = replace(
                now,
                version=now.version + 1,
                updated_at=writing.now,
                last_actor=attachment.actor,
                attachments=(*now.attachments, replace(attachment, at=writing.now)),
            )
            return await settle(writing, told, after, actor=attachment.actor, detail="attach")

    async def hold(
        self,
        incident_id: IncidentId,
        *,
        is_held: bool,
        actor: str,
        version: int,
        reason: str,
    ) -> Incident:
        """Put an incident under legal hold, or let it go: nothing of a held one is deleted.

        Raises:
            NotFound, VersionConflict: as for `act`.
            ContractError: no reason.
        """
        if not reason.strip():
            raise ContractError("reason", "say why; it stands in the log")
        async with self._database.writing() as writing:
            told, now = await decided_on(writing, incident_id, version)
            after = replace(
                now,
                version=now.version + 1,
                updated_at=writing.now,
                last_actor=actor,
                reason=reason.strip(),
                on_hold=is_held,
            )
            if not is_held:
                # What retention passed over meanwhile is due again.
                await writing.connection.execute(
                    delete(CounterRow).where(CounterRow.name == "coarsened")
                )
            detail = "hold" if is_held else "release"
            return await settle(writing, told, after, actor=actor, detail=detail)


async def settle(
    writing: Writing,
    told: Incident,
    after: Incident,
    *,
    actor: str,
    detail: str,
    key: str | None = None,
    kind: LogKind = LogKind.INCIDENT_ACTED,
) -> Incident:
    """Store what somebody made of an incident, with its log entry; nobody's older decision holds.

    Where it ends, its assignments end with it, and their units are free again.
    """
    if not after.state.is_open:
        after = await end_assignments(writing, after)
    seq = writing.log(
        kind,
        after,
        actor=actor,
        exercise=after.estimate.exercise,
        detail=detail,
        request_key=key,
        before=told,
    )
    await writing.connection.execute(
        update(IncidentRow)
        .where(IncidentRow.id == after.id)
        .values(
            **columns(after),
            guard_version=after.version,
            acted_seq=seq,
            told_at=writing.now,
            pending=None,
        )
    )
    return after


async def decided_on(
    writing: Writing, incident_id: IncidentId, version: int | None
) -> tuple[Incident, Incident]:
    """An incident as it was told and as it is known now, for a decision made on a version of it.

    Raises:
        NotFound: no such incident.
        VersionConflict: something that a decision rests on changed since ``version``.
    """
    row = await read_row(writing.connection, incident_id)
    if row is None:
        raise NotFound("incident", incident_id)
    told = from_json(Incident, row.body)
    if version is not None and not row.guard_version <= version <= told.version:
        raise VersionConflict(told, version)
    return told, latest(row)


def columns(incident: Incident) -> dict[str, object]:
    """The columns of `IncidentRow` that follow from the incident."""
    return {
        "version": incident.version,
        "is_open": incident.state.is_open,
        "exercise": incident.estimate.exercise,
        "state": incident.state.value,
        "level": incident.level.value,
        "hazard": incident.hazard.value,
        "lon": incident.estimate.location.lon,
        "lat": incident.estimate.location.lat,
        "started_at": incident.estimate.started_at,
        "ended_at": incident.closed_at,
        "tags": joined(tags_of(incident)),
        "on_hold": incident.on_hold,
        "body": to_json(incident).decode(),
    }


def latest(row: Any) -> Incident:
    """The incident of a row, with what fusion has learnt since it was told; at the same version."""
    return from_json(Incident, row.pending or row.body)


async def read_row(connection: AsyncConnection, incident_id: IncidentId) -> Any | None:
    """One row of `IncidentRow`, or none."""
    found = await connection.execute(select(IncidentRow).where(IncidentRow.id == incident_id))
    return found.one_or_none()


async def done_before(writing: Writing, key: str) -> Incident | None:
    """What the request of this key did, if it came before."""
    body = await writing.connection.scalar(select(LogRow.subject).where(LogRow.request_key == key))
    return None if body is None else from_json(Incident, body)


async def _check_original(
    connection: AsyncConnection, repeat: Incident, original_id: IncidentId
) -> None:
    row = await read_row(connection, original_id)
    if row is None:
        raise NotFound("incident", original_id)
    original = from_json(Incident, row.body)
    if original.state is IncidentState.DUPLICATE:
        raise ContractError(
            "duplicate_of",
            f"'{original_id}' is itself a duplicate; name '{original.duplicate_of}' instead",
        )
    if original.estimate.exercise != repeat.estimate.exercise:
        raise ContractError("duplicate_of", "exercise and reality don't mix")
