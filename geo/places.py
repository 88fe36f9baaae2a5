"""Named places of a city, found by a few letters of their names: areas, streets, squares.

Made of the GeoJSON that the map is drawn from, so that what can be read on it can be searched.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from contracts import ContractError, LonLat
from geo.areas import NAME_PROPERTIES
from geo.projection import LocalProjection

LEAST_RADIUS_M = 30.0
_STREET_WORDS = frozenset({"jl", "jln", "jalan", "gg", "gang", "street", "st", "road", "rd"})
"""What is written before or after a street's name by some and left out by others."""


class PlaceKind(StrEnum):
    """What is called by a name."""

    AREA = "area"
    STREET = "street"
    SPOT = "spot"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPlace:
    """Something with a name: a point on it, and the radius of a disc about as large."""

    name: str
    kind: PlaceKind
    at: LonLat
    radius_m: float


class PlaceIndex:
    """The named places of GeoJSON FeatureCollections in WGS 84. Immutable."""

    def __init__(
        self, collections: Iterable[Mapping[str, Any]], projection: LocalProjection
    ) -> None:
        """Parts of one name and kind are one place; what has no name or no usable shape is left
        out, since a background need not be perfect."""
        parts: dict[tuple[PlaceKind, str], list[BaseGeometry]] = {}
        for name, kind, plane in named_shapes(collections, projection):
            parts.setdefault((kind, name), []).append(plane)
        self._places = [
            (_words(name), _place(name, kind, shapely.union_all(some), projection))
            for (kind, name), some in parts.items()
        ]

    def __len__(self) -> int:
        return len(self._places)

    def find(self, text: str, most: int = 8) -> list[NamedPlace]:
        """The places whose name has a word that begins with each word of the text; names that
        begin with it first, then shorter ones."""
        wanted = _words(text)
        if not wanted:
            return []
        found = []
        for words, place in self._places:
            if all(any(word.startswith(part) for word in words) for part in wanted):
                begins = " ".join(words).startswith(" ".join(wanted))
                found.append((not begins, len(place.name), place.name, place.kind, place))
        return [place for *_, place in sorted(found, key=lambda one: one[:4])[:most]]


def named_shapes(
    collections: Iterable[Mapping[str, Any]], projection: LocalProjection
) -> Iterator[tuple[str, PlaceKind, BaseGeometry]]:
    """Each feature that has a name and a usable shape: its name, kind, and shape on the plane."""
    for collection in collections:
        for feature in collection.get("features") or ():
            name = _name(feature.get("properties") or {})
            plane = _plane(feature.get("geometry"), projection) if name else None
            if plane is not None and not plane.is_empty:
                yield name, _kind(plane), plane


def _name(properties: Mapping[str, Any]) -> str:
    return next(
        (str(properties[key]).strip() for key in NAME_PROPERTIES if properties.get(key)), ""
    )


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    words = re.findall(r"[^\W_]+", "".join(one for one in plain if not unicodedata.combining(one)))
    kept = [word for word in words if word not in _STREET_WORDS]
    return kept or words


def _plane(geometry: Mapping[str, Any] | None, projection: LocalProjection) -> BaseGeometry | None:
    try:
        degrees = shapely.force_2d(shape(geometry))
        west, south, east, north = degrees.bounds
        LonLat(west, south)
        LonLat(east, north)
    except (
        ContractError,
        ValueError,
        TypeError,
        AttributeError,
        KeyError,
        IndexError,
        shapely.GEOSException,
    ):
        return None

    def to_plane(lonlat: Any) -> Any:
        x, y = projection.to_xy(lonlat[:, 0], lonlat[:, 1])
        return shapely.get_coordinates(shapely.points(x, y))

    plane = shapely.transform(degrees, to_plane)
    return plane if plane.is_valid else shapely.make_valid(plane)


def _kind(plane: BaseGeometry) -> PlaceKind:
    if plane.area > 0:
        return PlaceKind.AREA
    return PlaceKind.STREET if plane.length > 0 else PlaceKind.SPOT


def _place(
    name: str, kind: PlaceKind, plane: BaseGeometry, projection: LocalProjection
) -> NamedPlace:
    if kind is PlaceKind.AREA:
        at, radius = plane.representative_point(), math.sqrt(plane.area / math.pi)
    else:
        # On the street itself: the point of it that is nearest to its middle.
        at = shapely.shortest_line(plane, plane.centroid).interpolate(0)
        west, south, east, north = plane.bounds
        radius = math.hypot(east - west, north - south) / 2
    return NamedPlace(
        name=name,
        kind=kind,
        at=projection.place(at.x, at.y),
        radius_m=max(round(radius), LEAST_RADIUS_M),
    )
