"""Incidents: listed, read, and acted on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import Response

from api.likenesses import similar_incidents
from api.problems import documented
from api.rights.access import GuardedRoute
from api.rights.reach import filter_of, seen_incident, sees_camera
from api.rights.security import identity_of
from api.schemas.bodies import Action
from api.schemas.shapes import ClipList, IncidentPage, SimilarList
from api.services import services_of
from api.wire import answer, array, members, plain
from contracts import AlarmLevel, Hazard, Incident, IncidentId, to_json

router = APIRouter(prefix="/api/v1/incidents", route_class=GuardedRoute, tags=["incidents"])

Word = Annotated[str, Query(min_length=1, max_length=200)]
Id = Annotated[str, Path(min_length=1, max_length=80)]


@router.get("", response_model=IncidentPage, responses=documented(401, 422))
async def list_incidents(
    request: Request,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    hazard: Annotated[list[Hazard] | None, Query(max_length=20)] = None,
    level: Annotated[list[AlarmLevel] | None, Query(max_length=20)] = None,
    area: Annotated[list[Word] | None, Query(max_length=20)] = None,
    agency: Annotated[list[Word] | None, Query(max_length=20)] = None,
    group: Annotated[list[Word] | None, Query(max_length=20)] = None,
    exercise: bool | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> Response:
    """Incidents, newest first; a filter may be given several times."""
    only = filter_of(identity_of(request), areas=area, agencies=agency, groups=group)
    page = await services_of(request).store.incidents.page(
        is_open=is_open,
        hazards=hazard,
        levels=level,
        areas=only.areas,
        agencies=only.agencies,
        groups=only.groups,
        exercise=exercise,
        before=after,
        limit=limit,
    )
    return answer(members(incidents=array(map(to_json, page.incidents)), next=plain(page.next)))


@router.get("/{incident_id}", response_model=Incident, responses=documented(401, 404))
async def read_incident(request: Request, incident_id: Id) -> Response:
    """One incident."""
    incident = await seen_incident(services_of(request), identity_of(request), incident_id)
    return answer(to_json(incident), ETag=f'"{incident.version}"')


@router.get("/{incident_id}/similar", response_model=SimilarList, responses=documented(401, 404))
async def list_similar(request: Request, incident_id: Id) -> Response:
    """Other open incidents nearby or alike, each with the probability that it is the same event."""
    services, identity = services_of(request), identity_of(request)
    incident = await seen_incident(services, identity, incident_id)
    found = await similar_incidents(services, identity, incident)
    return answer(members(similar=array(map(to_json, found))))


@router.get("/{incident_id}/evidence", response_model=ClipList, responses=documented(401, 404))
async def list_evidence(request: Request, incident_id: Id) -> Response:
    """What its cameras showed, from before the alarm on; the files are at /api/v1/evidence/{id}."""
    store, identity = services_of(request).store, identity_of(request)
    await store.incidents.get(IncidentId(incident_id))
    clips = await store.clips.of_incident(IncidentId(incident_id))
    if identity.camera_groups is not None:
        theirs = {one.id for one in await store.cameras.all() if sees_camera(identity, one)}
        clips = [clip for clip in clips if clip.camera_id in theirs]
    return answer(members(clips=array(map(to_json, clips))))


@router.post(
    "/{incident_id}/actions",
    response_model=Incident,
    responses=documented(401, 403, 404, 409, 413, 422, 503),
)
async def act_on_incident(
    request: Request,
    incident_id: Id,
    body: Action,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> Response:
    """Take one step of an incident's life, decided on the version that was looked at.

    409 carries the incident as it is now as `current`, where something that the decision rests on
    has changed since.
    """
    services, identity = services_of(request), identity_of(request)
    if body.duplicate_of is not None:
        await seen_incident(services, identity, body.duplicate_of)
    incident = await services.store.incidents.act(
        IncidentId(incident_id),
        body.action,
        actor=identity.name,
        version=body.version,
        reason=body.reason,
        note=body.note,
        duplicate_of=None if body.duplicate_of is None else IncidentId(body.duplicate_of),
        request_id=idempotency_key,
    )
    return answer(to_json(incident), ETag=f'"{incident.version}"')
