"""The log as pages, for readers who poll; the feed sends the same entries as they come."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.access import GuardedRoute
from api.problems import Problem, documented
from api.services import services_of
from api.shapes import LogPage
from api.wire import answer, array, members
from contracts import to_json

router = APIRouter(prefix="/api/v1/log", route_class=GuardedRoute, tags=["log"])


@router.get("", response_model=LogPage, responses=documented(401, 410, 422))
async def read_log(
    request: Request,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> Response:
    """Entries after a cursor, in order and without gaps; 410 where retention has passed it."""
    log = services_of(request).store.log
    oldest = await log.oldest_seq()
    if after and after < oldest - 1:
        raise Problem(
            410,
            "gone",
            f"The log starts at {oldest}; read the open incidents and go on from there.",
            extra={"oldest_seq": oldest},
        )
    entries = await log.after(after, limit)
    following = entries[-1].seq if entries else max(after, oldest - 1)
    return answer(
        members(
            entries=array(map(to_json, entries)),
            next_after=b"%d" % following,
            oldest_seq=b"%d" % oldest,
        )
    )
