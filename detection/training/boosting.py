"""Fits gradient-boosted trees to weighted rows (Friedman, "Greedy function approximation", 2001,
with second-order leaves as in XGBoost): logistic loss, values in bins, full trees of one depth.

A few thousand rows of two hundred measures take a second or two, so that no library is needed.
Seeded: the same rows give the same trees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.boosted_trees import BoostedTrees, Floats

BINS = 32
NEVER = 1e30
"""The threshold of a node that has nothing worth asking: everything lies to its left."""


@dataclass(frozen=True, slots=True)
class BoostingPlan:
    """How trees are grown."""

    trees: int = 120
    depth: int = 3
    rate: float = 0.1
    ridge: float = 1.0
    """Weight of rows that a leaf must outweigh to say much."""
    columns_asked: float = 0.3
    """Share of the measures that each tree may ask about ..."""
    rows_seen: float = 0.6
    """... and of the rows that it is fitted to: both keep it from learning rows by heart."""
    seed: int = 0


def grow(x: Floats, y: Floats, weights: Floats, plan: BoostingPlan) -> BoostedTrees:
    """Trees for rows (N, F) with truth 0 or 1 and weights (N,)."""
    rng = np.random.default_rng(plan.seed)
    rows, measures = x.shape
    edges = np.quantile(x, np.linspace(0.0, 1.0, BINS + 1)[1:-1], axis=0).T
    bins = np.stack(
        [np.searchsorted(edges[f], x[:, f], side="right") for f in range(measures)]
    ).astype(np.int16)
    logit = np.zeros(rows)
    nodes, leaves = 2**plan.depth - 1, 2**plan.depth
    columns = np.zeros((plan.trees, nodes), np.int64)
    thresholds = np.full((plan.trees, nodes), NEVER)
    values = np.zeros((plan.trees, leaves))
    for k in range(plan.trees):
        p = 1.0 / (1.0 + np.exp(-logit))
        seen = np.flatnonzero(rng.random(rows) < plan.rows_seen)
        gradient = (weights * (y - p))[seen]
        hessian = (weights * np.maximum(p * (1 - p), 1e-4))[seen]
        asked = rng.choice(measures, max(1, int(measures * plan.columns_asked)), replace=False)
        node = np.zeros(rows, np.int64)
        for level in range(plan.depth):
            first, width = 2**level - 1, 2**level
            column, bin_ = _best(
                bins, seen, node[seen] - first, width, gradient, hessian, asked, plan.ridge
            )
            columns[k, first : first + width] = column
            usable = bin_ < BINS - 1
            thresholds[k, first : first + width][usable] = edges[column[usable], bin_[usable]]
            mine = node - first
            node = 2 * node + 1 + (bins[column[mine], np.arange(rows)] > bin_[mine])
        leaf = node - nodes
        g, h = (np.bincount(leaf[seen], v, leaves) for v in (gradient, hessian))
        values[k] = plan.rate * g / (h + plan.ridge)
        logit += values[k][leaf]
    return BoostedTrees(columns, thresholds, values)


def _best(
    bins: NDArray[np.int16],
    seen: NDArray[np.int64],
    node: NDArray[np.int64],
    width: int,
    gradient: Floats,
    hessian: Floats,
    asked: NDArray[np.int64],
    ridge: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each node of a level the column and the last bin that lies to the left; `node`,
    `gradient` and `hessian` are of the rows that are `seen`.
    """
    column = np.full(width, int(asked[0]), np.int64)
    last = np.full(width, BINS - 1, np.int64)
    best = np.zeros(width)
    first_bin = node * BINS
    for f in asked:
        place = first_bin + bins[f][seen]
        left_g, left_h = (
            np.bincount(place, v, width * BINS).reshape(width, BINS).cumsum(axis=1)
            for v in (gradient, hessian)
        )
        all_g, all_h = left_g[:, -1:], left_h[:, -1:]
        right_g, right_h = all_g - left_g, all_h - left_h
        gain = (
            left_g**2 / (left_h + ridge)
            + right_g**2 / (right_h + ridge)
            - all_g**2 / (all_h + ridge)
        )
        gain[(left_h < 0.05 * ridge) | (right_h < 0.05 * ridge)] = 0.0
        bin_ = gain[:, :-1].argmax(axis=1)
        found = gain[np.arange(width), bin_]
        better = found > best
        column[better], last[better], best[better] = f, bin_[better], found[better]
    return column, last
