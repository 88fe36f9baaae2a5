"""What fusion works with as it is configured: its figures, the city's areas and buildings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from contracts import ContractError, Hazard, LonLat, Sighting
from geo.areas import AreaIndex
from geo.buildings import Buildings
from geo.fusion import FusionParameters
from geo.fusion.localities import AreaRates
from geo.projection import LocalProjection
from geo.streets import StreetIndex
from plumbing.map_files import read_collections
from plumbing.settings import FusionSettings, Settings, SettingsError


def parameters_of(settings: FusionSettings, timezone: str) -> FusionParameters:
    """Fusion's parameters as configured; ``timezone`` is the city's.

    Raises:
        SettingsError: a figure that fusion can't work with.
    """
    try:
        return FusionParameters(
            events_per_km2_day={
                Hazard(name): rate for name, rate in settings.events_per_km2_day.items()
            },
            events_by_hour=_by_hazard(settings.events_by_hour),
            events_by_month=_by_hazard(settings.events_by_month),
            timezone=timezone,
            false_calls_per_km2_day=settings.false_calls_per_km2_day,
            false_app_reports_per_km2_day=settings.false_app_reports_per_km2_day,
            clutter_tracks_per_camera_day=settings.clutter_tracks_per_camera_day,
            clutter_by_sighting={
                Sighting(name): rate for name, rate in settings.clutter_by_sighting.items()
            },
            detection_probability=settings.detection_probability,
            two_as_one_costs=settings.two_as_one_costs,
        )
    except ContractError as error:
        raise SettingsError(f"fusion.{error}") from error


def _by_hazard(figures: Mapping[str, Sequence[float]]) -> dict[Hazard, tuple[float, ...]]:
    return {Hazard(name): tuple(shares) for name, shares in figures.items()}


def with_areas(
    parameters: FusionParameters,
    settings: FusionSettings,
    areas: AreaIndex | None,
    projection: LocalProjection,
) -> FusionParameters:
    """The same with what is configured area by area.

    Raises:
        SettingsError: an area that isn't there, or a factor that fusion can't work with.
    """
    if not settings.events_by_area:
        return parameters
    if areas is None:
        raise SettingsError("fusion.events_by_area: needs the areas' outlines, city.areas")
    factors = {
        name: {Hazard(hazard): factor for hazard, factor in by_hazard.items()}
        for name, by_hazard in settings.events_by_area.items()
    }
    try:
        rates = AreaRates(factors, areas, projection)
    except ContractError as error:
        raise SettingsError(f"fusion.events_by_area: {error}") from error
    return replace(parameters, events_by_area=rates)


def load_areas(path: Path | None) -> AreaIndex | None:
    """The configured areas, if any.

    Raises:
        SettingsError: the file can't be read or holds no named areas.
    """
    if path is None:
        return None
    try:
        return AreaIndex(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(f"city.areas: can't read {path}: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"city.areas: {path} holds no named areas: {error}") from error


def load_buildings(path: Path | None, projection: LocalProjection) -> Buildings | None:
    """The configured buildings, if any.

    Raises:
        SettingsError: the file can't be read or holds no footprints.
    """
    if path is None:
        return None
    try:
        return Buildings(json.loads(path.read_text(encoding="utf-8")), projection)
    except OSError as error:
        raise SettingsError(f"city.buildings: can't read {path}: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"city.buildings: {path} holds no buildings: {error}") from error


def load_streets(settings: Settings) -> StreetIndex:
    """The streets that the map's files name; none where there are none."""
    projection = LocalProjection(LonLat(settings.city.lon, settings.city.lat))
    return StreetIndex(read_collections(settings.map.geojson), projection)
