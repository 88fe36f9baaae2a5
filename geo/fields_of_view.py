"""What a camera sees of the city: its field of view as an area.

A field of view is the part of the ground that the picture shows within the camera's trusted range,
less what buildings hide, where they are known. There are two a camera: of the ground, and above
roofs: where a column of smoke would be seen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from shapely import area, difference, get_parts, make_valid, polygons, union_all
from shapely.geometry.base import BaseGeometry

from contracts import Area, CameraPose, MultiPolygon, Polygon
from geo.buildings import Buildings
from geo.camera import PinholeCamera
from geo.projection import LocalProjection

Floats = NDArray[np.float64]

COLUMN_M = 25.0
"""Height of a column of smoke over the ground that is looked for: it clears roofs by as much as it
takes to be told from a kitchen's, and comes within minutes."""
SMOKE_RANGES = 4.0
"""Smoke is large: it is found at so many times the range that a camera is trusted with."""
DRAWN_TO_M = 0.1
"""How far the border that others are told may lie off: a straight side then has two ends, and the
thousands of views of a city half the size."""
SLIVER_M2 = 1.0
"""Less than this, seen between two buildings, is no view."""


def ground_ring(camera: PinholeCamera, a_side: int = 12) -> Floats | None:
    """The border of a field of view in metres, ``(4 a_side, 2)``; None for a look at the sky."""
    w, h = float(camera.width_px), float(camera.height_px)
    t = np.arange(a_side) / a_side
    zero = np.zeros(a_side)
    u = np.concatenate((w * t, zero + w, w * (1 - t), zero))
    v = np.concatenate((zero + h, h * (1 - t), zero, h * t))
    rho, beta = camera.look(u, v)
    if rho.max() <= 1 / camera.range_m:
        return None
    ranges = 1 / np.maximum(rho, 1 / camera.range_m)
    ring = np.column_stack((np.sin(beta), np.cos(beta))) * ranges[:, None]
    return np.asarray(np.add(ring, (camera.x, camera.y)))


def view_area_m2(camera: PinholeCamera) -> float:
    """Ground within a field of view, square metres; at least that of a spot 10 m across."""
    ring = ground_ring(camera)
    return max(100.0, 0.0 if ring is None else float(area(polygons(ring))))


def column_ring(
    camera: PinholeCamera, column_m: float = COLUMN_M, turns: int = 64
) -> Floats | None:
    """The border of where some part of an upright column on the ground is in the picture, within
    `SMOKE_RANGES` of the camera's range; ``(2 turns, 2)`` metres, or None for nowhere.
    """
    w, h = float(camera.width_px), float(camera.height_px)
    t = np.linspace(0, 1, 24, endpoint=False)
    zero = np.zeros(len(t))
    rho, beta = camera.look(
        np.concatenate((w * t, zero + w, w * (1 - t), zero)),
        np.concatenate((zero + h, h * (1 - t), zero, h * t)),
    )
    climb = -rho * camera.h
    below, above = (
        camera.project(np.array([[camera.x, camera.y, up]]))[1][0]
        for up in (camera.h - 1.0, camera.h + 1.0)
    )
    bearings = camera.yaw + np.remainder(beta - camera.yaw + np.pi, 2 * np.pi) - np.pi
    if below or above:
        around = np.linspace(-np.pi, np.pi, turns) + camera.yaw
    else:
        around = np.linspace(bearings.min(), bearings.max(), turns)
    # Where the bearing of each segment of the picture's border is passed, and how steeply.
    start, end = bearings, np.roll(bearings, -1)
    step = np.remainder(end - start + np.pi, 2 * np.pi) - np.pi
    share = (np.remainder(around[:, None] - start + np.pi, 2 * np.pi) - np.pi) / np.where(
        np.abs(step) < 1e-12, 1e-12, step
    )
    passed = (share >= -1e-6) & (share <= 1 + 1e-6)
    steep = climb + share * (np.roll(climb, -1) - climb)
    lowest = np.where(passed, steep, np.inf).min(axis=1)
    highest = np.where(passed, steep, -np.inf).max(axis=1)
    if below:
        lowest[:] = -np.inf
    if above:
        highest[:] = np.inf
    reach = SMOKE_RANGES * camera.range_m
    over = column_m - camera.h
    with np.errstate(divide="ignore", invalid="ignore"):
        nearest = np.where((lowest < 0) & (over < 0), over / lowest, 0.0)
        farthest = np.where(highest < 0, -camera.h / highest, reach)
        farthest = np.where(lowest > 0, max(over, 0.0) / lowest, farthest)
    nearest, farthest = np.minimum(nearest, reach), np.minimum(farthest, reach)
    farthest = np.where(np.isfinite(lowest) | below, farthest, nearest)
    if np.all(farthest - nearest < 1e-3):
        return None
    farthest = np.maximum(farthest, nearest)
    along = np.column_stack((np.sin(around), np.cos(around)))
    ring = np.concatenate((along * farthest[:, None], (along * nearest[:, None])[::-1]))
    return np.asarray(np.add(ring, (camera.x, camera.y)))


def seen_area(
    camera: PinholeCamera, buildings: Buildings | None = None, *, above_roofs: bool = False
) -> BaseGeometry | None:
    """What a camera sees of the plane in metres; None where that is nothing.

    Args:
        camera: In the plane of the buildings.
        buildings: What may stand between.
        above_roofs: Where a column of smoke `COLUMN_M` high would be seen, instead of the ground.
    """
    ring = column_ring(camera) if above_roofs else ground_ring(camera)
    if ring is None:
        return None
    whole = polygons(ring)
    return unhidden(camera, whole if whole.is_valid else make_valid(whole), buildings, above_roofs)


def unhidden(
    camera: PinholeCamera, whole: BaseGeometry, buildings: Buildings | None, above_roofs: bool
) -> BaseGeometry | None:
    """What is left of a field of view where buildings stand; None for nothing."""
    if buildings is None:
        return whole
    hidden = buildings.shadows(
        (camera.x, camera.y), camera.h, whole, COLUMN_M if above_roofs else 0.0
    )
    if hidden is None:
        return whole
    parts = get_parts(difference(whole, hidden))
    parts = parts[area(parts) >= SLIVER_M2]
    return None if len(parts) == 0 else union_all(parts)


def visible_area(
    pose: CameraPose,
    projection: LocalProjection,
    buildings: Buildings | None = None,
    *,
    above_roofs: bool = False,
) -> Area | None:
    """`seen_area` of a registered camera in WGS 84."""
    camera = PinholeCamera.from_pose(pose, projection)
    seen = seen_area(camera, buildings, above_roofs=above_roofs)
    return None if seen is None else projection.area(seen.simplify(DRAWN_TO_M))


def visibility_polygon(
    pose: CameraPose, projection: LocalProjection | None = None
) -> Polygon | None:
    """The ground that a camera would show if nothing stood in between, in WGS 84; None where it
    shows none within its range.

    Many cameras of one city are best given the city's ``projection``: one of its own for each takes
    longer than all the rest.
    """
    found = visible_area(pose, projection or LocalProjection(pose.position))
    if isinstance(found, MultiPolygon):
        # A ring that crosses itself at the nadir falls into parts; the largest is the view.
        found = Polygon(max(found.coordinates, key=lambda part: _size(part[0])))
    return found


def _size(ring: tuple[tuple[float, float], ...]) -> float:
    points = np.array(ring)
    x, y = points[:, 0], points[:, 1]
    return abs(float(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1]))) / 2
