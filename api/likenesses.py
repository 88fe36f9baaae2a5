"""Which open incidents may be the same event as another one, or as what a caller tells of."""

from __future__ import annotations

import asyncio

from api.rights.identity import Identity
from api.rights.reach import sees
from api.services import Services
from contracts import Estimate, FixShape, Hazard, Incident, IncidentId
from geo.fusion.likeness import Likeness, Likenesses
from incidents.fusing.configured import parameters_of

MOST = 8
LEAST_PROBABILITY = 0.005
NEARBY_M = 600.0
"""What is so near is told of however unlike it is: an operator will ask about it."""


async def similar_incidents(
    services: Services, identity: Identity, incident: Incident
) -> list[Likeness]:
    """Other open incidents that are like this one or near it, the likeliest first."""
    others = [
        (incident_id, estimate)
        for incident_id, estimate in await _open(services, identity, incident.estimate.exercise)
        if incident_id != incident.id
    ]
    found = await asyncio.to_thread(_likenesses(services).of_incidents, incident.estimate, others)
    return _worth_telling(found)


async def incidents_of_call(
    services: Services,
    identity: Identity,
    hazard: Hazard | None,
    shape: FixShape,
    confidence: float,
    *,
    exercise: bool,
) -> list[Likeness]:
    """Open incidents that a call from there may be about, the likeliest first."""
    incidents = await _open(services, identity, exercise)
    likenesses = _likenesses(services)
    now = services.clock.now()
    found = await asyncio.to_thread(likenesses.of_call, hazard, shape, confidence, now, incidents)
    return _worth_telling(found)


def _likenesses(services: Services) -> Likenesses:
    return Likenesses(
        parameters_of(services.settings.fusion, services.settings.city.timezone),
        services.projection,
    )


async def _open(
    services: Services, identity: Identity, exercise: bool
) -> list[tuple[IncidentId, Estimate]]:
    """Those that somebody is told of."""
    page = await services.store.incidents.page(is_open=True, exercise=exercise, limit=500)
    seen = [incident for incident in page.incidents if sees(identity, incident)]
    return [(incident.id, incident.estimate) for incident in seen]


def _worth_telling(found: list[Likeness]) -> list[Likeness]:
    worth = [
        one for one in found if one.probability >= LEAST_PROBABILITY or one.distance_m <= NEARBY_M
    ]
    return worth[:MOST]
