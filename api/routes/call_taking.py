"""While a call is being taken: what can be seen of the place, what is known already, and what the
call taker has understood by now."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.intake.places import require_in_city
from api.likenesses import incidents_of_call
from api.problems import documented, invalid
from api.rights.access import GuardedRoute
from api.rights.reach import sees_camera
from api.rights.security import identity_of
from api.schemas.bodies import Outlook, TakenCall
from api.schemas.shapes import CallOutlook
from api.services import services_of
from api.wire import answer, array, members
from contracts import Call, CallId, CallReport, ContractError, ReportId, to_json
from plumbing.ids import new_id

router = APIRouter(prefix="/api/v1/calls", route_class=GuardedRoute, tags=["calls"])


@router.post("/outlook", response_model=CallOutlook, responses=documented(401, 403, 413, 422, 503))
async def outlook(request: Request, body: Outlook) -> Response:
    """The cameras that may show the place, best first, and the incidents that a call from there may
    be about. Nothing is stored."""
    services, identity = services_of(request), identity_of(request)
    exercise = body.exercise or services.settings.exercise
    try:
        shape = body.location.shape()
        require_in_city(services, shape)
    except ContractError as error:
        raise invalid(f"location.{error.field}", error.why) from error
    ranked = await services.cameras.ranked(shape, exercise, body.hazard)
    if identity.camera_groups is not None:
        cameras = await services.store.cameras.all()
        theirs = {one.id for one in cameras if sees_camera(identity, one)}
        ranked = [one for one in ranked if one.camera_id in theirs]
    found = await incidents_of_call(
        services, identity, body.hazard, shape, body.location.confidence, exercise=exercise
    )
    return answer(
        members(cameras=array(map(to_json, ranked)), incidents=array(map(to_json, found)))
    )


@router.put("/{call_id}", response_model=Call, responses=documented(401, 403, 404, 413, 422, 503))
async def say_of_call(
    request: Request,
    call_id: Annotated[str, Path(min_length=1, max_length=80)],
    body: TakenCall,
) -> Response:
    """Take a call over that a phone's position has founded, or correct one: its hazard and note
    become these. The positions stay."""
    services = services_of(request)
    call = await services.store.calls.get(CallId(call_id))
    report = CallReport(
        id=ReportId(new_id("report")),
        call_id=call.id,
        hazard=body.hazard,
        note=body.note,
        received_at=services.clock.now(),
        channel=call.channel,
        exercise=call.exercise,
    )
    await services.store.messages.take_call(
        [report], key=None, window=timedelta(0), actor=identity_of(request).name
    )
    return answer(to_json(await services.store.calls.get(call.id)))
