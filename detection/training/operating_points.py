"""From which score on a single picture counts as showing a hazard: chosen on the scenes that
choose, and on them alone.

A threshold that flags 3 % of two hundred pictures flags between 1 and 6 % of the next two hundred.
What is promised is a share on scenes nobody has looked at, so what must keep within the budget is
not the share that was counted but the most that it may well be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.training.split import fraction_of

CLUTTER_BUDGET = 0.03
"""Share of ordinary pictures that may be flagged at the operating point: what is promised."""
STREET_BUDGET = 0.04
"""The same of pictures from the roadside, which show orange vehicles closer than any camera does:
the CCTV that chooses is too little to settle a point alone.
"""
WANTED_RECALL = 0.95
"""Share of the hazard's pictures that the operating point need not exceed: a little more than is
promised, and every false alarm beyond it is spared."""
LEAST_OPERATING_POINT = 0.05
HIGHEST_OPERATING_POINT = 0.99
CONFIDENCE = 0.9
"""One-sided: one time in ten the share on new scenes of the same kinds is higher."""
FOLDS = 10
_ROUNDS = 2000
_TIGHTENED = tuple(step / 20 for step in range(20, 0, -1))


@dataclass(frozen=True, slots=True)
class OrdinaryPicture:
    """A hazard's score where there is nothing to report, and the scene it was taken of."""

    score: float
    scene: str


def operating_point(clutter_scores: Sequence[float], budget: float = CLUTTER_BUDGET) -> float:
    """The lowest score, in hundredths, that flags at most `budget` of the clutter pictures."""
    for hundredth in range(round(LEAST_OPERATING_POINT * 100), 100):
        threshold = hundredth / 100
        if sum(s >= threshold for s in clutter_scores) <= budget * len(clutter_scores):
            return threshold
    return HIGHEST_OPERATING_POINT


def recall_point(hazard_scores: Sequence[float], share: float = WANTED_RECALL) -> float:
    """The highest score, in hundredths, that still flags `share` of the hazard's pictures."""
    for hundredth in range(99, round(LEAST_OPERATING_POINT * 100), -1):
        threshold = hundredth / 100
        if sum(s >= threshold for s in hazard_scores) >= share * len(hazard_scores):
            return threshold
    return LEAST_OPERATING_POINT


def careful_point(ordinary: Sequence[OrdinaryPicture], budget: float = CLUTTER_BUDGET) -> float:
    """The lowest score whose way of being chosen keeps the share flagged on other scenes within the
    budget, as far as these scenes can tell.

    The way is to flag at most so and so much of the pictures at hand. It is tried on each tenth of
    the scenes with a point from the other nine, and the budget at hand is tightened until the upper
    estimate of what was flagged so (bootstrap over scenes) is within the one that was promised.
    Where even the tightest is too much, HIGHEST_OPERATING_POINT.
    """
    for share in _TIGHTENED:
        if upper_share(cross_fitted(ordinary, budget * share)) <= budget:
            return operating_point([p.score for p in ordinary], budget * share)
    return HIGHEST_OPERATING_POINT


def cross_fitted(ordinary: Sequence[OrdinaryPicture], budget: float) -> dict[str, list[bool]]:
    """By scene, whether its pictures are flagged at a point that was chosen without it."""
    flags: dict[str, list[bool]] = defaultdict(list)
    for fold in range(FOLDS):
        others = [p.score for p in ordinary if _fold_of(p.scene) != fold]
        point = operating_point(others, budget)
        for picture in ordinary:
            if _fold_of(picture.scene) == fold:
                flags[picture.scene].append(picture.score >= point)
    return dict(flags)


def _fold_of(scene: str) -> int:
    return int(fraction_of(scene, "operating-point") * FOLDS)


def upper_share(flags_by_scene: dict[str, list[bool]]) -> float:
    """The most that the share of flagged pictures may well be on other scenes: its CONFIDENCE
    quantile over resampled scenes, and no less than as many scenes without any could hide.
    """
    if not flags_by_scene:
        return 1.0
    flagged = np.array([sum(flags) for flags in flags_by_scene.values()], float)
    pictures = np.array([len(flags) for flags in flags_by_scene.values()], float)
    draws = np.random.default_rng(0).integers(0, len(flagged), (_ROUNDS, len(flagged)))
    shares = flagged[draws].sum(axis=1) / pictures[draws].sum(axis=1)
    unseen: float = 1.0 - (1.0 - CONFIDENCE) ** (1.0 / len(flagged))
    return max(float(np.quantile(shares, CONFIDENCE)), unseen)
