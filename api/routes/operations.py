"""What those who run the system ask: is it up, is it ready, how is it doing, what does it offer."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from api import asyncapi
from api.problems import documented
from api.readiness import look
from api.reference import REFERENCE_POLICY, reference_page
from api.rights.access import GuardedRoute
from api.schemas.shapes import Health, Readiness
from api.services import services_of
from api.wire import answer, plain
from api.worker_figures import text_of_workers

router = APIRouter(route_class=GuardedRoute, tags=["operations"])

_BACKLOG = """\
# HELP siaga_fusion_waiting_reports Reports that fusion has not decided about
# TYPE siaga_fusion_waiting_reports gauge
siaga_fusion_waiting_reports {waiting}
# HELP siaga_fusion_queue_age_seconds How long the oldest of them has waited
# TYPE siaga_fusion_queue_age_seconds gauge
siaga_fusion_queue_age_seconds {age_s:.3f}
"""


@router.get("/healthz", response_model=Health)
async def is_alive() -> Response:
    """That the process runs and its event loop turns."""
    return answer(b'{"status":"ok"}')


@router.get("/readyz", response_model=Readiness, responses=documented(503))
async def is_ready(request: Request) -> Response:
    """Whether database, bus, fusion, workers and disk do their work; 503 without the database.

    Where another part is missing it is `degraded` (200), and `checks` says what that means.
    """
    found = await look(services_of(request))
    status = 503 if found.status == "unavailable" else 200
    return answer(plain({"status": found.status, "checks": found.checks}), status)


@router.get("/metrics", response_class=Response)
async def read_metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    services = services_of(request)
    waiting, since = await services.store.fusion.backlog()
    age_s = 0.0 if since is None else max(0.0, (services.clock.now() - since).total_seconds())
    text = services.metrics.text() + _BACKLOG.format(waiting=waiting, age_s=age_s)
    text += await text_of_workers(services.bus)
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/openapi.json", include_in_schema=False)
async def read_description(request: Request) -> Response:
    """The OpenAPI description."""
    return JSONResponse(request.app.openapi())


@router.get("/asyncapi.json", include_in_schema=False)
async def read_feed_description(request: Request) -> Response:
    """The AsyncAPI description of the feed."""
    return JSONResponse(asyncapi.description(request.app.title, request.app.version))


@router.get("/docs", include_in_schema=False)
async def read_reference(request: Request) -> Response:
    """The same for people, without a script or anything from elsewhere."""
    page = reference_page(request.app.openapi())
    return HTMLResponse(page, headers={"Content-Security-Policy": REFERENCE_POLICY})
