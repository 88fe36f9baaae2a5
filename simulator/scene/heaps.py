"""What burns."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.scene.blend import lay

Rgb = NDArray[np.uint8]
Plane8 = NDArray[np.uint8]


def draw_heap(
    picture: Rgb,
    nearness: NDArray[np.float32],
    foot: tuple[float, float],
    across_px: float,
    width_m: float,
    seed: int,
    depth_m: float,
) -> None:
    """A charred heap, lower than it is wide, before the feet of the flames.

    ``foot`` is its middle in the picture, ``across_px`` are the pixels of a metre.
    """
    wide, tall = round(1.6 * width_m * across_px), round(0.24 * width_m * across_px)
    x0, y0 = round(foot[0] - wide / 2), round(foot[1]) - tall
    height, width = picture.shape[:2]
    if wide < 4 or tall < 2 or x0 < 0 or y0 < 0 or x0 + wide > width or y0 + tall > height:
        return
    tones, cover = _heap(seed)
    size = (wide, tall)
    share = np.asarray(cv2.resize(cover, size, interpolation=cv2.INTER_AREA), np.uint8)
    share[nearness[y0 : y0 + tall, x0 : x0 + wide] > 1 / depth_m] = 0
    region = picture[y0 : y0 + tall, x0 : x0 + wide]
    lay(region, np.asarray(cv2.resize(tones, size, interpolation=cv2.INTER_AREA), np.uint8), share)


@lru_cache(maxsize=32)
def _heap(seed: int) -> tuple[Rgb, Plane8]:
    """A heap's picture, 48 x 192, and how much of each pixel it covers, 0-255."""
    random = np.random.default_rng(seed + 50)
    cover = np.zeros((48, 192), np.uint8)
    tones = np.full((48, 192, 3), 24, np.uint8)
    for _ in range(80):
        x = float(np.clip(random.normal(96, 40), 10, 182))
        top = 44 * math.exp(-(((x - 96) / 66) ** 2))
        y = 47 - float(random.uniform(0, max(2.0, top - 6)))
        size = (float(random.uniform(6, 24)), float(random.uniform(4, 11)))
        corners = cv2.boxPoints(((x, y), size, float(random.uniform(-50, 50))))
        outline = np.round(corners).astype(np.int32)
        shade = float(random.uniform(14, 58))
        glow = 60.0 if random.random() < 0.15 else 0.0
        cv2.fillConvexPoly(cover, outline, 255, cv2.LINE_AA)
        cv2.fillConvexPoly(tones, outline, (shade + 2 * glow, shade + glow / 2, shade), cv2.LINE_AA)
    return tones, cover
