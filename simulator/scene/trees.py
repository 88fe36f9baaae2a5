"""Street and garden trees: sprites that stand upright and face the camera."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.scene.canvas import OVERSAMPLING, Canvas, hazed
from simulator.scene.place import Tree

_TALL_PX, _WIDE_PX = 256, 224
_NEAREST_M = 4.0


class SeenTree:
    """A tree as one camera sees it; ``window`` is None where it doesn't."""

    def __init__(self, canvas: Canvas, tree: Tree) -> None:
        self._canvas = canvas
        self._tree = tree
        self.window: tuple[slice, slice] | None = None
        """Rows and columns of the camera's picture."""
        foot = np.array([(tree.a, tree.b, 0.0), (tree.a, tree.b, tree.height_m)])
        pixels, depths = canvas.project(foot)
        self._depth_m = float(depths[0])
        tall = float(pixels[0, 1] - pixels[1, 1])
        if self._depth_m < _NEAREST_M or not tall >= 2:
            return
        wide = tall * _WIDE_PX / _TALL_PX
        self._size = (max(1, round(wide * OVERSAMPLING)), max(1, round(tall * OVERSAMPLING)))
        self._left = round(float(pixels[0, 0] - wide / 2) * OVERSAMPLING)
        self._top = round(float(pixels[1, 1]) * OVERSAMPLING)
        self._x0, self._y0 = max(self._left, 0), max(self._top, 0)
        self._x1 = min(self._left + self._size[0], canvas.width)
        self._y1 = min(self._top + self._size[1], canvas.height)
        if self._x0 < self._x1 and self._y0 < self._y1:
            self.window = (
                slice(self._y0 // OVERSAMPLING, -(-self._y1 // OVERSAMPLING)),
                slice(self._x0 // OVERSAMPLING, -(-self._x1 // OVERSAMPLING)),
            )

    def draw(self) -> None:
        """Paint it over what is there; it must have a window."""
        sprite = cv2.resize(picture(self._tree.kind), self._size, interpolation=cv2.INTER_AREA)
        x0, y0, x1, y1 = self._x0, self._y0, self._x1, self._y1
        part = sprite[y0 - self._top : y1 - self._top, x0 - self._left : x1 - self._left]
        share = np.asarray(part[..., 3:], np.float32) / np.float32(255)
        colour = hazed(part[..., :3].astype(np.float32), self._depth_m, share)
        region = self._canvas.picture[y0:y1, x0:x1]
        region[:] = np.clip(region * (1 - share) + colour * share, 0, 255)
        small = cv2.resize(
            share[..., 0],
            None,
            fx=1 / OVERSAMPLING,
            fy=1 / OVERSAMPLING,
            interpolation=cv2.INTER_AREA,
        )
        r, c = y0 // OVERSAMPLING, x0 // OVERSAMPLING
        target = self._canvas.nearness[r : r + small.shape[0], c : c + small.shape[1]]
        dense = small[: target.shape[0], : target.shape[1]] > 0.5
        target[dense] = 1 / self._depth_m
        if self._canvas.lights is not None:
            lights = self._canvas.lights[r : r + small.shape[0], c : c + small.shape[1]]
            lights[dense] = 0


@lru_cache(maxsize=8)
def picture(kind: int) -> NDArray[np.uint8]:
    """A tree facing us, 256 x 224 x 4, RGB and opacity; its foot is the bottom's middle."""
    random = np.random.default_rng(900 + kind)
    colour = np.full((_TALL_PX, _WIDE_PX, 3), (50, 64, 36), np.uint8)
    opacity = np.zeros((_TALL_PX, _WIDE_PX), np.uint8)
    foot = (_WIDE_PX // 2, _TALL_PX - 1)
    fork = (_WIDE_PX // 2 + int(random.integers(-8, 9)), 130)
    cv2.line(colour, foot, fork, (74, 62, 50), 9, cv2.LINE_AA)
    cv2.line(opacity, foot, fork, 255, 9, cv2.LINE_AA)
    green = np.array(((66, 88, 44), (58, 82, 50), (82, 98, 52), (72, 80, 40))[kind % 4], np.float32)
    for layer in range(1400):
        radius = np.sqrt(random.random()) * np.array((96, 78))
        angle = random.uniform(0, 2 * np.pi)
        x = fork[0] + radius[0] * np.cos(angle)
        y = 88 + radius[1] * np.sin(angle) * 0.92
        # Lit from above on one side; leaves that are painted later lie in front.
        light = 0.52 + 0.5 * (1 - y / 176) + 0.10 * (x - fork[0]) / 96 + random.normal(0, 0.10)
        light *= 0.72 + 0.28 * layer / 1400
        size = int(random.integers(2, 7))
        centre, axes = (round(x), round(y)), (size, max(2, size * 2 // 3))
        turn = random.uniform(0, 180)
        shade = tuple(float(c) for c in np.clip(green * light, 0, 255))
        cv2.ellipse(colour, centre, axes, turn, 0, 360, shade, -1, cv2.LINE_AA)
        cv2.ellipse(opacity, centre, axes, turn, 0, 360, 255, -1, cv2.LINE_AA)
    return np.dstack((colour, opacity))
