"""Which street a place lies at, or at which crossing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import shapely

from contracts import LonLat
from geo.places import PlaceKind, named_shapes
from geo.projection import LocalProjection

SPOT_WITHIN_M = 35.0
"""About half of a large crossing: so close to a spot with a name, it says more than its street."""
STREET_WITHIN_M = 150.0
"""A block's depth: farther off nobody would name the street."""


class StreetIndex:
    """The named streets and spots of GeoJSON FeatureCollections in WGS 84. Immutable; safe between
    threads."""

    def __init__(
        self, collections: Iterable[Mapping[str, Any]], projection: LocalProjection
    ) -> None:
        """What has no name or no usable shape is left out, since a background need not be
        perfect."""
        self._projection = projection
        self._names: list[str] = []
        shapes, reach_m = [], []
        for name, kind, plane in named_shapes(collections, projection):
            if kind is not PlaceKind.AREA:
                self._names.append(name)
                shapes.append(plane)
                reach_m.append(SPOT_WITHIN_M if kind is PlaceKind.SPOT else STREET_WITHIN_M)
        self._tree = shapely.STRtree(shapes)
        self._reach_m = np.asarray(reach_m)

    def __len__(self) -> int:
        return len(self._names)

    def name_of(self, place: LonLat) -> str:
        """The spot near a place, else the nearest street; empty where neither is near."""
        point = shapely.Point(*self._projection.point(place))
        near = self._tree.query(point, predicate="dwithin", distance=STREET_WITHIN_M)
        if near.size == 0:
            return ""
        distance_m = shapely.distance(self._tree.geometries[near], point)
        is_spot = self._reach_m[near] == SPOT_WITHIN_M
        distance_m[is_spot & (distance_m > SPOT_WITHIN_M)] = np.inf
        # A spot that is near comes before every street.
        order = np.lexsort((distance_m, ~is_spot | np.isinf(distance_m)))
        best = order[0]
        return self._names[near[best]] if np.isfinite(distance_m[best]) else ""
