from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.calibration import CalibrationSample, Curve, CurveKind, fit_curve

FLOOR = 0.05
samples = st.lists(
    st.builds(
        CalibrationSample,
        score=st.floats(0, 1),
        present=st.booleans(),
        scene=st.sampled_from([f"s{i}" for i in range(12)]),
    ),
    min_size=4,
    max_size=60,
).filter(lambda rows: len({r.present for r in rows}) == 2)


@given(samples)
@settings(max_examples=40, deadline=None)
def test_whatever_the_data_a_higher_score_never_speaks_less_for_the_hazard(
    rows: list[CalibrationSample],
) -> None:
    curve = fit_curve(rows, FLOOR)
    values = [curve.llr(s) for s in np.linspace(0, 1, 50)]
    assert all(b >= a - 1e-12 for a, b in pairwise(values))
    hazard_scenes = len({r.scene for r in rows if r.present})
    clutter_scenes = len({r.scene for r in rows if not r.present})
    assert max(values) <= math.log(clutter_scenes + 1) + 1e-9
    assert min(values) >= -math.log(hazard_scenes + 1) - 1e-9
    assert curve.miss_llr <= 0


def gaussian_scores(count: int, seed: int) -> list[CalibrationSample]:
    """Logits N(+1, 1) under the hazard and N(-1, 1) under clutter: the true ratio is 2 logit."""
    rng = np.random.default_rng(seed)
    rows = []
    for present, mean in ((True, 1.0), (False, -1.0)):
        for i, logit in enumerate(rng.normal(mean, 1.0, count)):
            score = 1 / (1 + math.exp(-logit))
            rows.append(CalibrationSample(score, present, f"{present}{i}"))
    return rows


def test_a_known_ratio_is_recovered() -> None:
    curve = fit_curve(gaussian_scores(1500, 3), 0.0)
    for score in (0.2, 0.5, 0.8):
        truth = 2 * math.log(score / (1 - score))
        assert curve.llr(score) == pytest.approx(truth, abs=0.6)


def test_one_long_clip_is_not_many_proofs() -> None:
    few = gaussian_scores(40, 5)
    lamp = [CalibrationSample(0.95, False, "lamp") for _ in range(2000)]
    once = fit_curve([*few, lamp[0]], 0.0).llr(0.95)
    often = fit_curve([*few, *lamp], 0.0).llr(0.95)
    assert often == pytest.approx(once, abs=0.3)


def test_a_big_easy_source_does_not_hide_a_hard_one() -> None:
    hazard = [CalibrationSample(0.6, True, f"h{i}", "fires") for i in range(30)]
    hard = [CalibrationSample(0.6, False, f"j{i}", "junctions") for i in range(5)]
    easy = [CalibrationSample(0.06, False, f"e{i}", "meadows") for i in range(500)]
    together = fit_curve([*hazard, *hard, *easy], FLOOR).llr(0.6)
    assert together == pytest.approx(math.log(2), abs=0.6)


def test_never_finding_what_is_there_makes_a_miss_say_little() -> None:
    blind = [CalibrationSample(0.0, p, f"{p}{i}") for p in (True, False) for i in range(50)]
    sharp = [
        CalibrationSample(0.9 if p else 0.0, p, f"{p}{i}") for p in (True, False) for i in range(50)
    ]
    assert fit_curve(blind, FLOOR).miss_llr == pytest.approx(0.0, abs=0.05)
    assert fit_curve(sharp, FLOOR).miss_llr < -2


def test_one_kind_of_picture_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="with the hazard and pictures without"):
        fit_curve([CalibrationSample(0.5, True, "a")], FLOOR)


def test_a_curve_survives_its_json_form() -> None:
    curve = fit_curve(gaussian_scores(200, 1), FLOOR)
    again = Curve.from_plain(curve.to_plain())
    assert again.kind is curve.kind
    assert [again.llr(s) for s in (0.1, 0.5, 0.9)] == pytest.approx(
        [curve.llr(s) for s in (0.1, 0.5, 0.9)], abs=1e-3
    )


@pytest.mark.parametrize(
    ("scores", "llrs", "miss"),
    [
        ((0.1, 0.1), (0.0, 1.0), -1.0),
        ((0.1, 0.2), (1.0, 0.0), -1.0),
        ((0.1,), (0.0,), -1.0),
        ((0.1, 0.2), (0.0, math.nan), -1.0),
        ((0.1, 0.2), (0.0, 1.0), 0.5),
    ],
)
def test_a_curve_that_breaks_its_law_is_refused(
    scores: tuple[float, ...], llrs: tuple[float, ...], miss: float
) -> None:
    with pytest.raises(ValueError, match=r"curve|finite|nothing|ratios"):
        Curve(CurveKind.PLATT, scores, llrs, miss)
