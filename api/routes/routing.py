"""Who responds: agencies, their units, and who was sent where."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import Response

from api.problems import documented
from api.rights.access import GuardedRoute
from api.rights.reach import agencies_of, known_agency, seen_incident
from api.rights.security import identity_of
from api.schemas.bodies_desk import AssignmentStep, ChangedUnit, NewAssignment, NewUnit, UnitStatus
from api.schemas.shapes_desk import AgencyList, ResponderList, UnitList
from api.services import services_of
from api.wire import answer, array, members, plain
from contracts import (
    AgencyId,
    AssignmentId,
    Incident,
    IncidentId,
    Unit,
    UnitId,
    UnitState,
    to_json,
)
from geo.projection import require_inside
from incidents.errors import NotFound
from incidents.responders import suggestions
from plumbing.ids import new_id

router = APIRouter(prefix="/api/v1", route_class=GuardedRoute, tags=["routing"])

Id = Annotated[str, Path(min_length=1, max_length=80)]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=200)]


@router.get("/agencies", response_model=AgencyList, responses=documented(401))
async def list_agencies(request: Request) -> Response:
    """The agencies that respond, as configured under `routing`."""
    found = [one.model_dump(mode="json") for one in services_of(request).settings.routing.agencies]
    return answer(plain({"agencies": found}))


@router.get("/units", response_model=UnitList, responses=documented(401, 422))
async def list_units(
    request: Request, agency: Annotated[str | None, Query(max_length=40)] = None
) -> Response:
    """Units, or those of one agency."""
    own = identity_of(request).agency_id
    wanted = own or (None if agency is None else AgencyId(agency))
    units = await services_of(request).store.units.all(wanted)
    return answer(members(units=array(map(to_json, units))))


@router.post(
    "/units", status_code=201, response_model=Unit, responses=documented(401, 403, 409, 413, 422)
)
async def add_unit(request: Request, body: NewUnit) -> Response:
    """Register a unit."""
    services = services_of(request)
    known_agency(services, body.agency_id)
    unit = Unit(
        id=UnitId(body.id or new_id("unit")),
        agency_id=AgencyId(body.agency_id),
        name=body.name,
        kind=body.kind,
        state=UnitState.AVAILABLE if body.on_duty else UnitState.OFF_DUTY,
        exercise=body.exercise or services.settings.exercise,
    )
    saved = await services.store.units.save(unit, actor=identity_of(request).name, version=None)
    return answer(to_json(saved), 201, ETag=f'"{saved.version}"')


@router.get("/units/{unit_id}", response_model=Unit, responses=documented(401, 404))
async def read_unit(request: Request, unit_id: Id) -> Response:
    """One unit."""
    unit = await services_of(request).store.units.get(UnitId(unit_id))
    own = agencies_of(identity_of(request))
    if own is not None and unit.agency_id not in own:
        raise NotFound("unit", unit_id)
    return answer(to_json(unit), ETag=f'"{unit.version}"')


@router.put(
    "/units/{unit_id}",
    response_model=Unit,
    responses=documented(401, 403, 404, 409, 413, 422),
)
async def change_unit(request: Request, unit_id: Id, body: ChangedUnit) -> Response:
    """Change a unit that is at the version given. Where it is, and whether it is assigned, stay."""
    services = services_of(request)
    known_agency(services, body.agency_id)
    unit = Unit(
        id=UnitId(unit_id),
        agency_id=AgencyId(body.agency_id),
        name=body.name,
        kind=body.kind,
        state=UnitState.AVAILABLE if body.on_duty else UnitState.OFF_DUTY,
        exercise=body.exercise or services.settings.exercise,
    )
    saved = await services.store.units.save(
        unit, actor=identity_of(request).name, version=body.version
    )
    return answer(to_json(saved), ETag=f'"{saved.version}"')


@router.delete("/units/{unit_id}", status_code=204, responses=documented(401, 403, 404, 409, 422))
async def remove_unit(
    request: Request,
    unit_id: Id,
    version: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> Response:
    """Take a unit out of the register."""
    await services_of(request).store.units.remove(
        UnitId(unit_id), actor=identity_of(request).name, version=version
    )
    return Response(status_code=204)


@router.post(
    "/units/{unit_id}/status",
    response_model=Unit,
    responses=documented(401, 403, 404, 413, 422, 503),
)
async def report_unit(request: Request, unit_id: Id, body: UnitStatus) -> Response:
    """Where a unit is, and whether it is on duty. Send it as often as the unit tells: readers of
    the feed hear of it every 50 m or 30 s."""
    services, identity = services_of(request), identity_of(request)
    if body.position is not None:
        city = services.settings.city
        require_inside(body.position, services.projection.centre, city.radius_m)
    unit = await services.store.units.report(
        UnitId(unit_id),
        actor=identity.name,
        agency_id=identity.agency_id,
        position=body.position,
        is_on_duty=body.on_duty,
    )
    return answer(to_json(unit), ETag=f'"{unit.version}"')


@router.get(
    "/incidents/{incident_id}/responders",
    response_model=ResponderList,
    responses=documented(401, 404),
)
async def list_responders(request: Request, incident_id: Id) -> Response:
    """The agencies whose business it is, each with its nearest units that fit and are free."""
    services = services_of(request)
    incident = await services.store.incidents.get(IncidentId(incident_id))
    found = suggestions(
        incident,
        await services.store.units.all(),
        services.settings.routing,
        services.projection,
        now=services.clock.now(),
    )
    shown = [
        {
            "agency_id": one.agency.id,
            "name": one.agency.name,
            "units": [
                {
                    "unit_id": near.unit.id,
                    "kind": near.unit.kind,
                    "distance_m": round(near.distance_m, 1),
                    "bearing_deg": round(near.bearing_deg % 360, 1),
                }
                for near in one.units
            ],
        }
        for one in found
    ]
    return answer(plain({"responders": shown}))


@router.post(
    "/incidents/{incident_id}/assignments",
    status_code=201,
    response_model=Incident,
    responses=documented(401, 403, 404, 409, 413, 422, 503),
)
async def assign(
    request: Request,
    incident_id: Id,
    body: NewAssignment,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Send an agency, or one of its units. The first one makes the incident dispatched."""
    services = services_of(request)
    known_agency(services, body.agency_id)
    incident = await services.store.dispatching.assign(
        IncidentId(incident_id),
        AgencyId(body.agency_id),
        None if body.unit_id is None else UnitId(body.unit_id),
        actor=identity_of(request).name,
        version=body.version,
        note=body.note,
        request_id=idempotency_key,
    )
    return answer(to_json(incident), 201, ETag=f'"{incident.version}"')


@router.post(
    "/incidents/{incident_id}/assignments/{assignment_id}",
    response_model=Incident,
    responses=documented(401, 403, 404, 413, 422, 503),
)
async def progress(
    request: Request, incident_id: Id, assignment_id: Id, body: AssignmentStep
) -> Response:
    """Tell how far an assignment has come; an agency's own system tells of its own.

    No version is needed: what a unit does doesn't rest on what others know, and a step that the
    assignment doesn't have any more is 422.
    """
    services, identity = services_of(request), identity_of(request)
    await seen_incident(services, identity, incident_id)
    incident = await services.store.dispatching.progress(
        IncidentId(incident_id),
        AssignmentId(assignment_id),
        body.state,
        actor=identity.name,
        note=body.note,
        agency_id=identity.agency_id,
    )
    return answer(to_json(incident), ETag=f'"{incident.version}"')
