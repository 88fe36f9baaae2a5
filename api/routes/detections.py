"""Detections of cameras' own or others' detectors, beside those of our workers."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.intake.tracing import trace_received
from api.problems import Problem, documented
from api.rights.access import GuardedRoute
from api.rights.reach import seen_camera
from api.rights.security import identity_of
from api.schemas.bodies import clean_detection
from api.schemas.shapes import AcceptedReport
from api.services import services_of
from api.wire import answer, plain
from contracts import Detection, ReportBody

router = APIRouter(prefix="/api/v1/detections", route_class=GuardedRoute, tags=["detections"])


@router.post(
    "",
    status_code=202,
    response_model=AcceptedReport,
    responses=documented(401, 403, 404, 409, 413, 422, 503),
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
    elif not _is_repeat(detection, accepted.report.body):
        # Answered as a repeat, what it tells would be lost and its sender none the wiser.
        raise Problem(
            409,
            "exists",
            "A report of this id is stored already and says something else; give each detection "
            "an id of its own, also among cameras and detectors.",
        )
    return answer(plain({"report_seq": accepted.report.seq}), 202)


def _is_repeat(sent: Detection, stored: ReportBody) -> bool:
    if not isinstance(stored, Detection):
        return False
    return replace(sent, received_at=stored.received_at, exercise=stored.exercise) == stored
