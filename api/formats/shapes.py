"""Areas as other formats need them: rings with the latitude first, and discs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from contracts import Area, Polygon
from contracts.places import Position

_METRES_A_DEGREE = 111_195.0
"""Of a great circle on a sphere with the Earth's mean radius."""
LEAST_RADIUS_M = 5.0
MOST_RADIUS_M = 20_000_000.0
"""Half way round the Earth."""


def polygons(area: Area) -> Sequence[Sequence[Sequence[Position]]]:
    """The rings of each polygon, the outer one first."""
    return (area.coordinates,) if isinstance(area, Polygon) else area.coordinates


def outer_rings(area: Area) -> Iterator[Sequence[Position]]:
    """The outer ring of each polygon; where a format knows no holes, too much is safer."""
    return (rings[0] for rings in polygons(area))


def radius_m(area: Area) -> float:
    """The radius of a disc as large as the area, to three digits for areas the size of a city."""
    total = sum(
        _ring_m2(rings[0]) - sum(_ring_m2(hole) for hole in rings[1:]) for rings in polygons(area)
    )
    return min(max(math.sqrt(max(total, 0.0) / math.pi), LEAST_RADIUS_M), MOST_RADIUS_M)


def _ring_m2(ring: Sequence[Position]) -> float:
    # The shoelace formula about the first corner, on a plane that touches at the mean latitude.
    lon0, lat0 = ring[0]
    narrowing = math.cos(math.radians(sum(lat for _, lat in ring) / len(ring)))
    flat = [((lon - lon0) * narrowing, lat - lat0) for lon, lat in ring]
    doubled = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(flat))
    return abs(doubled) / 2 * _METRES_A_DEGREE**2
