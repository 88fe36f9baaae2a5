"""A map of a real quarter, from a GeoJSON file: roads, buildings and areas.

What a feature is, its ``kind`` says (``road``, ``building``, ``area``), as the files that Siaga
writes have it, or OpenStreetMap's own tags: ``highway``, ``building``, ``landuse``, ``leisure``,
``natural``, ``amenity=parking``. A LineString that says nothing is a road. Other features are only
drawn on the operators' map.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.projection import LocalProjection
from simulator.scenario import ScenarioError
from simulator.scene.place import Ground

Ring = NDArray[np.float64]
"""Points of the city's plane, (N, 2), the last one not repeated."""

_FLOOR_M = 3.3
_HIGHEST_M = 400.0
_MOST_FEATURES = 200_000
_GROUNDS = {
    "green": Ground.GREEN, "grass": Ground.GREEN, "park": Ground.GREEN, "garden": Ground.GREEN,
    "forest": Ground.GREEN, "wood": Ground.GREEN, "meadow": Ground.GREEN, "pitch": Ground.GREEN,
    "recreation_ground": Ground.GREEN, "cemetery": Ground.GREEN, "farmland": Ground.GREEN,
    "water": Ground.WATER, "basin": Ground.WATER, "wetland": Ground.WATER,
    "parking": Ground.PAVED, "paved": Ground.PAVED, "commercial": Ground.PAVED,
    "retail": Ground.PAVED, "industrial": Ground.PAVED, "square": Ground.PAVED,
    "bare": Ground.BARE, "construction": Ground.BARE, "brownfield": Ground.BARE,
}  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class Road:
    """A road's middle line."""

    line: Ring
    weight: float
    """Of two that cross, the heavier is the main road."""
    name: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class Footprint:
    """A building's outline; ``height_m`` None where the file doesn't say."""

    ring: Ring
    height_m: float | None


@dataclass(frozen=True, eq=False, slots=True)
class Patch:
    """A piece of ground that is neither road nor building."""

    ring: Ring
    ground: Ground


@dataclass(frozen=True, eq=False, slots=True)
class MapFile:
    """What a file holds for the simulated city."""

    roads: tuple[Road, ...]
    buildings: tuple[Footprint, ...]
    patches: tuple[Patch, ...]


def read_geojson(path: Path) -> dict[str, Any]:
    """A map's file as it is.

    Raises:
        ScenarioError: it is no GeoJSON FeatureCollection.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{path}: is no GeoJSON that can be read: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("features"), list):
        raise ScenarioError(f"{path}: must be a GeoJSON FeatureCollection")
    if len(found["features"]) > _MOST_FEATURES:
        raise ScenarioError(
            f"{path}: has {len(found['features'])} features; {_MOST_FEATURES} are the most. "
            "Cut the quarter out that the cameras see"
        )
    return found


def read_map(path: Path, projection: LocalProjection) -> MapFile:
    """A map's file, understood, in the plane of the city.

    Raises:
        ScenarioError: it can't be read; the text names the feature and what is wrong with it.
    """
    roads: list[Road] = []
    buildings: list[Footprint] = []
    patches: list[Patch] = []
    for index, feature in enumerate(read_geojson(path)["features"]):
        try:
            for thing in _things(feature, projection):
                match thing:
                    case Road():
                        roads.append(thing)
                    case Footprint():
                        buildings.append(thing)
                    case Patch():
                        patches.append(thing)
        except _BadFeature as error:
            raise ScenarioError(f"{path}: features.{index}: {error}") from error
    return MapFile(tuple(roads), tuple(buildings), tuple(patches))


class _BadFeature(ValueError):
    """The text is the end of a sentence about a feature."""


def _things(feature: object, projection: LocalProjection) -> Iterator[Road | Footprint | Patch]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise _BadFeature('must be an object with "type": "Feature"')
    geometry, properties = feature.get("geometry"), feature.get("properties") or {}
    if geometry is None:
        return
    if not isinstance(geometry, dict) or not isinstance(properties, dict):
        raise _BadFeature("geometry and properties must be objects")
    shape, coordinates = geometry.get("type"), geometry.get("coordinates")
    match shape:
        case "LineString" if _is_road(properties):
            line = _points(coordinates, 2, projection)
            weight = _number(properties, "width_m", 0.0) - 100 * _number(properties, "rank", 9.0)
            yield Road(line, weight, str(properties.get("name") or ""))
        case "Polygon" | "MultiPolygon":
            polygons = [coordinates] if shape == "Polygon" else coordinates
            if not isinstance(polygons, list):
                raise _BadFeature(f"a {shape} needs a list of rings")
            for rings in polygons:
                yield from _area(rings, properties, projection)


def _is_road(properties: Mapping[str, Any]) -> bool:
    return properties.get("kind", "road") == "road" and not (
        {"waterway", "railway", "power", "boundary", "barrier"} & set(properties)
    )


def _area(
    rings: object, properties: Mapping[str, Any], projection: LocalProjection
) -> Iterator[Footprint | Patch]:
    is_building = properties.get("kind") == "building" or (
        properties.get("building") not in (None, "no")
    )
    words = [properties.get(key) for key in ("ground", "landuse", "leisure", "natural", "amenity")]
    ground = next((_GROUNDS[word] for word in words if word in _GROUNDS), None)
    if not is_building and ground is None:
        return
    if not isinstance(rings, list) or not rings:
        raise _BadFeature("a Polygon needs a ring of positions")
    ring = _points(rings[0], 4, projection)[:-1]
    if is_building:
        yield Footprint(ring, _height(properties))
    elif ground is not None:
        yield Patch(ring, ground)


def _points(given: object, least: int, projection: LocalProjection) -> Ring:
    if not isinstance(given, list) or len(given) < least:
        raise _BadFeature(f"needs {least} positions at least")
    try:
        lonlat = np.array([position[:2] for position in given], float)
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise _BadFeature("every position must be [longitude, latitude]") from error
    if lonlat.shape != (len(given), 2) or not np.isfinite(lonlat).all():
        raise _BadFeature("every position must be [longitude, latitude]")
    if (np.abs(lonlat) > (180, 90)).any():
        raise _BadFeature(
            f"{lonlat[np.argmax(np.abs(lonlat[:, 1]))].tolist()} is no [longitude, latitude] in "
            "degrees; is the file in another projection, or the order turned round?"
        )
    x, y = projection.to_xy(lonlat[:, 0], lonlat[:, 1])
    return np.column_stack((x, y))


def _height(properties: Mapping[str, Any]) -> float | None:
    for name, unit_m in (("height_m", 1.0), ("height", 1.0), ("building:levels", _FLOOR_M)):
        if properties.get(name) is not None:
            height_m = _number(properties, name, 0.0) * unit_m
            if not 0 < height_m <= _HIGHEST_M:
                raise _BadFeature(f"{name} makes it {height_m:g} m high; it must be above 0")
            return height_m
    return None


def _number(properties: Mapping[str, Any], name: str, otherwise: float) -> float:
    """A number, also as OpenStreetMap writes it: in a text, with its unit or without."""
    given = properties.get(name)
    if given is None:
        return otherwise
    try:
        found = float(given.removesuffix("m").strip() if isinstance(given, str) else given)
    except (TypeError, ValueError) as error:
        raise _BadFeature(f"{name} must be a number, got {given!r}") from error
    if not math.isfinite(found):
        raise _BadFeature(f"{name} must be a number, got {given!r}")
    return found
