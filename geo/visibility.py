"""Which cameras see a place, best first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely import (
    Point,
    STRtree,
    area,
    intersection,
    is_valid,
    make_valid,
    points,
    polygons,
)
from shapely.geometry.base import BaseGeometry

from contracts import CameraId, CameraPose, LonLat
from geo.buildings import Buildings
from geo.camera import PinholeCamera
from geo.fields_of_view import COLUMN_M, column_ring, ground_ring, unhidden
from geo.projection import LocalProjection, PlaceError, bearing_deg_of

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
    seen: BaseGeometry | None = None
    """What of it is seen between buildings; None for all of it."""

    @classmethod
    def of(
        cls,
        camera_id: CameraId,
        camera: PinholeCamera,
        buildings: Buildings | None = None,
        *,
        above_roofs: bool = False,
    ) -> View | None:
        """None for a camera that shows nothing within its range."""
        ring = column_ring(camera) if above_roofs else ground_ring(camera)
        if ring is None:
            return None
        seen = None
        if buildings is not None:
            whole = polygons(ring)
            whole = whole if whole.is_valid else make_valid(whole)
            seen = unhidden(camera, whole, buildings, above_roofs)
            if seen is None:
                return None
            seen = None if seen is whole else seen
        pixels_m = camera.f_px * 640 / camera.width_px * (COLUMN_M if above_roofs else TARGET_M)
        return cls(camera_id, (camera.x, camera.y), camera.h, pixels_m, ring, camera.north, seen)

    @property
    def shape(self) -> BaseGeometry:
        """What is seen, in metres."""
        if self.seen is not None:
            return self.seen
        whole = polygons(self.ring)
        return whole if whole.is_valid else make_valid(whole)


class VisibilityIndex:
    """Answers "which cameras see this place, best first". Immutable: rebuilt and swapped whole."""

    def __init__(self, projection: LocalProjection, views: Sequence[View]) -> None:
        self._projection = projection
        self._ids = [view.camera_id for view in views]
        rings = np.array([view.ring for view in views])
        self._shapes = polygons(rings) if len(views) else np.empty(0, dtype=object)
        crossed = ~is_valid(self._shapes)
        self._shapes[crossed] = make_valid(self._shapes[crossed])
        for number, view in enumerate(views):
            if view.seen is not None:
                self._shapes[number] = view.seen
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
        buildings: Buildings | None = None,
        *,
        above_roofs: bool = False,
    ) -> VisibilityIndex:
        """Of all cameras that show some ground; the projection defaults to their middle's and must
        be the buildings' own.
        """
        if projection is None:
            projection = LocalProjection(_middle(cameras))
        return KnownViews(projection, buildings, above_roofs=above_roofs).index(cameras)

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def shapes(self) -> tuple[BaseGeometry, ...]:
        """What each camera sees, in the projection's metres."""
        return tuple(self._shapes)

    def cameras_seeing(
        self, lon: float, lat: float, radius_m: float = 0.0, most: int | None = None
    ) -> list[RankedCamera]:
        """The cameras that show a point or a part of a disc, most probable finder first.

        The probability is the share of the disc in view times the chance that a target there has
        pixels enough to be found.

        Raises:
            PlaceError: the place or the radius can't be meant.
        """
        if not 0 <= radius_m < math.inf:
            raise PlaceError("radius_m", f"must be a finite number, 0 or more; got {radius_m}")
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

    def finding(self, xy: Floats) -> list[tuple[CameraId, Floats]]:
        """The cameras that show any of ``(N, 2)`` points in metres, in the order of the index, each
        with ``(N,)`` chances that a target there has pixels enough to be found.
        """
        which, found = self._tree.query(points(xy), predicate="intersects")
        chances: dict[int, Floats] = {}
        off = xy[which] - self._xy[found]
        slant = np.sqrt(np.sum(off**2, axis=1) + self._heights[found] ** 2)
        chance = 1 - 0.5 ** (self._pixels_m[found] / slant / HALF_SEEN_PX)
        for point, camera, one in zip(which, found, chance, strict=True):
            chances.setdefault(int(camera), np.zeros(len(xy)))[point] = one
        return [(self._ids[camera], chances[camera]) for camera in sorted(chances)]


class KnownViews:
    """Makes indexes one after another, and works a view out once a pose: between buildings that
    takes 2 ms, and one camera's change mustn't cost a city's. For one thread at a time.
    """

    def __init__(
        self,
        projection: LocalProjection,
        buildings: Buildings | None = None,
        *,
        above_roofs: bool = False,
    ) -> None:
        self._projection = projection
        self._buildings = buildings
        self._above_roofs = above_roofs
        self._kept: dict[CameraId, tuple[CameraPose, View | None]] = {}

    def index(self, cameras: Mapping[CameraId, CameraPose]) -> VisibilityIndex:
        """An index of exactly these cameras."""
        self._kept = {camera_id: self._of(camera_id, pose) for camera_id, pose in cameras.items()}
        return VisibilityIndex(
            self._projection, [view for _, view in self._kept.values() if view is not None]
        )

    def _of(self, camera_id: CameraId, pose: CameraPose) -> tuple[CameraPose, View | None]:
        known = self._kept.get(camera_id)
        if known is not None and known[0] == pose:
            return known
        camera = PinholeCamera.from_pose(pose, self._projection)
        return pose, View.of(camera_id, camera, self._buildings, above_roofs=self._above_roofs)


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
