"""The feed's doors, websocket and SSE: who may come in, from where in the log, to see what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from api.feed.catching_up import is_kept
from api.feed.connection import FeedConnection
from api.feed.sse import MEDIA_TYPE, EventStream
from api.feed.wishes import cursor_of, wish_of
from api.problems import Problem, documented
from api.rights.access import GuardedRoute, roles_for
from api.rights.reach import require_reach
from api.rights.scopes import scope_of
from api.rights.security import address_of, identity_of, refuse_other_origins, require
from api.services import services_of

PATH = "/ws/v1/feed"

router = APIRouter(route_class=GuardedRoute, tags=["feed"])

_WISHES = [
    {
        "name": name,
        "in": "query",
        "description": text,
        "schema": {"type": "array", "items": {"type": "string"}},
    }
    for name, text in (
        ("hazard", "incidents of these hazards"),
        ("level", "incidents of these levels"),
        ("area", "incidents in these areas"),
        ("agency", "what these agencies are told of, and nothing else"),
        ("group", "cameras of these groups, and incidents of no other cameras"),
        ("kind", "changes of these kinds"),
    )
] + [
    {
        "name": "after",
        "in": "query",
        "description": "the last change that you have",
        "schema": {"type": "integer", "minimum": 0},
    },
    {
        "name": "exercise",
        "in": "query",
        "description": "exercises only, or none",
        "schema": {"type": "boolean"},
    },
]


@router.websocket(PATH)
async def follow_feed(websocket: WebSocket) -> None:
    """Snapshot or resumption, then every change; see docs/api.md."""
    services = services_of(websocket)
    try:
        refuse_other_origins(websocket, services.settings.api)
        roles = roles_for("WEBSOCKET", PATH) or ()
        identity = await require(websocket, roles, scope_of("WEBSOCKET", PATH))
        require_reach(identity, "WEBSOCKET", PATH)
        only = wish_of(websocket.query_params, identity)
        after = cursor_of(websocket.query_params.get("after"))
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
        only=only,
    )
    with services.readers.present(identity, connection):
        await connection.serve(after)


@router.get(
    "/sse/v1/feed",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}}, **documented(401, 410, 422)},
    openapi_extra={"parameters": _WISHES},
)
async def follow_events(
    request: Request,
    last_event_id: Annotated[str | None, Header(max_length=40)] = None,
) -> Response:
    """The same as server-sent events: `snapshot`, `change` and `ping`, with the change's `seq` as
    the event's id, so that a browser resumes by itself."""
    services, identity = services_of(request), identity_of(request)
    refuse_other_origins(request, services.settings.api)
    only = wish_of(request.query_params, identity)
    if last_event_id:
        after = cursor_of(last_event_id, "Last-Event-ID")
    else:
        after = cursor_of(request.query_params.get("after"))
    await services.feed.ready()
    if after is not None and not await is_kept(services.feed, services.store.log, after):
        raise Problem(
            410, "gone", "The log no longer (or not yet) has this place; start without one."
        )
    return EventStream(
        identity,
        after,
        only,
        feed=services.feed,
        source=services.store.log,
        snapshots=services.snapshots,
        metrics=services.metrics,
        readers=services.readers,
    )
