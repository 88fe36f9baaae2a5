"""How much of the city is seen, by how many cameras, and where nothing is."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.problems import documented
from api.rights.access import GuardedRoute
from api.schemas.shapes import CoverageAnswer
from api.services import services_of
from api.wire import answer

router = APIRouter(prefix="/api/v1/coverage", route_class=GuardedRoute, tags=["cameras"])


@router.get("", response_model=CoverageAnswer, responses=documented(401, 422))
async def read_coverage(request: Request, exercise: bool = False) -> Response:
    """What the enabled cameras see of the city and of each of its areas, and the gaps."""
    return answer(await services_of(request).coverage.of(exercise))
