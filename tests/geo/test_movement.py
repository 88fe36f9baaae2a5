from __future__ import annotations

import math
import random
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import CallerFix, CallId, Disc, FixMethod, ReportId
from geo import LocalProjection
from geo.callers import caller_place
from geo.mixture import Mixture
from geo.movement import place_of_fixes
from tests.geo.builders import BEKASI, START

PROJECTION = LocalProjection(BEKASI)


def fix(east_m: float, radius_m: float = 20, after_s: float = 0, name: str = "a") -> CallerFix:
    return CallerFix(
        id=ReportId(name),
        call_id=CallId("c"),
        shape=Disc(centre=PROJECTION.place(east_m, 0), radius_m=radius_m),
        confidence=0.68,
        method=FixMethod.GNSS,
        source="aml",
        positioned_at=START + timedelta(seconds=after_s),
        received_at=START,
    )


def sigma_m(place: Mixture) -> float:
    return math.sqrt(np.trace(place.covariance) / 2)


def near(place: Mixture, east_m: float, within_m: float = 60) -> float:
    """The probability that the caller is there."""
    inside = np.abs(place.means[:, 0] - east_m) < within_m
    return float(place.weights[inside].sum())


def test_one_position_is_what_it_says() -> None:
    alone = fix(50)
    found, said = place_of_fixes([alone], PROJECTION), caller_place(alone.shape, 0.68, PROJECTION)
    assert found.means == pytest.approx(said.means)
    assert found.covariances == pytest.approx(said.covariances)
    with pytest.raises(ValueError, match="at least one"):
        place_of_fixes([], PROJECTION)


fixes = st.lists(
    st.builds(
        fix,
        st.floats(-3000, 3000),
        st.floats(3, 2000),
        st.integers(0, 900).map(float),
        st.uuids().map(str),
    ),
    min_size=1,
    max_size=6,
)


@given(fixes, st.integers(0, 2**32))
def test_the_order_of_arrival_does_not_matter(told: list[CallerFix], seed: int) -> None:
    other = list(told)
    random.Random(seed).shuffle(other)  # noqa: S311 - a scenario, no secret
    one, two = place_of_fixes(told, PROJECTION), place_of_fixes(other, PROJECTION)
    assert np.array_equal(one.means, two.means)
    assert np.array_equal(one.log_weights, two.log_weights)


@given(fixes)
def test_it_is_a_density_and_no_surer_than_the_surest_position(told: list[CallerFix]) -> None:
    found = place_of_fixes(told, PROJECTION)
    assert found.weights.sum() == pytest.approx(1)
    surest = min(sigma_m(caller_place(one.shape, 0.68, PROJECTION)) for one in told)
    assert sigma_m(found) >= surest * (1 - 1e-9)


def test_a_coarse_position_that_agrees_takes_nothing_from_a_precise_one() -> None:
    precise, coarse = fix(0, 15), fix(300, 1500, after_s=20, name="b")
    found = place_of_fixes([precise, coarse], PROJECTION)
    assert np.hypot(*found.mean) < 1
    # The caller may have walked ten metres since.
    assert sigma_m(found) == pytest.approx(
        math.hypot(15 / math.sqrt(-2 * math.log(0.32)), 10), 0.01
    )


def test_the_same_again_makes_nothing_surer() -> None:
    once = place_of_fixes([fix(0)], PROJECTION)
    often = place_of_fixes([fix(0, name=name) for name in "abcdef"], PROJECTION)
    assert sigma_m(often) == pytest.approx(sigma_m(once))


def test_contradicting_positions_widen_the_place_to_both_and_the_later_counts_more() -> None:
    found = place_of_fixes([fix(0), fix(2000, after_s=120, name="b")], PROJECTION)
    assert near(found, 2000) == pytest.approx(2 / 3, abs=0.01)
    assert near(found, 0) == pytest.approx(1 / 3, abs=0.01)
    assert sigma_m(found) > 500


@given(st.floats(1, 600), st.floats(1, 600))
def test_the_later_the_likelier(first_s: float, more_s: float) -> None:
    def later(after_s: float) -> float:
        return near(
            place_of_fixes([fix(0), fix(3000, after_s=after_s, name="b")], PROJECTION), 3000
        )

    assert 0.5 <= later(first_s) <= later(first_s + more_s) < 1


def test_a_late_message_with_an_old_position_does_not_move_the_caller_back() -> None:
    here = [fix(2000, after_s=600, name="a"), fix(2010, after_s=630, name="b")]
    found = place_of_fixes([*here, fix(0, after_s=0, name="late")], PROJECTION)
    assert near(found, 2005) > 0.97


def test_one_wild_position_among_several_has_little_weight() -> None:
    told = [fix(5.0 * n, after_s=10.0 * n, name=str(n)) for n in range(4)]
    found = place_of_fixes([*told, fix(2500, after_s=15, name="wild")], PROJECTION)
    assert near(found, 0) > 0.75
