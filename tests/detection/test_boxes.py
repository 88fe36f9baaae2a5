from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection import Boxes, PictureUnusableError
from detection.boxes import iou_matrix

corner = st.floats(0, 500, width=32)
side = st.floats(1, 300, width=32)


@st.composite
def one_box(draw: st.DrawFn) -> list[float]:
    x, y, w, h = draw(corner), draw(corner), draw(side), draw(side)
    return [x, y, x + w, y + h]


def test_a_half_covered_box_overlaps_by_a_third() -> None:
    a = np.array([[0, 0, 10, 10]], np.float32)
    b = np.array([[0, 5, 10, 15], [20, 20, 30, 30]], np.float32)
    assert iou_matrix(a, b)[0] == pytest.approx([1 / 3, 0.0])


@given(st.lists(one_box(), min_size=1, max_size=5), st.lists(one_box(), min_size=1, max_size=5))
def test_overlap_is_symmetric_and_at_most_one(a: list[list[float]], b: list[list[float]]) -> None:
    first, second = np.array(a, np.float32), np.array(b, np.float32)
    matrix = iou_matrix(first, second)
    assert matrix == pytest.approx(iou_matrix(second, first).T, abs=1e-5)
    assert (matrix >= 0).all() and (matrix <= 1 + 1e-5).all()
    assert np.diag(iou_matrix(first, first)) == pytest.approx(np.ones(len(a)), abs=1e-4)


def test_best_score_comes_first_and_is_found_by_class() -> None:
    boxes = Boxes.of([[0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 3, 3]], [0.2, 0.9, 0.5], [1, 0, 1])
    assert boxes.scores.tolist() == pytest.approx([0.9, 0.5, 0.2])
    assert boxes.best_score(1) == pytest.approx(0.5)
    assert boxes.best_score(2) == 0.0
    assert len(boxes.of_class(1)) == 2


def test_scaling_reports_in_the_sent_picture() -> None:
    boxes = Boxes.of([[10, 20, 30, 40]], [0.5], [0]).scaled(2.0, 3.0)
    assert boxes.xyxy.tolist() == [[20, 60, 60, 120]]


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(PictureUnusableError, match="belong together"):
        Boxes(np.zeros((2, 4), np.float32), np.zeros(1, np.float32), np.zeros(2, np.int32))
