"""Live video: the door for browsers, and single pictures for whoever can't play it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.websockets import WebSocket

from api.live import LiveConnection, live_messages, live_picture
from api.problems import Problem, documented, invalid
from api.rights.access import GuardedRoute, roles_for
from api.rights.reach import require_reach, seen_camera
from api.rights.scopes import scope_of
from api.rights.security import address_of, identity_of, refuse_other_origins, require
from api.services import services_of
from api.wire import answer, plain
from contracts import CameraId
from incidents.errors import StoreError

PATH = "/live/v1/{camera_id}"
PICTURE_S = 6.0
"""A worker has a picture within this, or the camera has none now."""
MOST_BACK_S = 600.0
CODECS = frozenset({"h264", "h265"})

router = APIRouter(route_class=GuardedRoute, tags=["live"])

Id = Annotated[str, Path(min_length=1, max_length=80)]


class LiveWays(BaseModel):
    """How a camera can be watched."""

    websocket: str
    picture: str
    relay_url: str | None


@router.websocket(PATH)
async def watch_camera(websocket: WebSocket, camera_id: str) -> None:
    """Fragmented MP4 over a websocket; see docs/api.md."""
    services = services_of(websocket)
    try:
        refuse_other_origins(websocket, services.settings.api)
        roles = roles_for("WEBSOCKET", PATH) or ()
        identity = await require(websocket, roles, scope_of("WEBSOCKET", PATH))
        require_reach(identity, "WEBSOCKET", PATH)
        wishes = _wishes(websocket.query_params)
        await seen_camera(services, identity, camera_id)
        params = {"camera_id": camera_id}
        await services.views.seen(identity, "WEBSOCKET", PATH, params, address_of(websocket))
    except Problem as problem:
        await websocket.send_denial_response(problem.response())
        return
    except StoreError as error:
        await websocket.send_denial_response(Problem(404, "not-found", str(error)).response())
        return
    services.metrics.count("siaga_live_watched_total")
    connection = LiveConnection(websocket)
    with services.readers.present(identity, connection):
        await connection.serve(live_messages(services, CameraId(camera_id), wishes))


@router.get(
    "/api/v1/cameras/{camera_id}/picture.jpg",
    responses=documented(401, 403, 404, 503),
    response_class=Response,
)
async def read_picture(request: Request, camera_id: Id) -> Response:
    """The newest picture, at most 960 pixels wide."""
    services = services_of(request)
    await seen_camera(services, identity_of(request), camera_id)
    picture = await live_picture(services, CameraId(camera_id), PICTURE_S)
    if picture is None:
        raise Problem(503, "no-picture", "The camera has sent no picture lately; see its state.")
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@router.get(
    "/api/v1/cameras/{camera_id}/live",
    response_model=LiveWays,
    responses=documented(401, 403, 404),
)
async def read_live_ways(request: Request, camera_id: Id) -> Response:
    """Where its live video is to be had; a relay's page too, where one is configured."""
    services = services_of(request)
    await seen_camera(services, identity_of(request), camera_id)
    name = quote(camera_id, safe="")
    template = services.settings.api.relay_url
    ways = LiveWays(
        websocket=f"/live/v1/{name}",
        picture=f"/api/v1/cameras/{name}/picture.jpg",
        relay_url=template.replace("{camera}", name) if template else None,
    )
    return answer(plain(ways.model_dump()))


def _wishes(given: QueryParams) -> dict[str, str]:
    wishes: dict[str, str] = {}
    if (back := given.get("back")) is not None:
        try:
            seconds = float(back)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds <= MOST_BACK_S:
            raise invalid("back", f"must be seconds, 0 to {MOST_BACK_S:g}")
        wishes["back"] = f"{seconds:g}"
    if (codecs := given.get("codecs")) is not None:
        named = set(codecs.split(","))
        if not named <= CODECS:
            raise invalid("codecs", "must be h264, h265 or h264,h265: what the player can play")
        wishes["codecs"] = ",".join(sorted(named))
    if given.get("pictures") in ("1", "true"):
        wishes["pictures"] = "1"
    return wishes
