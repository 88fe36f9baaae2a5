"""What of training on kept features needs no torch: the views of a picture and their labels."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.errors import DataUnusableError
from detection.training.feature_cache import LEAST_SHARE, moved, viewed

SIZE = 96


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_a_label_stays_on_what_it_labels(seed: int) -> None:
    """A white block in a black picture: its box is around what is white, wherever it went."""
    picture = np.zeros((SIZE, SIZE, 3), np.uint8)
    picture[30:60, 20:50] = 255
    labels = np.array([[1.0, 35 / SIZE, 45 / SIZE, 30 / SIZE, 30 / SIZE]])
    seen, boxes = moved(picture, labels, np.random.default_rng(seed))
    assert seen.shape == picture.shape and seen.dtype == np.uint8
    rows, columns = np.nonzero(seen[..., 0] > 200)
    if len(boxes) == 0:
        assert len(rows) < LEAST_SHARE * 2 * 30 * 30 * 1.5
        return
    (kind, x, y, width, height) = boxes[0]
    assert kind == 1.0
    found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    stated = np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2]) * SIZE
    np.testing.assert_allclose(stated, found, atol=2.0)


def test_the_first_view_is_the_picture_and_the_others_repeat_with_their_seed(
    tmp_path: Path,
) -> None:
    for folder in ("images/train", "labels/train"):
        (tmp_path / folder).mkdir(parents=True)
    picture = np.random.default_rng(0).integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8)
    for repeat in (0, 1):
        cv2.imwrite(str(tmp_path / f"images/train/fog_041_{repeat}.png"), picture)
        (tmp_path / f"labels/train/fog_041_{repeat}.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    first, again = (tmp_path / f"images/train/fog_041_{repeat}.png" for repeat in (0, 1))
    seen, labels = viewed(first, tmp_path, 0, np.random.default_rng(1))
    assert (seen == picture).all() and labels.tolist() == [[0.0, 0.5, 0.5, 0.2, 0.2]]
    assert any(
        not (viewed(again, tmp_path, 0, np.random.default_rng(i))[0] == picture).all()
        for i in range(4)
    ), "a picture that is shown more often is shown otherwise"
    one, other = (viewed(first, tmp_path, 1, np.random.default_rng(5)) for _ in range(2))
    assert (one[0] == other[0]).all() and (one[1] == other[1]).all()
    (tmp_path / "images/train/fog_041_0.png").write_bytes(b"no picture")
    with pytest.raises(DataUnusableError):
        viewed(first, tmp_path, 0, np.random.default_rng(1))
