"""Two events beside each other, against one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import Hazard
from geo.fusion import Fusion, FusionParameters
from geo.fusion.hearing import Hearing
from geo.fusion.laws import DAY_S, rate_beside
from geo.fusion.pairs import apart_bonus
from geo.fusion.scoring import Score
from tests.geo.builders import Reporter
from tests.geo.fusion.stage import PROJECTION, feed


@given(
    share=st.floats(0.02, 0.7),
    same=st.floats(0.0, 0.9),
    sigma_m=st.floats(80.0, 500.0),
    kind=st.sampled_from(list(Hazard)),
)
def test_of_events_with_a_sibling_there_are_as_many_as_the_share_says(
    share: float, same: float, sigma_m: float, kind: Hazard
) -> None:
    """Over all places, times and kinds the rate beside an event, above what it is anyway, makes
    ``share`` events with a sibling to ``1 - share`` without one."""
    parameters = FusionParameters(
        sibling_share=share, sibling_same=same, sibling_sigma_m=sigma_m, one_event_m=1.0
    )
    away_m = np.linspace(0.5, 8 * sigma_m, 300)
    ring_km2 = 2 * math.pi * away_m * (away_m[1] - away_m[0]) / 1e6
    siblings = 0.0
    for other in Hazard:
        raised = [
            rate_beside(
                lambda variance, m=m: (  # type: ignore[misc]
                    1e6 * math.exp(-0.5 * m * m / variance) / (2 * math.pi * variance)
                ),
                0.0,
                {kind: 1.0},
                {other: 1.0},
                parameters,
            )
            - 1.0
            for m in away_m.tolist()
        ]
        at_once = parameters.rate(other) * float(np.dot(raised, ring_km2))
        siblings += at_once * parameters.sibling_scale_days
    assert siblings == pytest.approx(share / (1 - share), rel=0.03, abs=0.002)


@pytest.mark.parametrize(("apart_m", "wait_s"), [(60.0, 30.0), (250.0, 400.0), (700.0, 1500.0)])
def test_two_sets_gain_together_as_the_odds_of_none_of_them_one_or_both_say(
    say: Reporter, apart_m: float, wait_s: float
) -> None:
    """Those of which the score is made: in hindsight, where a lone caller is doubted."""
    parameters = FusionParameters()
    hearing = Hearing(parameters, PROJECTION)

    def caller(name: str, x: float, at_s: float) -> Score:
        call, fix = say.call(name, (x, 0.0), Hazard.CRASH, at_s=at_s)
        hearing.hear(call)
        heard = hearing.hear(fix)
        assert heard is not None and heard.piece is not None
        return Score.of([heard.piece], parameters)

    one, other = caller("k1", 0.0, 0.0), caller("k2", apart_m, wait_s)
    spread = one.place.covariance + other.place.covariance
    off = one.place.mean - other.place.mean

    def near(variance_m2: float) -> float:
        wide = spread + variance_m2 * np.eye(2)
        distance2 = float(off @ np.linalg.inv(wide) @ off)
        return 1e6 * math.exp(-0.5 * distance2) / (2 * math.pi * math.sqrt(np.linalg.det(wide)))

    crash = {Hazard.CRASH: 1.0}
    beside = rate_beside(near, wait_s / DAY_S, crash, crash, parameters)
    first, second = math.expm1(one.gain), math.expm1(other.gain)
    assert first == pytest.approx(second), "they say the same of themselves"
    assert first < one.probability / (1 - one.probability), "and more calls should have come"
    together = math.log(1 + first + second + first * second * beside)
    assert one.gain + other.gain + apart_bonus(one, other) == pytest.approx(together, abs=1e-6)


@pytest.mark.parametrize(("costs", "incidents"), [(0.2, 1), (1.0, 1), (30.0, 2)])
def test_the_graver_it_is_to_lose_a_second_event_the_sooner_there_are_two(
    say: Reporter, costs: float, incidents: int
) -> None:
    """Two callers 200 m and three minutes apart tell of one crash, most probably."""
    fusion = Fusion(FusionParameters(two_as_one_costs=costs), PROJECTION, {})
    feed(fusion, say.call("k1", (0, 0), Hazard.CRASH, radius_m=20))
    feed(fusion, say.call("k2", (200, 0), Hazard.CRASH, radius_m=20, at_s=180))
    assert len(fusion.incident_ids) == incidents
