"""What cameras see of the ground, and which cameras see a place.

A field of view is the part of the ground that the picture shows within the camera's trusted range,
as if nothing stood in between.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely import Point, STRtree, area, intersection, is_valid, make_valid, polygons

from contracts import CameraId, CameraPose, LonLat, MultiPolygon, Polygon
from geo.camera import PinholeCamera
from geo.projection import LocalProjection, bearing_deg_of

Floats = NDArray[np.float64]

TARGET_M = 2.0
"""Size of what is looked for: a car's height, a small fire's."""
HALF_SEEN_PX = 24.0
"""A target of this many pixels is found half the time, in a picture 640 wide as detectors get."""


LEAST_DISC_M = 0.1
"""A smaller disc is a point."""


@dataclass(frozen=True, slots=True)
class RankedCamera:
    """A camera that sees a place. ``probability``: that its detector finds a hazard there."""

    camera_id: CameraId
    probability: float
    distance_m: float
    bearing_deg: float
    """True bearing from the camera to the place."""


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


def visibility_polygon(pose: CameraPose) -> Polygon | None:
    """The ground that a camera shows, in WGS 84; None where it shows none within its range."""
    projection = LocalProjection(pose.position)
    ring = ground_ring(PinholeCamera.from_pose(pose, projection))
    if ring is None:
        return None
    plane = polygons(ring)
    found = projection.area(plane if plane.is_valid else make_valid(plane))
    if isinstance(found, MultiPolygon):
        # A ring that crosses itself at the nadir falls into parts; the largest is the view.
        found = Polygon(max(found.coordinates, key=lambda part: _size(part[0])))
    return found


@dataclass(frozen=True, slots=True)
class View:
    """One camera's field of view, ready for the index; it holds while the pose holds."""

    camera_id: CameraId
    xy: tuple[float, float]
    height_m: float
    pixels_m: float
    """Pixels of a `TARGET_M` target at 1 m, in a picture 640 wide."""
    ring: Floats
    north: float
    """True north in the plane at the camera, radians."""

    @classmethod
    def of(cls, camera_id: CameraId, camera: PinholeCamera) -> View | None:
        """None for a camera that shows no ground within its range."""
        ring = ground_ring(camera)
        if ring is None:
            return None
        pixels_m = camera.f_px * 640 / camera.width_px * TARGET_M
        return cls(camera_id, (camera.x, camera.y), camera.h, pixels_m, ring, camera.north)


class VisibilityIndex:
    """Answers "which cameras see this place, best first". Immutable: rebuilt and swapped whole."""

    def __init__(self, projection: LocalProjection, views: Sequence[View]) -> None:
        self._projection = projection
        self._ids = [view.camera_id for view in views]
        rings = np.array([view.ring for view in views])
        self._shapes = polygons(rings) if len(views) else np.empty(0, dtype=object)
        crossed = ~is_valid(self._shapes)
        self._shapes[crossed] = make_valid(self._shapes[crossed])
        self._xy = np.array([view.xy for view in views]).reshape(-1, 2)
        self._pixels_m = np.array([view.pixels_m for view in views])
        self._heights = np.array([view.height_m for view in views])
        self._north = np.array([view.north for view in views])
        self._tree = STRtree(self._shapes)

    @classmethod
    def build(
        cls,
        cameras: Mapping[CameraId, CameraPose],
        projection: LocalProjection | None = None,
    ) -> VisibilityIndex:
        """Of all cameras that show some ground; the projection defaults to their middle's."""
        if projection is None:
            projection = LocalProjection(_middle(cameras))
        found = (
            View.of(camera_id, PinholeCamera.from_pose(pose, projection))
            for camera_id, pose in cameras.items()
        )
        return cls(projection, [view for view in found if view is not None])

    def __len__(self) -> int:
        return len(self._ids)

    def cameras_seeing(
        self, lon: float, lat: float, radius_m: float = 0.0, most: int | None = None
    ) -> list[RankedCamera]:
        """The cameras that show a point or a part of a disc, most probable finder first.

        The probability is the share of the disc in view times the chance that a target there has
        pixels enough to be found.
        """
        x, y = self._projection.to_xy(lon, lat)
        if radius_m < LEAST_DISC_M:
            found = self._tree.query(Point(x, y), predicate="intersects")
            share = np.ones(len(found))
        else:
            disc = Point(x, y).buffer(radius_m, quad_segs=6)
            found = self._tree.query(disc, predicate="intersects")
            share = area(intersection(self._shapes[found], disc)) / disc.area
        off = np.array((x, y)) - self._xy[found]
        level = np.hypot(off[:, 0], off[:, 1])
        # A disc is looked for where it is nearest on average, not at its centre under the mast.
        slant = np.sqrt(level**2 + self._heights[found] ** 2 + radius_m**2 / 4)
        pixels = self._pixels_m[found] / slant
        chance = np.clip(share * (1 - 0.5 ** (pixels / HALF_SEEN_PX)), 0.0, 1.0)
        bearings = bearing_deg_of(np.arctan2(off[:, 0], off[:, 1]) - self._north[found])
        order = np.lexsort((found, -chance))[:most]
        return [
            RankedCamera(self._ids[found[i]], float(chance[i]), float(level[i]), float(bearings[i]))
            for i in order
        ]


def _middle(cameras: Mapping[CameraId, CameraPose]) -> LonLat:
    """The mean direction from the earth's centre, so that the antimeridian is no seam."""
    if not cameras:
        return LonLat(0.0, 0.0)
    lon = np.radians([pose.position.lon for pose in cameras.values()])
    lat = np.radians([pose.position.lat for pose in cameras.values()])
    x, y, z = (
        (np.cos(lat) * np.cos(lon)).sum(),
        (np.cos(lat) * np.sin(lon)).sum(),
        np.sin(lat).sum(),
    )
    return LonLat(math.degrees(math.atan2(y, x)), math.degrees(math.atan2(z, math.hypot(x, y))))


def _size(ring: tuple[tuple[float, float], ...]) -> float:
    points = np.array(ring)
    x, y = points[:, 0], points[:, 1]
    return abs(float(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1]))) / 2
