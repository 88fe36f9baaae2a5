"""Buildings as upright prisms, and the ground that they hide from a camera.

Between a camera at height h and the plane at height Z, a wall of height H hides everything whose
distance, as a multiple of the wall's own, lies between two figures (`_hidden_from`, `_hidden_to`).
A convex footprint's shadow is the convex hull of the footprint scaled about the camera by both:
exact, without any sweep over angles. Footprints that aren't convex are cut into triangles first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Point, STRtree
from shapely.geometry.base import BaseGeometry

from contracts import ContractError
from geo.geojson import polygon_of
from geo.projection import LocalProjection

Floats = NDArray[np.float64]

HEIGHTS = ("height_m", "height", "building:height", "tinggi")
"""Properties that may hold a building's height in metres, in this order; ``8 m`` is understood."""
LEVELS = ("building:levels", "levels", "lantai")
LEVEL_M = 3.2
USUAL_M = 4.5
"""Of a building whose height nobody gives: one storey and a roof, as most of Bekasi's houses."""
TALLEST_M = 1_000.0
OWN_WITHIN_M = 1.5
"""A building so near carries the camera, or the camera's position is off: it hides nothing."""
ENDLESS = 1e9


class Buildings:
    """A city's footprints in its plane. Immutable; safe between threads.

    Polygons that carry a ``kind`` or ``building`` property that says they are none are left out, so
    that a map's own GeoJSON can be used.

    Raises:
        ContractError: no FeatureCollection, or a footprint that can't be read; says which.
    """

    def __init__(self, geojson: Mapping[str, Any], projection: LocalProjection) -> None:
        features = geojson.get("features") if isinstance(geojson, Mapping) else None
        if not isinstance(features, list) or geojson.get("type") != "FeatureCollection":
            raise ContractError("buildings", "must be a GeoJSON FeatureCollection")
        footprints: list[BaseGeometry] = []
        heights: list[float] = []
        for number, feature in enumerate(features):
            if not _is_building(feature):
                continue
            where = f"buildings.features[{number}]"
            footprint = _footprint(feature["geometry"], projection, where)
            if footprint.area > 0:
                footprints.append(footprint)
                heights.append(_height_m(feature.get("properties") or {}, where))
        self._footprints = np.array(footprints, dtype=object)
        parts, owners = _convex_parts(self._footprints)
        self._parts = parts
        self._owners = owners
        self._heights = np.array(heights)
        self._tree = STRtree(parts)

    def __len__(self) -> int:
        return len(self._footprints)

    def shadows(
        self, xy: tuple[float, float], height_m: float, view: BaseGeometry, above_m: float = 0.0
    ) -> BaseGeometry | None:
        """What of a view, at ``above_m`` over the ground, buildings hide; None for nothing.

        A building's own place isn't in its shadow: its front is seen, and what happens in it comes
        out there. It is hidden where another building stands before it.
        """
        camera = Point(xy)
        # The view may begin far off; what hides it may stand just before the lens.
        between = shapely.convex_hull(shapely.union(view, camera))
        found = self._tree.query(between, predicate="intersects")
        if len(found) == 0:
            return None
        away = shapely.distance(self._parts[found], camera)
        reach = _reach_m(view, xy)
        tops = self._heights[self._owners[found]]
        start, end = _hidden_from(height_m, tops, above_m), _hidden_to(height_m, tops, above_m)
        near_start = np.where(end > start, start, 0.0) * away
        owners = self._owners[found]
        is_own = shapely.distance(self._footprints[owners], camera) < OWN_WITHIN_M
        hides = (end > start) & (near_start < reach) & ~is_own
        if not hides.any():
            return None
        found, away, start, end = found[hides], away[hides], start[hides], end[hides]
        # Far enough that even the nearest point of the far side lies beyond the view.
        end = np.minimum(end, 1.05 * np.maximum(reach / away, start + 1e-6))
        corners, of = shapely.get_coordinates(self._parts[found], return_index=True)
        off = corners - xy
        both = np.concatenate((off * start[of, None] + xy, off * end[of, None] + xy))
        order = np.argsort(np.concatenate((of, of)), kind="stable")
        clouds = shapely.multipoints(both[order], indices=np.concatenate((of, of))[order])
        hidden = shapely.difference(
            shapely.convex_hull(clouds), self._footprints[self._owners[found]]
        )
        return shapely.union_all(hidden)

    def hidden(
        self,
        xy: tuple[float, float],
        height_m: float,
        spot: tuple[float, float],
        above_m: float = 0.0,
    ) -> bool:
        """Whether a building stands between a camera and one spot (ray casting)."""
        ray = shapely.LineString((xy, spot))
        whole = ray.length
        for part in self._tree.query(ray, predicate="intersects").tolist():
            owner = self._footprints[self._owners[part]]
            if owner.distance(Point(xy)) < OWN_WITHIN_M or owner.intersects(Point(spot)):
                continue
            along = self._parts[part].intersection(ray)
            top = float(self._heights[self._owners[part]])
            ends = [math.dist(xy, point) / whole for point in shapely.get_coordinates(along)]
            lowest = min(height_m + (above_m - height_m) * share for share in ends)
            if top > lowest:
                return True
        return False


def _hidden_from(h: float, tops: Floats, z: float) -> Floats:
    """Nearest hidden distance, in multiples of the wall's; infinite where it hides nothing."""
    if z < h:
        return np.where(tops > z, 1.0, np.inf)
    over = np.where(tops > h, (z - h) / np.maximum(tops - h, 1e-9), np.inf)
    return np.asarray(np.maximum(over, 1.0))


def _hidden_to(h: float, tops: Floats, z: float) -> Floats:
    """Farthest hidden distance, in multiples of the wall's."""
    if z < h:
        low = np.where(tops > z, (h - z) / np.maximum(h - tops, 1e-9), 0.0)
        return np.where(tops >= h, ENDLESS, low)
    return np.where(tops > h, ENDLESS, 0.0)


def _reach_m(view: BaseGeometry, xy: tuple[float, float]) -> float:
    corners = shapely.get_coordinates(view)
    return float(np.hypot(*(corners - xy).T).max())


def _is_building(feature: Any) -> bool:
    if not isinstance(feature, Mapping):
        return False
    geometry, values = feature.get("geometry") or {}, feature.get("properties") or {}
    if geometry.get("type") not in ("Polygon", "MultiPolygon"):
        return False
    kind = values.get("kind", "building")
    return kind == "building" and values.get("building", "yes") not in ("no", False)


def _footprint(geometry: Any, projection: LocalProjection, where: str) -> BaseGeometry:
    flat = polygon_of(geometry, where)
    coordinates = shapely.get_coordinates(flat)
    plane = shapely.set_coordinates(
        flat, np.column_stack(projection.to_xy(coordinates[:, 0], coordinates[:, 1]))
    )
    return plane if plane.is_valid else shapely.make_valid(plane)


def _height_m(values: Mapping[str, Any], where: str) -> float:
    for names, scale in ((HEIGHTS, 1.0), (LEVELS, LEVEL_M)):
        given = next((values[name] for name in names if values.get(name) not in (None, "")), None)
        if given is None:
            continue
        number = re.match(r"\s*(-?[0-9]+(?:[.,][0-9]+)?)", str(given))
        if number is None:
            raise ContractError(where, f"has no height: {given!r}; write metres, like 7.5")
        height = float(number[1].replace(",", ".")) * scale
        if not 0 <= height <= TALLEST_M:
            raise ContractError(where, f"can't be {height:g} m high")
        return height
    return USUAL_M


def _convex_parts(footprints: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Convex pieces that make up the footprints, and whose they are."""
    parts: list[BaseGeometry] = []
    owners: list[int] = []
    hulls = shapely.convex_hull(footprints)
    gain = shapely.area(hulls) - shapely.area(footprints) if len(footprints) else np.empty(0)
    for number, (footprint, hull) in enumerate(zip(footprints, hulls, strict=True)):
        # A corner's notch of a fiftieth hides no more than a footprint's own inaccuracy.
        if gain[number] <= 0.02 * footprint.area:
            pieces = [hull]
        else:
            cut = shapely.constrained_delaunay_triangles(footprint)
            pieces = [piece for piece in cut.geoms if piece.area > 0]
        parts += pieces
        owners += [number] * len(pieces)
    return np.array(parts, dtype=object), np.array(owners, dtype=np.int64)
