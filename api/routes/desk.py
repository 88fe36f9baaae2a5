"""What the desk does beside the life cycle: merges, splits, holds, attachments, shelves, and what
one shift tells the next."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import Response

from api.attaching import SIGNATURES, body_of_kinds, given, taken
from api.problems import documented
from api.rights.access import GuardedRoute
from api.rights.reach import seen_camera, seen_incident
from api.rights.security import identity_of
from api.schemas.bodies_desk import Hold, Merge, NewHandover, NewShelf, Split, Undo
from api.schemas.shapes_desk import HandoverPage, ShelfList, SplitIncidents
from api.services import services_of
from api.wire import answer, array, members, plain
from contracts import (
    CallId,
    CameraId,
    Handover,
    HandoverId,
    Incident,
    IncidentId,
    Shelf,
    ShelfId,
    to_json,
)

router = APIRouter(prefix="/api/v1", route_class=GuardedRoute, tags=["desk"])

Id = Annotated[str, Path(min_length=1, max_length=80)]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=200)]
_LOOK_BACK = timedelta(days=7)


@router.post(
    "/incidents/{incident_id}/merge",
    response_model=Incident,
    responses=documented(401, 403, 404, 409, 413, 422, 503),
)
async def merge(
    request: Request, incident_id: Id, body: Merge, idempotency_key: IdempotencyKey = None
) -> Response:
    """Take another open incident in: its reports, assignments, notes and attachments. It becomes a
    duplicate, and fusion tells what it thinks of the two together within a second."""
    services, identity = services_of(request), identity_of(request)
    await seen_incident(services, identity, body.other_id)
    incident = await services.store.regrouping.merge(
        IncidentId(incident_id),
        IncidentId(body.other_id),
        actor=identity.name,
        version=body.version,
        other_version=body.other_version,
        reason=body.reason,
        request_id=idempotency_key,
    )
    return answer(to_json(incident), ETag=f'"{incident.version}"')


@router.post(
    "/incidents/{incident_id}/split",
    response_model=SplitIncidents,
    responses=documented(401, 403, 404, 409, 413, 422, 503),
)
async def split(
    request: Request, incident_id: Id, body: Split, idempotency_key: IdempotencyKey = None
) -> Response:
    """Make what these cameras and calls reported an incident of its own."""
    left, new = await services_of(request).store.regrouping.split(
        IncidentId(incident_id),
        camera_ids={CameraId(one) for one in body.camera_ids},
        call_ids={CallId(one) for one in body.call_ids},
        actor=identity_of(request).name,
        version=body.version,
        reason=body.reason,
        request_id=idempotency_key,
    )
    return answer(members(incident=to_json(left), new=to_json(new)))


@router.post(
    "/incidents/{incident_id}/undo",
    response_model=Incident,
    responses=documented(401, 403, 404, 409, 413, 422, 503),
)
async def undo(
    request: Request, incident_id: Id, body: Undo, idempotency_key: IdempotencyKey = None
) -> Response:
    """Take one's own last step back, within ten minutes. What fusion has learnt since stays; a
    step that called units off can't be undone (409 `nothing-to-undo` says why)."""
    incident = await services_of(request).store.undoing.undo(
        IncidentId(incident_id),
        actor=identity_of(request).name,
        version=body.version,
        request_id=idempotency_key,
    )
    return answer(to_json(incident), ETag=f'"{incident.version}"')


@router.post(
    "/incidents/{incident_id}/hold",
    response_model=Incident,
    responses=documented(401, 403, 404, 409, 413, 422, 503),
)
async def hold(request: Request, incident_id: Id, body: Hold) -> Response:
    """Put an incident under legal hold, or let it go. Nothing of a held one is deleted."""
    incident = await services_of(request).store.incidents.hold(
        IncidentId(incident_id),
        is_held=body.on_hold,
        actor=identity_of(request).name,
        version=body.version,
        reason=body.reason,
    )
    return answer(to_json(incident), ETag=f'"{incident.version}"')


@router.post(
    "/incidents/{incident_id}/attachments",
    status_code=201,
    response_model=Incident,
    responses=documented(401, 403, 404, 413, 415, 422, 503, 507),
    openapi_extra=body_of_kinds(SIGNATURES),
)
async def attach(
    request: Request,
    incident_id: Id,
    name: Annotated[str, Query(min_length=1, max_length=200)],
) -> Response:
    """Add a picture, clip or PDF: the body is the file, with its Content-Type."""
    store = services_of(request).store
    await store.incidents.get(IncidentId(incident_id))
    attachment = await taken(request, name, SIGNATURES)
    incident = await store.incidents.attach(IncidentId(incident_id), attachment)
    return answer(to_json(incident), 201, ETag=f'"{incident.version}"')


@router.get(
    "/incidents/{incident_id}/attachments/{evidence_id}",
    response_class=Response,
    responses={200: {"content": {kind: {} for kind in SIGNATURES}}, **documented(401, 404)},
)
async def read_attachment(request: Request, incident_id: Id, evidence_id: Id) -> Response:
    """What was attached, for saving."""
    services = services_of(request)
    incident = await seen_incident(services, identity_of(request), incident_id)
    return await given(services, incident.attachments, evidence_id)


@router.get("/shelves", response_model=ShelfList, responses=documented(401))
async def list_shelves(request: Request, ended: bool = False) -> Response:
    """What doesn't sound now; with `ended=true` also what ended in the last seven days."""
    services = services_of(request)
    since = services.clock.now() - (_LOOK_BACK if ended else timedelta(0))
    return answer(members(shelves=array(map(to_json, await services.store.shelves.since(since)))))


@router.post(
    "/shelves", status_code=201, response_model=Shelf, responses=documented(401, 403, 404, 413, 422)
)
async def put_on_shelf(request: Request, body: NewShelf) -> Response:
    """Keep a camera, a hazard, or a hazard at a camera from sounding until a time. It is watched
    and told all the same, quietly; what callers report or people have verified always sounds."""
    services = services_of(request)
    if body.camera_id is not None:
        await seen_camera(services, identity_of(request), body.camera_id)
    shelf = await services.store.shelves.put(
        camera_id=None if body.camera_id is None else CameraId(body.camera_id),
        hazard=body.hazard,
        reason=body.reason,
        until=body.until,
        actor=identity_of(request).name,
        exercise=body.exercise or services.settings.exercise,
    )
    return answer(to_json(shelf), 201)


@router.delete("/shelves/{shelf_id}", response_model=Shelf, responses=documented(401, 403, 404))
async def end_shelf(request: Request, shelf_id: Id) -> Response:
    """Let it sound again."""
    shelf = await services_of(request).store.shelves.end(
        ShelfId(shelf_id), actor=identity_of(request).name
    )
    return answer(to_json(shelf))


@router.get("/handovers", response_model=HandoverPage, responses=documented(401, 422))
async def list_handovers(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> Response:
    """What shifts have told the next, newest first."""
    found, following = await services_of(request).store.handovers.page(limit, after)
    return answer(members(handovers=array(map(to_json, found)), next=plain(following)))


@router.post(
    "/handovers", status_code=201, response_model=Handover, responses=documented(401, 403, 413, 422)
)
async def write_handover(request: Request, body: NewHandover) -> Response:
    """Leave something for the next shift."""
    services = services_of(request)
    handover = await services.store.handovers.write(
        body.text,
        actor=identity_of(request).name,
        incident_ids=[IncidentId(one) for one in body.incident_ids],
        exercise=body.exercise or services.settings.exercise,
    )
    return answer(to_json(handover), 201)


@router.post(
    "/handovers/{handover_id}/take", response_model=Handover, responses=documented(401, 403, 404)
)
async def take_handover(request: Request, handover_id: Id) -> Response:
    """Say that one has read it and takes over."""
    handover = await services_of(request).store.handovers.take(
        HandoverId(handover_id), actor=identity_of(request).name
    )
    return answer(to_json(handover))
