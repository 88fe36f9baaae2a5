"""Which units are nearest: engines, ambulances, patrols, wherever they last reported from."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from contracts import LonLat
from geo.projection import LocalProjection, bearing_deg_of


@dataclass(frozen=True, slots=True)
class PlacedUnit:
    """A unit at its last known place; ``kind`` is what a dispatcher calls it."""

    id: str
    kind: str
    place: LonLat


@dataclass(frozen=True, slots=True)
class NearUnit:
    """A unit and how far off it is, as the crow flies."""

    unit: PlacedUnit
    distance_m: float
    bearing_deg: float
    """True bearing from the place to the unit."""


class UnitIndex:
    """Answers "which fitting units are nearest". Immutable: units move, so it is rebuilt and
    swapped whole; a thousand take about a millisecond.
    """

    def __init__(self, units: Iterable[PlacedUnit], projection: LocalProjection) -> None:
        self._projection = projection
        by_kind: dict[str, list[PlacedUnit]] = {}
        for unit in units:
            by_kind.setdefault(unit.kind, []).append(unit)
        self._kinds: dict[str, tuple[list[PlacedUnit], NDArray[np.float64], cKDTree]] = {}
        for kind, fitting in by_kind.items():
            lon = np.array([unit.place.lon for unit in fitting])
            lat = np.array([unit.place.lat for unit in fitting])
            xy = np.column_stack(projection.to_xy(lon, lat))
            self._kinds[kind] = fitting, xy, cKDTree(xy)

    def __len__(self) -> int:
        return sum(len(units) for units, _, _ in self._kinds.values())

    def nearest(
        self,
        lon: float,
        lat: float,
        kinds: Collection[str] | None = None,
        most: int = 3,
        within_m: float = np.inf,
    ) -> list[NearUnit]:
        """The nearest units of these kinds (of any where none are named), nearest first.

        Raises:
            PlaceError: the place can't be meant.
        """
        x, y = self._projection.to_xy(lon, lat)
        found: list[tuple[float, str, PlacedUnit, NDArray[np.float64]]] = []
        for kind in self._kinds if kinds is None else kinds:
            if kind not in self._kinds or most < 1:
                continue
            units, xy, tree = self._kinds[kind]
            away, which = tree.query((x, y), k=np.arange(1, min(most, len(units)) + 1))
            found += [
                (float(metres), units[i].id, units[i], xy[i])
                for metres, i in zip(np.atleast_1d(away), np.atleast_1d(which), strict=True)
                if metres <= within_m
            ]
        north = self._projection.convergence_rad(x, y)
        return [
            NearUnit(
                unit,
                metres,
                float(bearing_deg_of(np.arctan2(at[0] - x, at[1] - y) - north)),
            )
            for metres, _, unit, at in sorted(found, key=lambda one: one[:2])[:most]
        ]
