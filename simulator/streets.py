"""The demonstration city's plan: a grid of streets with a simulated junction at every crossing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from shapely import LineString, Point, STRtree

from geo.projection import LocalProjection
from simulator.mapfile import Road, read_map
from simulator.scenario import ScenarioError
from simulator.scene.place import MAIN_HALF_M, MINOR_HALF_M, Place, build_place
from simulator.surroundings import furnished

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


_RIVERS = (
    "Ciliwung", "Citarum", "Cisadane", "Cimanuk", "Brantas", "Serayu", "Progo", "Mahakam", "Kapuas",
    "Barito", "Musi", "Batanghari", "Asahan", "Cikarang",
)  # fmt: skip
_BIRDS = (
    "Rajawali", "Kutilang", "Merpati", "Kenari", "Cendrawasih", "Kepodang", "Nuri", "Elang",
    "Camar", "Garuda", "Jalak", "Murai", "Pipit", "Walet",
)  # fmt: skip


def _turn(index: int) -> int:
    """Streets counted from the middle, by turns to both sides: their names stay as a city grows."""
    return 2 * index - 1 if index > 0 else -2 * index


def _name(index: int, names: Sequence[str] = _NAMES) -> str:
    turn, which = divmod(index, len(names))
    return f"{names[which]} {turn + 1}" if turn else names[which]


_APART_M = 120.0
"""Junctions nearer to one another are drawn as one: each is drawn so far about its middle."""
_LEAST_ANGLE = math.radians(50)


def from_geojson(path: Path, projection: LocalProjection, seed: int) -> list[Place]:
    """Junctions where roads of a file cross, those in the middle first.

    Roads are drawn straight and at a right angle about a junction. Where the file has buildings,
    they stand about its junctions as it says; else they are made up from the seed.

    Raises:
        ScenarioError: no such file, something in it can't be understood, or no roads cross in it.
    """
    found = read_map(path, projection)
    crossings = _crossings(found.roads)
    if not crossings:
        raise ScenarioError(f"{path}: holds no two roads (LineString) that cross")
    places = []
    for index, (x, y, heading, name) in enumerate(crossings):
        place = build_place(name or _name(index), x, y, heading, seed * 1_000 + index, index)
        places.append(furnished(place, found))
    return places


def _crossings(roads: Sequence[Road]) -> list[tuple[float, float, float, str]]:
    """Where they are, the bearing of the main road there, and a name; the middle one first."""
    lines = [LineString(road.line) for road in roads]
    crossings: list[tuple[float, float, float, str]] = []
    if not lines:
        return crossings
    tree = STRtree(lines)
    pairs = tree.query(lines, predicate="intersects").T.tolist()
    for first, second in sorted((a, b) for a, b in pairs if a < b):
        met = lines[first].intersection(lines[second])
        for point in getattr(met, "geoms", [met]):
            if not isinstance(point, Point):
                continue
            headings = [_heading_at(lines[index], point) for index in (first, second)]
            between = abs(math.remainder(headings[0] - headings[1], math.pi))
            is_far = all(math.hypot(point.x - x, point.y - y) > _APART_M for x, y, *_ in crossings)
            if between >= _LEAST_ANGLE and is_far:
                main = 0 if roads[first].weight >= roads[second].weight else 1
                name = _crossing_name(roads[(first, second)[main]], roads[(second, first)[main]])
                crossings.append((point.x, point.y, headings[main], name))
    return sorted(crossings, key=lambda crossing: math.hypot(crossing[0], crossing[1]))


def _crossing_name(main: Road, other: Road) -> str:
    """After both roads, as people call it: Ahmad Yani–Veteran; empty where one has no name."""
    names = [road.name.removeprefix("Jalan ").removeprefix("Raya ") for road in (main, other)]
    return "–".join(names) if all(names) else ""


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
            corners = block.corners()
            plane = place.to_plane(np.vstack((corners, corners[:1])))
            feature("building", "Polygon", [lonlat(plane)], height_m=round(block.height_m, 1))
    for index in range(-far, far + 1):
        main = np.array([s * reach * along + index * _SPACING_M * left for s in (-1, 1)])
        minor = np.array([s * reach * left + index * _SPACING_M * along for s in (-1, 1)])
        feature(
            "road",
            "LineString",
            lonlat(main),
            name=f"Jalan Raya {_name(_turn(index), _RIVERS)}",
            rank=1,
            width_m=2 * MAIN_HALF_M,
        )
        feature(
            "road",
            "LineString",
            lonlat(minor),
            name=f"Jalan {_name(_turn(index), _BIRDS)}",
            rank=2,
            width_m=2 * MINOR_HALF_M,
        )
    return {"type": "FeatureCollection", "features": features + junctions(places, projection)}


def junctions(places: Sequence[Place], projection: LocalProjection) -> list[dict[str, Any]]:
    """A named Point for each."""
    spots = [(place.name, projection.place(place.x, place.y)) for place in places]
    return [
        {
            "type": "Feature",
            "properties": {"kind": "junction", "name": f"Simpang {name}"},
            "geometry": {"type": "Point", "coordinates": [spot.lon, spot.lat]},
        }
        for name, spot in spots
    ]
