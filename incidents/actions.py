"""Incidents as people and machines read them and act on them.

Optimistic locking with sense: fusion refines a live incident about once a second, and an operator
must not be told "it has changed" for that. An action is refused only where something changed after
the actor's version that a decision rests on: the state, the hazard, what it was merged with, or
another person's action (``guard_version``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from typing import TypeVar

from sqlalchemy import delete, select
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
)
from incidents.assignments import end_assignments
from incidents.database import Database, Writing
from incidents.errors import NotFound, VersionConflict
from incidents.finding import Asked, IncidentPage, find_page
from incidents.fusing.verdicts import note_verdicts
from incidents.lifecycle import step
from incidents.rows import change_row, latest, read_row
from incidents.tables import CounterRow, LogRow

T = TypeVar("T")

MOST_ATTACHMENTS = 50
"""Of one incident; each entry of the log names them all."""


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
        asked = Asked(
            is_open=is_open,
            exercise=exercise,
            hazards=_some(hazards),
            levels=_some(levels),
            areas=_some(areas),
            agencies=_some(agencies),
            groups=_some(groups),
        )
        async with self._database.reading(is_long=True) as connection:
            return await find_page(connection, asked, before=before, limit=limit)

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
        actor, incident, action and words) does nothing and returns what the first one did.

        Raises:
            NotFound: no such incident, or no such ``duplicate_of``.
            VersionConflict: something that a decision rests on changed since ``version``.
            IllegalStep: the life cycle has no such step.
            ContractError: a reason, note or ``duplicate_of`` is missing or out of place.
        """
        said = (reason.strip(), note.strip(), duplicate_of or "")
        key = request_key(incident_id, action, actor, request_id, *said)
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
    await change_row(
        writing.connection,
        told,
        after,
        guard_version=after.version,
        acted_seq=seq,
        told_at=writing.now,
        pending=None,
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


def request_key(
    incident_id: IncidentId, did: str, actor: str, request_id: str | None, *said: str
) -> str | None:
    """What a request is known by when it comes again. One that says something else is another
    request, whatever its id: taken for a repeat it would be lost without a word."""
    if request_id is None:
        return None
    words = sha256("\n".join(said).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{incident_id}/{did}/{actor}/{request_id}/{words}"


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


def _some(values: Iterable[T] | None) -> frozenset[T] | None:
    return None if values is None else frozenset(values)
