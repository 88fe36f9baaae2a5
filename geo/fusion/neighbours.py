"""Which incidents are near a place: a hash of square cells."""

from __future__ import annotations

import math
from collections.abc import Iterator

from contracts import IncidentId

CELL_M = 1_000.0
MOST_CELLS_A_SIDE = 9
"""A report that may be anywhere within kilometres is looked for in this many cells a side."""


class Neighbourhood:
    """Incidents by the cells that their places reach into."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], set[IncidentId]] = {}
        self._where: dict[IncidentId, tuple[tuple[int, int], ...]] = {}

    def put(self, incident_id: IncidentId, x: float, y: float, reach_m: float) -> None:
        """Add an incident, or move it."""
        cells = tuple(_cells(x, y, reach_m))
        if self._where.get(incident_id) == cells:
            return
        self.drop(incident_id)
        self._where[incident_id] = cells
        for cell in cells:
            self._cells.setdefault(cell, set()).add(incident_id)

    def drop(self, incident_id: IncidentId) -> None:
        """Forget an incident; one that isn't there is no error."""
        for cell in self._where.pop(incident_id, ()):
            inside = self._cells[cell]
            inside.discard(incident_id)
            if not inside:
                del self._cells[cell]

    def near(self, x: float, y: float, reach_m: float) -> set[IncidentId]:
        """All incidents that share a cell with a disc."""
        found: set[IncidentId] = set()
        for cell in _cells(x, y, reach_m):
            found |= self._cells.get(cell, set())
        return found


def _cells(x: float, y: float, reach_m: float) -> Iterator[tuple[int, int]]:
    reach = min(reach_m, MOST_CELLS_A_SIDE / 2 * CELL_M)
    for column in range(math.floor((x - reach) / CELL_M), math.floor((x + reach) / CELL_M) + 1):
        for row in range(math.floor((y - reach) / CELL_M), math.floor((y + reach) / CELL_M) + 1):
            yield column, row
