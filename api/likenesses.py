"""Which open incidents may be the same event as another one, or as what a caller tells of."""

from __future__ import annotations

import asyncio

from api.services import Services
from contracts import Estimate, FixShape, Hazard, Incident, IncidentId
from geo.fusion.likeness import Likeness, Likenesses
from incidents.fusing.mind import parameters_of

MOST = 8
LEAST_PROBABILITY = 0.005
NEARBY_M = 600.0
"""What is so near is told of however unlike it is: an operator will ask about it."""


async def similar_incidents(services: Services, incident: Incident) -> list[Likeness]:
    """Other open incidents that are like this one or near it, the likeliest first."""
    others = [
        (incident_id, estimate)
        for incident_id, estimate in await _open(services, incident.estimate.exercise)
        if incident_id != incident.id
    ]
    found = await asyncio.to_thread(_likenesses(services).of_incidents, incident.estimate, others)
    return _worth_telling(found)


async def incidents_of_call(
    services: Services,
    hazard: Hazard | None,
    shape: FixShape,
    confidence: float,
    *,
    exercise: bool,
) -> list[Likeness]:
    """Open incidents that a call from there may be about, the likeliest first."""
    incidents = await _open(services, exercise)
    likenesses = _likenesses(services)
    now = services.clock.now()
    found = await asyncio.to_thread(likenesses.of_call, hazard, shape, confidence, now, incidents)
    return _worth_telling(found)


def _likenesses(services: Services) -> Likenesses:
    return Likenesses(parameters_of(services.settings.fusion), services.projection)


async def _open(services: Services, exercise: bool) -> list[tuple[IncidentId, Estimate]]:
    page = await services.store.incidents.page(is_open=True, exercise=exercise, limit=500)
    return [(incident.id, incident.estimate) for incident in page.incidents]


def _worth_telling(found: list[Likeness]) -> list[Likeness]:
    worth = [
        one for one in found if one.probability >= LEAST_PROBABILITY or one.distance_m <= NEARBY_M
    ]
    return worth[:MOST]
