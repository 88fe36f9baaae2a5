"""Who is responsible for an incident, and whose nearest units fit: worked out, not stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts import (
    AgencyId,
    Incident,
    Unit,
    UnitState,
)
from geo.projection import LocalProjection
from geo.units import NearUnit, PlacedUnit, UnitIndex
from plumbing.settings import AgencySettings, RoutingSettings

MOST_SUGGESTED = 3


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An agency that is responsible, with its nearest units that fit."""

    agency: AgencySettings
    units: tuple[NearUnit, ...]


def responsible(incident: Incident, routing: RoutingSettings) -> tuple[AgencyId, ...]:
    """The agencies whose business an incident is, by hazard, area and priority.

    Once a person has verified it nobody is dropped: who was told must go on being told.
    """
    found = [
        AgencyId(agency.id)
        for agency in routing.agencies
        if incident.hazard.value in agency.hazards
        and (not agency.areas or incident.place_name in agency.areas)
        and incident.priority <= agency.up_to_priority
    ]
    known = incident.agency_ids if incident.verified_at is not None else ()
    asked = tuple(one.agency_id for one in incident.assignments)
    return tuple(dict.fromkeys((*known, *asked, *found)))


def suggestions(
    incident: Incident,
    units: Sequence[Unit],
    routing: RoutingSettings,
    projection: LocalProjection,
    *,
    now: datetime,
) -> list[Suggestion]:
    """For each responsible agency its nearest fitting units that are free and freshly placed."""
    place = incident.estimate.location
    found = []
    fresh_since = now - timedelta(minutes=routing.unit_stale_minutes)
    by_agency = {agency.id: agency for agency in routing.agencies}
    for agency_id in incident.agency_ids:
        agency = by_agency.get(agency_id)
        if agency is None:
            continue
        free = [
            PlacedUnit(unit.id, unit.kind, unit.position)
            for unit in units
            if unit.agency_id == agency_id
            and unit.state is UnitState.AVAILABLE
            and unit.exercise is incident.estimate.exercise
            and unit.position is not None
            and unit.positioned_at is not None
            and unit.positioned_at >= fresh_since
        ]
        kinds = agency.hazards.get(incident.hazard.value) or None
        near = UnitIndex(free, projection).nearest(place.lon, place.lat, kinds, MOST_SUGGESTED)
        found.append(Suggestion(agency, tuple(near)))
    return found
