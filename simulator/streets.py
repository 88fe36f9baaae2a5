"""The demonstration city's plan: a grid of streets with a simulated junction at every crossing."""

from __future__ import annotations

import json
import math
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from shapely import LineString, Point, STRtree

from geo.projection import LocalProjection
from simulator.scenario import ScenarioError
from simulator.scene.place import MAIN_HALF_M, MINOR_HALF_M, Place, build_place

_SPACING_M = 460.0
_HEADING_RAD = math.radians(68)
_REACH = 3
"""Streets run this many crossings out from the middle; farther junctions extend it."""

_NAMES = (
    "Melati", "Kenanga", "Cempaka", "Flamboyan", "Anggrek", "Dahlia", "Kemuning", "Teratai",
    "Bougenville", "Seroja", "Tanjung", "Wijaya Kusuma", "Sedap Malam", "Asoka", "Alamanda",
    "Soka", "Mawar", "Nusa Indah", "Kamboja", "Gardenia", "Lavender", "Puspa", "Kantil",
    "Widuri", "Sakura",
)  # fmt: skip


def lay_out(count: int, seed: int) -> list[Place]:
    """``count`` junctions, from the middle outwards, with their surroundings."""
    cells = sorted(
        ((i, j) for i in range(-12, 13) for j in range(-12, 13)),
        key=lambda cell: (round(math.hypot(*cell), 6), math.atan2(cell[1], cell[0])),
    )
    if count > len(cells):
        raise ValueError(f"the city has {len(cells)} junctions, {count} were asked for")
    along, left = _axes()
    places = []
    for index, (i, j) in enumerate(cells[:count]):
        x, y = _SPACING_M * (i * along + j * left)
        places.append(
            build_place(_name(index), float(x), float(y), _HEADING_RAD, seed * 1_000 + index, index)
        )
    return places


def _name(index: int) -> str:
    turn, which = divmod(index, len(_NAMES))
    return f"{_NAMES[which]} {turn + 1}" if turn else _NAMES[which]


def read_geojson(path: Path) -> dict[str, Any]:
    """A map's file.

    Raises:
        ScenarioError: it is no GeoJSON FeatureCollection.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{path}: is no GeoJSON that can be read: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("features"), list):
        raise ScenarioError(f"{path}: must be a GeoJSON FeatureCollection")
    return found


_APART_M = 120.0
"""Junctions nearer to one another are drawn as one: each is drawn so far about its middle."""
_LEAST_ANGLE = math.radians(50)


def from_geojson(path: Path, projection: LocalProjection, seed: int) -> list[Place]:
    """Junctions where roads (LineString) of a file cross, those in the middle first.

    The main road is the one of lower ``rank`` or greater ``width_m``, or the first. Roads are drawn
    straight and at a right angle about a junction, with surroundings from the seed.

    Raises:
        ScenarioError: no such file, or no roads that cross in it.
    """
    roads: list[tuple[LineString, float]] = []
    for feature in read_geojson(path)["features"]:
        geometry = feature.get("geometry") or {}
        if geometry.get("type") != "LineString" or len(geometry.get("coordinates", ())) < 2:
            continue
        lonlat = np.array([position[:2] for position in geometry["coordinates"]], float)
        x, y = projection.to_xy(lonlat[:, 0], lonlat[:, 1])
        properties = feature.get("properties") or {}
        weight = float(properties.get("width_m") or 0) - 100 * float(properties.get("rank") or 9)
        roads.append((LineString(np.column_stack((x, y))), weight))
    crossings: list[tuple[float, float, float]] = []
    tree = STRtree([line for line, _ in roads])
    for first, second in combinations(range(len(roads)), 2):
        if second not in tree.query(roads[first][0], predicate="intersects"):
            continue
        met = roads[first][0].intersection(roads[second][0])
        for point in getattr(met, "geoms", [met]):
            if not isinstance(point, Point):
                continue
            headings = [_heading_at(roads[index][0], point) for index in (first, second)]
            between = abs(math.remainder(headings[0] - headings[1], math.pi))
            is_far = all(math.hypot(point.x - x, point.y - y) > _APART_M for x, y, _ in crossings)
            if between >= _LEAST_ANGLE and is_far:
                main = 0 if roads[first][1] >= roads[second][1] else 1
                crossings.append((point.x, point.y, headings[main]))
    if not crossings:
        raise ScenarioError(f"{path}: holds no two roads (LineString) that cross")
    crossings.sort(key=lambda crossing: math.hypot(crossing[0], crossing[1]))
    return [
        build_place(_name(index), x, y, heading, seed * 1_000 + index, index)
        for index, (x, y, heading) in enumerate(crossings)
    ]


def _heading_at(road: LineString, point: Point) -> float:
    """The road's bearing where it passes a point, in the plane, in radians."""
    along = road.project(point)
    before = road.interpolate(max(0.0, along - 15))
    after = road.interpolate(min(road.length, along + 15))
    return math.atan2(after.x - before.x, after.y - before.y)


def _axes() -> tuple[Any, Any]:
    along = np.array((math.sin(_HEADING_RAD), math.cos(_HEADING_RAD)))
    return along, np.array((-along[1], along[0]))


def geojson(places: list[Place], projection: LocalProjection) -> dict[str, Any]:
    """Streets (LineString), blocks and buildings (Polygon), told apart by ``kind``, for the map."""
    along, left = _axes()
    far = max(_REACH, *(round(max(abs(p.x), abs(p.y)) / _SPACING_M) + 1 for p in places))
    reach = (far + 0.5) * _SPACING_M
    features = []

    def lonlat(points: Any) -> list[list[float]]:
        lon, lat = projection.to_lonlat(points[:, 0], points[:, 1])
        return [[round(float(a), 7), round(float(b), 7)] for a, b in zip(lon, lat, strict=True)]

    def feature(kind: str, shape: str, coordinates: Any, **properties: Any) -> None:
        features.append(
            {
                "type": "Feature",
                "properties": {"kind": kind, **properties},
                "geometry": {"type": shape, "coordinates": coordinates},
            }
        )

    margin_a, margin_b = MINOR_HALF_M + 3, MAIN_HALF_M + 3
    for i in range(-far, far):
        for j in range(-far, far):
            a0, a1 = i * _SPACING_M + margin_a, (i + 1) * _SPACING_M - margin_a
            b0, b1 = j * _SPACING_M + margin_b, (j + 1) * _SPACING_M - margin_b
            ring = [
                a * along + b * left for a, b in ((a0, b0), (a1, b0), (a1, b1), (a0, b1), (a0, b0))
            ]
            feature("block", "Polygon", [lonlat(np.array(ring))])
    for place in places:
        for block in place.buildings:
            corners = (
                (block.a0, block.b0),
                (block.a1, block.b0),
                (block.a1, block.b1),
                (block.a0, block.b1),
            )
            plane = place.to_plane(np.array((*corners, corners[0])))
            feature("building", "Polygon", [lonlat(plane)], height_m=round(block.height_m, 1))
    for index in range(-far, far + 1):
        main = np.array([s * reach * along + index * _SPACING_M * left for s in (-1, 1)])
        minor = np.array([s * reach * left + index * _SPACING_M * along for s in (-1, 1)])
        feature(
            "road",
            "LineString",
            lonlat(main),
            name=f"Jalan Raya {index + far + 1}",
            rank=1,
            width_m=2 * MAIN_HALF_M,
        )
        feature(
            "road",
            "LineString",
            lonlat(minor),
            name=f"Jalan {index + far + 1}",
            rank=2,
            width_m=2 * MINOR_HALF_M,
        )
    for place in places:
        spot = projection.place(place.x, place.y)
        feature("junction", "Point", [spot.lon, spot.lat], name=f"Simpang {place.name}")
    return {"type": "FeatureCollection", "features": features}
