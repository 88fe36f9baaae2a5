"""Street and garden trees: sprites that stand upright and face the camera."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.scene.canvas import OVERSAMPLING, Canvas, hazed
from simulator.scene.place import Tree

Colour = tuple[float, ...]

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
    paint = _palm if kind % 4 == _PALM else _crown
    paint(_Easel(colour, opacity), random, np.array(_GREENS[kind % 4], np.float32))
    return np.dstack((colour, opacity))


_GREENS = ((66, 88, 44), (58, 82, 50), (82, 98, 52), (78, 92, 50))
_PALM = 3


@dataclass(frozen=True, eq=False)
class _Easel:
    colour: NDArray[np.uint8]
    opacity: NDArray[np.uint8]

    def stroke(self, points: NDArray[np.float64], thick_px: int, tone: Colour) -> None:
        """A bent line."""
        line = [np.round(points * 16).astype(np.int32)]
        for target, ink in ((self.colour, tone), (self.opacity, (255.0,))):
            cv2.polylines(target, line, isClosed=False, color=ink, thickness=thick_px,
                          lineType=cv2.LINE_AA, shift=4)  # fmt: skip

    def leaf(self, x: float, y: float, axes: tuple[int, int], turn: float, tone: Colour) -> None:
        """A small ellipse."""
        for target, ink in ((self.colour, tone), (self.opacity, (255.0,))):
            cv2.ellipse(target, (round(x), round(y)), axes, turn, 0, 360, ink, -1, cv2.LINE_AA)


def _crown(easel: _Easel, random: np.random.Generator, green: NDArray[np.float32]) -> None:
    """A broad crown of many boughs, no two alike, with the sky between them."""
    foot = np.array((_WIDE_PX / 2, _TALL_PX - 1.0))
    fork = foot + np.array((random.uniform(-10, 10), -random.uniform(84, 112)))
    bark = (74.0, 62.0, 50.0)
    easel.stroke(np.array([foot, (foot + fork) / 2 + np.array((3, 0)), fork]), 8, bark)
    angles = np.linspace(-2.9, -0.25, int(random.integers(8, 12)))
    boughs = []
    for angle in angles + random.normal(0, 0.16, len(angles)):
        reach = float(random.uniform(44, 92)) * (1.0 if math.sin(angle) > -0.6 else 1.12)
        tip = fork + np.array((1.08 * reach * math.cos(angle), 1.05 * reach * math.sin(angle) - 14))
        easel.stroke(np.array([fork, (fork + tip) / 2, tip]), 3, bark)
        boughs.append(
            (*np.clip(tip, (30, 26), (_WIDE_PX - 30, 190)), float(random.uniform(19, 33)))
        )
    boughs += [(*(fork + random.normal(0, (22, 14)) - (0, 34)), 32.0) for _ in range(3)]
    # The upper boughs catch the light; those painted later hang before them.
    for x, y, size in sorted(boughs, key=lambda bough: bough[1]):
        for layer in range(150):
            away = size * math.sqrt(random.random()) * float(random.uniform(0.75, 1.12))
            turn = random.uniform(0, 2 * math.pi)
            dx, dy = 1.15 * away * math.cos(turn), 0.78 * away * math.sin(turn)
            light = 0.72 - 0.40 * dy / size - 0.16 * dx / size + 0.18 * (1 - y / 150)
            light *= 0.74 + 0.26 * layer / 150 + random.normal(0, 0.13)
            tone = np.clip(green * light * random.uniform(0.9, 1.1, 3), 0, 255).tolist()
            axes = (int(random.integers(2, 5)), int(random.integers(1, 3)))
            easel.leaf(x + dx, y + dy, axes, random.uniform(0, 180), tuple(tone))


def _palm(easel: _Easel, random: np.random.Generator, green: NDArray[np.float32]) -> None:
    """A slender, leaning stem and a dozen and a half hanging fronds."""
    foot = np.array((_WIDE_PX / 2, _TALL_PX - 1.0))
    head = np.array((_WIDE_PX / 2 + random.uniform(-12, 12), 66.0))
    easel.stroke(np.array([foot, foot * 0.5 + head * 0.5 + (5, 0), head]), 6, (104.0, 94.0, 80.0))
    for number in range(18):
        angle = random.uniform(-math.pi, 0) if number > 5 else random.uniform(0.1, math.pi - 0.1)
        reach, droop = random.uniform(62, 96), random.uniform(26, 62)
        along = np.linspace(0, 1, 26)[:, None]
        spine = head + along * reach * np.array((math.cos(angle), 0.72 * math.sin(angle)))
        spine[:, 1] += droop * along[:, 0] ** 2
        light = 0.62 + 0.34 * max(0.0, -math.sin(angle)) + random.normal(0, 0.07)
        tone = tuple(np.clip(green * light, 0, 255).tolist())
        easel.stroke(spine, 2, tone)
        for share, (x, y) in zip(along[3:, 0].tolist(), spine[3:].tolist(), strict=True):
            long = 15 * math.sin(math.pi * min(1.0, share + 0.12)) + 3
            blade = np.array([(x, y), (x + 0.35 * long * math.cos(angle), y + long)])
            easel.stroke(blade, 1, tone)
            easel.stroke(blade * (1, -1) + (0, 2 * y - 0.35 * long), 1, tone)
