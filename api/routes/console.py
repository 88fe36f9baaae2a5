"""The console's files; last in the order of routes, since it takes whatever is left."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.problems import Problem
from api.rights.access import GuardedRoute
from api.services import services_of

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

_NOT_FILES = ("api/", "ws/")


@router.get("/")
async def read_console(request: Request) -> Response:
    """The map."""
    return await services_of(request).console.index()


@router.get("/{path:path}")
async def read_console_file(request: Request, path: str) -> Response:
    """What the page loads."""
    if path.startswith(_NOT_FILES):
        raise Problem(404, "not-found", "There is nothing at this address; see /docs.")
    accepted = request.headers.get("accept-encoding", "")
    return await services_of(request).console.file(path, accepted)
