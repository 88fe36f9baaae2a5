"""Many cameras at once: imported, switched, moved between groups; and how one has been."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field, StrictBool
from starlette.responses import Response

from api.problems import Problem, documented, invalid
from api.rights.access import GuardedRoute
from api.rights.identity import Identity
from api.rights.reach import require_own_group, seen_camera, sees_camera
from api.rights.security import identity_of
from api.schemas.bodies import Body, Text, Version
from api.services import Services, services_of
from api.wire import answer, array, members, plain
from contracts import Camera, CameraId, CameraState, LogEntry, LogKind, SiteOutage, to_json
from incidents.camera_profiles import Profile
from incidents.register.camera_import import ImportedCamera, ImportProblem, read_register
from incidents.register.camera_rows import Credentials
from incidents.register.outages import site_outages
from incidents.register.register_files import decoded
from incidents.register.taking_over import clashes
from plumbing.address_guard import AddressRefused, HostNotFound

router = APIRouter(prefix="/api/v1", route_class=GuardedRoute, tags=["cameras"])

Id = Annotated[str, Path(min_length=1, max_length=80)]
LOOKUPS_AT_ONCE = 16
SICK = frozenset(CameraState) - {CameraState.LIVE, CameraState.CONNECTING, CameraState.DISABLED}


class Member(Body):
    """A camera, at the version that was looked at."""

    id: Text = Field(min_length=1, max_length=80)
    version: Version


class Bulk(Body):
    """What to change of many cameras; what is absent stays."""

    cameras: list[Member] = Field(min_length=1, max_length=2_000)
    enabled: StrictBool | None = None
    group: Text | None = Field(None, max_length=120)


class BulkAnswer(BaseModel):
    """Which were changed, and which weren't: unknown, or changed by somebody else since."""

    changed: list[dict[str, Any]]
    conflicts: list[str]


class CameraGroup(BaseModel):
    """A group, and how many of its cameras are enabled, live and sick."""

    name: str
    cameras: int
    enabled: int
    live: int
    sick: int


class CameraGroupList(BaseModel):
    """Groups by name; the first one's is empty where cameras are in none."""

    groups: list[CameraGroup]


class SiteOutageList(BaseModel):
    """The sites that are down as a whole, the latest first."""

    outages: list[SiteOutage]


class HealthHistory(BaseModel):
    """A camera's changes of state, newest first; `next` is the next page's `after`."""

    entries: list[LogEntry]
    next: int | None


class ImportAnswer(BaseModel):
    """What an import did, or would do; nothing is written where there are problems."""

    cameras: int
    new: int
    changed: int
    written: bool
    problems: list[dict[str, Any]]


@router.get("/camera-groups", response_model=CameraGroupList, responses=documented(401))
async def list_groups(request: Request) -> Response:
    """The groups that cameras are in, and how they do."""
    services, identity = services_of(request), identity_of(request)
    cameras = [one for one in await services.store.cameras.all() if sees_camera(identity, one)]
    healths = await services.store.cameras.healths()
    groups: dict[str, list[Camera]] = defaultdict(list)
    for camera in cameras:
        groups[camera.group].append(camera)

    def states(some: list[Camera]) -> list[CameraState]:
        known = (healths.get(camera.id) for camera in some if camera.enabled)
        return [health.state for health in known if health is not None]

    found = [
        {
            "name": name,
            "cameras": len(some),
            "enabled": sum(camera.enabled for camera in some),
            "live": states(some).count(CameraState.LIVE),
            "sick": sum(state in SICK for state in states(some)),
        }
        for name, some in sorted(groups.items())
    ]
    return answer(plain({"groups": found}))


@router.get("/camera-outages", response_model=SiteOutageList, responses=documented(401))
async def list_outages(request: Request) -> Response:
    """Sites (hosts of several cameras) that are down as a whole: one trouble each, not one a
    camera. Cameras that are named here need not be told of one by one."""
    services, identity = services_of(request), identity_of(request)
    cameras = [one for one in await services.store.cameras.all() if sees_camera(identity, one)]
    outages = site_outages(cameras, await services.store.cameras.healths())
    return answer(members(outages=array(to_json(outage) for outage in outages)))


@router.post(
    "/cameras/bulk", response_model=BulkAnswer, responses=documented(401, 403, 413, 422, 503)
)
async def change_many(request: Request, body: Bulk) -> Response:
    """Switch many cameras on or off, or move them to a group. Those that somebody else has changed
    since they were looked at are left as they are, and named."""
    services, identity = services_of(request), identity_of(request)
    if body.enabled is None and body.group is None:
        raise invalid("enabled", "say what to change: enabled, group, or both")
    if body.group is not None:
        require_own_group(identity, body.group)
    versions = {CameraId(one.id): one.version for one in body.cameras}
    allowed = {one.id for one in await services.store.cameras.all() if sees_camera(identity, one)}
    strange = [camera_id for camera_id in versions if camera_id not in allowed]

    def change(camera: Camera) -> Camera:
        return replace(
            camera,
            enabled=camera.enabled if body.enabled is None else body.enabled,
            group=camera.group if body.group is None else body.group,
        )

    changed, left = await services.store.cameras.change_many(
        {key: version for key, version in versions.items() if key in allowed},
        change,
        actor=identity.name,
    )
    services.cameras.changed()
    shown = [{"id": one.id, "version": one.version} for one in changed]
    return answer(plain({"changed": shown, "conflicts": [*left, *strange]}))


@router.get(
    "/cameras/{camera_id}/health-history",
    response_model=HealthHistory,
    responses=documented(401, 404, 422),
)
async def read_health_history(
    request: Request,
    camera_id: Id,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> Response:
    """How a camera has been, as far back as the log reaches."""
    services = services_of(request)
    await seen_camera(services, identity_of(request), camera_id)
    found = await services.store.log.of_subject(
        camera_id, [LogKind.CAMERA_HEALTH], after, limit + 1
    )
    following = found[limit - 1].seq if len(found) > limit else None
    entries = array(to_json(entry) for entry in found[:limit])
    return answer(members(entries=entries, next=plain(following)))


@router.post(
    "/cameras/import",
    response_model=ImportAnswer,
    responses=documented(400, 401, 403, 413, 422, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": {"type": "string"}}
                for kind in ("text/csv", "application/geo+json")
            },
        }
    },
)
async def import_cameras(
    request: Request, dry_run: bool = True, profile: Profile = Profile.OURS
) -> Response:
    """Register the cameras of a CSV or GeoJSON file, or change those whose ids are known: all of
    them or, where any row has a problem, none. Without `dry_run=false` it is only looked at."""
    services, identity = services_of(request), identity_of(request)
    city = services.settings.city
    cameras, problems = read_register(
        decoded(await request.body()), services.projection.centre, city.radius_m, profile
    )
    known = {camera.id: camera for camera in await services.store.cameras.all()}
    problems += [*_not_ones_own(identity, cameras, known), *clashes(cameras, known)]
    problems += await _address_problems(services, cameras)
    is_written = not dry_run and not problems and bool(cameras)
    if is_written:
        await services.store.cameras.save_all(
            [(_of(services, one), _credentials(services, one)) for one in cameras],
            actor=identity.name,
        )
        services.cameras.changed()
    changed = sum(one.camera.id in known for one in cameras)
    found = {
        "cameras": len(cameras),
        "new": len(cameras) - changed,
        "changed": changed,
        "written": is_written,
        "problems": [asdict(one) for one in sorted(problems, key=lambda problem: problem.row)],
    }
    return answer(plain(found))


def _not_ones_own(
    identity: Identity, cameras: Iterable[ImportedCamera], known: Mapping[CameraId, Camera]
) -> Iterator[ImportProblem]:
    for one in cameras:
        current = known.get(one.camera.id)
        if current is not None and not sees_camera(identity, current):
            yield ImportProblem(row=one.row, field="id", why="is taken; give it another one")
            continue
        try:
            # A known camera stays in its group where the file doesn't tell one.
            require_own_group(identity, one.camera.group or (current.group if current else ""))
        except Problem as refusal:
            yield ImportProblem(row=one.row, field="group", why=refusal.errors[0].why)


async def _address_problems(
    services: Services, cameras: Iterable[ImportedCamera]
) -> list[ImportProblem]:
    """What the address guard says of each, asked about many at once: a name server that is slow or
    away takes seconds a name."""
    turn = asyncio.Semaphore(LOOKUPS_AT_ONCE)

    async def problem_of(one: ImportedCamera) -> ImportProblem | None:
        async with turn:
            try:
                await services.guard.resolve_async(one.camera.url)
            except HostNotFound:
                # A name that can't be resolved now may be tomorrow.
                return None
            except AddressRefused as error:
                return ImportProblem(row=one.row, field="url", why=error.reason)
        return None

    found = await asyncio.gather(*(problem_of(one) for one in cameras))
    return [problem for problem in found if problem is not None]


def _of(services: Services, one: ImportedCamera) -> Camera:
    return replace(one.camera, exercise=one.camera.exercise or services.settings.exercise)


def _credentials(services: Services, one: ImportedCamera) -> Credentials:
    return Credentials(
        username=one.username,
        sealed_password=services.sealer.seal(one.password) if one.password else None,
        headers=one.headers,
    )
