"""Who did what and who saw what; `siaga audit verify` checks that nothing of it was changed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime
from starlette.responses import Response

from api.problems import documented
from api.rights.access import GuardedRoute
from api.schemas.shapes_accounts import AuditPageAnswer
from api.services import services_of
from api.wire import answer, plain
from incidents.people.audit import AuditEntry

router = APIRouter(prefix="/api/v1/audit", route_class=GuardedRoute, tags=["audit"])

Filter = Annotated[str | None, Query(min_length=1, max_length=200)]


@router.get("", response_model=AuditPageAnswer, responses=documented(401, 403, 422))
async def read_audit(
    request: Request,
    actor: Filter = None,
    action: Annotated[
        str | None,
        Query(min_length=1, max_length=40, description="Or its beginning, such as view."),
    ] = None,
    subject: Filter = None,
    since: AwareDatetime | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> Response:
    """The audit log, newest first."""
    page = await services_of(request).store.audit.page(
        actor=actor, action=action, subject=subject, since=since, before=after, limit=limit
    )
    found = {
        "entries": [_item(one) for one in page.entries],
        "next": page.next,
        "head": {"seq": page.head.seq, "hash": page.head.hash},
    }
    return answer(plain(found))


def _item(one: AuditEntry) -> dict[str, Any]:
    return {
        "seq": one.seq,
        "recorded_at": one.recorded_at.isoformat(),
        "actor": one.actor,
        "action": one.action,
        "subject": one.subject,
        "details": one.details,
        "hash": one.hash,
    }
