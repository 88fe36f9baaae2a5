"""Agencies and units at work on an incident: which step follows which, and what it does to the
incident and the unit. The rules are without I/O; `incidents.routing` stores what they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import select, update

from contracts import (
    AgencyId,
    Assignment,
    AssignmentId,
    AssignmentState,
    ContractError,
    Incident,
    IncidentAction,
    IncidentState,
    LogKind,
    Unit,
    UnitState,
    from_json,
    to_json,
)
from incidents.database import Writing
from incidents.errors import IllegalStep, NotFound
from incidents.lifecycle import MAX_TEXT, TRANSITIONS, allowed_actions
from incidents.tables import UnitRow

_A = AssignmentState

STEPS: Mapping[AssignmentState, frozenset[AssignmentState]] = MappingProxyType(
    {
        _A.DISPATCHED: frozenset(
            {_A.ACCEPTED, _A.EN_ROUTE, _A.ON_SCENE, _A.CLOSED, _A.DECLINED, _A.RECALLED}
        ),
        _A.ACCEPTED: frozenset({_A.EN_ROUTE, _A.ON_SCENE, _A.CLOSED, _A.DECLINED, _A.RECALLED}),
        _A.EN_ROUTE: frozenset({_A.ON_SCENE, _A.CLOSED, _A.RECALLED}),
        _A.ON_SCENE: frozenset({_A.CLOSED, _A.RECALLED}),
        _A.CLOSED: frozenset(),
        _A.DECLINED: frozenset(),
        _A.RECALLED: frozenset(),
    }
)
"""Every lawful step of an assignment."""

ASSIGNABLE = frozenset(
    {
        IncidentState.VERIFIED,
        IncidentState.DISPATCHED,
        IncidentState.EN_ROUTE,
        IncidentState.ON_SCENE,
    }
)
"""Somebody has said that it is true, and nobody that it is over."""

_MOVES = {
    _A.DISPATCHED: IncidentAction.DISPATCH,
    _A.EN_ROUTE: IncidentAction.EN_ROUTE,
    _A.ON_SCENE: IncidentAction.ON_SCENE,
}
"""What the first unit to come so far does to the incident."""


class IllegalAssignment(ContractError):
    """An assignment can't take this step."""


def assigned(incident: Incident, assignment: Assignment, actor: str, at: datetime) -> Incident:
    """The incident with one more assignment.

    Raises:
        IllegalStep: nobody has verified it, or it is over.
    """
    if incident.state not in ASSIGNABLE:
        raise IllegalStep(incident.state, IncidentAction.DISPATCH, allowed_actions(incident.state))
    after = replace(
        incident,
        assignments=(*incident.assignments, assignment),
        agency_ids=tuple(dict.fromkeys((*incident.agency_ids, assignment.agency_id))),
    )
    return _moved(after, _A.DISPATCHED, actor, at)


def progressed(
    incident: Incident,
    assignment_id: AssignmentId,
    state: AssignmentState,
    *,
    actor: str,
    at: datetime,
    note: str = "",
    agency_id: AgencyId | None = None,
) -> tuple[Incident, Assignment]:
    """The incident and its assignment one step on; ``agency_id`` is the one that may touch it.

    Raises:
        NotFound: no such assignment, or another agency's.
        IllegalAssignment: no such step; names the possible ones.
    """
    found = next((one for one in incident.assignments if one.id == assignment_id), None)
    if found is None or (agency_id is not None and found.agency_id != agency_id):
        raise NotFound("assignment", assignment_id)
    if state not in STEPS[found.state]:
        possible = ", ".join(sorted(STEPS[found.state])) or "none; it is over"
        raise IllegalAssignment(
            "state", f"an assignment that is {found.state} can't be {state}; possible: {possible}"
        )
    if len(note) > MAX_TEXT:
        raise ContractError("note", f"must have at most {MAX_TEXT} characters, got {len(note)}")
    changed = replace(
        found,
        state=state,
        note=note,
        accepted_at=found.accepted_at or (at if state is _A.ACCEPTED else None),
        en_route_at=found.en_route_at or (at if state is _A.EN_ROUTE else None),
        on_scene_at=found.on_scene_at or (at if state is _A.ON_SCENE else None),
        ended_at=None if state.is_open else at,
    )
    after = replace(
        incident,
        assignments=tuple(changed if one is found else one for one in incident.assignments),
    )
    return _moved(after, state, actor, at), changed


def _moved(incident: Incident, state: AssignmentState, actor: str, at: datetime) -> Incident:
    """The first unit that comes so far brings the incident along; clocks keep the first time."""
    action = _MOVES.get(state)
    to = TRANSITIONS.get((incident.state, action)) if action is not None else None
    reached = {to} if to is not None else set()
    return replace(
        incident,
        version=incident.version + 1,
        state=to or incident.state,
        updated_at=at,
        last_actor=actor,
        dispatched_at=incident.dispatched_at
        or (at if IncidentState.DISPATCHED in reached else None),
        en_route_at=incident.en_route_at or (at if IncidentState.EN_ROUTE in reached else None),
        on_scene_at=incident.on_scene_at or (at if IncidentState.ON_SCENE in reached else None),
    )


async def end_assignments(writing: Writing, incident: Incident) -> Incident:
    """Close what is still open of an incident that has ended, and free the units."""
    if not any(one.state.is_open for one in incident.assignments):
        return incident
    ends_well = incident.state is IncidentState.CLOSED
    state = _A.CLOSED if ends_well else _A.RECALLED
    for one in incident.assignments:
        if one.state.is_open:
            await free_unit(writing, one)
    return replace(
        incident,
        assignments=tuple(
            replace(one, state=state, ended_at=writing.now) if one.state.is_open else one
            for one in incident.assignments
        ),
    )


async def free_unit(writing: Writing, assignment: Assignment) -> None:
    """The unit of an assignment that has ended can be sent again."""
    if assignment.unit_id is None:
        return
    body = await writing.connection.scalar(
        select(UnitRow.body).where(UnitRow.id == assignment.unit_id)
    )
    if body is None:
        return
    unit = from_json(Unit, body)
    if unit.state is UnitState.ASSIGNED:
        await keep_unit(writing, unit, replace(unit, state=UnitState.AVAILABLE))


async def keep_unit(
    writing: Writing, before: Unit, after: Unit, *, actor: str | None = None
) -> Unit:
    """Store a changed unit; a log entry tells of it."""
    after = replace(after, version=before.version + 1)
    await writing.connection.execute(
        update(UnitRow)
        .where(UnitRow.id == after.id)
        .values(agency_id=after.agency_id, removed=False, body=to_json(after).decode())
    )
    writing.log(
        LogKind.UNIT_SAVED,
        after,
        exercise=after.exercise,
        detail=after.state,
        before=before,
        **({} if actor is None else {"actor": actor}),
    )
    return after
