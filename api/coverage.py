"""How much of the city its cameras see, worked out once a change of the cameras."""

from __future__ import annotations

import asyncio
from typing import Any

import shapely

from api.camera_view import CameraView
from api.wire import plain
from contracts import Area, to_plain
from geo.areas import AreaIndex
from geo.coverage import CoverageOf, coverage, simplified
from geo.projection import LocalProjection
from geo.visibility import VisibilityIndex

MOST_POSITIONS = 20_000
"""Of the gaps: about half a megabyte, and more than a map of the city can show."""


class CoverageView:
    """Answers about coverage. One a process."""

    def __init__(
        self,
        cameras: CameraView,
        projection: LocalProjection,
        radius_m: float,
        areas: AreaIndex | None,
    ) -> None:
        """``projection`` is the cameras'; ``radius_m`` the city's, for want of anything better."""
        self._cameras = cameras
        self._projection = projection
        self._radius_m = radius_m
        self._areas = {} if areas is None else areas.outlines()
        self._lock = asyncio.Lock()
        self._kept: dict[bool, tuple[VisibilityIndex, bytes]] = {}

    async def of(self, exercise: bool) -> bytes:
        """The encoded answer about one partition's enabled cameras."""
        # One at a time: who asks while it is worked out waits for that answer.
        async with self._lock:
            index = await self._cameras.index(exercise)
            kept = self._kept.get(exercise)
            if kept is None or kept[0] is not index:
                kept = index, await asyncio.to_thread(self._encoded, index)
                self._kept[exercise] = kept
            return kept[1]

    def _encoded(self, index: VisibilityIndex) -> bytes:
        views = index.shapes
        outline, city = self._city(index)
        found = coverage(views, city, self._projection, self._areas)
        gaps, tolerance_m = found.city.gaps, 0.0
        if gaps is not None:
            gaps, tolerance_m = simplified(gaps, self._projection, MOST_POSITIONS)
        return plain(
            {
                "outline": outline,
                "cameras": found.cameras,
                "city": _item(found.city),
                "areas": [_item(one) for one in found.areas],
                "gaps": None if gaps is None else to_plain(gaps),
                "gaps_tolerance_m": tolerance_m,
            }
        )

    def _city(self, index: VisibilityIndex) -> tuple[str, Area]:
        """The city's outline, and what it is from.

        The radius refuses positions that can't be meant and reaches far beyond the city: shares of
        its disc would tell nothing, so it comes last.
        """
        if self._areas:
            plane = shapely.union_all([self._projection.plane(one) for one in self._areas.values()])
            source = "areas"
        elif len(index):
            plane, source = shapely.union_all(index.shapes).convex_hull, "cameras"
        else:
            plane, source = shapely.Point(0, 0).buffer(self._radius_m), "radius"
        city = self._projection.area(plane)
        if city is None:
            raise ValueError("the configured areas have no extent")
        return source, city


def _item(one: CoverageOf) -> dict[str, Any]:
    return {
        "name": one.name,
        "area_m2": one.area_m2,
        "share": one.share,
        "share_by_cameras": list(one.share_by_cameras),
    }
