"""Who is responsible for what, and what is kept how long."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from plumbing.settings.fusing import _EVENTS_PER_KM2_DAY
from plumbing.settings.section import Section


class AgencySettings(Section):
    """One agency that responds."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="Short and lasting")
    name: str = Field(min_length=1, max_length=120, description="For people")
    hazards: dict[str, tuple[str, ...]] = Field(
        description="What it responds to, and which kinds of its units fit (none named: any)"
    )
    areas: tuple[str, ...] = Field(
        (), description="Names of the areas (city.areas) that it serves; none named: all"
    )
    up_to_priority: int = Field(
        4, ge=1, le=4, description="Incidents less urgent than this are not its business"
    )

    @model_validator(mode="after")
    def _known_hazards(self) -> Self:
        unknown = sorted(set(self.hazards) - set(_EVENTS_PER_KM2_DAY))
        if unknown:
            raise ValueError(f"no hazard {unknown[0]!r}; known: {', '.join(_EVENTS_PER_KM2_DAY)}")
        return self


_AGENCIES: tuple[dict[str, object], ...] = (
    {
        "id": "damkar",
        "name": "Dinas Pemadam Kebakaran",
        "hazards": {"fire": ["engine", "tanker"], "disaster": ["rescue"]},
    },
    {
        "id": "dinkes",
        "name": "Dinas Kesehatan",
        "hazards": {"medical": ["ambulance"], "crash": ["ambulance"]},
    },
    {
        "id": "police",
        "name": "Kepolisian",
        "hazards": {"crime": ["patrol"], "crash": ["patrol"]},
    },
    {"id": "bpbd", "name": "BPBD", "hazards": {"flood": [], "disaster": []}},
    {"id": "satpol-pp", "name": "Satpol PP", "hazards": {"other": [], "crime": []}},
)


class RoutingSettings(Section):
    """Which agency is responsible for what."""

    agencies: tuple[AgencySettings, ...] = Field(
        tuple(AgencySettings.model_validate(one) for one in _AGENCIES),
        description="Agencies: id, name, hazards with the kinds of units that fit, areas, "
        "up_to_priority",
    )
    unit_stale_minutes: float = Field(
        30, ge=1, le=10_080, description="An older position of a unit is not used for suggestions"
    )

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        ids = [agency.id for agency in self.agencies]
        if len(set(ids)) < len(ids):
            raise ValueError("two agencies have the same id")
        return self


class RetentionSettings(Section):
    """How long what is kept is kept; days. Incidents under legal hold keep everything."""

    caller_position_days: float = Field(
        30, ge=1, le=3_650, description="Callers' positions are coarsened to about a kilometre"
    )
    raw_message_days: float = Field(
        30, ge=1, le=3_650, description="Messages of phones and networks as they came"
    )
    unconfirmed_picture_days: float = Field(
        7, ge=0.1, le=3_650, description="Pictures of what nobody verified"
    )
    incident_evidence_days: float = Field(
        90, ge=1, le=36_500, description="Pictures and attachments of verified incidents"
    )
    log_days: float = Field(
        365, ge=1, le=36_500, description="Entries of the log; older cursors start anew"
    )
    exercise_days: float = Field(30, ge=1, le=3_650, description="Everything of exercises")
    dead_letter_days: float = Field(90, ge=1, le=3_650, description="What could not be read")
    audit_days: float = Field(
        1_825, ge=30, le=36_500, description="Entries of the audit log; its chain begins after them"
    )
