"""Gradient-boosted trees, which the crash model is made of: read, written and asked.

Every tree is full: a question at each of its nodes, an answer at each of its leaves. That is all
arrays, so that a clip is judged without a library. They are fitted in `training/boosting.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detection.errors import ModelUnusableError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class BoostedTrees:
    """K trees of one depth D. Node n's children are 2 n + 1 (below its threshold) and 2 n + 2."""

    columns: NDArray[np.int64]
    """(K, 2^D - 1): which measure a node asks about."""
    thresholds: Floats
    """(K, 2^D - 1): from which value on the answer lies to the right."""
    leaves: Floats
    """(K, 2^D): what each leaf adds to the logit."""

    def __post_init__(self) -> None:
        trees, nodes = self.columns.shape
        if self.thresholds.shape != (trees, nodes) or self.leaves.shape != (trees, nodes + 1):
            raise ValueError("thresholds and leaves don't fit the columns")
        if nodes & (nodes + 1):
            raise ValueError(f"{nodes} nodes don't fill a tree")
        if not (np.isfinite(self.thresholds).all() and np.isfinite(self.leaves).all()):
            raise ValueError("thresholds and leaves must be finite")

    def probabilities(self, measures: Floats) -> NDArray[np.float32]:
        """(T,) probabilities, at even odds, of (T, F) measures."""
        trees, nodes = self.columns.shape
        every = np.arange(trees)[None, :]
        node = np.zeros((len(measures), trees), np.int64)
        rows = np.arange(len(measures))[:, None]
        while len(measures) and node[0, 0] < nodes:
            column, threshold = self.columns[every, node], self.thresholds[every, node]
            node = 2 * node + 1 + (measures[rows, column] >= threshold)
        logit = self.leaves[every, node - nodes].sum(axis=1) if len(measures) else np.zeros(0)
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0))), np.float32)

    def write(self, path: Path) -> None:
        """As JSON, with as many digits as make a difference."""
        plain = {
            "columns": self.columns.tolist(),
            "thresholds": [[float(f"{v:.6g}") for v in row] for row in self.thresholds],
            "leaves": [[float(f"{v:.5g}") for v in row] for row in self.leaves],
        }
        path.write_text(json.dumps(plain, separators=(",", ":")) + "\n")


def read_trees(path: Path, measures: int) -> BoostedTrees:
    """Trees that ask about so many measures. Raises ModelUnusableError where the file holds none.

    Deeper than it is full a tree can't be asked; the shapes are checked, and every column.
    """
    try:
        plain = json.loads(path.read_text())
        trees = BoostedTrees(
            np.array(plain["columns"], np.int64),
            np.array(plain["thresholds"], np.float64),
            np.array(plain["leaves"], np.float64),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelUnusableError(path.parent, f"{path.name} holds no trees: {error}") from error
    if trees.columns.size and not 0 <= trees.columns.min() <= trees.columns.max() < measures:
        raise ModelUnusableError(
            path.parent, f"{path.name} asks about other measures than the {measures} there are"
        )
    return trees
