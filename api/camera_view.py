"""The cameras in memory: which of them see a place, and the form in which readers get them.

Follows the log like any reader: entries about cameras mark it stale, and the next question reads
the register anew. So it is never older than the log entry that a reader has seen. `CameraView.run`
readies it when the application starts.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from shapely import Point
from shapely.geometry.base import BaseGeometry

from api.wire import EncodedEntry, members
from contracts import (
    Area,
    Camera,
    CameraHealth,
    CameraId,
    CameraPose,
    Disc,
    FixShape,
    Hazard,
    LogEntry,
    LogKind,
    Sector,
    to_json,
)
from geo.buildings import Buildings
from geo.callers import sector_outline
from geo.fields_of_view import visibility_polygon, visible_area
from geo.projection import LocalProjection
from geo.sights import KnownSights, Sights
from geo.visibility import RankedCamera, VisibilityIndex
from plumbing.logs import get_logger

MOST_RANKED = 20
"""Cameras given for a call: more than anybody looks at."""
PORTION = 40
PAUSE_S = 0.005
"""What is worked out before anybody asks goes by portions with a pause behind each, so that the
first pages asked for come between."""
DESKS_FIRST_S = 5.0
"""After a restart every desk comes back at once; which cameras see a caller is readied after that,
unless a caller comes first."""
_REBUILD_ON = frozenset({LogKind.CAMERA_SAVED, LogKind.CAMERA_REMOVED})
_log = get_logger(__name__)


class FieldsOfView:
    """Encoded fields of view, worked out once a version of a camera."""

    def __init__(self, projection: LocalProjection, buildings: Buildings | None) -> None:
        self._projection = projection
        self._buildings = buildings
        self._kept: dict[CameraId, tuple[int, bytes]] = {}
        # The first reader comes while a restarted server is still at it: twice the same work in two
        # threads takes both of them twice as long.
        self._turn = asyncio.Lock()

    def of(self, camera: Camera) -> bytes:
        """GeoJSON Polygon (MultiPolygon where buildings part it), or ``null`` where the camera has
        no pose or shows no ground.
        """
        known = self._known(camera)
        if known is None:
            area = None if camera.pose is None else self._area(camera.pose)
            known = b"null" if area is None else to_json(area)
            self._kept[camera.id] = (camera.version, known)
        return known

    def _known(self, camera: Camera) -> bytes | None:
        version, encoded = self._kept.get(camera.id, (None, b""))
        return encoded if version == camera.version else None

    def _area(self, pose: CameraPose) -> Area | None:
        if self._buildings is None:
            return visibility_polygon(pose, self._projection)
        return visible_area(pose, self._projection, self._buildings)

    async def work_out(self, cameras: Sequence[Camera]) -> None:
        """Work out in a thread what `of` would otherwise hold everybody up for: a quarter of a
        millisecond a camera, 2 where buildings are known."""
        async with self._turn:
            new = [camera for camera in cameras if self._known(camera) is None]
            if new:
                await asyncio.to_thread(lambda: [self.of(camera) for camera in new])

    def forget_all_but(self, cameras: Sequence[Camera]) -> None:
        """Drop what belongs to cameras that are no more."""
        there = {camera.id for camera in cameras}
        for camera_id in [one for one in list(self._kept) if one not in there]:
            self._kept.pop(camera_id, None)


def camera_item(camera: Camera, health: CameraHealth | None, field_of_view: bytes) -> bytes:
    """A camera as lists and snapshots hold it."""
    return members(
        camera=to_json(camera),
        health=b"null" if health is None else to_json(health),
        field_of_view=field_of_view,
    )


@dataclass(frozen=True, slots=True)
class _Indexes:
    real: Sights
    exercise: Sights


class CameraView:
    """Ranks cameras for callers. One a process."""

    def __init__(
        self,
        read: Callable[[], Awaitable[list[Camera]]],
        projection: LocalProjection,
        buildings: Buildings | None = None,
    ) -> None:
        """``read`` reads the register; ``projection`` is the city's, and the buildings'."""
        self.fields = FieldsOfView(projection, buildings)
        self._known = {exercise: KnownSights(projection, buildings) for exercise in (False, True)}
        self._read = read
        self._projection = projection
        self._lock = asyncio.Lock()
        self._indexes: _Indexes | None = None
        self._changes = 0

    async def run(self) -> None:
        """Work out at the start what the first reader and the first caller would wait for."""
        try:
            cameras = await self._read()
            for first in range(0, len(cameras), PORTION):
                await self.fields.work_out(cameras[first : first + PORTION])
                await asyncio.sleep(PAUSE_S)
            await asyncio.sleep(DESKS_FIRST_S)
            await self._sights(exercise=False)
        except Exception as error:  # noqa: BLE001 - whatever the database raises, who asks works it out
            _log.warning("the cameras aren't worked out beforehand", error=str(error))

    def on_entries(self, _encoded: Sequence[EncodedEntry], entries: Sequence[LogEntry]) -> None:
        """Hear what has changed (a listener of the feed)."""
        if any(entry.kind in _REBUILD_ON for entry in entries):
            self.changed()

    def changed(self) -> None:
        """The register has changed; who changed it here need not wait for the log to say so."""
        self._changes += 1
        self._indexes = None

    async def ranked(
        self, shape: FixShape, exercise: bool, hazard: Hazard | None = None
    ) -> list[RankedCamera]:
        """The cameras that see where a caller may be, best first, of the caller's partition."""
        sights = await self._sights(exercise)
        lon, lat, radius_m = disc_around(shape, self._projection)
        return sights.cameras_seeing(lon, lat, radius_m, MOST_RANKED, hazard=hazard)

    async def index(self, exercise: bool) -> VisibilityIndex:
        """The ground in a partition's enabled cameras; the same object until cameras change."""
        return (await self._sights(exercise)).ground

    async def _sights(self, exercise: bool) -> Sights:
        indexes = self._indexes or await self._rebuilt()
        return indexes.exercise if exercise else indexes.real

    async def _rebuilt(self) -> _Indexes:
        async with self._lock:
            if self._indexes is not None:
                return self._indexes
            changes = self._changes
            cameras = await self._read()
            self.fields.forget_all_but(cameras)
            built = await asyncio.to_thread(self._build, cameras)
            if changes == self._changes:
                # Else something changed meanwhile: this one serves the question, not the next.
                self._indexes = built
            return built

    def _build(self, cameras: Sequence[Camera]) -> _Indexes:
        def of(exercise: bool) -> Sights:
            poses = {
                camera.id: camera.pose
                for camera in cameras
                if camera.pose is not None and camera.enabled and camera.exercise == exercise
            }
            return self._known[exercise].sights(poses)

        return _Indexes(of(exercise=False), of(exercise=True))


def disc_around(shape: FixShape, projection: LocalProjection) -> tuple[float, float, float]:
    """Longitude, latitude and radius in metres of a disc that stands for the shape.

    An outline's disc has the outline's area, around its middle.
    """
    if isinstance(shape, Disc):
        return shape.centre.lon, shape.centre.lat, shape.radius_m
    plane = on_plane(shape, projection)
    middle = plane.centroid
    lon, lat = projection.to_lonlat(middle.x, middle.y)
    return float(lon), float(lat), math.sqrt(plane.area / math.pi)


def on_plane(shape: FixShape, projection: LocalProjection) -> BaseGeometry:
    """The shape in metres around the city's centre; a disc is its centre."""
    if isinstance(shape, Disc):
        return Point(projection.to_xy(shape.centre.lon, shape.centre.lat))
    if isinstance(shape, Sector):
        return sector_outline(shape, projection)
    return projection.plane(shape.area)
