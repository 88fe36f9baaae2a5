"""The camera register: read, change, and try a stream before it is registered."""

from __future__ import annotations

import contextlib
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import Response

from api.camera_view import camera_item
from api.problems import documented, invalid
from api.rights.access import GuardedRoute
from api.rights.reach import require_own_group, sees_camera
from api.rights.security import identity_of
from api.schemas.bodies_cameras import (
    CameraFields,
    ChangedCamera,
    HeadNow,
    NewCamera,
    ProbeStream,
    Stream,
)
from api.schemas.shapes import CameraItem, CameraList
from api.services import Services, services_of
from api.wire import answer, array, members
from contracts import (
    Camera,
    CameraId,
    ContractError,
    ProbeAnswer,
    ProbeCamera,
    StreamSource,
    to_json,
)
from geo.projection import require_inside
from incidents.register.camera_rows import Credentials
from incidents.register.taking_over import leads_to_same_host
from plumbing.address_guard import HostNotFound
from plumbing.ids import new_id

router = APIRouter(prefix="/api/v1/cameras", route_class=GuardedRoute, tags=["cameras"])

PROBE_S = 10.0
ANSWER_SLACK_S = 5.0
"""A worker may have to finish another probe before it takes this one."""

Id = Annotated[str, Path(min_length=1, max_length=80)]


@router.get("", response_model=CameraList, responses=documented(401))
async def list_cameras(request: Request) -> Response:
    """Every camera that one may see, how it is, and the ground that it shows."""
    services = services_of(request)
    identity = identity_of(request)
    cameras = [one for one in await services.store.cameras.all() if sees_camera(identity, one)]
    healths = await services.store.cameras.healths()
    await services.cameras.fields.work_out(cameras)
    items = (
        camera_item(camera, healths.get(camera.id), services.cameras.fields.of(camera))
        for camera in cameras
    )
    return answer(members(cameras=array(items)))


@router.post(
    "", status_code=201, response_model=CameraItem, responses=documented(401, 403, 409, 413, 422)
)
async def register_camera(request: Request, body: NewCamera) -> Response:
    """Register a camera. User and password are given apart, and are never told again."""
    services = services_of(request)
    camera_id = CameraId(body.id or new_id("camera"))
    require_own_group(identity_of(request), body.group)
    await _check(services, body)
    saved = await services.store.cameras.save(
        _camera(services, camera_id, body, None),
        _credentials(services, body, Credentials()),
        actor=identity_of(request).name,
        version=None,
    )
    services.cameras.changed()
    return await _answer(services, saved, 201)


@router.post(
    "/probe", response_model=ProbeAnswer, responses=documented(401, 403, 413, 422, 503, 504)
)
async def probe_stream(request: Request, body: ProbeStream) -> Response:
    """Have a worker open a stream once, and tell what came."""
    services = services_of(request)
    await _check_address(services, body.url)
    credentials = _credentials(services, body, Credentials())
    source = StreamSource(
        camera_id=CameraId(new_id("probe")),
        url=body.url,
        username=credentials.username,
        sealed_password=credentials.sealed_password,
        headers=credentials.headers,
        any_certificate=body.any_certificate,
    )
    return await _probed(services, source, body.timeout_s)


@router.post(
    "/{camera_id}/probe", response_model=ProbeAnswer, responses=documented(401, 403, 404, 503, 504)
)
async def probe_camera(request: Request, camera_id: Id) -> Response:
    """Have a worker open a registered camera as it is registered, and bring a picture."""
    services = services_of(request)
    camera = await services.store.cameras.get(CameraId(camera_id))
    stored = await services.store.cameras.credentials(camera.id)
    source = StreamSource(
        camera_id=CameraId(new_id("probe")),
        url=camera.url,
        username=stored.username,
        sealed_password=stored.sealed_password,
        headers=stored.headers,
        any_certificate=camera.any_certificate,
    )
    return await _probed(services, source, PROBE_S)


@router.post(
    "/{camera_id}/head", status_code=204, responses=documented(401, 403, 404, 413, 422, 503)
)
async def note_head(request: Request, camera_id: Id, body: HeadNow) -> Response:
    """Tell where a turning camera's head points, as its video system reports it: twice a second,
    and a picture's place is known whatever the head does."""
    services = services_of(request)
    camera = await services.store.cameras.get(CameraId(camera_id))
    if camera.head is None:
        raise invalid("head", "is not registered: this camera doesn't turn; register its zoom")
    await services.bus.note_head(camera.id, body.report(services.clock.now()))
    return Response(status_code=204)


@router.get("/{camera_id}", response_model=CameraItem, responses=documented(401, 404))
async def read_camera(request: Request, camera_id: Id) -> Response:
    """One camera."""
    services = services_of(request)
    return await _answer(services, await services.store.cameras.get(CameraId(camera_id)), 200)


@router.put(
    "/{camera_id}",
    response_model=CameraItem,
    responses=documented(401, 403, 404, 409, 413, 422),
)
async def change_camera(
    request: Request,
    camera_id: Id,
    body: ChangedCamera,
    if_match: Annotated[str | None, Header(max_length=40)] = None,
) -> Response:
    """Change a camera that is at the version given in the body or as `If-Match`.

    User, password and headers stay as they are where they are absent; null takes them away.
    """
    services = services_of(request)
    if body.id is not None and body.id != camera_id:
        raise invalid("id", "must be the one in the address; a camera's id doesn't change")
    version = body.version if body.version is not None else version_of(if_match)
    if version is None:
        raise invalid("version", "is missing; send the version that you looked at, or If-Match")
    require_own_group(identity_of(request), body.group)
    current = await services.store.cameras.get(CameraId(camera_id))
    stored = await services.store.cameras.credentials(CameraId(camera_id))
    await _check(services, body)
    _keep_secrets_at_home(current, body, stored)
    saved = await services.store.cameras.save(
        _camera(services, CameraId(camera_id), body, current),
        _credentials(services, body, stored),
        actor=identity_of(request).name,
        version=version,
    )
    services.cameras.changed()
    return await _answer(services, saved, 200)


@router.delete("/{camera_id}", status_code=204, responses=documented(401, 403, 404, 409, 422))
async def remove_camera(
    request: Request,
    camera_id: Id,
    version: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    if_match: Annotated[str | None, Header(max_length=40)] = None,
) -> Response:
    """Take a camera out of the register; what it reported stays."""
    services = services_of(request)
    await services.store.cameras.remove(
        CameraId(camera_id),
        actor=identity_of(request).name,
        version=version if version is not None else version_of(if_match),
    )
    services.cameras.changed()
    return Response(status_code=204)


async def _probed(services: Services, source: StreamSource, timeout_s: float) -> Response:
    command = ProbeCamera(source=source, timeout_s=timeout_s)
    found = await services.bus.ask(command, timeout_s=timeout_s + ANSWER_SLACK_S)
    return answer(to_json(found))


async def _answer(services: Services, camera: Camera, status: int) -> Response:
    healths = await services.store.cameras.healths()
    item = camera_item(camera, healths.get(camera.id), services.cameras.fields.of(camera))
    return answer(item, status, ETag=f'"{camera.version}"')


async def _check(services: Services, body: CameraFields) -> None:
    city = services.settings.city
    require_inside(body.position, services.projection.centre, city.radius_m)
    await _check_address(services, body.url)


async def _check_address(services: Services, url: str) -> None:
    if "@" in urlsplit_netloc(url):
        raise ContractError(
            "url", "must not carry a user or password; give them apart, as username and password"
        )
    # A name that can't be resolved now may be tomorrow; the worker checks again at every opening.
    with contextlib.suppress(HostNotFound):
        await services.guard.resolve_async(url)


def urlsplit_netloc(url: str) -> str:
    """The part of a URL between the scheme and the path, however odd the URL is."""
    return url.split("//", 1)[-1].split("/", 1)[0]


def _camera(
    services: Services, camera_id: CameraId, body: CameraFields, current: Camera | None
) -> Camera:
    return Camera(
        id=camera_id,
        name=body.name,
        url=body.url,
        position=body.position,
        pose=body.pose,
        head=None if body.head is None else body.head.head(current.head if current else None),
        road_region=body.road_region,
        group=body.group,
        enabled=body.enabled,
        exercise=body.exercise or services.settings.exercise,
        any_certificate=body.any_certificate,
    )


def _credentials(services: Services, body: Stream, stored: Credentials) -> Credentials:
    given = body.model_fields_set
    username = body.username if "username" in given else stored.username
    sealed = stored.sealed_password
    if "password" in given:
        sealed = services.sealer.seal(body.password) if body.password else None
    headers = tuple(body.headers.items()) if "headers" in given else stored.headers
    return Credentials(username=username or None, sealed_password=sealed, headers=headers)


def _keep_secrets_at_home(current: Camera, body: ChangedCamera, stored: Credentials) -> None:
    """A stored password goes to the host it was typed for, and to no other."""
    keeps = stored.sealed_password is not None and "password" not in body.model_fields_set
    if keeps and not leads_to_same_host(body.url, current.url):
        raise invalid(
            "password", "give it again (or null): the address leads to another host or port now"
        )


def version_of(if_match: str | None) -> int | None:
    """The version that an If-Match header names.

    Raises:
        Problem: 422.
    """
    if if_match is None:
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise invalid("If-Match", 'must be a version as the ETag gives it, such as "3"')
    return int(text)
