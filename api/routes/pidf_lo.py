"""Positions from other call centres and networks, as PIDF-LO documents."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from api.intake.taking import Came, body_of, receipt, take
from api.problems import documented
from api.rights.access import GuardedRoute
from api.rights.security import identity_of
from api.routes.aml import ANSWERS
from api.schemas.shapes import MessageReceipt
from api.services import services_of

router = APIRouter(route_class=GuardedRoute, tags=["calls"])

MAX_CALL = 200
_DOCUMENT: dict[str, Any] = {
    "requestBody": {"content": {"application/pidf+xml": {"schema": {"type": "string"}}}}
}


@router.post(
    "/pidf-lo",
    status_code=201,
    response_model=MessageReceipt,
    responses=ANSWERS | documented(401, 403, 413, 503),
    openapi_extra=_DOCUMENT,
)
async def receive_pidf_lo(
    request: Request,
    call: Annotated[
        str | None, Query(description="The call that it is of: ours, or the sender's own id of it")
    ] = None,
    call_id: Annotated[str | None, Header(description="The same, as a header")] = None,
) -> Response:
    """Take a PIDF-LO document in, for a call or to found one.

    An id that is none of ours is the sender's own: all documents that name it are of one call. What
    can't be read is kept and answered with 202 and what is wrong with it.
    """
    services = services_of(request)
    came = Came(
        channel="pidf-lo",
        content=await body_of(request, services),
        sender=identity_of(request).name,
        call=_clean(call or call_id),
    )
    return receipt(await take(services, came))


def _clean(call: str | None) -> str | None:
    text = "".join(one for one in call or "" if one.isprintable()).strip()
    return text.encode("utf-8", "ignore").decode()[:MAX_CALL] or None
