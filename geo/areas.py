"""Administrative areas that name a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shapely import Point, STRtree, union_all
from shapely.geometry.base import BaseGeometry

from contracts import Area, ContractError, LonLat
from geo.geojson import area_of, polygon_of

NAME_PROPERTIES = (
    "name",
    "NAME",
    "nama",
    "NAMOBJ",
    "WADMKD",
    "WADMKC",
)
"""Where an area's name is looked for, in this order; Indonesia's geoportal writes NAMOBJ, WADM*."""
PARENT_PROPERTIES = ("kecamatan", "WADMKC", "district")
"""Where the name of the larger area around it is looked for: kelurahan of one name are many."""


class AreaIndex:
    """Named areas of a GeoJSON FeatureCollection in WGS 84. Immutable; safe between threads.

    Raises:
        ContractError: no FeatureCollection, or an area without a name; says which.
    """

    def __init__(
        self, geojson: Mapping[str, Any], properties: Sequence[str] = NAME_PROPERTIES
    ) -> None:
        features = geojson.get("features")
        if geojson.get("type") != "FeatureCollection" or not isinstance(features, list):
            raise ContractError("areas", "must be a GeoJSON FeatureCollection")
        self._names: list[str] = []
        shapes: list[BaseGeometry] = []
        for number, feature in enumerate(features):
            geometry = feature.get("geometry") or {}
            if geometry.get("type") not in ("Polygon", "MultiPolygon"):
                continue
            values = feature.get("properties") or {}
            name = next((str(values[key]) for key in properties if values.get(key)), None)
            if name is None:
                raise ContractError(
                    f"areas.features[{number}]", f"needs a name in one of {', '.join(properties)}"
                )
            shapes.append(polygon_of(geometry, f"areas.features[{number}]"))
            parent = next((values[key] for key in PARENT_PROPERTIES if values.get(key)), name)
            # A kecamatan's own file counts its kelurahan under a like name.
            whole = isinstance(parent, str) and parent != name
            self._names.append(f"{name}, {parent}" if whole else name)
        self._shapes = shapes
        self._tree = STRtree(shapes)

    def name_of(self, lon: float, lat: float) -> str:
        """The name of the smallest area that holds a point, or an empty text.

        Raises:
            ContractError: the point can't be meant.
        """
        place = LonLat(lon, lat)
        found = self._tree.query(Point(place.lon, place.lat), predicate="intersects").tolist()
        if not found:
            return ""
        return self._names[min(found, key=lambda i: (self._shapes[i].area, i))]

    def outlines(self) -> dict[str, Area]:
        """Every area by its name; parts of one name are one area."""
        parts: dict[str, list[BaseGeometry]] = {}
        for name, outline in zip(self._names, self._shapes, strict=True):
            parts.setdefault(name, []).append(outline)
        found = {name: area_of(union_all(some)) for name, some in parts.items()}
        return {name: area for name, area in found.items() if area is not None}
