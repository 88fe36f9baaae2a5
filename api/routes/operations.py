"""What those who run the system ask: is it up, is it ready, how is it doing, what does it offer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from api.access import GuardedRoute
from api.problems import documented
from api.reference import REFERENCE_POLICY, reference_page
from api.services import services_of
from api.shapes import Health, Readiness
from api.wire import answer, plain
from plumbing.bus import BusUnavailable

router = APIRouter(route_class=GuardedRoute, tags=["operations"])

PATIENCE_S = 2.0
"""A part that takes longer to answer isn't ready."""


@router.get("/healthz", response_model=Health)
async def is_alive() -> Response:
    """That the process runs and its event loop turns."""
    return answer(b'{"status":"ok"}')


@router.get("/readyz", response_model=Readiness, responses=documented(503))
async def is_ready(request: Request) -> Response:
    """Whether the database and the bus answer.

    Without the bus this role still takes calls and actions and tells of changes, a little later,
    so it is degraded; without the database it can do nothing (503).
    """
    services = services_of(request)
    database, bus = await asyncio.gather(
        _check(services.store.log.last_seq()), _check(services.bus.ping())
    )
    checks = {
        "database": "ok" if database else "does not answer",
        "bus": "ok"
        if bus
        else "does not answer: changes come up to 0.25 s late, no camera can be probed",
    }
    if not database:
        return answer(plain({"status": "unavailable", "checks": checks}), 503)
    return answer(plain({"status": "ready" if bus else "degraded", "checks": checks}))


async def _check(question: Awaitable[object]) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_S):
            await question
    except (TimeoutError, BusUnavailable, OSError):
        return False
    except Exception:  # noqa: BLE001 - whatever a database driver raises, it isn't ready
        return False
    return True


@router.get("/metrics", response_class=Response)
async def read_metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    text = services_of(request).metrics.text()
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/openapi.json", include_in_schema=False)
async def read_description(request: Request) -> Response:
    """The OpenAPI description."""
    return JSONResponse(request.app.openapi())


@router.get("/docs", include_in_schema=False)
async def read_reference(request: Request) -> Response:
    """The same for people, without a script or anything from elsewhere."""
    page = reference_page(request.app.openapi())
    return HTMLResponse(page, headers={"Content-Security-Policy": REFERENCE_POLICY})
