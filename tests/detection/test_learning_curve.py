"""The probe behind the curve over data size: what it learns, and how it is read and drawn."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.training.learning_curve import CurvePoint, curves_svg, fitted, recall_at

some_scores = st.lists(st.floats(-5, 5), min_size=1, max_size=60).map(np.array)


def test_a_probe_finds_what_tells_two_kinds_apart() -> None:
    rng = np.random.default_rng(0)
    present = np.arange(200) < 40
    features = rng.normal(0, 1, (200, 12))
    features[present, 3] += 3.0
    probe = fitted(features, present, 1.0)
    assert int(np.argmax(np.abs(probe[:-1]))) == 3
    scores = features @ probe[:-1] + probe[-1]
    assert recall_at(scores[present], scores[~present], 0.03) > 0.7
    assert not fitted(features, np.zeros(200, bool), 1.0).any()


@given(some_scores, some_scores, st.floats(0, 0.5))
def test_recall_is_read_where_no_more_than_the_share_is_flagged(
    hazard: np.ndarray, ordinary: np.ndarray, share: float
) -> None:
    assert 0.0 <= recall_at(hazard, ordinary, share) <= recall_at(hazard, ordinary, 1.0) == 1.0
    assert recall_at(ordinary, ordinary, share) <= share + 1e-9


def test_curves_are_drawn_with_a_mark_a_point() -> None:
    points = [CurvePoint(0.5, 60.0, (0.4, 0.6)), CurvePoint(1.0, 120.0, (0.7, 0.7))]
    drawn = curves_svg({"fire": points, "flood": points})
    marks = [(float(x), float(y)) for x, y in re.findall(r'<circle cx="(.*?)" cy="(.*?)"', drawn)]
    assert len(marks) == 4
    (x0, y0), (x1, y1) = marks[:2]
    assert x0 < x1 and y0 > y1, "more scenes to the right, more recall above"
    assert recall_at(np.array([]), np.array([1.0]), 0.1) == pytest.approx(0.0)
