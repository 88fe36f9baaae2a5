"""Textures' raw material: smooth random planes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


def clouds(
    random: np.random.Generator, height: int, width: int, *, coarse: int = 4, octaves: int = 5
) -> Plane:
    """Fractal noise, height x width, mean 0, standard deviation 1; ``coarse`` cells across."""
    total: Plane = np.zeros((height, width), np.float32)
    cells, weight = coarse, 1.0
    for _ in range(octaves):
        rows = max(2, cells * height // max(width, 1))
        if min(cells, rows) > max(width, height):
            break
        grid = random.normal(0, 1, (rows, max(2, cells))).astype(np.float32)
        total += weight * np.asarray(
            cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC), np.float32
        )
        cells, weight = cells * 2, weight * 0.55
    return np.asarray((total - total.mean()) / (total.std() + 1e-9), np.float32)
