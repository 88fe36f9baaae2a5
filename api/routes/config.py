"""What the console needs to start, and the map's files."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.problems import documented
from api.rights.access import GuardedRoute
from api.schemas.shapes import Config, PlaceList
from api.services import services_of
from api.wire import answer, array, members, plain
from contracts import to_json

router = APIRouter(route_class=GuardedRoute, tags=["config"])


def program_version() -> str:
    """The installed version; empty where the program runs without being installed."""
    try:
        return version("siaga")
    except PackageNotFoundError:
        return ""


@router.get("/api/v1/config", response_model=Config, responses=documented(401))
async def read_config(request: Request) -> Response:
    """The city, the map, and whether simulated cameras are registered."""
    services = services_of(request)
    city, drawn = services.settings.city, services.settings.map
    cameras = await services.store.cameras.all()
    found = {
        "version": program_version(),
        "city": {
            "name": city.name,
            "lon": city.lon,
            "lat": city.lat,
            "radius_m": city.radius_m,
            "timezone": city.timezone,
        },
        "map": {
            "style_url": drawn.style_url,
            "pmtiles_url": services.map_files.pmtiles_url,
            "geojson_urls": services.map_files.geojson_urls,
            "attribution": drawn.attribution,
            "zoom": drawn.zoom,
        },
        "exercise": services.settings.exercise or any(camera.exercise for camera in cameras),
    }
    return answer(plain(found))


@router.get("/api/v1/places", response_model=PlaceList, responses=documented(401, 422))
async def find_places(
    request: Request,
    q: Annotated[str, Query(min_length=1, max_length=100)],
    limit: Annotated[int, Query(ge=1, le=50)] = 8,
) -> Response:
    """Areas, streets and spots of the map by a few letters of their names."""
    found = await services_of(request).places.find(q, limit)
    return answer(members(places=array(map(to_json, found))))


@router.get("/map/{name:path}", responses=documented(401, 404, 416), response_class=Response)
async def read_map_file(request: Request, name: str) -> Response:
    """A configured map file; `Range` is honoured."""
    return await services_of(request).map_files.file(name)
