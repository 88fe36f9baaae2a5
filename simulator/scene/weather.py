"""What lies between the scene and the picture: rain, the lens's dirt, the sensor's noise."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.scene.conditions import Conditions
from simulator.scene.noise import clouds

Rgb = NDArray[np.uint8]

_SHEETS = 3
_PLAY_PX = 64
"""A sheet is larger than a picture by this much, so that it can be laid on in many places."""


class Veil:
    """Rain, dirt and noise for one camera; the sheets are shared by all of one size."""

    def __init__(self, width_px: int, height_px: int, under: Conditions, seed: int) -> None:
        self._size = (width_px, height_px)
        self._under = under
        self._seed = seed
        self._noises = _noise_sheets(width_px, height_px, under.noise_sigma)
        if under.dirt:
            self._film, self._glare = _dirt(width_px, height_px, under.dirt, seed)

    def lay(self, picture: Rgb, tick: int) -> None:
        """Veil a picture; the same for the same tick."""
        random = np.random.default_rng((self._seed, tick))
        if self._under.rain:
            sheets = _rain_sheets(*self._size, self._under.rain)
            cv2.add(picture, self._cut(sheets[int(random.integers(_SHEETS))], random), dst=picture)
        if self._under.dirt:
            cv2.multiply(picture, self._film, dst=picture, scale=1 / 255)
            cv2.add(picture, self._glare, dst=picture)
        noise = self._noises[int(random.integers(_SHEETS))]
        cv2.add(picture, self._cut(noise, random), dst=picture)

    def _cut(self, sheet: Rgb, random: np.random.Generator) -> Rgb:
        row, column = (int(v) for v in random.integers(0, _PLAY_PX, 2))
        width, height = self._size
        return sheet[row : row + height, column : column + width]


PEDESTAL_SIGMAS = 2.2
"""Noise is only added: a picture is as much darker before, as a sensor's black is above zero."""


@lru_cache(maxsize=8)
def _noise_sheets(width_px: int, height_px: int, sigma: float) -> list[Rgb]:
    """Grey noise about the pedestal."""
    sheets = []
    for grain in _grains(width_px, height_px):
        level = np.clip(np.round(grain * np.float32(sigma)), 0, 255).astype(np.uint8)
        sheets.append(np.asarray(cv2.merge([level] * 3), np.uint8))
    return sheets


@lru_cache(maxsize=1)
def _grains(width_px: int, height_px: int) -> list[NDArray[np.float32]]:
    random = np.random.default_rng(7)
    shape = (height_px + _PLAY_PX, width_px + _PLAY_PX)
    return [
        random.standard_normal(shape, np.float32) + np.float32(PEDESTAL_SIGMAS)
        for _ in range(_SHEETS)
    ]


@lru_cache(maxsize=8)
def _rain_sheets(width_px: int, height_px: int, strength: float) -> list[Rgb]:
    """Drops drawn out by the exposure: few near and long ones, many far and short ones."""
    random = np.random.default_rng(11)
    height, width = height_px + _PLAY_PX, width_px + _PLAY_PX
    sheets = []
    for _ in range(_SHEETS):
        sheet = np.zeros((height, width), np.uint8)
        for count, long, thick, light in ((900, 14, 1, 34), (160, 38, 1, 46), (26, 80, 2, 40)):
            for _ in range(round(count * strength)):
                x, y = int(random.integers(-20, width)), int(random.integers(-80, height))
                fall = int(long * random.uniform(0.6, 1.4))
                end = (x + round(0.12 * fall), y + fall)
                cv2.line(sheet, (x, y), end, (light * random.uniform(0.5, 1),), thick, cv2.LINE_AA)
        soft = cv2.GaussianBlur(sheet, (0, 0), 0.8)
        sheets.append(np.asarray(cv2.merge([soft] * 3), np.uint8))
    return sheets


def _dirt(width_px: int, height_px: int, strength: float, seed: int) -> tuple[Rgb, Rgb]:
    """A film that takes light, and the milky light that it scatters."""
    random = np.random.default_rng(seed + 31)
    film = np.clip(clouds(random, height_px, width_px, coarse=5, octaves=4) * 0.10 + 0.08, 0, 0.5)
    drops = np.zeros((height_px, width_px), np.float32)
    for _ in range(round(46 * strength)):
        at = (int(random.integers(width_px)), int(random.integers(height_px)))
        radius = int(random.uniform(4, 26) * height_px / 720)
        # Dried water leaves a ring, thicker at its lower edge.
        cv2.circle(drops, at, radius, (random.uniform(0.15, 0.4),), -1, cv2.LINE_AA)
        rim = (at[0], at[1] + radius // 6)
        cv2.ellipse(drops, rim, (radius, radius), 0, 10, 170, (0.6,), max(1, radius // 5))
    drops = np.asarray(cv2.GaussianBlur(drops, (0, 0), 5 * height_px / 720), np.float32)
    share = np.clip((film + 1.1 * drops) * strength, 0, 0.8)
    passes = (255 * (1 - share)).astype(np.uint8)
    scatters = (share * 118).astype(np.uint8)
    return (
        np.asarray(cv2.merge([passes] * 3), np.uint8),
        np.asarray(cv2.merge([scatters] * 3), np.uint8),
    )
