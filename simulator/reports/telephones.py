"""Who calls in a city in numbers: how many, when, from where, and what they name."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from contracts import Hazard
from geo.projection import LocalProjection
from simulator.reports.assumptions import CityAssumptions
from simulator.reports.lines import CallLine, Line
from simulator.reports.truth import TrueEvent, at

Floats = NDArray[np.float64]


class Telephones:
    """Adds calls to a city's lines, and what they are about to its truth."""

    def __init__(
        self,
        assumptions: CityAssumptions,
        random: np.random.Generator,
        projection: LocalProjection,
        lines: list[Line],
        truth: dict[str, int | None],
    ) -> None:
        self.a, self.random, self.projection = assumptions, random, projection
        self.lines, self.truth = lines, truth

    def about(self, event: TrueEvent) -> None:
        """The calls that an event causes; nobody may notice it."""
        a, random = self.a, self.random
        if random.random() > a.heard_share:
            return
        mean = a.calls_per_event.get(event.hazard, 1.2)
        wait_s = 60 * a.call_wait_min.get(event.hazard, 5.0)
        for number in range(1 + random.poisson(max(0.0, mean - 1))):
            if random.random() > a.kept_calls:
                continue
            slow = 6.0 if random.random() < a.slow_call_share else 1.0
            call_s = event.onset_s + 20 + random.exponential(wait_s * slow)
            stated: Hazard | None = event.hazard
            lot = random.random()
            if lot < a.unnamed_share:
                stated = None
            elif lot < a.unnamed_share + a.misnamed_share:
                stated = list(Hazard)[int(random.integers(len(Hazard)))]
            name = f"call-{event.number:05d}-{number}"
            self._call(name, call_s, self._caller_of(event), stated, event.number)

    def _caller_of(self, event: TrueEvent) -> Floats:
        parts = self.a.standoffs[event.hazard]
        weights = np.array([weight for weight, _ in parts])
        sigma = parts[int(self.random.choice(len(parts), p=weights / weights.sum()))][1]
        sigma *= self.a.far_factor
        if not self.a.standoff_ring:
            return np.asarray(event.xy + self.random.normal(0, sigma, 2))
        away = 0.8 * sigma * math.exp(0.6 * self.random.normal())
        turn = self.random.uniform(0, 2 * math.pi)
        return np.asarray(event.xy + away * np.array((math.cos(turn), math.sin(turn))))

    def _call(
        self, name: str, call_s: float, caller: Floats, stated: Hazard | None, truth: int | None
    ) -> None:
        lot = self.random.random()
        by_cell = lot < self.a.cell_share
        late = not by_cell and lot < self.a.cell_share + self.a.late_aml_share
        places = [self._cell(caller)] if by_cell or late else [self._phone(caller)]
        if late:
            places.append(self._phone(caller))
        for number, place in enumerate(places):
            # A later position comes as the same call again.
            wait_s = 0.0 if number == 0 else float(self.random.uniform(10, 60))
            self.lines.append(CallLine(name, at(call_s + wait_s), stated, place))
        self.truth[name] = truth

    def _phone(self, caller: Floats) -> Mapping[str, object]:
        low, high = self.a.phone_sigma_m
        sigma = float(np.exp(self.random.uniform(math.log(low), math.log(high))))
        error = sigma * (5 if self.random.random() < self.a.lying_phone_share else 1)
        confidence = float(self.random.choice([0.68, 0.9, 0.95]))
        return self._disc(self.random.normal(caller, error), sigma, confidence)

    def _cell(self, caller: Floats) -> Mapping[str, object]:
        sigma = float(self.random.uniform(*self.a.cell_sigma_m))
        if self.random.random() >= self.a.sector_share:
            confidence = float(self.random.choice([0.68, 0.95]))
            return self._disc(self.random.normal(caller, sigma), sigma, confidence)
        reach, half = 2.2 * sigma, math.radians(60)
        # The caller is somewhere in the sector, uniformly over its area.
        away, off = reach * math.sqrt(self.random.random()), self.random.uniform(-half, half)
        middle = self.random.uniform(0, 2 * math.pi)
        mast = caller - away * np.array((math.sin(middle + off), math.cos(middle + off)))
        turns = middle + np.linspace(-half, half, 9)
        arc = mast + reach * np.column_stack((np.sin(turns), np.cos(turns)))
        corners = [self.projection.place(x, y) for x, y in np.vstack((mast, arc, mast)).tolist()]
        ring = [[round(place.lon, 6), round(place.lat, 6)] for place in corners]
        return {"polygon": {"type": "Polygon", "coordinates": [ring]}, "confidence": 0.95}

    def _disc(self, xy: Floats, sigma: float, confidence: float) -> Mapping[str, object]:
        place = self.projection.place(float(xy[0]), float(xy[1]))
        return {
            "lon": round(place.lon, 6),
            "lat": round(place.lat, 6),
            "radius_m": round(sigma * math.sqrt(-2 * math.log1p(-confidence)), 1),
            "confidence": confidence,
        }

    def nonsense(self, half_m: float, days: float) -> None:
        """Calls about nothing, anywhere within ``half_m`` of the centre."""
        kinds = list(Hazard)
        weights = np.array(
            [
                self.a.events_per_km2_day.get(h, 0.0) * self.a.calls_per_event.get(h, 1.2)
                for h in kinds
            ]
        )
        count = self.random.poisson(
            self.a.nonsense_calls_per_km2_day * (2 * half_m) ** 2 / 1e6 * days
        )
        for number in range(count):
            call_s = float(self.random.uniform(0, self.a.hours * 3600))
            caller = self.random.uniform(-half_m, half_m, 2)
            stated = kinds[int(self.random.choice(len(kinds), p=weights / weights.sum()))]
            self._call(f"nonsense-{number:05d}", call_s, caller, stated, None)
