"""How probably two incidents, or a call and an incident, are about one event.

For people who decide, from what an estimate says alone (fusion itself weighs every report). With
hazards ``p``, rates ``mu``, places as Gaussians and the density ``f`` of a delay::

    B = sum_h p1(h) p2(h) / mu_h * N(d; S1 + S2) * f_h(dt)

are the odds that one event explains both against two that know nothing of one another. Events breed
events nearby, though not within themselves, so two of them are ``r`` times as probable
(`laws.rate_beside`). With ``Z = p / (1 - p)`` of each, they are the same with ``Z1 Z2 B``, against
neither (1), one of them (``Z1``, ``Z2``) and both (``Z1 Z2 r``): what is hardly there is hardly the
same as anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from contracts import Estimate, FixShape, Hazard, IncidentId
from geo.callers import caller_place, stood_off
from geo.fusion.laws import DAY_S, rate_beside
from geo.fusion.parameters import FusionParameters
from geo.mixture import Mixture
from geo.projection import LocalProjection
from geo.regions import sigmas_of

KM2_M2 = 1e6
LEAST_SIGMA_M = 5.0
LEAST_DOUBT = 1e-6


@dataclass(frozen=True, slots=True)
class Likeness:
    """Another incident, the probability that it is the same event, and how far off it is."""

    incident_id: IncidentId
    probability: float
    distance_m: float


@dataclass(frozen=True, slots=True)
class _Event:
    place: Mixture
    at: NDArray[np.float64]
    hazards: Mapping[Hazard, float]
    started_at: datetime
    last_at: datetime


class Likenesses:
    """Compares events of one city."""

    def __init__(self, parameters: FusionParameters, projection: LocalProjection) -> None:
        self._parameters = parameters
        self._projection = projection

    def of_incidents(
        self, one: Estimate, others: Iterable[tuple[IncidentId, Estimate]]
    ) -> list[Likeness]:
        """Every other incident, the likeliest first; exercise and reality are never alike."""
        event = self._event(one)
        found = [
            Likeness(
                incident_id,
                _same(one.probability, estimate.probability, odds, beside),
                math.dist(event.at, other.at),
            )
            for incident_id, estimate in others
            if estimate.exercise is one.exercise
            for other in [self._event(estimate)]
            for odds, beside in [self._odds(event, other)]
        ]
        return _sorted(found)

    def of_call(
        self,
        hazard: Hazard | None,
        shape: FixShape,
        confidence: float,
        at: datetime,
        incidents: Iterable[tuple[IncidentId, Estimate]],
    ) -> list[Likeness]:
        """Incidents that a call may be about, the likeliest first.

        It is about one of them or about something new, so the probabilities sum to less than 1.
        """
        caller = caller_place(shape, confidence, self._projection)
        place = stood_off(caller, hazard, self._parameters.standoff_factor)
        call = _Event(place, caller.mean, self._naming(hazard), at, at)
        weighed = []
        for incident_id, estimate in incidents:
            event = self._event(estimate)
            odds, beside = self._odds(call, event)
            weighed.append((incident_id, event, estimate.probability * odds / beside))
        total = 1 + sum(weight for _, _, weight in weighed)
        return _sorted(
            Likeness(incident_id, weight / total, math.dist(call.at, event.at))
            for incident_id, event, weight in weighed
        )

    def _naming(self, stated: Hazard | None) -> dict[Hazard, float]:
        """What a call is about, by what its caller says."""
        p = self._parameters
        weights = {
            hazard: p.rate(hazard) * p.calls_per_event(hazard) * p.naming(stated, hazard)
            for hazard in Hazard
        }
        total = sum(weights.values())
        return {hazard: weight / total for hazard, weight in weights.items()}

    def _event(self, estimate: Estimate) -> _Event:
        plane = self._projection.plane(estimate.region90.area)
        # A disc as large as the region, which holds the event with the region's confidence.
        radius = math.sqrt(plane.area / math.pi)
        sigma = max(radius / sigmas_of(estimate.region90.confidence), LEAST_SIGMA_M)
        at = np.asarray(self._projection.point(estimate.location), dtype=np.float64)
        return _Event(
            Mixture.single(at, sigma**2 * np.eye(2)),
            at,
            dict(estimate.hazard_probabilities) or {estimate.hazard: 1.0},
            estimate.started_at,
            estimate.last_report_at,
        )

    def _odds(self, one: _Event, other: _Event) -> tuple[float, float]:
        """``B`` and ``r`` of the module's text."""
        p = self._parameters
        near = _overlap(one.place, other.place, 0.0)
        gap_days = _gap_s(one, other) / DAY_S
        odds = near * sum(
            share
            * other.hazards.get(hazard, 0.0)
            / p.rate(hazard)
            * math.exp(-gap_days / p.delay_days(hazard))
            / p.delay_days(hazard)
            for hazard, share in one.hazards.items()
        )
        beside = rate_beside(
            lambda variance_m2: _overlap(one.place, other.place, math.sqrt(variance_m2)),
            gap_days,
            one.hazards,
            other.hazards,
            p,
        )
        return odds, beside


def _same(one: float, other: float, odds: float, beside: float) -> float:
    first, second = (p / max(1 - p, LEAST_DOUBT) for p in (one, other))
    both = first * second
    return both * odds / (1 + first + second + both * beside + both * odds)


def _gap_s(one: _Event, other: _Event) -> float:
    """Between the two, where one was over (as far as is known) before the other began."""
    first, second = sorted((one, other), key=lambda event: event.started_at)
    return max(0.0, (second.started_at - first.last_at).total_seconds())


def _overlap(one: Mixture, other: Mixture, sigma_m: float) -> float:
    """The density, per km2, of two places being one, where they may be ``sigma_m`` apart."""
    blurred = other.blurred([sigma_m], [1.0]) if sigma_m > 0 else other
    return math.exp(one.product(blurred)[0]) * KM2_M2


def _sorted(found: Iterable[Likeness]) -> list[Likeness]:
    return sorted(found, key=lambda one: (-one.probability, one.distance_m, one.incident_id))
