"""Judges a few seconds of one camera: did vehicles crash in them?

A single picture does not tell a crash from a queue; motion does. Boosted trees score every moment
of the clip by measures of how it moves shortly before and after it (`crash_features`); networks on
the same motion learnt the hundred clips there are to train on by heart (`training/crash.py`). Cost:
about 2 ms of CPU a picture at 5 a second, most of it optical flow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contracts.hazards import Sighting
from detection.boosted_trees import BoostedTrees, read_trees
from detection.crash_aftermath import came_to_stay
from detection.crash_features import FEATURES, disturbance, motion_features
from detection.crash_motion import GRID, RATE_FPS, motion_fields, shows_something, small_grey
from detection.errors import ModelUnusableError, PictureUnusableError
from detection.model_card import CRASH, MODELS, ModelCard, load_card
from detection.stream_breaks import breaks

WEIGHTS = "weights.json"
LEAST_SPAN_S = 2.0
"""A shorter clip holds no before and after."""
BEFORE, AFTER = 5, 3
"""Moments at a clip's beginning and end that are not scored, nor as many after and before a jump of
the stream: what they would be compared with is missing, and every moment of a live picture is once
the last. What lies farther off is smoothed enough to be compared across a jump; with the clip cut
there instead, crashes soon after one were missed.
"""
SLOWEST_FPS = 4.0
"""Flow between pictures farther apart finds nothing of a moving car again."""


@dataclass(frozen=True, slots=True, eq=False)
class CrashVerdict:
    """What a clip shows. `box` is x0, y0, x1, y1 in shares of the picture (0 to 1)."""

    llr: float
    """Natural-log likelihood ratio, a crash within the clip against ordinary traffic."""
    score: float
    """The highest of `scores`."""
    at_s: float
    """When the evidence was strongest, on the clip's own clock."""
    box: tuple[float, float, float, float]
    times_s: NDArray[np.float64]
    """The moments that were scored, RATE_FPS apart."""
    scores: NDArray[np.float32]
    """How much each looks like the first seconds of a crash, 0 to 1."""
    stays: float | None = None
    """How changed the place has stayed (`detection.crash_aftermath`); None where it is too early to
    tell."""
    stays_llr: float = 0.0
    """What that adds or takes."""


class CrashJudge:
    """The crash model, opened. One thread at a time."""

    def __init__(self, card: ModelCard, trees: BoostedTrees) -> None:
        if card.task != "crash":
            raise ModelUnusableError(card.folder, f"task is {card.task}, expected crash")
        self.card = card
        self.version = card.version
        self._trees = trees

    def judge(self, frames: Sequence[NDArray[np.uint8]], times_s: Sequence[float]) -> CrashVerdict:
        """Judge successive pictures (H, W, 3 RGB or H, W grey, uint8, any size) taken at `times_s`.

        Times rise, 4 a second or more; faster ones are thinned to 5 a second. Raises
        PictureUnusableError for a clip that is shorter than 2 s, slower, or no pictures.
        """
        chosen = resampled(times_s)
        times = np.array([times_s[i] for i in chosen], np.float64)
        greys = [small_grey(_checked(frames[i])) for i in chosen]
        blank = [i for i, grey in enumerate(greys) if not shows_something(grey)]
        scores = np.zeros(len(greys), np.float32)
        best, box = 0, (0.0, 0.0, 1.0, 1.0)
        stays: float | None = None
        jumps = breaks(greys, times.tolist())
        # Whatever follows a covered lens is another scene: what changes there is no motion.
        for first, last in _runs(len(greys), blank):
            if last - first < 2:
                continue
            fields = motion_fields(greys[first:last])
            mine = self._trees.probabilities(motion_features(fields))
            mine[:BEFORE] = 0.0
            mine[max(0, len(mine) - AFTER) :] = 0.0
            for jump in jumps:
                mine[max(0, jump - first - AFTER) : max(0, jump - first + BEFORE)] = 0.0
            scores[first:last] = mine
            if float(mine.max()) >= float(scores[best]):
                best = first + int(mine.argmax())
                box = _box_of(disturbance(fields, best - first))
                since = max([first, *(jump for jump in jumps if jump <= best)])
                jumped = any(best < jump < last for jump in jumps)
                stays = None if jumped else came_to_stay(greys[since:last], best - since, box)
        score = float(scores[best])
        llr = self.card.curves[Sighting.CRASH].llr(score)
        worth = self.card.aftermath
        stays_llr = 0.0 if worth is None or stays is None else worth.llr(stays)
        return CrashVerdict(llr, score, float(times[best]), box, times, scores, stays, stays_llr)


def open_crash_judge(folder: Path = MODELS / CRASH) -> CrashJudge:
    """The committed crash model, or another one's `folder`. Raises ModelUnusableError."""
    card = load_card(folder)
    return CrashJudge(card, read_trees(card.file(WEIGHTS), FEATURES))


def resampled(times_s: Sequence[float]) -> list[int]:
    """Indices of the pictures nearest to every fifth of a second. Raises PictureUnusableError."""
    times = np.asarray(times_s, np.float64)
    if len(times) < 2 or np.any(np.diff(times) <= 0):
        raise PictureUnusableError("a clip needs two pictures or more, at rising times")
    span_s = float(times[-1] - times[0])
    if span_s < LEAST_SPAN_S - 1e-6:
        raise PictureUnusableError(f"a clip of {span_s:.1f} s; at least {LEAST_SPAN_S} are needed")
    if (len(times) - 1) / span_s < SLOWEST_FPS:
        raise PictureUnusableError(
            f"{(len(times) - 1) / span_s:.1f} pictures a second; at least {SLOWEST_FPS} are needed"
        )
    wanted = times[0] + np.arange(int(span_s * RATE_FPS + 1e-6) + 1) / RATE_FPS
    nearest = np.abs(times[None, :] - wanted[:, None]).argmin(axis=1)
    return sorted({int(i) for i in nearest})


def _checked(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or 0 in image.shape:
        raise PictureUnusableError(f"expected uint8 (H, W[, 3]), got {image.dtype} {image.shape}")
    if image.ndim == 3 and image.shape[2] != 3:
        raise PictureUnusableError(f"expected 3 channels, got {image.shape[2]}")
    return image


def _runs(length: int, blank: Sequence[int]) -> list[tuple[int, int]]:
    """The stretches between blank pictures, as half-open ranges."""
    edges = [-1, *blank, length]
    return [(a + 1, b) for a, b in pairwise(edges) if b - a > 1]


def _box_of(evidence: NDArray[np.float32]) -> tuple[float, float, float, float]:
    """Where the evidence of one moment lies: the cells about its peak that are near it, in
    shares.
    """
    row, column = np.unravel_index(int(evidence.argmax()), evidence.shape)
    near = evidence >= evidence.max() - 1.0
    rows = [r for r in range(GRID) if near[r].any() and abs(r - row) <= 2]
    columns = [c for c in range(GRID) if near[:, c].any() and abs(c - column) <= 2]
    return (
        min(columns) / GRID,
        min(rows) / GRID,
        (max(columns) + 1) / GRID,
        (max(rows) + 1) / GRID,
    )
