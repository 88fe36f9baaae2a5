"""How a hazard's events fall on a city's areas: floods come where the river does."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from shapely import contains_xy, prepare, union_all
from shapely.geometry.base import BaseGeometry

from contracts import ContractError, Hazard
from geo.areas import AreaIndex
from geo.mixture import Mixture
from geo.projection import LocalProjection

CELL_M = 100.0
"""An event is hardly ever placed better by its first report, and a look-up costs microseconds."""
MOST_CELLS_A_SIDE = 1_000


class AreaRates:
    """How many times the city's mean rate a hazard's is, by area; 1 outside those that are named.

    A name is an area's own (``Kayuringin, Bekasi Selatan``) or that of the larger one around it
    (``Bekasi Selatan``); of both the area's own counts.

    Raises:
        ContractError: an area that isn't there, or a factor that is not above 0; says which.
    """

    def __init__(
        self,
        factors: Mapping[str, Mapping[Hazard, float]],
        areas: AreaIndex,
        projection: LocalProjection,
    ) -> None:
        outlines = {name: projection.plane(area) for name, area in areas.outlines().items()}
        known: list[tuple[float, str, BaseGeometry]] = []
        for name, by_hazard in factors.items():
            for hazard, factor in by_hazard.items():
                if not 0 < factor < math.inf:
                    raise ContractError(f"{name}.{hazard}", "must be above 0")
            parts = [plane for other, plane in outlines.items() if _is_of(name, other)]
            if not parts:
                raise ContractError(name, "there is no area of this name in city.areas")
            whole = union_all(parts)
            known.append((-whole.area, name, whole))
        # The larger first, so that what lies within it is written over it.
        known.sort(key=lambda row: row[:2])
        self._area_of, self._corner = _grid([outline for _, _, outline in known])
        self._factors = {
            hazard: np.array([1.0, *(factors[name].get(hazard, 1.0) for _, name, _ in known)])
            for hazard in Hazard
        }

    def log_factor(self, hazard: Hazard, place: Mixture) -> float:
        """Log of how many times its mean rate the hazard's is where an event may be."""
        cells = np.floor((place.means - self._corner) / CELL_M).astype(int)
        inside = np.all((cells >= 0) & (cells < self._area_of.shape), axis=1)
        numbers = np.zeros(len(cells), dtype=int)
        numbers[inside] = self._area_of[cells[inside, 0], cells[inside, 1]]
        return math.log(float(place.weights @ self._factors[hazard][numbers]))


def _is_of(name: str, area: str) -> bool:
    return area == name or area.endswith(f", {name}")


def _grid(outlines: list[BaseGeometry]) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """The number of the area, from 1, in which each cell's middle lies; and the grid's corner."""
    if not outlines:
        return np.zeros((0, 0), dtype=int), np.zeros(2)
    west, south, east, north = union_all(outlines).bounds
    columns, rows = (
        min(MOST_CELLS_A_SIDE, max(1, math.ceil(side / CELL_M)))
        for side in (east - west, north - south)
    )
    xs = west + CELL_M * (np.arange(columns) + 0.5)
    ys = south + CELL_M * (np.arange(rows) + 0.5)
    x, y = np.meshgrid(xs, ys, indexing="ij")
    found = np.zeros((columns, rows), dtype=int)
    for number, outline in enumerate(outlines, start=1):
        prepare(outline)
        found[contains_xy(outline, x, y)] = number
    return found, np.array([west, south])
