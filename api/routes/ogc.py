"""OGC API - Features: incidents and cameras for maps of others (QGIS, GDAL, web maps)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.formats.features import MEDIA_TYPE, camera_feature, incident_feature, instant
from api.formats.ogc import COLLECTIONS, INCIDENTS, Collection, Pages
from api.formats.ogc_query import ItemsQuery, one_each, parse_cursor, read_query
from api.formats.publisher import Publisher
from api.problems import documented, not_found
from api.rights.access import GuardedRoute
from api.rights.identity import Identity
from api.rights.reach import agencies_of, seen_camera, seen_incident, sees_camera
from api.rights.security import identity_of
from api.services import Services, services_of
from api.wire import answer, plain
from contracts import Camera
from plumbing.settings import CitySettings

router = APIRouter(route_class=GuardedRoute, tags=["ogc"])

CollectionId = Annotated[str, Path(min_length=1, max_length=80)]
FeatureId = Annotated[str, Path(min_length=1, max_length=80)]

_METRES_A_DEGREE = 111_195.0


def _parameter(name: str, kind: str, text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": kind}, "description": text}


# Read by hand, because the standard wants 400 where the framework says 422.
ITEMS_PARAMETERS = [
    _parameter("bbox", "string", "west,south,east,north in degrees (WGS 84)"),
    _parameter("datetime", "string", "a time or day, or an interval such as 2026-11-22/.."),
    _parameter("limit", "integer", "features a page; at most 1000"),
    _parameter("after", "string", "from the link to the next page"),
    _parameter("exercise", "boolean", "exercises in place of what is real"),
]


@router.get("/ogc", response_model=dict[str, Any], responses=documented(400, 401))
@router.get("/ogc/", response_model=dict[str, Any], responses=documented(400, 401))
async def read_landing(request: Request) -> Response:
    """Where a client starts: links to everything else."""
    title = services_of(request).settings.publishing.agency_name
    return _answer(request, _pages(request).landing(title))


@router.get("/ogc/conformance", response_model=dict[str, Any], responses=documented(400, 401))
async def read_conformance(request: Request) -> Response:
    """What of the standard is kept."""
    return _answer(request, _pages(request).conformance())


@router.get("/ogc/collections", response_model=dict[str, Any], responses=documented(400, 401))
async def list_collections(request: Request) -> Response:
    """What there is: incidents and cameras."""
    return _answer(request, _pages(request).collections())


@router.get(
    "/ogc/collections/{collection_id}",
    response_model=dict[str, Any],
    responses=documented(400, 401, 404),
)
async def read_collection(request: Request, collection_id: CollectionId) -> Response:
    """One collection, with the link to its items."""
    return _answer(request, _pages(request).collection(_collection(collection_id)))


@router.get(
    "/ogc/collections/{collection_id}/items",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}}, **documented(400, 401, 404)},
    openapi_extra={"parameters": ITEMS_PARAMETERS},
)
async def list_items(request: Request, collection_id: CollectionId) -> Response:
    """A page of a collection's features; go on by the link whose `rel` is `next`."""
    services, one = services_of(request), _collection(collection_id)
    asked = request.query_params.multi_items()
    query = read_query(asked, {"exercise"})
    find = _incidents if one is INCIDENTS else _cameras
    features, following = await find(services, query, identity_of(request))
    page = _pages(request).items(
        one,
        features,
        asked=asked,
        next_after=following,
        at=instant(services.clock.now().replace(microsecond=0)) or "",
    )
    return Response(plain(page), media_type=MEDIA_TYPE)


@router.get(
    "/ogc/collections/{collection_id}/items/{feature_id}",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}}, **documented(400, 401, 404)},
)
async def read_item(
    request: Request, collection_id: CollectionId, feature_id: FeatureId
) -> Response:
    """One feature."""
    one_each(request.query_params.multi_items(), ())
    services, one = services_of(request), _collection(collection_id)
    if one is INCIDENTS:
        feature = incident_feature(await seen_incident(services, identity_of(request), feature_id))
    else:
        if identity_of(request).agency_id is not None:
            raise not_found("camera", feature_id)
        camera = await seen_camera(services, identity_of(request), feature_id)
        healths = await services.store.cameras.healths()
        feature = camera_feature(camera, healths.get(camera.id))
    return Response(plain(_pages(request).item(one, feature)), media_type=MEDIA_TYPE)


async def _incidents(
    services: Services, query: ItemsQuery, identity: Identity
) -> tuple[Sequence[dict[str, Any]], str | None]:
    page = await services.store.archive.page(
        replace(query.extent, agencies=agencies_of(identity), groups=identity.camera_groups),
        exercise=_partition(services, query),
        before=None if query.after is None else parse_cursor(query.after),
        limit=query.limit,
    )
    following = None if page.next is None else str(page.next)
    return [incident_feature(incident) for incident in page.incidents], following


async def _cameras(
    services: Services, query: ItemsQuery, identity: Identity
) -> tuple[Sequence[dict[str, Any]], str | None]:
    # A camera has no time, and what has none is found at any (requirement 26 of the standard).
    exercise, after = _partition(services, query), query.after or ""
    found = [
        camera
        for camera in sorted(await services.store.cameras.all(), key=lambda one: one.id)
        if identity.agency_id is None
        and sees_camera(identity, camera)
        and camera.exercise == exercise
        and camera.id > after
        and _lies_in(camera, query)
    ]
    page = found[: query.limit]
    healths = await services.store.cameras.healths()
    features = [camera_feature(camera, healths.get(camera.id)) for camera in page]
    return features, page[-1].id if len(found) > len(page) else None


def _lies_in(camera: Camera, query: ItemsQuery) -> bool:
    box = query.extent.west_south_east_north
    if box is None:
        return True
    west, south, east, north = box
    lon, lat = camera.position.lon, camera.position.lat
    between = west <= lon <= east if west <= east else lon >= west or lon <= east
    return between and south <= lat <= north


def _partition(services: Services, query: ItemsQuery) -> bool:
    return services.settings.exercise if query.exercise is None else query.exercise


def _collection(collection_id: str) -> Collection:
    try:
        return COLLECTIONS[collection_id]
    except KeyError:
        raise not_found("collection", collection_id) from None


def _pages(request: Request) -> Pages:
    settings = services_of(request).settings
    publisher = Publisher.of(settings, str(request.base_url))
    return Pages(publisher.base_url, _around(settings.city))


def _around(city: CitySettings) -> tuple[float, float, float, float]:
    north = city.radius_m / _METRES_A_DEGREE
    east = north / math.cos(math.radians(city.lat))
    corners = (city.lon - east, city.lat - north, city.lon + east, city.lat + north)
    west, south, east, north = (round(corner, 5) for corner in corners)
    return max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0)


def _answer(request: Request, document: dict[str, Any]) -> Response:
    one_each(request.query_params.multi_items(), {"f"})
    return answer(plain(document))
