"""One thing seen by one camera, look by look, and what its looks come to together. Pure."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np
from numpy.typing import NDArray

LOOK_S = 0.5
"""Pictures closer together than this are one look: they show the same thing, not a second proof of
it.
"""
LEAST_DOUBT_LLR = 1.0
"""What a look that shows nothing may always take."""
LOST_AFTER_S = 15.0
"""A track unseen for so long is over; what comes later at its place is another one."""
LOOKS_KEPT = 64
"""Looks remembered a track; the oldest fall out (bounds memory: 64 looks are at least 30 s)."""


@dataclass(slots=True, eq=False)
class Look:
    """One look at a track: the pictures within LOOK_S."""

    at_s: float
    llrs: list[float]
    xyxy: NDArray[np.float32] | None
    flickers: list[float] = field(default_factory=list)
    """Of its pictures that could be compared with those before: grey levels."""

    @property
    def llr(self) -> float:
        """Median natural-log likelihood ratio of the look's pictures: a flame that is missed in one
        picture of five is there, a reflection that is found in one of five is not.
        """
        return median(self.llrs)


@dataclass(slots=True, eq=False)
class Track:
    """One thing seen by one camera. Times are seconds on the caller's clock."""

    number: int
    class_id: int
    started_s: float
    xyxy: NDArray[np.float32]
    seen_s: float
    score: float
    looks: deque[Look] = field(default_factory=lambda: deque(maxlen=LOOKS_KEPT))

    @property
    def key(self) -> tuple[int, int]:
        """What tells it from the camera's other tracks: numbers are by class."""
        return self.class_id, self.number

    def record(
        self,
        at_s: float,
        llr: float,
        score: float,
        xyxy: NDArray[np.float32] | None,
    ) -> None:
        """Add one picture's evidence; `xyxy` is None where the picture did not show the thing."""
        if xyxy is not None:
            self.xyxy, self.seen_s, self.score = xyxy, at_s, score
        last = self.looks[-1] if self.looks else None
        if last is not None and at_s - last.at_s < LOOK_S:
            last.llrs.append(llr)
            last.xyxy = xyxy if xyxy is not None else last.xyxy
        else:
            self.looks.append(Look(at_s, [llr], xyxy))

    def note_flicker(self, grey_levels: float) -> None:
        """By how much its content differs in the picture just recorded from any before it."""
        self.looks[-1].flickers.append(grey_levels)

    def absorb(self, other: Track) -> None:
        """Take over what another track has shown, which was the same thing all along.

        Of looks at the same time the stronger stays: the thing was there, in one place or the
        other.
        """
        self.started_s = min(self.started_s, other.started_s)
        both = sorted([*self.looks, *other.looks], key=lambda look: (look.at_s, -look.llr))
        joined: list[Look] = []
        for look in both:
            if joined and look.at_s - joined[-1].at_s < LOOK_S:
                joined[-1] = max(joined[-1], look, key=lambda one: one.llr)
            else:
                joined.append(look)
        self.looks.clear()
        self.looks.extend(joined)

    def looks_since(self, at_s: float) -> list[Look]:
        """The looks not older than a time, oldest first."""
        return [look for look in self.looks if look.at_s >= at_s]


def evidence_by_onset(
    looks: Sequence[Look], correlation: float, fade_s: float = float("inf")
) -> list[float]:
    """Joint log-likelihood ratio of correlated looks, from each one on: their mean times
    n / (1 + (n - 1) correlation), in which a look weighs 1/e of one that is `fade_s` younger.

    The factor is the effective number of independent samples of n equally correlated ones (Kish's
    design effect, with n the effective number of weighted ones); it never exceeds 1 / correlation,
    so that a lamp watched for an hour stays as little proof as a lamp watched for a minute.

    How well a thing is found differs from thing to thing more than from look to look: a small fire
    is missed every other time. So no look speaks against it by more than the best one speaks for.
    """
    found: list[float] = []
    most_against = -max(LEAST_DOUBT_LLR, max((look.llr for look in looks), default=0.0))
    total = squares = spoken = 0.0
    for look in reversed(looks):
        weight = math.exp((look.at_s - looks[-1].at_s) / fade_s)
        total += weight
        squares += weight * weight
        spoken += weight * max(look.llr, most_against)
        n = total**2 / squares
        found.append(spoken / total * n / (1.0 + (n - 1.0) * correlation))
    return found[::-1]


def drift(looks: Sequence[Look]) -> float:
    """How far the box's centre strayed over the looks, in mean box diagonals; 0 with fewer than two
    sightings.
    """
    seen = np.array([look.xyxy for look in looks if look.xyxy is not None])
    if len(seen) < 2:
        return 0.0
    centres = (seen[:, :2] + seen[:, 2:]) / 2
    diagonal = float(np.linalg.norm(seen[:, 2:] - seen[:, :2], axis=1).mean())
    spread = float(np.linalg.norm(centres.max(axis=0) - centres.min(axis=0)))
    return spread / max(diagonal, 1e-6)


def jitter(looks: Sequence[Look]) -> float | None:
    """How much the box's edges move from sighting to sighting: median, in box diagonals.

    None with fewer than three sightings. On the open clips flames and smoke give 0.03 and more,
    lamps and other things that stand in the picture 0.005 and less.
    """
    seen = np.array([look.xyxy for look in looks if look.xyxy is not None])
    if len(seen) < 3:
        return None
    diagonal = np.linalg.norm(seen[:, 2:] - seen[:, :2], axis=1)[1:]
    moved = np.abs(np.diff(seen, axis=0)).mean(axis=1)
    return float(np.median(moved / np.maximum(diagonal, 1e-6)))


def median_flicker(looks: Sequence[Look]) -> float | None:
    """How much the content changes from picture to picture, grey levels; None where unknown."""
    values = [value for look in looks for value in look.flickers]
    return median(values) if len(values) >= 2 else None


def growth(looks: Sequence[Look]) -> float:
    """Natural logarithm of how much larger the box is in the later half of its sightings than in
    the earlier, by median area; 0 with fewer than four.
    """
    seen = np.array([look.xyxy for look in looks if look.xyxy is not None])
    if len(seen) < 4:
        return 0.0
    areas = np.maximum(np.prod(seen[:, 2:] - seen[:, :2], axis=1), 1e-6)
    half = len(areas) // 2
    return float(math.log(np.median(areas[-half:]) / np.median(areas[:half])))
