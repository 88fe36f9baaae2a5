"""The demonstration city's plan: a grid of streets with a simulated junction at every crossing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from geo.projection import LocalProjection
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
        turn, which = divmod(index, len(_NAMES))
        name = f"{_NAMES[which]} {turn + 1}" if turn else _NAMES[which]
        places.append(build_place(name, float(x), float(y), _HEADING_RAD, seed * 1_000 + index))
    return places


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
