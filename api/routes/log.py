"""The log as pages, for readers who poll; the feed sends the same entries as they come."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.problems import Problem, documented
from api.rights.access import GuardedRoute
from api.rights.reach import filter_of
from api.rights.security import identity_of
from api.schemas.shapes import LogPage
from api.services import services_of
from api.wire import answer, array, members
from contracts import AlarmLevel, Hazard, LogKind, to_json

router = APIRouter(prefix="/api/v1/log", route_class=GuardedRoute, tags=["log"])


@router.get("", response_model=LogPage, responses=documented(401, 410, 422))
async def read_log(
    request: Request,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    hazard: Annotated[list[Hazard] | None, Query(max_length=20)] = None,
    level: Annotated[list[AlarmLevel] | None, Query(max_length=20)] = None,
    area: Annotated[list[str] | None, Query(max_length=50)] = None,
    agency: Annotated[list[str] | None, Query(max_length=50)] = None,
    group: Annotated[list[str] | None, Query(max_length=50)] = None,
    kind: Annotated[list[LogKind] | None, Query(max_length=50)] = None,
    subject: Annotated[str | None, Query(min_length=1, max_length=80)] = None,
    exercise: bool | None = None,
) -> Response:
    """Entries after a cursor, in order and without gaps; 410 where the log no longer, or not yet,
    has that place.

    With a filter, a page may be empty although there is more: go on from `next_after`, until it is
    `last_seq`.
    """
    log = services_of(request).store.log
    only = filter_of(
        identity_of(request),
        kinds=kind,
        hazards=hazard,
        levels=level,
        areas=area,
        agencies=agency,
        groups=group,
        subject=subject,
        exercise=exercise,
    )
    oldest = await log.oldest_seq()
    if after and after < oldest - 1:
        raise Problem(
            410,
            "gone",
            f"The log starts at {oldest}; read the open incidents and go on from there.",
            extra={"oldest_seq": oldest},
        )
    found, following = await log.scan(max(after, oldest - 1), limit, only)
    last = await log.last_seq()
    if after > last:
        # Of another log, or of this one before a backup was restored: who waited here for it to
        # come so far would miss all that is told until then.
        raise Problem(
            410,
            "gone",
            f"The log ends at {last}; read the open incidents and go on from there.",
            extra={"last_seq": last},
        )
    return answer(
        members(
            entries=array(to_json(one.entry) for one in found),
            next_after=b"%d" % following,
            oldest_seq=b"%d" % oldest,
            last_seq=b"%d" % last,
        )
    )
