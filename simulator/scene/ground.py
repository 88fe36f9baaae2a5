"""The junction's ground seen from straight above: asphalt, markings, kerbs, pavements, yards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.scene.noise import clouds
from simulator.scene.place import (
    CORNER_RADIUS_M,
    EXTENT_M,
    MAIN_HALF_M,
    MINOR_HALF_M,
    PAVEMENT_M,
    STOP_LINE_M,
)

Rgb = NDArray[np.uint8]
Plane = NDArray[np.float32]
Colour = tuple[float, float, float]
Coordinate = TypeVar("Coordinate", float, Plane)

CELL_M = 0.10
GRAIN_M = 0.012
"""One pixel of the map, and one of the tiled grain that is laid on it near the camera."""
MAP_SIZE = round(2 * EXTENT_M / CELL_M)
BAND_ROWS = 100
"""The map is made in bands of so many rows, which keeps its planes small."""
_WHITE: Colour = (206, 205, 198)
_YELLOW: Colour = (205, 168, 60)


def map_pixel(a: Coordinate, b: Coordinate) -> tuple[Coordinate, Coordinate]:
    """Column and row of the map at points of the place's frame."""
    return (a + EXTENT_M) / CELL_M, (EXTENT_M - b) / CELL_M


@cache
def common_ground() -> Rgb:
    """What is alike at all junctions: everything but the shadows."""
    random = np.random.default_rng(112)
    looks = _Looks.made(random)
    picture = np.empty((MAP_SIZE, MAP_SIZE, 3), np.uint8)
    for start in range(0, MAP_SIZE, BAND_ROWS):
        _lay_band(picture, start, looks)
    _paint_lanes(picture)
    for start in range(0, MAP_SIZE, BAND_ROWS):
        _wear(picture[start : start + BAND_ROWS], looks.dirt.rows(start), distance_from_kerb(start))
    return picture


class _Soft:
    """A random plane that is kept at half the map's size, for it has no finer detail."""

    def __init__(self, random: np.random.Generator, coarse: int, octaves: int = 5) -> None:
        half = clouds(random, MAP_SIZE // 2, MAP_SIZE // 2, coarse=coarse, octaves=octaves)
        self._half = np.pad(half, ((1, 1), (0, 0)), mode="edge")

    def rows(self, start: int) -> Plane:
        """The band of the map that begins at a row (an even one)."""
        half = self._half[start // 2 : start // 2 + BAND_ROWS // 2 + 2]
        size = (MAP_SIZE, 2 * len(half))
        return np.asarray(cv2.resize(half, size, interpolation=cv2.INTER_LINEAR)[2:-2], np.float32)


@dataclass(frozen=True, eq=False)
class _Looks:
    """The randomness of all surfaces."""

    earth: _Soft
    grass: _Soft
    slabs: _Soft
    slab: Plane
    stains: _Soft
    dirt: _Soft
    patches: list[tuple[slice, slice, float]]

    @classmethod
    def made(cls, random: np.random.Generator) -> _Looks:
        return cls(
            earth=_Soft(random, 40),
            grass=_Soft(random, 14, 4),
            slabs=_Soft(random, 60),
            slab=random.normal(0, 0.04, (512, 512)).astype(np.float32),
            stains=_Soft(random, 16, 6),
            dirt=_Soft(random, 50),
            patches=[_patch(random) for _ in range(26)],
        )


def _axes(start: int) -> tuple[Plane, Plane]:
    """The a of all columns and the b of a band's rows."""
    columns = np.arange(MAP_SIZE, dtype=np.float32)[None, :]
    rows = np.arange(start, start + BAND_ROWS, dtype=np.float32)[:, None]
    half = np.float32(0.5)
    return (columns + half) * CELL_M - EXTENT_M, EXTENT_M - (rows + half) * CELL_M


def distance_from_kerb(start: int) -> Plane:
    """Signed distance from the kerb: positive on the road, the corners rounded."""
    a, b = _axes(start)
    qx = CORNER_RADIUS_M + MINOR_HALF_M - np.abs(a)
    qy = CORNER_RADIUS_M + MAIN_HALF_M - np.abs(b)
    corner = np.hypot(np.maximum(qx, 0), np.maximum(qy, 0)) + np.minimum(np.maximum(qx, qy), 0)
    return np.asarray(corner - CORNER_RADIUS_M, np.float32)


def _lay_band(picture: Rgb, start: int, looks: _Looks) -> None:
    a, b = _axes(start)
    from_kerb = distance_from_kerb(start)
    band = _yards(looks, start)
    if (from_kerb > -PAVEMENT_M).any():
        _lay(band, from_kerb > -PAVEMENT_M, _pavement(looks, start, a, b))
    if (from_kerb > -0.05).any():
        _lay(band, from_kerb > -0.05, _asphalt(looks, start, a, b))
        _paint_kerbs(band, from_kerb, a, b)
    picture[start : start + BAND_ROWS] = np.clip(band, 0, 255)


@lru_cache(maxsize=4)
def grain(seed: int) -> Plane:
    """A tile of asphalt's fine grain, factors around 1."""
    random = np.random.default_rng(seed)
    fine = random.normal(0, 1, (512, 512)).astype(np.float32)
    coarse = np.asarray(
        cv2.GaussianBlur(fine, (0, 0), 2.0, borderType=cv2.BORDER_REFLECT), np.float32
    )
    return np.asarray(1 + 0.035 * fine + 0.25 * coarse, np.float32)


def _lay(picture: Plane, mask: NDArray[np.bool_], layer: Plane) -> None:
    np.copyto(picture, layer, where=mask[..., None])


def _tinted(plane: Plane, colour: Colour, depth: float) -> Plane:
    factor = np.float32(1) + np.float32(depth) * plane
    return np.dstack([factor * np.float32(part) for part in colour])


def _yards(looks: _Looks, start: int) -> Plane:
    noise = looks.earth.rows(start)
    bare = _tinted(noise, (128, 121, 108), 0.07)
    grass = _tinted(noise, (84, 98, 58), 0.14)
    share = np.clip(looks.grass.rows(start) * np.float32(1.6) - np.float32(0.6), 0, 1)[..., None]
    grass -= bare
    grass *= share
    bare += grass
    return bare


def _pavement(looks: _Looks, start: int, a: Plane, b: Plane) -> Plane:
    row, column = (np.floor(axis / 0.4).astype(int) % 512 for axis in (b, a))
    tone = looks.slabs.rows(start) * np.float32(0.06) + looks.slab[row, column]
    joint = (np.mod(a, 0.4) < CELL_M) | (np.mod(b, 0.4) < CELL_M)
    tone -= np.float32(0.10) * joint
    return _tinted(tone, (150, 141, 132), 1.0)


def _asphalt(looks: _Looks, start: int, a: Plane, b: Plane) -> Plane:
    # Wheels polish two tracks a lane lighter, oil darkens between them.
    across = np.zeros_like(b)
    for lane in (1.9, 5.1):
        for side in (1, -1):
            offset = b - side * lane
            tracks = np.exp(-(((np.abs(offset) - 0.75) / 0.28) ** 2))
            across += 0.05 * tracks - 0.05 * np.exp(-((offset / 0.3) ** 2))
    tone = looks.stains.rows(start) * np.float32(0.05) + across * (np.abs(a) > MINOR_HALF_M)
    tone += 1
    for rows, columns, factor in looks.patches:
        low, high = max(rows.start - start, 0), min(rows.stop - start, BAND_ROWS)
        if low < high:
            tone[low:high, columns] *= np.float32(factor)
    tone -= 1
    return _tinted(tone, (91, 91, 92), 1.0)


def _patch(random: np.random.Generator) -> tuple[slice, slice, float]:
    """A mended rectangle or a long sealed crack: rows, columns, and how much darker."""
    along = random.random() < 0.5
    column, row = (int(v) for v in random.integers(0, MAP_SIZE, 2))
    long, wide = int(random.integers(15, 90)), int(random.integers(2, 26))
    width, height = (long, wide) if along else (wide, long)
    factor = float(random.uniform(0.80, 0.97))
    return slice(row, row + height), slice(column, column + width), factor


def _paint_kerbs(
    picture: Plane,
    from_kerb: Plane,
    a: Plane,
    b: Plane,
) -> None:
    """Indonesian kerbs: black and white in turns, with a gutter before them."""
    kerb = (from_kerb <= 0.02) & (from_kerb > -0.28)
    black = np.mod(np.floor((a + b) / 1.1), 2) == 0
    _lay(
        picture,
        kerb,
        np.where(black[..., None], np.float32(52), np.float32(196)) * np.ones(3, np.float32),
    )
    gutter = (from_kerb > 0.02) & (from_kerb < 0.35)
    picture[gutter] *= 0.82


def _paint_lanes(picture: Rgb) -> None:
    main_from = MINOR_HALF_M + STOP_LINE_M
    minor_from = MAIN_HALF_M + STOP_LINE_M
    for sign in (1, -1):
        end = sign * EXTENT_M
        for b in (-0.12, 0.12):
            _line(picture, (sign * main_from, b), (end, b), 0.12, _YELLOW)
        for side in (1, -1):
            _dashes(picture, sign * main_from, end, side * 3.5, along=True)
            _line(picture, (sign * main_from, side * 6.55), (end, side * 6.55), 0.10, _WHITE)
        _dashes(picture, sign * minor_from, end, 0.0, along=False)
        # Stop lines stand on the left half of those who come.
        main_b, minor_a = -sign * 3.4, sign * 2.3
        _line(
            picture,
            (sign * main_from, main_b - 3.2),
            (sign * main_from, main_b + 3.2),
            0.35,
            _WHITE,
        )
        _line(
            picture,
            (minor_a - 2.1, sign * minor_from),
            (minor_a + 2.1, sign * minor_from),
            0.35,
            _WHITE,
        )
        for index in range(-6, 7):
            b = index * 1.1
            start = sign * (MINOR_HALF_M + 0.8)
            _line(picture, (start, b), (start + sign * 2.6, b), 0.5, _WHITE)
        for index in range(-3, 4):
            a = index * 1.1
            start = sign * (MAIN_HALF_M + 0.8)
            _line(picture, (a, start), (a, start + sign * 2.6), 0.5, _WHITE)


def _line(
    picture: Rgb,
    start: tuple[float, float],
    end: tuple[float, float],
    width_m: float,
    colour: Colour,
) -> None:
    p, q = np.array(start), np.array(end)
    along = (q - p) / (np.hypot(*(q - p)) + 1e-9)
    side = np.array((-along[1], along[0])) * width_m / 2
    corners = [map_pixel(*corner) for corner in (p + side, q + side, q - side, p - side)]
    fixed = np.round(np.array(corners) * 16).astype(np.int32)
    cv2.fillPoly(picture, [fixed], colour, cv2.LINE_AA, 4)


def _dashes(picture: Rgb, start: float, end: float, across: float, *, along: bool) -> None:
    sign = 1 if end > start else -1
    for at in np.arange(start + sign * 2, end, sign * 7.0):
        ends = ((at, across), (at + sign * 3.0, across))
        p, q = ends if along else tuple((y, x) for x, y in ends)
        _line(picture, (float(p[0]), float(p[1])), (float(q[0]), float(q[1])), 0.12, _WHITE)


def _wear(band: Rgb, dirt: Plane, from_kerb: Plane) -> None:
    """Dirt over paint and all, thicker by the kerb."""
    share = np.clip(dirt * np.float32(0.5) + np.float32(0.1), 0, 1)
    share *= 0.22 + 0.18 * np.exp(-((from_kerb / 1.2) ** 2))
    worn = band.astype(np.float32)
    worn += share[..., None] * (np.array((96, 90, 80), np.float32) - worn)
    band[:] = worn
