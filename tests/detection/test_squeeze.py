from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection import PictureUnusableError
from detection.squeeze import SCORE_FLOOR, boxes_from_raw, squeeze

SIZE = 320


def raw_with(*boxes: tuple[int, float, tuple[float, float, float, float]]) -> np.ndarray:
    """A head's output with these (class, score, square box) among 50 empty anchors."""
    raw = np.zeros((7, 50), np.float32)
    for i, (class_id, score, (x0, y0, x1, y1)) in enumerate(boxes):
        raw[:4, i] = [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0]
        raw[4 + class_id, i] = score
    return raw


@given(
    width=st.integers(40, 2000),
    height=st.integers(40, 2000),
    shares=st.tuples(*[st.floats(0.0, 0.4)] * 2, *[st.floats(0.6, 1.0)] * 2),
)
def test_a_box_comes_back_to_its_place_in_any_picture(
    width: int, height: int, shares: tuple[float, float, float, float]
) -> None:
    square = np.empty((SIZE, SIZE, 3), np.uint8)
    place = squeeze(np.zeros((height, width, 3), np.uint8), SIZE, square)
    wanted = np.array(shares) * [width, height, width, height]
    in_square = wanted * ([place.scale_x, place.scale_y] * 2)
    found = boxes_from_raw(raw_with((1, 0.8, tuple(in_square))), place)
    assert found.class_ids.tolist() == [1]
    assert found.xyxy[0] == pytest.approx(wanted, abs=0.01 * max(width, height) / 40 + 0.05)


@pytest.mark.parametrize(("height", "width"), [(90, 160), (288, 352), (1080, 1920), (320, 320)])
def test_the_picture_fills_the_square_whatever_its_shape(height: int, width: int) -> None:
    square = np.zeros((SIZE, SIZE, 3), np.uint8)
    halves = np.zeros((height, width, 3), np.uint8)
    halves[:, width // 2 :] = 200
    squeeze(halves, SIZE, square)
    assert (square[:, : SIZE // 2 - 4] == 0).all()
    assert (square[:, SIZE // 2 + 4 :] == 200).all()


def test_the_same_thing_found_twice_is_one_box_but_two_classes_are_two() -> None:
    square = np.empty((SIZE, SIZE, 3), np.uint8)
    place = squeeze(np.zeros((SIZE, SIZE, 3), np.uint8), SIZE, square)
    near = (10.0, 10.0, 100.0, 100.0), (12.0, 11.0, 101.0, 99.0)
    same = boxes_from_raw(raw_with((0, 0.9, near[0]), (0, 0.6, near[1])), place)
    assert same.scores.tolist() == pytest.approx([0.9])
    other = boxes_from_raw(raw_with((0, 0.9, near[0]), (1, 0.6, near[1])), place)
    assert other.class_ids.tolist() == [0, 1]


def test_scores_under_the_floor_are_nothing() -> None:
    square = np.empty((SIZE, SIZE, 3), np.uint8)
    place = squeeze(np.zeros((SIZE, SIZE, 3), np.uint8), SIZE, square)
    assert len(boxes_from_raw(raw_with((0, SCORE_FLOOR - 0.01, (0, 0, 50, 50))), place)) == 0


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((0, 10, 3), np.uint8),
        np.zeros((10, 10, 3), np.float32),
    ],
)
def test_what_is_no_picture_is_refused(image: np.ndarray) -> None:
    with pytest.raises(PictureUnusableError, match="expected uint8"):
        squeeze(image, SIZE, np.empty((SIZE, SIZE, 3), np.uint8))
