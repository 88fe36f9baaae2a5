"""The shapes of answers about routing and the desk, for the description at /docs."""

from __future__ import annotations

from pydantic import BaseModel

from contracts import Handover, Incident, Shelf, Unit


class AgencyItem(BaseModel):
    """An agency that responds; of each hazard, the kinds of its units that fit."""

    id: str
    name: str
    hazards: dict[str, list[str]]
    areas: list[str]
    up_to_priority: int


class AgencyList(BaseModel):
    """The configured agencies."""

    agencies: list[AgencyItem]


class UnitList(BaseModel):
    """Units, by id."""

    units: list[Unit]


class NearUnitItem(BaseModel):
    """A unit that could be sent, and how far off it is."""

    unit_id: str
    kind: str
    distance_m: float
    bearing_deg: float


class Responder(BaseModel):
    """An agency that is responsible, with its nearest units that fit and are free."""

    agency_id: str
    name: str
    units: list[NearUnitItem]


class ResponderList(BaseModel):
    """Who is responsible for an incident."""

    responders: list[Responder]


class SplitIncidents(BaseModel):
    """What is left, and what was made of the rest."""

    incident: Incident
    new: Incident


class ShelfList(BaseModel):
    """Shelves, the first to end first."""

    shelves: list[Shelf]


class HandoverPage(BaseModel):
    """Handovers, newest first; `next` is the next page's `after`."""

    handovers: list[Handover]
    next: int | None
