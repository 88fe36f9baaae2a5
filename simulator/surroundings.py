"""What a map's file has about one junction, put into the junction's frame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from shapely import Polygon, box

from simulator.mapfile import Footprint, MapFile
from simulator.scene.place import (
    EXTENT_M,
    MAIN_HALF_M,
    MINOR_HALF_M,
    PAVEMENT_M,
    Area,
    Building,
    Place,
)

_REACH_M = 190.0
"""Buildings so far about a junction stand in its pictures, as far as the generated ones do."""
_LEAST_M = 1.5
"""Of a side: what is narrower is no building."""
_SHOP_WITHIN_M = 14.0
"""A building so near to a road has its shop front there."""
_FLOOR_M = 3.4
_STREETS = (
    box(-_REACH_M, -MAIN_HALF_M - PAVEMENT_M, _REACH_M, MAIN_HALF_M + PAVEMENT_M),
    box(-MINOR_HALF_M - PAVEMENT_M, -_REACH_M, MINOR_HALF_M + PAVEMENT_M, _REACH_M),
)


def furnished(place: Place, found: MapFile) -> Place:
    """The junction with the file's buildings and areas; as it was where the file has none of a
    kind within reach.

    A building becomes the narrowest block about its outline. Streets are straightened when they are
    drawn: what would stand in them or on their pavements is left out, and so are trees in walls.
    """
    areas = tuple(_areas(place, found))
    buildings = tuple(_buildings(place, found))
    if not buildings:
        return replace(place, areas=areas)
    walls = [Polygon(block.corners()).buffer(1.0) for block in buildings]
    ponds = [Polygon(area.outline) for area in areas]
    solid = [*walls, *(pond for pond in ponds if pond.is_valid)]
    trees = tuple(
        tree
        for tree in place.trees
        if not any(shape.intersects(box(tree.a, tree.b, tree.a, tree.b)) for shape in solid)
    )
    return replace(place, buildings=buildings, trees=trees, areas=areas)


def _areas(place: Place, found: MapFile) -> Iterator[Area]:
    for patch in found.patches:
        local = place.to_local(patch.ring)
        if (local.min(axis=0) < EXTENT_M).all() and (local.max(axis=0) > -EXTENT_M).all():
            yield Area(patch.ground, tuple((float(a), float(b)) for a, b in local))


def _buildings(place: Place, found: MapFile) -> Iterator[Building]:
    for index, footprint in enumerate(found.buildings):
        local = place.to_local(footprint.ring)
        if np.abs(local).max() > _REACH_M:
            continue
        block = _block(local, footprint, index)
        if block is None:
            continue
        foot = Polygon(block.corners())
        if not any(foot.intersects(street) for street in _STREETS):
            yield block


def _block(local: np.ndarray, footprint: Footprint, index: int) -> Building | None:
    rectangle = Polygon(local).minimum_rotated_rectangle
    if not isinstance(rectangle, Polygon):
        # All corners on a line.
        return None
    corners = np.array(rectangle.exterior.coords)[:4]
    side = corners[1] - corners[0]
    long_m, wide_m = float(np.hypot(*side)), float(np.hypot(*(corners[2] - corners[1])))
    if min(long_m, wide_m) < _LEAST_M:
        return None
    a, b = (float(v) for v in corners.mean(axis=0))
    turn = math.remainder(math.atan2(side[1], side[0]), math.pi)
    height_m = footprint.height_m
    if height_m is None:
        height_m = 0.7 + _FLOOR_M * (1 + (index * 7919) % 3)
    return Building(
        a - long_m / 2,
        b - wide_m / 2,
        a + long_m / 2,
        b + wide_m / 2,
        height_m,
        (index * 2_654_435_761) % 10_000,
        _front(a, b, turn, long_m, wide_m),
        turn,
    )


def _front(a: float, b: float, turn: float, long_m: float, wide_m: float) -> tuple[int, int]:
    """The side that looks at the nearest road, in the block's own frame; (0, 0) for none."""
    reach = math.hypot(long_m, wide_m) / 2
    to_main, to_minor = abs(b) - MAIN_HALF_M - PAVEMENT_M, abs(a) - MINOR_HALF_M - PAVEMENT_M
    if min(to_main, to_minor) - reach > _SHOP_WITHIN_M:
        return 0, 0
    out = (0.0, -math.copysign(1, b)) if to_main <= to_minor else (-math.copysign(1, a), 0.0)
    cos, sin = math.cos(turn), math.sin(turn)
    own = (out[0] * cos + out[1] * sin, -out[0] * sin + out[1] * cos)
    if abs(own[0]) > abs(own[1]):
        return round(math.copysign(1, own[0])), 0
    return 0, round(math.copysign(1, own[1]))
