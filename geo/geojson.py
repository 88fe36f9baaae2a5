"""Polygons of files that people configure: read whole, or refused by the feature's number."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from contracts import Area, ContractError, MultiPolygon, Polygon


def polygon_of(geometry: Mapping[str, Any], where: str) -> BaseGeometry:
    """A Polygon or MultiPolygon in degrees, repaired where its rings cross.

    Raises:
        ContractError: no polygon, or a position that can't be meant; the field is ``where``.
    """
    try:
        for lon, lat in _positions(geometry["coordinates"]):
            _check(lon, lat, where)
        plain = shapely.force_2d(shape(geometry))
    except ContractError:
        raise
    except (ValueError, TypeError, IndexError, KeyError, shapely.GEOSException) as error:
        raise ContractError(where, f"is no polygon: {error}") from error
    return plain if plain.is_valid else shapely.make_valid(plain)


def area_of(degrees: BaseGeometry) -> Area | None:
    """The polygons of a shape in degrees; None where it has no area."""
    parts = tuple(
        tuple(tuple(ring.coords) for ring in (part.exterior, *part.interiors))
        for part in shapely.get_parts(shapely.get_parts(degrees))
        if part.geom_type == "Polygon" and part.area > 0
    )
    if not parts:
        return None
    return Polygon(parts[0]) if len(parts) == 1 else MultiPolygon(parts)


def _positions(coordinates: Any) -> Iterator[tuple[float, float]]:
    if isinstance(coordinates[0], int | float):
        lon, lat = coordinates[:2]
        yield float(lon), float(lat)
        return
    for inner in coordinates:
        yield from _positions(inner)


def _check(lon: float, lat: float, where: str) -> None:
    if not math.isfinite(lon + lat):
        raise ContractError(where, "holds a position that is no finite number")
    if not -90 <= lat <= 90:
        swapped = "; are lon and lat swapped? Longitude comes first" if abs(lon) <= 90 else ""
        raise ContractError(where, f"holds the latitude {lat:g}, beyond -90 to 90{swapped}")
    if not -180 <= lon <= 180:
        raise ContractError(where, f"holds the longitude {lon:g}, beyond -180 to 180")
