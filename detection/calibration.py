"""Scores to log-likelihood ratios, hazard against clutter.

A score is only an order. What fusion needs is ln p(score | hazard) / p(score | clutter), which a
curve fitted to held-back scenes gives: Platt's line in the logit, or an isotonic step curve,
whichever is the more reliable under cross-validation by scene. A curve is bounded by what its data
supports: n clutter scenes can't prove odds beyond n.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class CurveKind(StrEnum):
    """How a curve was fitted."""

    PLATT = "platt"
    ISOTONIC = "isotonic"


@dataclass(frozen=True, slots=True)
class Curve:
    """A monotone, bounded map from score to natural-log likelihood ratio.

    `scores` and `llrs` are the knots, both non-decreasing; between knots it is linear, outside it
    is flat. `miss_llr` (<= 0) is the evidence of a look in which nothing of the class was found.
    """

    kind: CurveKind
    scores: tuple[float, ...]
    llrs: tuple[float, ...]
    miss_llr: float

    def __post_init__(self) -> None:
        if len(self.scores) != len(self.llrs) or len(self.scores) < 2:
            raise ValueError("a curve needs at least two knots, as many scores as ratios")
        if not all(math.isfinite(x) for x in (*self.scores, *self.llrs, self.miss_llr)):
            raise ValueError("a curve's knots must be finite")
        if np.any(np.diff(self.scores) <= 0) or np.any(np.diff(self.llrs) < 0):
            raise ValueError("a curve's scores must rise and its ratios must not fall")
        if self.miss_llr > 0:
            raise ValueError("seeing nothing can't speak for a hazard")

    def llr(self, score: float) -> float:
        """Natural-log likelihood ratio of one look with this score (in [0, 1])."""
        return float(np.interp(score, self.scores, self.llrs))

    def to_plain(self) -> dict[str, Any]:
        """JSON form; `from_plain` reads it."""
        return {
            "kind": self.kind.value,
            "scores": [round(s, 5) for s in self.scores],
            "llrs": [round(x, 4) for x in self.llrs],
            "miss_llr": round(self.miss_llr, 4),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Curve:
        """From the JSON form. Raises ValueError (KeyError for an absent key) where it is no
        curve.
        """
        return cls(
            CurveKind(plain["kind"]),
            tuple(float(s) for s in plain["scores"]),
            tuple(float(x) for x in plain["llrs"]),
            float(plain["miss_llr"]),
        )


@dataclass(frozen=True, slots=True)
class CalibrationSample:
    """One held-back picture: best score of the class (0 = none), whether it is there, whence."""

    score: float
    present: bool
    scene: str
    source: str = ""


GRID: Floats = np.concatenate([np.linspace(0.05, 0.95, 37), [0.97, 0.99]])


ISOTONIC_MUST_SAVE = 0.95
"""Isotonic steps follow few scenes' accidents: they are taken where they save a twentieth."""


def fit_curve(samples: Sequence[CalibrationSample], score_floor: float) -> Curve:
    """The more reliable of the two curves, by log loss under 5-fold cross-validation over scenes.

    Scenes weigh the same, so that a long clip does not pass for many proofs; clutter's sources do.
    Raises ValueError without both hazard and clutter among the samples.
    """
    fold = {s: i % 5 for i, s in enumerate(sorted({x.scene for x in samples}))}
    losses: dict[CurveKind, float] = {}
    for kind in CurveKind:
        loss, weight = 0.0, 0.0
        for k in range(5):
            fitting = [s for s in samples if fold[s.scene] != k]
            judged = [s for s in samples if fold[s.scene] == k]
            if len({s.present for s in fitting}) < 2 or not judged:
                continue
            curve = _fit(kind, fitting, score_floor)
            for sample, w in zip(judged, _weights(judged), strict=True):
                llr = curve.llr(sample.score) if sample.score >= score_floor else curve.miss_llr
                # With equal priors the ratio itself is the odds.
                loss += w * math.log1p(math.exp(-llr if sample.present else llr))
                weight += w
        losses[kind] = loss / weight if weight else math.inf
    stepped = losses[CurveKind.ISOTONIC] < losses[CurveKind.PLATT] * ISOTONIC_MUST_SAVE
    return _fit(CurveKind.ISOTONIC if stepped else CurveKind.PLATT, samples, score_floor)


def _weights(samples: Sequence[CalibrationSample]) -> Floats:
    """Weights that give hazard and clutter one half each; within a kind each scene the same.

    Clutter is shared out by source first: a big easy source must not hide a small hard one.
    """
    pictures = Counter((s.present, s.source, s.scene) for s in samples)
    scenes = Counter(key[:2] for key in pictures)
    sources = Counter(key[0] for key in scenes)
    hazard_scenes = sum(n for (present, _), n in scenes.items() if present)
    return np.array(
        [
            0.5
            / (hazard_scenes if s.present else sources[False] * scenes[False, s.source])
            / pictures[s.present, s.source, s.scene]
            for s in samples
        ]
    )


def _fit(kind: CurveKind, samples: Sequence[CalibrationSample], floor: float) -> Curve:
    present = np.array([s.present for s in samples])
    if present.all() or not present.any():
        raise ValueError("calibration needs pictures with the hazard and pictures without")
    scores = np.array([s.score for s in samples])
    weights = _weights(samples)
    scenes = {flag: len({s.scene for s in samples if s.present is flag}) for flag in (True, False)}
    low, high = -math.log(scenes[True] + 1), math.log(scenes[False] + 1)
    missed = scores < floor
    miss_llr = float(
        np.clip(
            math.log(weights[missed & present].sum() + 0.5 / scenes[True])
            - math.log(weights[missed & ~present].sum() + 0.5 / scenes[False]),
            low,
            0.0,
        )
    )
    found = ~missed
    llrs = (_platt if kind is CurveKind.PLATT else _isotonic)(
        scores[found], present[found], weights[found], 0.5 / scenes[True], 0.5 / scenes[False]
    )
    bounded = np.maximum.accumulate(np.clip(llrs, low, high))
    return Curve(kind, tuple(GRID.tolist()), tuple(bounded.tolist()), miss_llr)


def _platt(
    scores: Floats,
    present: NDArray[np.bool_],
    weights: Floats,
    soft_hazard: float,
    soft_clutter: float,
) -> Floats:
    """Weighted logistic regression on the logit of the score by Newton's method, ridge 1e-3."""
    x = np.stack([np.ones(len(scores)), _logit(scores)], axis=1)
    # Two soft samples at either end keep the line finite where the classes separate wholly.
    x = np.concatenate([x, [[1.0, _logit(np.array([0.9]))[0]], [1.0, _logit(np.array([0.1]))[0]]]])
    y = np.concatenate([present.astype(float), [0.0, 1.0]])
    w = np.concatenate([weights, [soft_clutter, soft_hazard]])
    theta = np.zeros(2)
    for _ in range(60):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ theta, -30, 30)))
        gradient = x.T @ (w * (p - y)) + 1e-3 * theta
        hessian = (x * (w * p * (1 - p) + 1e-9)[:, None]).T @ x + 1e-3 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        theta = theta - np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-8:
            break
    # Scores are by construction more likely under the hazard: a falling line would be an artefact.
    slope = max(0.0, float(theta[1]))
    return np.asarray(theta[0] + slope * _logit(GRID))


def _isotonic(
    scores: Floats,
    present: NDArray[np.bool_],
    weights: Floats,
    soft_hazard: float,
    soft_clutter: float,
) -> Floats:
    """Pool-adjacent-violators on the share of hazard, smoothed at either end, read at the grid."""
    if len(scores) == 0:
        return np.zeros(len(GRID))
    order = np.argsort(scores, kind="stable")
    blocks: list[list[float]] = []  # [hazard weight, clutter weight, last score]
    for i in order:
        blocks.append([weights[i] * present[i], weights[i] * (not present[i]), scores[i]])
        while len(blocks) > 1 and _odds(blocks[-2]) >= _odds(blocks[-1]):
            hazard, clutter, last = blocks.pop()
            blocks[-1] = [blocks[-1][0] + hazard, blocks[-1][1] + clutter, last]
    ends = np.array([b[2] for b in blocks])
    values = np.array(
        [math.log(b[0] + soft_hazard) - math.log(b[1] + soft_clutter) for b in blocks]
    )
    index = np.minimum(np.searchsorted(ends, GRID), len(blocks) - 1)
    return np.asarray(np.maximum.accumulate(values)[index])


def _odds(block: Sequence[float]) -> float:
    return block[0] / (block[0] + block[1])


def _logit(p: Floats) -> Floats:
    clipped = np.clip(p, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(clipped / (1 - clipped)))
