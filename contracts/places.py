"""Places in WGS 84, in GeoJSON's order: longitude first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from contracts.errors import ContractError, require_between

Position = tuple[float, float]
"""Longitude and latitude, degrees."""


@dataclass(frozen=True, slots=True)
class LonLat:
    """One point; degrees."""

    lon: float
    lat: float

    def __post_init__(self) -> None:
        # A latitude above 90 with a lawful longitude is nearly always a swapped pair.
        if abs(self.lat) > 90 and abs(self.lon) <= 90:
            raise ContractError(
                "lat", f"must lie between -90 and 90, got {self.lat:g}; are lon and lat swapped?"
            )
        require_between("lon", self.lon, -180, 180)
        require_between("lat", self.lat, -90, 90)


def _check_ring(field: str, ring: tuple[Position, ...]) -> None:
    if len(ring) < 4:
        raise ContractError(field, f"a ring needs at least 4 positions, got {len(ring)}")
    if ring[0] != ring[-1]:
        raise ContractError(field, "a ring must end where it starts")
    for lon, lat in ring:
        # A region has hundreds of corners: only the one that is wrong is told of in words.
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            LonLat(lon, lat)


@dataclass(frozen=True, slots=True)
class Polygon:
    """A GeoJSON Polygon: the outer ring, then its holes."""

    coordinates: tuple[tuple[Position, ...], ...]
    type: Literal["Polygon"] = "Polygon"

    def __post_init__(self) -> None:
        if not self.coordinates:
            raise ContractError("coordinates", "a polygon needs an outer ring")
        for ring in self.coordinates:
            _check_ring("coordinates", ring)


@dataclass(frozen=True, slots=True)
class MultiPolygon:
    """A GeoJSON MultiPolygon."""

    coordinates: tuple[tuple[tuple[Position, ...], ...], ...]
    type: Literal["MultiPolygon"] = "MultiPolygon"

    def __post_init__(self) -> None:
        if not self.coordinates:
            raise ContractError("coordinates", "a multipolygon needs at least one polygon")
        for polygon in self.coordinates:
            for ring in polygon:
                _check_ring("coordinates", ring)


Area = Polygon | MultiPolygon
