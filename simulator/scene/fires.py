"""Fires in the scene: how they grow, how they look from a camera, and the truth about them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene.blend import lay, lay_weighted, thrice_of
from simulator.scene.fluid import BED_CELLS, HEIGHT_CELLS, WIDTH_CELLS, FireLoop
from simulator.scene.heaps import draw_heap
from simulator.scene.place import Place

Rgb = NDArray[np.uint8]
Plane8 = NDArray[np.uint8]

_GROWS_S = 40.0
_DIES_S = 15.0


@dataclass(frozen=True, slots=True)
class Fire:
    """A fire on the ground of a place, in its frame; times are seconds of the city's own time."""

    id: str
    a: float
    b: float
    onset_s: float
    burns_s: float
    width_m: float = 2.6
    """Of the burning bed when the fire is grown."""
    seed: int = 0
    wind: float = 0.22
    """The plume leans sideways by this share of its height, to one side as the wind turns."""

    def size_at(self, elapsed_s: float) -> float:
        """0 where it doesn't burn, to 1 when it is grown."""
        age = elapsed_s - self.onset_s
        if not 0 <= age < self.burns_s:
            return 0.0
        grown = 1 - math.exp(-(((age + 3) / (_GROWS_S / 2)) ** 1.3))
        left = min(1.0, (self.burns_s - age) / _DIES_S)
        return max(0.0, grown * math.sqrt(left))


def _table(stops: list[int], colours: Sequence[Sequence[int]]) -> NDArray[np.uint8]:
    """A colour for each of 256 levels, as OpenCV's colour maps want it; RGB."""
    table = np.array(colours, float)
    levels = [np.interp(np.arange(256), stops, table[:, part]) for part in range(3)]
    return np.stack(levels, 1).astype(np.uint8)[:, None, :]


# Soot glows from dark red through orange to yellow.
_GLOW_STOPS = [0, 40, 80, 130, 175, 215, 255]
_BY_DAY = [
    (20, 4, 0), (120, 30, 4), (225, 80, 10), (255, 120, 20), (255, 156, 42), (255, 190, 72),
    (255, 222, 125),
]  # fmt: skip
_BY_NIGHT = [
    (26, 6, 0), (150, 44, 8), (248, 112, 24), (255, 178, 72), (255, 228, 150), (255, 249, 220),
    (255, 255, 246),
]  # fmt: skip
"""A camera that is open for a dark street has too much of any flame: its core is white."""
_SMOKE_TONE = (84.0, 79.0, 74.0)
"""Soot in a bright day's light."""
_BLOOM = _table([0, 255], [(0, 0, 0), (255, 150, 60)])
_FLAME_COVER = (255 * np.clip((np.arange(256) - 20) / 105, 0, 1)).round().astype(np.uint8)
_SMOKE_COVER = (219 * (1 - np.exp(-3.0 * np.arange(256) / 255))).round().astype(np.uint8)

_TRUTH_SHARE = 0.45
"""Flames at least this opaque belong to the true box."""
_TRUE_HEAT = int(np.argmax(_FLAME_COVER >= 255 * _TRUTH_SHARE))


def draw_fire(
    picture: Rgb,
    nearness: NDArray[np.float32],
    camera: PinholeCamera,
    place: Place,
    fire: Fire,
    loop: FireLoop,
    elapsed_s: float,
    light: tuple[float, float, float] = (0.54, 0.54, 0.56),
) -> NDArray[np.bool_] | None:
    """Paint a fire with its smoke; the mask (H x W) of its flames comes back, None where unseen.

    ``light`` is what its smoke is seen by, beside its own; RGB, 1 is a bright day's.
    """
    size = fire.size_at(elapsed_s)
    if size <= 0:
        return None
    width_m = fire.width_m * (0.25 + 0.75 * size)
    foot = place.to_plane(np.array([(fire.a, fire.b, 0.0), (fire.a, fire.b, 1.0)]))
    depth = float((foot[0] - (camera.x, camera.y, camera.h)) @ camera.axes[2])
    if depth < 3:
        return None
    (fx, fy), (_, ty) = camera.project(foot)[0]
    across_px, up_px = camera.f_px / depth, fy - ty
    view = _View(picture.shape, fx, fy, across_px, up_px, width_m, _lean(camera, place, fire))
    region = view.region(picture)
    if region is None:
        return None
    heat, smoke = view.gas(loop, elapsed_s + fire.seed * 3.7 + camera.yaw, size)
    behind = view.part(nearness) > 1 / depth
    if behind.any():
        heat[behind] = 0
    _compose(region, heat, smoke, light, behind)
    draw_heap(picture, nearness, (fx, fy), across_px, fire.width_m, fire.seed, depth)
    opaque = heat >= _TRUE_HEAT
    if np.count_nonzero(opaque) < 6:
        return None
    mask = np.zeros(picture.shape[:2], np.bool_)
    mask[view.y0 : view.y1, view.x0 : view.x1] = opaque
    return mask


def _lean(camera: PinholeCamera, place: Place, fire: Fire) -> float:
    """The plume's lean as this camera sees it: all see the same wind, from their own sides."""
    angle = fire.seed * 1.7
    blown = place.to_plane(np.array([(0.0, 0.0), (math.cos(angle), math.sin(angle))]))
    across = float((blown[1] - blown[0]) @ camera.axes[0][:2])
    return fire.wind * across


@lru_cache(maxsize=16)
def _lit_smoke(light: tuple[float, float, float]) -> NDArray[np.uint8]:
    """Smoke by how much the flames below light it."""
    red, green, blue = (round(t * part) for t, part in zip(_SMOKE_TONE, light, strict=True))
    return _table([0, 255], [(red, green, blue), (255, 160, 80)])


@lru_cache(maxsize=16)
def _glow(light: tuple[float, float, float]) -> NDArray[np.uint8]:
    """Flames' colours by their heat, as a camera shows them that is open for so much light."""
    dark = min(1.0, max(0.0, 1.25 - 1.25 * max(light)))
    day, night = np.array(_BY_DAY), np.array(_BY_NIGHT)
    return _table(_GLOW_STOPS, np.round(day + dark * (night - day)).astype(int).tolist())


def _compose(
    region: Rgb,
    heat: Plane8,
    smoke: Plane8,
    light: tuple[float, float, float],
    behind: NDArray[np.bool_],
) -> None:
    """Lay smoke and flames over the region, but where it shows what stands nearer."""
    # Smoke is lit from below by the flames, softly, and the lens blooms about them.
    small = cv2.resize(heat, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    soft = np.asarray(cv2.GaussianBlur(small, (0, 0), max(1.0, small.shape[1] / 14)), np.uint8)
    half = smoke.shape[1::-1]
    veil = thrice_of(np.asarray(cv2.LUT(smoke, _SMOKE_COVER), np.uint8))
    lit = cv2.multiply(
        cv2.resize(cv2.applyColorMap(soft, _lit_smoke(light)), half), veil, scale=1 / 255
    )
    passes = cv2.bitwise_not(veil)
    if behind.any():
        hidden = cv2.resize(behind.view(np.uint8), half, interpolation=cv2.INTER_NEAREST)
        lit[hidden > 0] = 0
        passes[hidden > 0] = 255
    adds = cv2.add(lit, cv2.resize(cv2.applyColorMap(soft, _BLOOM), half))
    full = region.shape[1::-1]
    lay_weighted(
        region,
        np.asarray(cv2.resize(adds, full), np.uint8),
        np.asarray(cv2.resize(passes, full), np.uint8),
    )
    x, y, wide, tall = cv2.boundingRect(heat)
    if not wide:
        return
    burning = (slice(y, y + tall), slice(x, x + wide))
    flame = np.asarray(cv2.LUT(heat[burning], _FLAME_COVER), np.uint8)
    glow = np.asarray(cv2.applyColorMap(heat[burning], _glow(light)), np.uint8)
    lay(region[burning], glow, flame)


_TONGUES = tuple(
    (-0.70 + 1.40 * index / 12, scale)
    for index, scale in enumerate(
        (0.26, 0.40, 0.33, 0.46, 0.30, 0.50, 0.44, 0.48, 0.28, 0.42, 0.36, 0.45, 0.25)
    )
)
"""Where along the bed (in its widths from the middle) flames stand, and how large each is."""
_WIDEST = 1.2
"""The largest of the copies that make up a fire, against the loop's own size."""


class _View:
    """Where the gas lies in the picture, cut to what the picture shows."""

    def __init__(
        self,
        shape: tuple[int, ...],
        fx: float,
        fy: float,
        across_px: float,
        up_px: float,
        width_m: float,
        lean: float,
    ) -> None:
        cell_m = width_m / BED_CELLS
        self._fx, self._fy = fx, fy
        self._cell_x, self._cell_y = cell_m * across_px, cell_m * up_px
        # The wind leans the plume: sideways by a share of the height.
        self._lean = lean
        half = _WIDEST * (WIDTH_CELLS / 2 + abs(self._lean) * HEIGHT_CELLS)
        # A little below the foot too, where the bloom falls on the ground. Even, to be halved.
        self.x0 = max(0, 2 * math.floor((fx - half * self._cell_x) / 2))
        self.x1 = min(shape[1], 2 * math.ceil((fx + half * self._cell_x) / 2))
        self.y0 = max(0, 2 * math.floor((fy - _WIDEST * HEIGHT_CELLS * self._cell_y) / 2))
        self.y1 = min(shape[0], 2 * math.ceil((fy + 1.2 * BED_CELLS * self._cell_y) / 2))

    def region(self, picture: Rgb) -> Rgb | None:
        """The part of the picture that the gas covers; None where it is outside."""
        if self.x0 >= self.x1 or self.y0 >= self.y1:
            return None
        return picture[self.y0 : self.y1, self.x0 : self.x1]

    def part(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same part of another plane."""
        return plane[self.y0 : self.y1, self.x0 : self.x1]

    def gas(self, loop: FireLoop, seconds: float, size: float) -> tuple[Plane8, Plane8]:
        """Heat and smoke as this camera sees them: a middle fire with lesser tongues about it.

        Both are made at half the region's size, for no lens is sharper about something so bright;
        smoke comes at that.
        """
        shape = (self.y1 - self.y0, self.x1 - self.x0)
        half, smoke = np.zeros((2, -(-shape[0] // 2), -(-shape[1] // 2)), np.uint8)
        for index, (aside, scale) in enumerate(_TONGUES):
            tongue = loop.heat_at(seconds + 2.9 * index)
            # Flames are thin: light of those behind one another adds up.
            source = tongue[:, ::-1] if index % 2 else tongue
            self._lay(half, source, aside * BED_CELLS, scale, cv2.add)
        self._lay(smoke, loop.smoke_at(seconds), 0.0, 1.0, cv2.max)
        self._lay(smoke, loop.smoke_at(seconds + 6.1)[:, ::-1], 3.0, _WIDEST, cv2.max)
        heat = np.asarray(cv2.resize(half, shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
        # A young fire smokes little.
        return heat, np.asarray(cv2.convertScaleAbs(smoke, alpha=0.35 + 0.65 * size), np.uint8)

    def _lay(
        self,
        plane: Plane8,
        source: Plane8,
        aside_cells: float,
        scale: float,
        join: Callable[..., Any],
    ) -> None:
        """Warp the gas into the part of the plane that it covers, and join it with what is there.

        Column c, row r of the gas lie at fx + (c - W/2 + aside) sx + lean, fy - (H - r) sy, and in
        the plane, whose first pixel's middle is a quarter of one of its own in, at half of that.
        """
        sx, sy = self._cell_x * scale / 2, self._cell_y * scale / 2
        lean = -self._lean * sx
        left = (self._fx - self.x0 + aside_cells * self._cell_x) / 2 - WIDTH_CELLS / 2 * sx - 0.25
        left -= lean * HEIGHT_CELLS
        top = (self._fy - self.y0) / 2 - HEIGHT_CELLS * sy - 0.25
        reach = sorted((0.0, lean * HEIGHT_CELLS))
        x0 = max(0, math.floor(left + reach[0] - sx))
        x1 = min(plane.shape[1], math.ceil(left + reach[1] + (WIDTH_CELLS + 1) * sx))
        y0 = max(0, math.floor(top - sy))
        y1 = min(plane.shape[0], math.ceil(top + (HEIGHT_CELLS + 1) * sy))
        if x0 >= x1 or y0 >= y1:
            return
        matrix = np.array([[sx, lean, left - x0], [0.0, sy, top - y0]])
        warped = cv2.warpAffine(
            np.ascontiguousarray(source), matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR
        )
        part = plane[y0:y1, x0:x1]
        join(part, warped, dst=part)
