"""Detections of cameras' own or others' detectors, beside those of our workers."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.intake.tracing import trace_received
from api.problems import documented
from api.rights.access import GuardedRoute
from api.rights.reach import seen_camera
from api.rights.security import identity_of
from api.schemas.bodies import clean_detection
from api.schemas.shapes import AcceptedReport
from api.services import services_of
from api.wire import answer, plain
from contracts import Detection

router = APIRouter(prefix="/api/v1/detections", route_class=GuardedRoute, tags=["detections"])


@router.post(
    "",
    status_code=202,
    response_model=AcceptedReport,
    responses=documented(401, 403, 404, 413, 422, 503),
)
async def receive_detection(request: Request, body: Detection) -> Response:
    """Take a detection in. A repeat of its id is stored once; fusion follows soon after."""
    services = services_of(request)
    clean_detection(body)
    camera = await seen_camera(services, identity_of(request), body.camera_id)
    # What it came in with decides whether it is an exercise, not what it says of itself.
    detection = replace(body, received_at=services.clock.now(), exercise=camera.exercise)
    accepted = (await services.store.reports.accept([detection]))[0]
    if accepted.is_new:
        trace_received(services.clock, [detection], None)
    return answer(plain({"report_seq": accepted.report.seq}), 202)
