"""Where a caller is by several positions, some late, some old, some contradicting the others.

Positions of one phone err together, so those that agree are not multiplied: the most precise of
them speaks for all. Those that contradict each other can't all be right, and which of them is
wrong can't be told: each group stays as a possibility, the later the likelier, so that the place
widens to hold them all. An older position is blurred by how far a caller may have walked since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contracts import CallerFix
from geo.callers import caller_place
from geo.mixture import Mixture
from geo.projection import LocalProjection

WALK_M_S = 0.5
"""One sigma a coordinate: most callers stay where the emergency is, some walk about it. Those who
drive show as positions that contradict each other."""
MOST_WALKED_M = 300.0
HALF_LIFE_S = 120.0
"""A position this much older than the newest counts half in a contradiction."""
LEAST_WEIGHT = 1e-3
CONTRADICTION = 9.21
"""Squared distance in sigmas below which 99 of 100 pairs of right positions stay."""


@dataclass(slots=True)
class _Group:
    """Positions that agree: the most precise of them, and the weight of them all."""

    place: Mixture
    weight: float

    def take(self, place: Mixture, weight: float) -> None:
        if np.trace(place.covariance) < np.trace(self.place.covariance):
            self.place = place
        self.weight += weight


def place_of_fixes(fixes: Sequence[CallerFix], projection: LocalProjection) -> Mixture:
    """The caller's place at the time of the newest position, as Gaussians in metres.

    The order in which positions arrived doesn't matter, the times that they state do.

    Raises:
        ValueError: there are no fixes.
    """
    if not fixes:
        raise ValueError("a place needs at least one position")
    newest_first = sorted(fixes, key=lambda fix: (fix.positioned_at, fix.id), reverse=True)
    groups: list[_Group] = []
    for fix in newest_first:
        age_s = (newest_first[0].positioned_at - fix.positioned_at).total_seconds()
        weight = max(0.5 ** (age_s / HALF_LIFE_S), LEAST_WEIGHT)
        place = _since(caller_place(fix.shape, fix.confidence, projection), age_s)
        apart = [_distance2(place, group.place) for group in groups]
        nearest = int(np.argmin(apart)) if apart else -1
        if apart and apart[nearest] <= CONTRADICTION:
            groups[nearest].take(place, weight)
        else:
            groups.append(_Group(place, weight))
    return _either([group.place for group in groups], [group.weight for group in groups])


def _since(place: Mixture, age_s: float) -> Mixture:
    walked_m = min(WALK_M_S * age_s, MOST_WALKED_M)
    return place.blurred([walked_m], [1.0]) if walked_m > 0 else place


def _distance2(one: Mixture, other: Mixture) -> float:
    off = one.mean - other.mean
    return float(off @ np.linalg.solve(one.covariance + other.covariance, off))


def _either(places: Sequence[Mixture], weights: Sequence[float]) -> Mixture:
    if len(places) == 1:
        return places[0]
    share = np.log(np.asarray(weights) / np.sum(weights))
    return Mixture(
        np.concatenate(
            [place.log_weights + part for place, part in zip(places, share, strict=True)]
        ),
        np.concatenate([place.means for place in places]),
        np.concatenate([place.covariances for place in places]),
    )
