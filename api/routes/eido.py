"""Incidents as EIDO, for other centres' dispatch systems."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.formats.eido import eido
from api.formats.publisher import Publisher
from api.problems import documented
from api.rights.access import GuardedRoute
from api.rights.reach import seen_incident
from api.rights.security import identity_of
from api.services import services_of
from api.wire import answer, plain

router = APIRouter(route_class=GuardedRoute, tags=["formats"])

Id = Annotated[str, Path(min_length=1, max_length=80)]


@router.get(
    "/api/v1/incidents/{incident_id}.eido.json",
    response_class=Response,
    responses={200: {"content": {"application/json": {}}}, **documented(401, 403, 404)},
)
async def read_eido(request: Request, incident_id: Id) -> Response:
    """One incident as an Emergency Incident Data Object, operators' notes included."""
    services = services_of(request)
    incident = await seen_incident(services, identity_of(request), incident_id)
    publisher = Publisher.of(services.settings, str(request.base_url))
    return answer(plain(eido(incident, publisher)), ETag=f'"{incident.version}"')
