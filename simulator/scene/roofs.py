"""What is on top of buildings: tiled roofs over houses, tarpaulins before shops."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.scene.canvas import Canvas, Face
from simulator.scene.place import Building

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float64]

_PIXELS_A_METRE = 14
_EAVES_M = 0.7
_SLOPE = math.tan(math.radians(31))
_HOUSE_M = 8.5
"""Higher buildings have flat roofs."""
_WIDEST_M = 15.0
_TILES = ((156, 88, 62), (138, 78, 58), (120, 70, 54), (126, 116, 108), (104, 92, 84))
_TARPAULINS = ((38, 74, 150), (168, 44, 40), (202, 128, 40), (44, 110, 74), (150, 150, 146))


def is_pitched(block: Building) -> bool:
    """Whether it is a house with a tiled roof; shops in their rows have flat ones."""
    wide = min(block.a1 - block.a0, block.b1 - block.b0)
    is_low = block.height_m <= _HOUSE_M and wide <= _WIDEST_M
    return is_low and (block.front == (0, 0) or block.front[1] == 0)


def hipped(canvas: Canvas, block: Building, sun: Floats) -> Iterator[Face]:
    """The slopes of a hipped roof that are turned to the camera."""
    low_a, high_a = block.a0 - _EAVES_M, block.a1 + _EAVES_M
    low_b, high_b = block.b0 - _EAVES_M, block.b1 + _EAVES_M
    long_a, long_b = high_a - low_a, high_b - low_b
    half = min(long_a, long_b) / 2
    top, eaves = block.height_m + half * _SLOPE, block.height_m - 0.15
    # A ridge is never quite a point: a flat face needs four corners.
    inset = half - 0.15
    a0, a1, b0, b1 = low_a + inset, high_a - inset, low_b + inset, high_b - inset
    slopes = (
        ((1, 0), ((a1, b0), (a1, b1)), ((high_a, high_b), (high_a, low_b))),
        ((-1, 0), ((a0, b1), (a0, b0)), ((low_a, low_b), (low_a, high_b))),
        ((0, 1), ((a1, b1), (a0, b1)), ((low_a, high_b), (high_a, high_b))),
        ((0, -1), ((a0, b0), (a1, b0)), ((high_a, low_b), (low_a, low_b))),
    )
    own_a, own_b = block.unturned(canvas.a, canvas.b)
    cos, sin = math.cos(block.turn_rad), math.sin(block.turn_rad)
    for (na, nb), uppers, lowers in slopes:
        ahead = na * (own_a - lowers[0][0]) + nb * (own_b - lowers[0][1])
        # Seen where the eye is above the slope's own plane.
        if ahead * _SLOPE + canvas.camera.h - eaves <= 0:
            continue
        outward = np.array((na * cos - nb * sin, na * sin + nb * cos))
        light = 0.92 + 0.22 * float(sun @ outward)
        corners = [(*block.turned(*at), top) for at in uppers]
        corners += [(*block.turned(*at), eaves) for at in lowers]
        long_m = math.dist(*lowers)
        paint = partial(_tiles, round(long_m, 1), round(half / math.cos(_SLOPE), 1), block.style)
        yield Face(canvas, np.array(corners), paint, light)


def awning(canvas: Canvas, block: Building) -> Iterator[Face]:
    """Before some shops: a tarpaulin on a frame, seen from above."""
    if block.front == (0, 0) or block.style % 3 or block.height_m < _SHOP_M:
        return
    side = _Side.of(block)
    out = 1.3 + 0.1 * (block.style % 7)
    ups = (_AWNING_M, _AWNING_M, _AWNING_M - 0.45, _AWNING_M - 0.45)
    spots = (side.at(1, 0), side.at(0, 0), side.at(0, out), side.at(1, out))
    eye = block.unturned(canvas.a, canvas.b)
    is_before = (eye[0] - spots[0][0]) * block.front[0] + (eye[1] - spots[0][1]) * block.front[1]
    if is_before <= 0 or canvas.camera.h <= _AWNING_M:
        return
    corners = [(*block.turned(*spot), up) for spot, up in zip(spots, ups, strict=True)]
    paint = partial(_tarpaulin, round(side.wide_m, 1), round(out, 1), block.style)
    yield Face(canvas, np.array(corners), paint, 0.96)


_SHOP_M, _AWNING_M = 3.6, 2.95


@dataclass(frozen=True, slots=True)
class _Side:
    """A block's front: its left end as seen from outside, the way along it, the way out."""

    left: tuple[float, float]
    along: tuple[float, float]
    out: tuple[float, float]
    wide_m: float

    @classmethod
    def of(cls, block: Building) -> _Side:
        na, nb = block.front
        wide_m = block.b1 - block.b0 if na else block.a1 - block.a0
        # From outside a wall's left end is the one that comes first anticlockwise.
        if na:
            left = (block.a1, block.b0) if na > 0 else (block.a0, block.b1)
        else:
            left = (block.a1, block.b1) if nb > 0 else (block.a0, block.b0)
        return cls(left, (-nb, na), (na, nb), wide_m)

    def at(self, share: float, out_m: float) -> tuple[float, float]:
        step = share * self.wide_m
        return (
            self.left[0] + step * self.along[0] + out_m * self.out[0],
            self.left[1] + step * self.along[1] + out_m * self.out[1],
        )


@lru_cache(maxsize=64)
def _tiles(long_m: float, deep_m: float, style: int) -> Rgb:
    random = np.random.default_rng(style + 5)
    wide, tall = (max(8, round(m * _PIXELS_A_METRE)) for m in (long_m, deep_m))
    tone = np.array(_TILES[style // 7 % len(_TILES)], np.float32)
    rows = np.arange(tall)[:, None] % 5
    lie = np.where(rows == 4, 0.80, 1.0) * (1 + 0.05 * np.sin(np.arange(wide)[None, :] * 2.1))
    # Tiles are burnt unlike one another; dirt and moss run down.
    burnt = np.asarray(
        cv2.resize(
            random.normal(1, 0.07, (-(-tall // 5), -(-wide // 4))).astype(np.float32), (wide, tall),
            interpolation=cv2.INTER_NEAREST,
        )
    )  # fmt: skip
    streaks = cv2.GaussianBlur(np.abs(random.normal(0, 1, (1, wide))).astype(np.float32), (0, 0), 3)
    fade = np.linspace(0.3, 1.0, tall, dtype=np.float32)[:, None]
    shade = lie * burnt * (1 - 0.28 * np.clip(np.asarray(streaks) - 0.5, 0, 1) * fade)
    return np.asarray(np.clip(tone * shade[..., None], 0, 255), np.uint8)


@lru_cache(maxsize=64)
def _tarpaulin(long_m: float, deep_m: float, style: int) -> Rgb:
    random = np.random.default_rng(style + 9)
    wide, tall = (max(8, round(m * _PIXELS_A_METRE)) for m in (long_m, deep_m))
    tone = np.array(_TARPAULINS[style // 3 % len(_TARPAULINS)], np.float32)
    folds = 1 + 0.10 * np.sin(np.arange(wide) * random.uniform(0.15, 0.4) + random.uniform(0, 6))
    picture = tone * (folds[None, :, None] * np.linspace(1.05, 0.82, tall)[:, None, None])
    if style % 2:
        picture[:, (np.arange(wide) // 7) % 2 == 0] = (196, 192, 184)
    picture *= random.normal(1, 0.03, (tall, wide))[..., None]
    return np.asarray(np.clip(picture, 0, 255), np.uint8)
