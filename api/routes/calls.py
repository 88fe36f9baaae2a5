"""Calls to the emergency number: taken in, added to, and asked which cameras may show them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import Response

from api.attaching import PICTURES, body_of_kinds, given, taken
from api.intake.calls import take_call, take_citizen_report, take_fix
from api.problems import documented
from api.rights.access import GuardedRoute
from api.rights.identity import Identity
from api.rights.reach import sees_camera
from api.rights.security import identity_of
from api.schemas.bodies import CitizenReport, NewCall, NewFix
from api.schemas.shapes import AcceptedCall, CallPage, RankedCameraList
from api.services import Services, services_of
from api.wire import answer, array, members, plain
from contracts import Call, CallId, to_json
from geo.visibility import RankedCamera

router = APIRouter(prefix="/api/v1/calls", route_class=GuardedRoute, tags=["calls"])

citizens = APIRouter(prefix="/api/v1/citizen-reports", route_class=GuardedRoute, tags=["calls"])

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        description="The same key again gives the same call; make a new one for each call",
    ),
]
Id = Annotated[str, Path(min_length=1, max_length=80)]


@router.get("", response_model=CallPage, responses=documented(401, 422))
async def list_calls(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> Response:
    """Calls, newest first."""
    calls, following = await services_of(request).store.calls.recent(limit, after)
    return answer(members(calls=array(map(to_json, calls)), next=plain(following)))


@router.post(
    "",
    status_code=201,
    response_model=AcceptedCall,
    responses=documented(401, 403, 409, 413, 422, 503),
)
async def receive_call(
    request: Request, body: NewCall, idempotency_key: IdempotencyKey = None
) -> Response:
    """Take a call in. It is stored when this answers, with the cameras that may show it."""
    services = services_of(request)
    identity = identity_of(request)
    call = await take_call(services, identity, body, idempotency_key)
    return await _accepted(services, identity, call)


@router.get("/{call_id}", response_model=Call, responses=documented(401, 404))
async def read_call(request: Request, call_id: Id) -> Response:
    """One call with every position that is known of its caller."""
    return answer(to_json(await services_of(request).store.calls.get(CallId(call_id))))


@router.post(
    "/{call_id}/fixes",
    status_code=201,
    response_model=AcceptedCall,
    responses=documented(401, 403, 404, 409, 413, 422, 503),
)
async def add_fix(
    request: Request, call_id: Id, body: NewFix, idempotency_key: IdempotencyKey = None
) -> Response:
    """Add a position of the caller; the earlier ones stay."""
    services = services_of(request)
    call = await take_fix(services, identity_of(request), CallId(call_id), body, idempotency_key)
    return await _accepted(services, identity_of(request), call)


@router.get("/{call_id}/cameras", response_model=RankedCameraList, responses=documented(401, 404))
async def rank_cameras(request: Request, call_id: Id) -> Response:
    """The cameras that may show what a call is about, best first, by its newest position."""
    services = services_of(request)
    call = await services.store.calls.get(CallId(call_id))
    return answer(members(cameras=await _cameras(services, identity_of(request), call)))


async def _accepted(services: Services, identity: Identity, call: Call) -> Response:
    cameras = await _cameras(services, identity, call)
    location = f"/api/v1/calls/{call.id}"
    return answer(members(call=to_json(call), cameras=cameras), 201, Location=location)


async def _cameras(services: Services, identity: Identity, call: Call) -> bytes:
    ranked: list[RankedCamera] = []
    if call.fixes:
        # A message may come late: what counts is when its position was found.
        newest = max(call.fixes, key=lambda fix: (fix.positioned_at, fix.received_at))
        ranked = await services.cameras.ranked(newest.shape, call.exercise, call.hazard)
    if identity.camera_groups is not None:
        cameras = await services.store.cameras.all()
        theirs = {one.id for one in cameras if sees_camera(identity, one)}
        ranked = [one for one in ranked if one.camera_id in theirs]
    return array(map(to_json, ranked))


@citizens.post(
    "",
    status_code=201,
    response_model=AcceptedCall,
    responses=documented(401, 403, 409, 413, 422, 503),
)
async def receive_citizen_report(
    request: Request, body: CitizenReport, idempotency_key: IdempotencyKey = None
) -> Response:
    """Take in what a citizen reports by an app. It is kept as a call whose channel is `app`, and
    believed less than one that a call taker has heard."""
    services, identity = services_of(request), identity_of(request)
    call = await take_citizen_report(services, identity, body, idempotency_key)
    return await _accepted(services, identity, call)


@citizens.post(
    "/{call_id}/photos",
    status_code=201,
    response_model=Call,
    responses=documented(401, 403, 404, 413, 415, 422, 503, 507),
    openapi_extra=body_of_kinds(PICTURES),
)
async def add_photo(
    request: Request, call_id: Id, name: Annotated[str, Query(min_length=1, max_length=200)]
) -> Response:
    """Add a photo to what a citizen has reported: the body is the picture, with its Content-Type.
    It counts as a report of the app (`calls.reports_per_app_minute`)."""
    services = services_of(request)
    await services.store.calls.get(CallId(call_id))
    services.citizens.require_patience(identity_of(request).name, None)
    photo = await taken(request, name, PICTURES)
    return answer(to_json(await services.store.calls.attach(CallId(call_id), photo)), 201)


@router.get(
    "/{call_id}/photos/{evidence_id}",
    response_class=Response,
    responses={200: {"content": {kind: {} for kind in sorted(PICTURES)}}, **documented(401, 404)},
)
async def read_photo(request: Request, call_id: Id, evidence_id: Id) -> Response:
    """A photo that came with a report, for saving."""
    services = services_of(request)
    call = await services.store.calls.get(CallId(call_id))
    return await given(services, call.photos, evidence_id)
