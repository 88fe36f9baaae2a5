"""The websocket feed's door: who may come in, and from where in the log."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.websockets import WebSocket

from api.access import roles_for
from api.feed_connection import FeedConnection
from api.problems import Problem, invalid
from api.scopes import scope_of
from api.security import address_of, refuse_other_origins, require
from api.services import services_of

PATH = "/ws/v1/feed"
LARGEST_SEQ = 2**53

router = APIRouter()


@router.websocket(PATH)
async def follow_feed(websocket: WebSocket) -> None:
    """Snapshot or resumption, then every change; see docs/api.md."""
    services = services_of(websocket)
    try:
        refuse_other_origins(websocket, services.settings.api)
        roles = roles_for("WEBSOCKET", PATH) or ()
        identity = await require(websocket, roles, scope_of("WEBSOCKET", PATH))
        after = _cursor(websocket.query_params.get("after"))
        await services.views.seen(identity, "WEBSOCKET", PATH, {}, address_of(websocket))
    except Problem as problem:
        # Before the handshake is done a refusal is an HTTP answer like any other.
        await websocket.send_denial_response(problem.response())
        return
    connection = FeedConnection(
        websocket,
        feed=services.feed,
        source=services.store.log,
        snapshots=services.snapshots,
        metrics=services.metrics,
    )
    with services.readers.present(identity, connection):
        await connection.serve(after)


def _cursor(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 16 or int(text) > LARGEST_SEQ:
        raise invalid("after", "must be the seq of the last change that you have, such as 1234")
    return int(text)
