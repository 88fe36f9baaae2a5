"""Incidents as CAP 1.2: one by one, and as a feed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.formats.cap import MEDIA_TYPE, alert
from api.formats.cap_feed import MEDIA_TYPE as ATOM
from api.formats.cap_feed import Message, feed
from api.formats.cap_issues import beyond_the_log, newest_issue
from api.formats.publisher import Publisher
from api.problems import documented
from api.rights.access import GuardedRoute
from api.rights.reach import seen_incident, sees
from api.rights.security import identity_of
from api.services import Services, services_of
from contracts import AlarmLevel, IncidentId
from incidents.errors import NotFound

router = APIRouter(route_class=GuardedRoute, tags=["formats"])

MOST_MESSAGES = 100
"""A feed is for what is going on; a city with more open alarms than this needs the websocket."""
MOST_LOOKED_AT = 2_000
"""Among which those are looked for that somebody sees who doesn't see all."""

Id = Annotated[str, Path(min_length=1, max_length=80)]


@router.get(
    "/api/v1/incidents/{incident_id}.cap.xml",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}}, **documented(401, 404)},
)
async def read_cap(request: Request, incident_id: Id) -> Response:
    """The CAP message that holds now; asked again it is the same, until something has changed."""
    services = services_of(request)
    await seen_incident(services, identity_of(request), incident_id)
    publisher = Publisher.of(services.settings, str(request.base_url))
    message = await _message(services, publisher, IncidentId(incident_id))
    return Response(alert(message.incident, message.issue, publisher), media_type=MEDIA_TYPE)


@router.get(
    "/cap/feed",
    response_class=Response,
    responses={200: {"content": {ATOM: {}}}, **documented(401, 422)},
)
async def read_cap_feed(
    request: Request,
    level: Annotated[list[AlarmLevel] | None, Query(max_length=20)] = None,
    exercise: bool | None = None,
) -> Response:
    """CAP messages in an Atom feed: open incidents of the levels (`alarm`) and verified ones, and
    cancellations of those that ended while their message could still be believed."""
    services = services_of(request)
    publisher = Publisher.of(services.settings, str(request.base_url))
    partition = services.settings.exercise if exercise is None else exercise
    archive, now = services.store.archive, services.clock.now()
    levels = level or [AlarmLevel.ALARM]
    identity = identity_of(request)
    is_limited = identity.agency_id is not None or identity.camera_groups is not None
    most = MOST_LOOKED_AT if is_limited else MOST_MESSAGES
    telling = await archive.worth_telling(levels, exercise=partition, limit=most)
    since = now - publisher.cap_valid_for
    decided = await archive.lately_decided(since, exercise=partition, limit=MOST_MESSAGES)
    seen = [one for one in telling if sees(identity, one)][:MOST_MESSAGES]
    messages = [await _message(services, publisher, one.id) for one in seen]
    told = {one.id for one in telling}
    for incident_id in decided:
        if incident_id in told:
            continue
        message = await _message(services, publisher, IncidentId(incident_id))
        ended = not message.incident.state.is_open
        was_told = message.incident.level in levels or message.incident.verified_at is not None
        if not sees(identity, message.incident):
            continue
        if ended and was_told and message.issue.name.sent > since:
            messages.append(message)
    return Response(feed(messages, publisher, str(request.url), now), media_type=ATOM)


async def _message(services: Services, publisher: Publisher, incident_id: IncidentId) -> Message:
    archive = services.store.archive
    try:
        history = await archive.history(incident_id)
    except NotFound:
        # It is older than the log; what goes on for longer still is an incident all the same.
        incident = await services.store.incidents.get(incident_id)
        history = beyond_the_log(incident)
        issue = newest_issue(history, publisher.cap_valid_for, services.clock.now())
        return Message(incident, issue)
    issue = newest_issue(history, publisher.cap_valid_for, services.clock.now())
    return Message(await archive.as_told(issue.name.seq), issue)
