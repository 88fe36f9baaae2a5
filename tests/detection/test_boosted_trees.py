"""Boosted trees learn, are read back as they were written, and refuse what is no tree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detection.boosted_trees import BoostedTrees, read_trees
from detection.errors import ModelUnusableError
from detection.training.boosting import BoostingPlan, grow

PLAN = BoostingPlan(trees=40, depth=2, columns_asked=1.0)


def rows(seed: int, number: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Truth is that two measures have the same sign, which neither shows alone."""
    x = np.random.default_rng(seed).normal(size=(number, 4))
    return x, (x[:, 1] * x[:, 2] > 0).astype(float)


def grown() -> BoostedTrees:
    x, y = rows(1)
    return grow(x, y, np.ones(len(y)), PLAN)


def test_what_two_measures_show_together_is_learnt_and_holds_for_others() -> None:
    x, y = rows(2)
    found = grown().probabilities(x)
    assert ((found > 0.5) == (y > 0.5)).mean() > 0.85
    assert found.min() >= 0.0 and found.max() <= 1.0


def test_the_same_rows_give_the_same_trees_and_weightless_ones_say_nothing() -> None:
    x, y = rows(1)
    np.testing.assert_array_equal(grown().leaves, grown().leaves)
    silent = grow(x, y, np.full(len(y), 1e-9), PLAN).probabilities(x)
    np.testing.assert_allclose(silent, 0.5, atol=1e-3)


def test_trees_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    x, _ = rows(3)
    grown().write(tmp_path / "weights.json")
    again = read_trees(tmp_path / "weights.json", 4)
    np.testing.assert_allclose(again.probabilities(x), grown().probabilities(x), atol=0.01)
    assert again.probabilities(x[:0]).shape == (0,)
    with pytest.raises(ModelUnusableError, match="other measures"):
        read_trees(tmp_path / "weights.json", 2)


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[1.0, 2.0]",
        '{"columns":[[0,0]],"thresholds":[[0,0]],"leaves":[[0,0,0]]}',
        '{"columns":[[0]],"thresholds":[[0]],"leaves":[[0]]}',
    ],
)
def test_what_is_no_tree_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "weights.json").write_text(text)
    with pytest.raises(ModelUnusableError, match="holds no trees"):
        read_trees(tmp_path / "weights.json", 4)
