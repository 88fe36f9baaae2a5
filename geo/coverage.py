"""How much of a city its cameras see, by how many, and where the gaps are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree, get_parts, prepare, union_all
from shapely.geometry.base import BaseGeometry

from contracts import Area
from geo.projection import LocalProjection, PlaceError

MOST_COUNTED = 4
"""Seen by so many cameras or more is one class."""
MOST_PROBES = 400_000
LEAST_GAP_M2 = 100.0
"""Smaller gaps are crumbs between fields of view."""


@dataclass(frozen=True, slots=True)
class CoverageOf:
    """Of one area.

    Attributes:
        name: the area's; empty for the whole city.
        area_m2: its size.
        share: of it, what at least one camera sees.
        share_by_cameras: shares seen by exactly 0, 1, 2, ... cameras; the last is "or more". They
            sum to 1. Counted on a lattice of points, so good to about a hundredth.
        gaps: what no camera sees; None where that is nothing.
    """

    name: str
    area_m2: float
    share: float
    share_by_cameras: tuple[float, ...]
    gaps: Area | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of a city, and of each of its areas, in the order given."""

    city: CoverageOf
    areas: tuple[CoverageOf, ...]
    cameras: int


def coverage(
    views: Sequence[BaseGeometry],
    city: Area,
    projection: LocalProjection,
    areas: Mapping[str, Area] | None = None,
    step_m: float = 20.0,
) -> Coverage:
    """What the views (in the projection's metres) cover of a city and of named areas of it.

    Args:
        views: One a camera.
        city: Its outline.
        projection: Of the views.
        areas: Administrative areas by name; what of them lies outside the city doesn't count.
        step_m: Distance between the points at which cameras are counted; it grows for a large city.

    Raises:
        PlaceError: the city's outline has no area, or the step isn't above 0.
    """
    outline = projection.plane(city)
    if not outline.area > 0:
        raise PlaceError("city", "needs an outline that has an area")
    if not step_m > 0:
        raise PlaceError("step_m", f"must be above 0, got {step_m:g}")
    seen = union_all(np.array(views, dtype=object)) if len(views) else shapely.Polygon()
    step = max(step_m, float(np.sqrt(outline.area / MOST_PROBES)))
    tree = STRtree(views)
    parts = [("", outline)]
    for name, area in (areas or {}).items():
        parts.append((name, projection.plane(area).intersection(outline)))
    found = [_of(name, part, seen, tree, step, projection) for name, part in parts if part.area > 0]
    return Coverage(found[0], tuple(found[1:]), len(views))


def simplified(
    area: Area, projection: LocalProjection, most_positions: int
) -> tuple[Area | None, float]:
    """An area drawn with no more positions than stated, and to how many metres it is true.

    What is smaller across than that may be missing: parts as well as holes.
    """
    plane, tolerance_m = projection.plane(area), 0.0
    while shapely.get_num_coordinates(plane) > most_positions:
        tolerance_m = max(2.0, 2 * tolerance_m)
        # What was mended may hold lines beside its polygons, and those one level down.
        parts = get_parts(get_parts(plane.simplify(tolerance_m)))
        kept = [part for part in parts if part.area >= tolerance_m**2]
        plane = union_all([_without_crumbs(part, tolerance_m**2) for part in kept])
    return (area if tolerance_m == 0 else projection.area(plane)), tolerance_m


def _without_crumbs(part: shapely.Polygon, least_m2: float) -> shapely.Polygon:
    holes = [hole for hole in part.interiors if shapely.Polygon(hole).area >= least_m2]
    return shapely.Polygon(part.exterior, holes)


def _of(
    name: str,
    outline: BaseGeometry,
    seen: BaseGeometry,
    tree: STRtree,
    step: float,
    projection: LocalProjection,
) -> CoverageOf:
    unseen = outline.difference(seen)
    gaps = [gap for gap in get_parts(unseen) if gap.area >= LEAST_GAP_M2]
    return CoverageOf(
        name=name,
        area_m2=float(outline.area),
        share=float(min(max(1 - unseen.area / outline.area, 0.0), 1.0)),
        share_by_cameras=_counted(outline, tree, step),
        gaps=projection.area(union_all(gaps)) if gaps else None,
    )


def _counted(outline: BaseGeometry, tree: STRtree, step: float) -> tuple[float, ...]:
    probes = _lattice(outline, step)
    pairs = tree.query(probes, predicate="intersects")
    counts = np.bincount(pairs[0], minlength=len(probes)) if len(probes) else np.zeros(1, int)
    classes = np.bincount(np.minimum(counts, MOST_COUNTED), minlength=MOST_COUNTED + 1)
    return tuple((classes / classes.sum()).tolist())


def _lattice(outline: BaseGeometry, step: float) -> NDArray[np.object_]:
    """Points inside, one a cell; of an area too small for any, one that lies in it."""
    west, south, east, north = outline.bounds
    x, y = np.meshgrid(
        np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step)
    )
    prepare(outline)
    inside = shapely.contains_xy(outline, x.ravel(), y.ravel())
    points = shapely.points(x.ravel()[inside], y.ravel()[inside])
    found = points if len(points) else np.array([outline.representative_point()])
    return np.asarray(found, dtype=object)
