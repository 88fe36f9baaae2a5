"""The incidents as they stand, and which of them are near a set of evidence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from contracts import IncidentId
from geo.fusion.laws import DAY_S
from geo.fusion.neighbours import Neighbourhood
from geo.fusion.parameters import FusionParameters
from geo.fusion.scoring import Score

PACES = 40.0
"""Incidents whose last report is this many delay scales away are no candidates: under any hazard
their delay's density has fallen below a thousandth of its start."""


@dataclass(slots=True, eq=False)
class Standing:
    """One incident: its evidence, and whose it is."""

    id: IncidentId
    order: int
    score: Score
    exercise: bool
    touched: bool = False
    """A person has acted on it."""
    ended: bool = False
    counted: float = 0.0
    """What the number of calls said when it was last thought of, in nats."""


class Register:
    """All incidents in memory, oldest first."""

    def __init__(self, parameters: FusionParameters) -> None:
        self._parameters = parameters
        self._incidents: dict[IncidentId, Standing] = {}
        self._near = Neighbourhood()

    def __iter__(self) -> Iterator[Standing]:
        return iter(sorted(self._incidents.values(), key=lambda each: each.order))

    def get(self, incident_id: IncidentId | None) -> Standing | None:
        """None where it is not in memory."""
        return None if incident_id is None else self._incidents.get(incident_id)

    def put(self, incident: Standing) -> None:
        """Add an incident, or note that its place or its end has changed."""
        self._incidents[incident.id] = incident
        if incident.ended:
            self._near.drop(incident.id)
            return
        place = incident.score.place
        x, y = place.mean.tolist()
        self._near.put(incident.id, x, y, place.reach_m)

    def drop(self, incident: Standing) -> None:
        """Forget one."""
        self._near.drop(incident.id)
        del self._incidents[incident.id]

    def near(self, score: Score, besides: IncidentId | None = None) -> list[Standing]:
        """Open incidents that reach the set's place and time, bounded: those first that may best be
        of one event with it, by place, time, and whether they are an event at all. A street's lamps
        and headlights of one day would else crowd out its fire.
        """
        place = score.place
        x, y = place.mean.tolist()
        at_s = score.started_s
        found: list[tuple[float, int, Standing]] = []
        for incident_id in self._near.near(x, y, place.reach_m):
            incident = self._incidents[incident_id]
            if incident_id == besides or incident.ended:
                continue
            other = incident.score
            pace_s = DAY_S * max(self._parameters.delay_days(h) for h in other.hazards)
            gap_s = max(other.started_s - at_s, at_s - _last_s(other), 0.0)
            if gap_s > PACES * pace_s:
                continue
            off = other.place.mean - place.mean
            if math.hypot(*off) > other.place.reach_m + place.reach_m:
                continue
            (a, b), (_, d) = (other.place.covariance + place.covariance).tolist()
            det = a * d - b * b
            dx, dy = off.tolist()
            misfit = 0.5 * ((d * dx * dx - 2 * b * dx * dy + a * dy * dy) / det + math.log(det))
            # As heavy-tailed as delays are, and no further than the slowest of them.
            misfit += min(gap_s / pace_s, math.log1p(gap_s / pace_s) + 2.0)
            found.append((misfit - min(0.0, other.log_z), incident.order, incident))
        found.sort(key=lambda row: row[:2])
        return [row[2] for row in found[: self._parameters.most_candidates]]


def _last_s(score: Score) -> float:
    return max(piece.ended_s for piece in score.pieces)
