from __future__ import annotations

import numpy as np
import pytest

from contracts import FixMethod, Hazard, LonLat
from geo.projection import LocalProjection, distance_m
from simulator.callers import SimulatedCall, calls_about

PROJECTION = LocalProjection(LonLat(106.992, -6.2383))


def calls(seed: int, hazard: Hazard = Hazard.FIRE, **options: float) -> list[SimulatedCall]:
    at = (400.0, -250.0)
    return calls_about("e", hazard, at, "Simpang Uji", 50.0, PROJECTION, seed, **options)


def many(hazard: Hazard, **options: float) -> list[SimulatedCall]:
    return [call for seed in range(400) for call in calls(seed, hazard, **options)]


def test_a_seed_makes_the_same_calls() -> None:
    assert calls(3) == calls(3)
    assert calls(3) != calls(4)


@pytest.mark.parametrize("hazard", list(Hazard))
def test_every_hazard_is_called_in_after_it_began(hazard: Hazard) -> None:
    found = calls(1, hazard)
    assert found
    assert [call.after_s for call in found] == sorted(call.after_s for call in found)
    assert all(call.after_s > 55 and call.note for call in found)
    assert all("{" not in call.note for call in found)


def test_a_stated_confidence_is_kept() -> None:
    found = many(Hazard.FIRE)
    for confidence in (0.68, 0.90, 0.95):
        of_it = [call for call in found if call.fix.confidence == confidence]
        inside = [distance_m(call.caller, call.fix.place) <= call.fix.radius_m for call in of_it]
        assert np.mean(inside) == pytest.approx(confidence, abs=0.07)


def test_nine_in_ten_are_placed_well_and_some_only_by_cell() -> None:
    found = many(Hazard.FIRE)
    errors = [distance_m(call.caller, call.fix.place) for call in found]
    assert 0.85 < np.mean([error < 50 for error in errors]) < 0.95
    assert any(call.fix.method is FixMethod.CELL for call in found)


def test_fires_are_seen_from_farther_than_the_sick() -> None:
    event = PROJECTION.place(400.0, -250.0)

    def median(hazard: Hazard, scale: float = 1.0) -> float:
        found = many(hazard, standoff_scale=scale)
        return float(np.median([distance_m(call.caller, event) for call in found]))

    assert median(Hazard.FIRE) > 2 * median(Hazard.MEDICAL)
    assert median(Hazard.FIRE, 2.0) == pytest.approx(2 * median(Hazard.FIRE), rel=0.01)


def test_some_callers_cannot_say_what_it_is() -> None:
    kinds = [call.hazard for call in many(Hazard.CRASH)]
    assert 0.03 < np.mean([kind is None for kind in kinds]) < 0.15
    assert set(kinds) <= {None, Hazard.CRASH}
