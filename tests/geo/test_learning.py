from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import Hazard
from geo.callers import STANDOFFS
from geo.fusion.learning import (
    calibrated,
    calls_per_event,
    distance_factor,
    gamma_poisson,
    isotonic,
)


def test_too_few_verdicts_teach_nothing() -> None:
    assert isotonic([0.9] * 49, [True] * 20 + [False] * 29) == ()
    assert isotonic([0.9] * 60, [True] * 55 + [False] * 5) == ()
    assert calibrated(0.37, ()) == 0.37


def test_probabilities_that_promise_too_much_are_bent_down() -> None:
    random = np.random.default_rng(3)
    said = random.uniform(0, 1, 2_000)
    real = random.uniform(0, 1, 2_000) < said**2
    knots = isotonic(said.tolist(), real.tolist())
    for p in (0.3, 0.6, 0.9):
        assert calibrated(p, knots) == pytest.approx(p * p, abs=0.08)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=80, max_size=200))
def test_what_is_likelier_stays_likelier(verdicts: list[tuple[float, bool]]) -> None:
    said, real = zip(*verdicts, strict=True)
    knots = isotonic(said, real)
    bent = [calibrated(p, knots) for p in np.linspace(0, 1, 50)]
    assert all(a <= b for a, b in pairwise(bent))
    assert min(bent) >= 0 and max(bent) <= 1


@pytest.mark.parametrize("true", [0.7, 1.0, 1.7])
def test_how_far_callers_stand_is_found(true: float) -> None:
    random = np.random.default_rng(5)
    weights, sigmas = np.array(STANDOFFS[Hazard.FIRE]).T
    picked = random.choice(sigmas, 400, p=weights / weights.sum()) * true
    off = np.hypot(random.normal(0, picked), random.normal(0, picked))
    found = distance_factor([(Hazard.FIRE, float(metres), 15.0) for metres in off])
    assert found == pytest.approx(true, rel=0.2)
    assert distance_factor([(Hazard.FIRE, 30.0, 10.0)] * 19) is None


def test_a_rate_moves_from_the_prior_to_the_data() -> None:
    assert gamma_poisson(0, 0, 0.5, 3) == 0.5
    assert gamma_poisson(400, 100, 0.5, 3) == pytest.approx(4, rel=0.05)


def test_events_that_nobody_tells_of_are_reckoned_with() -> None:
    random = np.random.default_rng(5)
    shape, mean = 3.0, 1.2
    counts = random.poisson(random.gamma(shape, mean / shape, 4_000)).tolist()
    by_camera = (random.random(4_000) < 0.3).tolist()
    known = [one for one in zip(counts, by_camera, strict=True) if any(one)]
    assert np.mean([count for count, _ in known]) > 1.15 * mean
    assert calls_per_event(known, 3.0, 20.0, shape) == pytest.approx(mean, rel=0.06)


def test_without_events_callers_are_as_assumed() -> None:
    assert calls_per_event([], 3.0, 20.0, 3.0) == pytest.approx(3.0)
