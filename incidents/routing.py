"""Which units the agencies have, and who was sent where."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import (
    AgencyId,
    Assignment,
    AssignmentId,
    AssignmentState,
    ContractError,
    Incident,
    IncidentId,
    LogKind,
    LonLat,
    Unit,
    UnitId,
    UnitState,
    from_json,
    to_json,
)
from geo.projection import distance_m
from incidents.actions import decided_on, done_before, request_key, settle
from incidents.assignments import assigned, free_unit, keep_unit, progressed
from incidents.database import Database, Writing
from incidents.errors import Exists, NotFound, VersionConflict
from incidents.tables import UnitRow
from plumbing.ids import new_id

TOLD_AGAIN_M = 50.0
TOLD_AGAIN = timedelta(seconds=30)
"""A unit that drives reports every few seconds; readers are told when it has come so far, or after
so long."""


class Units:
    """The ``units`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, agency_id: AgencyId | None = None) -> list[Unit]:
        """Every unit, or those of an agency, by id."""
        statement = select(UnitRow.body).where(UnitRow.removed.is_(False)).order_by(UnitRow.id)
        if agency_id is not None:
            statement = statement.where(UnitRow.agency_id == agency_id)
        async with self._database.reading(is_long=True) as connection:
            return [from_json(Unit, body) for body in await connection.scalars(statement)]

    async def get(self, unit_id: UnitId) -> Unit:
        """One unit.

        Raises:
            NotFound: no such unit.
        """
        async with self._database.reading() as connection:
            return await _unit(connection, unit_id)

    async def save(self, unit: Unit, *, actor: str, version: int | None) -> Unit:
        """Register a unit (``version=None``) or change the one at ``version``; whether it is
        assigned, and where it is, stays as it was.

        Raises:
            Exists, NotFound, VersionConflict: as for cameras.
            ContractError: it is assigned, and its agency or partition would change.
        """
        async with self._database.writing() as writing:
            row = (
                await writing.connection.execute(select(UnitRow).where(UnitRow.id == unit.id))
            ).one_or_none()
            if version is None:
                if row is not None and not row.removed:
                    raise Exists("unit", unit.id)
                before = None if row is None else from_json(Unit, row.body)
                return await _register(writing, before, unit, actor)
            current = await _unit(writing.connection, unit.id)
            if current.version != version:
                raise VersionConflict(current, version)
            is_busy = current.state is UnitState.ASSIGNED
            if is_busy and (current.agency_id, current.exercise) != (unit.agency_id, unit.exercise):
                raise ContractError("agency_id", "can't change while the unit is assigned")
            after = replace(
                unit,
                state=current.state if is_busy else unit.state,
                position=current.position,
                positioned_at=current.positioned_at,
            )
            return await keep_unit(writing, current, after, actor=actor)

    async def report(
        self,
        unit_id: UnitId,
        *,
        actor: str,
        agency_id: AgencyId | None = None,
        position: LonLat | None = None,
        is_on_duty: bool | None = None,
    ) -> Unit:
        """A unit says where it is, or that it begins or ends its duty.

        Raises:
            NotFound: no such unit, or another agency's than ``agency_id``.
            ContractError: it is assigned and can't go off duty.
        """
        async with self._database.writing() as writing:
            before = await _unit(writing.connection, unit_id)
            if agency_id is not None and before.agency_id != agency_id:
                raise NotFound("unit", unit_id)
            after = before
            if position is not None:
                after = replace(after, position=position, positioned_at=writing.now)
            if is_on_duty is not None and before.state is UnitState.ASSIGNED and not is_on_duty:
                raise ContractError("on_duty", "it has an assignment; close or decline that first")
            if is_on_duty is not None and before.state is not UnitState.ASSIGNED:
                state = UnitState.AVAILABLE if is_on_duty else UnitState.OFF_DUTY
                after = replace(after, state=state)
            if after.state is before.state and not _is_worth_telling(before, after):
                return before
            return await keep_unit(writing, before, after, actor=actor)

    async def remove(self, unit_id: UnitId, *, actor: str, version: int | None) -> None:
        """Take a unit out of the register.

        Raises:
            NotFound, VersionConflict: as for cameras.
            ContractError: it is assigned.
        """
        async with self._database.writing() as writing:
            unit = await _unit(writing.connection, unit_id)
            if version is not None and unit.version != version:
                raise VersionConflict(unit, version)
            if unit.state is UnitState.ASSIGNED:
                raise ContractError("state", "it has an assignment; close or recall that first")
            await writing.connection.execute(
                update(UnitRow).where(UnitRow.id == unit_id).values(removed=True)
            )
            writing.log(LogKind.UNIT_REMOVED, unit, actor=actor, exercise=unit.exercise)


class Dispatching:
    """Sends agencies and units to incidents, and keeps how far they have come."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def assign(
        self,
        incident_id: IncidentId,
        agency_id: AgencyId,
        unit_id: UnitId | None,
        *,
        actor: str,
        version: int,
        note: str = "",
        request_id: str | None = None,
    ) -> Incident:
        """Send an agency, or one of its units; the first one makes the incident dispatched.

        Raises:
            NotFound: no such incident or unit.
            VersionConflict: something that a decision rests on changed since ``version``.
            IllegalStep: it isn't verified, or is over.
            ContractError: the unit is busy, off duty, or of another agency or partition.
        """
        said = (agency_id, unit_id or "", note)
        key = request_key(incident_id, "assign", actor, request_id, *said)
        async with self._database.writing() as writing:
            if key is not None and (done := await done_before(writing, key)):
                return done
            told, now = await decided_on(writing, incident_id, version)
            unit = None if unit_id is None else await _unit(writing.connection, unit_id)
            if unit is not None:
                _check_fit(unit, agency_id, now)
            assignment = Assignment(
                id=AssignmentId(new_id("asg")),
                agency_id=agency_id,
                unit_id=unit_id,
                unit_name="" if unit is None else unit.name,
                state=AssignmentState.DISPATCHED,
                by=actor,
                dispatched_at=writing.now,
                note=note,
            )
            after = assigned(now, assignment, actor, writing.now)
            if unit is not None:
                await keep_unit(writing, unit, replace(unit, state=UnitState.ASSIGNED), actor=actor)
            return await settle(writing, told, after, actor=actor, detail="assign", key=key)

    async def progress(
        self,
        incident_id: IncidentId,
        assignment_id: AssignmentId,
        state: AssignmentState,
        *,
        actor: str,
        note: str = "",
        agency_id: AgencyId | None = None,
    ) -> Incident:
        """Keep how far an assignment has come. The step before guards it: what is over stays so,
        and what is told again, for want of an answer, changes nothing.

        Raises:
            NotFound: no such incident or assignment, or another agency's than ``agency_id``.
            ContractError: it has no such step from where it is.
        """
        async with self._database.writing() as writing:
            told, now = await decided_on(writing, incident_id, None)
            if _is_told(now, assignment_id, state, note, agency_id):
                return told
            after, assignment = progressed(
                now,
                assignment_id,
                state,
                actor=actor,
                at=writing.now,
                note=note,
                agency_id=agency_id,
            )
            if not state.is_open:
                await free_unit(writing, assignment)
            return await settle(writing, told, after, actor=actor, detail=f"assignment_{state}")


def _is_told(
    incident: Incident,
    assignment_id: AssignmentId,
    state: AssignmentState,
    note: str,
    agency_id: AgencyId | None,
) -> bool:
    return any(
        one.id == assignment_id
        and one.state is state
        and note in ("", one.note)
        and agency_id in (None, one.agency_id)
        for one in incident.assignments
    )


def _check_fit(unit: Unit, agency_id: AgencyId, incident: Incident) -> None:
    if unit.agency_id != agency_id:
        raise ContractError("unit_id", f"is a unit of '{unit.agency_id}', not of '{agency_id}'")
    if unit.state is not UnitState.AVAILABLE:
        raise ContractError("unit_id", f"can't be sent: it is {unit.state}")
    if unit.exercise != incident.estimate.exercise:
        raise ContractError("unit_id", "exercise and reality don't mix")


def _is_worth_telling(before: Unit, after: Unit) -> bool:
    if before.position is None or before.positioned_at is None:
        return after.position is not None
    if after.position is None or after.positioned_at is None:
        return False
    return (
        distance_m(before.position, after.position) >= TOLD_AGAIN_M
        or after.positioned_at - before.positioned_at >= TOLD_AGAIN
    )


async def _unit(connection: AsyncConnection, unit_id: UnitId) -> Unit:
    body = await connection.scalar(
        select(UnitRow.body).where(UnitRow.id == unit_id, UnitRow.removed.is_(False))
    )
    if body is None:
        raise NotFound("unit", unit_id)
    return from_json(Unit, body)


async def _register(writing: Writing, before: Unit | None, unit: Unit, actor: str) -> Unit:
    unit = replace(unit, version=1 if before is None else before.version + 1)
    if before is not None:
        return await keep_unit(writing, before, unit, actor=actor)
    await writing.connection.execute(
        insert(UnitRow).values(
            id=unit.id, agency_id=unit.agency_id, removed=False, body=to_json(unit).decode()
        )
    )
    writing.log(LogKind.UNIT_SAVED, unit, actor=actor, exercise=unit.exercise, detail="registered")
    return unit
