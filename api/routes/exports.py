"""Incidents as files: CSV for spreadsheets, GeoJSON for maps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime
from starlette.responses import StreamingResponse

from api.formats.exports import (
    CSV,
    GEOJSON_HEAD,
    GEOJSON_TAIL,
    csv_head,
    csv_lines,
    geojson_features,
)
from api.formats.features import MEDIA_TYPE as GEOJSON
from api.problems import documented, invalid
from api.rights.access import GuardedRoute
from api.rights.reach import agencies_of
from api.rights.security import identity_of
from api.services import services_of
from contracts import Incident
from incidents.finding import IncidentPage
from incidents.keeping.archive import Extent

router = APIRouter(route_class=GuardedRoute, tags=["formats"])

PAGE = 500
"""Incidents in memory at once; a reader that is slow keeps no transaction open."""

Since = Annotated[AwareDatetime | None, Query(description="ended then or later, or not at all")]
Until = Annotated[AwareDatetime | None, Query(description="started then or earlier")]


@router.get(
    "/api/v1/incidents.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {CSV: {}}}, **documented(401, 403, 422)},
)
async def export_csv(
    request: Request, since: Since = None, until: Until = None, exercise: bool | None = None
) -> StreamingResponse:
    """Incidents as a table, newest first."""
    pages = await _pages(request, since, until, exercise)

    async def parts() -> AsyncIterator[bytes]:
        yield csv_head()
        async for incidents in pages():
            yield csv_lines(incidents)

    return _file(parts(), f"{CSV}; charset=utf-8; header=present", "incidents.csv")


@router.get(
    "/api/v1/incidents.geojson",
    response_class=StreamingResponse,
    responses={200: {"content": {GEOJSON: {}}}, **documented(401, 403, 422)},
)
async def export_geojson(
    request: Request, since: Since = None, until: Until = None, exercise: bool | None = None
) -> StreamingResponse:
    """Incidents as a map layer, newest first."""
    pages = await _pages(request, since, until, exercise)

    async def parts() -> AsyncIterator[bytes]:
        yield GEOJSON_HEAD
        is_first = True
        async for incidents in pages():
            yield geojson_features(incidents, is_first=is_first)
            is_first = False
        yield GEOJSON_TAIL

    return _file(parts(), GEOJSON, "incidents.geojson")


async def _pages(
    request: Request, since: datetime | None, until: datetime | None, exercise: bool | None
) -> Callable[[], AsyncIterator[tuple[Incident, ...]]]:
    """Pages, once it is known that they aren't too many: an export is whole or refused."""
    services = services_of(request)
    archive, most = services.store.archive, services.settings.publishing.max_export
    extent = Extent(
        since=None if since is None else since.astimezone(UTC),
        until=None if until is None else until.astimezone(UTC),
        agencies=agencies_of(identity_of(request)),
        groups=identity_of(request).camera_groups,
    )
    partition = services.settings.exercise if exercise is None else exercise
    if await archive.count(extent, exercise=partition, at_most=most + 1) > most:
        raise invalid(
            "since", f"there are more than {most} incidents; ask for a shorter time with since="
        )
    first = await archive.page(extent, exercise=partition, limit=PAGE)

    async def read() -> AsyncIterator[tuple[Incident, ...]]:
        page: IncidentPage = first
        yield page.incidents
        while page.next is not None:
            page = await archive.page(extent, exercise=partition, before=page.next, limit=PAGE)
            yield page.incidents

    return read


def _file(parts: AsyncIterator[bytes], media_type: str, name: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(parts, media_type=media_type, headers=headers)
