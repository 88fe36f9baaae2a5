"""Messages of phones and networks as they came, for those who look into what went wrong."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.intake.taking import believe
from api.problems import documented
from api.rights.access import GuardedRoute
from api.rights.security import identity_of
from api.schemas.bodies_letters import Belief, Reason
from api.schemas.shapes import KeptMessageItem, MessagePage
from api.services import services_of
from api.wire import answer, plain
from incidents.message_rows import KeptMessage
from plumbing.logs import get_logger

router = APIRouter(prefix="/api/v1/messages", route_class=GuardedRoute, tags=["calls"])

Id = Annotated[str, Path(min_length=1, max_length=80)]
_log = get_logger(__name__)


@router.get("", response_model=MessagePage, responses=documented(401, 403, 422))
async def list_messages(
    request: Request,
    trusted: Annotated[bool | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> Response:
    """What came by AML, SMS and PIDF-LO, newest first: what was wrong and what it led to."""
    messages, following = await services_of(request).store.messages.page(
        limit=limit, before=after, is_trusted=trusted
    )
    return answer(plain({"messages": [_item(one) for one in messages], "next": following}))


@router.get("/{message_id}", response_class=Response, responses=documented(401, 403, 404))
async def read_message(request: Request, message_id: Id) -> Response:
    """A message's bytes as they came; who reads them is written down."""
    services = services_of(request)
    sealed = await services.store.messages.sealed(message_id)
    _log.info("a message was read", message=message_id, by=identity_of(request).name)
    content = base64.b64decode(services.sealer.unseal(sealed))
    # Whatever it is, a browser must not take it for a page.
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.post(
    "/{message_id}/believe",
    response_model=KeptMessageItem,
    responses=documented(401, 403, 404, 409, 413, 422, 503),
)
async def believe_message(request: Request, message_id: Id, body: Belief) -> Response:
    """Take the positions in of a message that was only kept: somebody has asked its sender back, or
    what could not be read can be read now. It is read anew; 422 says what is still wrong."""
    services = services_of(request)
    kept = await believe(
        services,
        await services.store.messages.get(message_id),
        body.call_id,
        actor=identity_of(request).name,
        reason=body.reason,
    )
    return answer(plain(_item(kept)))


@router.post(
    "/{message_id}/discard",
    status_code=204,
    responses=documented(401, 403, 404, 409, 413, 422, 503),
)
async def discard_message(request: Request, message_id: Id, body: Reason) -> Response:
    """Throw a message away that no position was made of; the audit log keeps by whom and why."""
    await services_of(request).store.messages.discard(
        message_id, actor=identity_of(request).name, reason=body.reason
    )
    return Response(status_code=204)


def _item(one: KeptMessage) -> dict[str, Any]:
    return {
        "message_id": one.id,
        "channel": one.channel,
        "sender": one.sender,
        "received_at": one.received_at.isoformat(),
        "seen_at": one.seen_at.isoformat(),
        "seen": one.seen,
        "trusted": one.is_trusted,
        "call_id": one.call_id,
        "fix_ids": list(one.fix_ids),
        "problems": list(one.problems),
    }
