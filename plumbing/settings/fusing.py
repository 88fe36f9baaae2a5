"""What fusion assumes, and when it sounds."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from plumbing.settings.section import Rate, Section, Share, with_defaults

# Published counts of the city's emergency number, January to October 2025, over its 210 km2.
_EVENTS_PER_KM2_DAY = {
    "fire": 0.022,
    "crash": 0.034,
    "flood": 0.010,
    "disaster": 0.005,
    "medical": 0.019,
    "crime": 0.013,
    "other": 0.014,
}

_SIGHTINGS = ("fire", "smoke", "crash", "flood")


class FusionSettings(Section):
    """How reports become incidents."""

    events_per_km2_day: Annotated[
        dict[str, Rate], BeforeValidator(with_defaults(_EVENTS_PER_KM2_DAY))
    ] = Field(
        _EVENTS_PER_KM2_DAY,
        description="Prior rate of each hazard, above 0; default from the city's published counts",
    )
    events_by_hour: dict[str, Annotated[list[Rate], Field(min_length=24, max_length=24)]] = Field(
        {},
        description="How a hazard's events fall on the day's 24 hours, local time, in any unit "
        "(from the call records); evenly where it is left out, as no such count is published",
    )
    events_by_month: dict[str, Annotated[list[Rate], Field(min_length=12, max_length=12)]] = Field(
        {}, description="The same of the year's twelve months: floods come with the rain"
    )
    events_by_area: dict[str, dict[str, Rate]] = Field(
        {},
        description="How many times the city's mean rate a hazard's is in an area or district of "
        "city.areas, by its name; 1 where it is left out",
    )
    false_calls_per_km2_day: float = Field(0.02, ge=0, le=1000, description="Calls about nothing")
    false_app_reports_per_km2_day: float = Field(
        0.2, gt=0, le=1000, description="Reports by citizens' apps about nothing"
    )
    clutter_tracks_per_camera_day: float = Field(
        0.5, gt=0, le=10_000, description="Confirmed tracks of a camera that are no hazard"
    )
    clutter_by_sighting: dict[str, Rate] = Field(
        {"crash": 24.0},
        description="The same of a kind (fire, smoke, crash, flood) where it is more: ordinary "
        "traffic passes for a crash about once in an hour that a junction is looked at closely",
    )
    detection_probability: float = Field(
        0.7, gt=0, lt=1, description="That a camera looking at a hazard reports it"
    )
    two_as_one_costs: float = Field(
        1.0,
        ge=0.1,
        le=100,
        description="How many times worse it is to take two events for one than one for two: "
        "nobody is sent to the second; but above 1 more than one event in fifty is shown twice",
    )
    candidate_from: float = Field(
        0.001,
        ge=0,
        le=1,
        description="Incidents this probable are shown quietly: from what a camera confirms alone",
    )
    alarm_from: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Incidents this probable are sounded: missing one costs twenty vain alarms",
    )
    alarm_from_by_hazard: dict[str, Share] = Field(
        {}, description="The same for single hazards: the false alarm's share of both costs"
    )
    alarm_budget_per_hour: float = Field(
        6.0,
        gt=0,
        le=1000,
        description="Alarms an hour that the desk can look at; beyond it cameras' alarms need more",
    )
    alarm_bound: float = Field(
        8.0, ge=1, le=1000, description="By how much load may raise the odds that an alarm needs"
    )
    hot_cameras: int = Field(
        24,
        ge=1,
        le=10_000,
        description="Cameras that calls and incidents may keep at full rate at a time",
    )
    writer_lease_s: float = Field(
        6.0, ge=2, le=60, description="A silent fusion process is replaced after this long"
    )

    @model_validator(mode="after")
    def _quiet_below_loud(self) -> Self:
        if self.candidate_from > self.alarm_from:
            raise ValueError("candidate_from must not exceed alarm_from")
        for name in ("alarm_from_by_hazard", "events_by_hour", "events_by_month"):
            unknown = sorted(set(getattr(self, name)) - set(_EVENTS_PER_KM2_DAY))
            if unknown:
                raise ValueError(f"{name}: there is no hazard {unknown[0]!r}")
        strange = sorted(set(self.clutter_by_sighting) - set(_SIGHTINGS))
        if strange:
            raise ValueError(f"clutter_by_sighting: nothing is seen as {strange[0]!r}")
        for area, by_hazard in self.events_by_area.items():
            unknown = sorted(set(by_hazard) - set(_EVENTS_PER_KM2_DAY))
            if unknown:
                raise ValueError(f"events_by_area.{area}: there is no hazard {unknown[0]!r}")
        return self
