"""A detector of one rule, and pictures for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contracts import Sighting
from detection import Detector
from tests.detection.conftest import CLASSES, make_card


class RedNetwork:
    """A network of one rule: what is red burns."""

    def run(self, squares: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        return [self._raw(square.astype(np.int16)) for square in squares]

    @staticmethod
    def _raw(square: NDArray[np.int16]) -> NDArray[np.float32]:
        raw = np.zeros((4 + len(CLASSES), 1), np.float32)
        red = (square[..., 0] > 150) & (square[..., 2] < 100)
        if red.sum() > 100:
            rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
            x0, x1, y0, y1 = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
            raw[:, 0] = [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, 0.9, 0, 0]
        return raw


def red_detector() -> Detector:
    """The network with a card."""
    card = make_card("detect", CLASSES, (Sighting.FIRE, Sighting.SMOKE, Sighting.CRASH))
    return Detector(card, RedNetwork())


def street(*, burns: bool, seed: int) -> NDArray[np.uint8]:
    """A noisy picture, 320 x 180, with flames of another shape for each seed where it burns."""
    rng = np.random.default_rng(seed)
    picture = rng.integers(70, 130, (180, 320, 3), np.uint8)
    if burns:
        top, right = 60 - int(rng.integers(0, 20)), 140 + int(rng.integers(0, 20))
        picture[top:110, 90:right] = (230, 90, 20)
    return picture
