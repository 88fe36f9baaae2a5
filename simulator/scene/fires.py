"""Fires in the scene: how they grow, how they look from a camera, and the truth about them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts import Box
from geo.camera import PinholeCamera
from simulator.scene.fluid import BED_CELLS, HEIGHT_CELLS, WIDTH_CELLS, FireLoop
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

    def size_at(self, elapsed_s: float) -> float:
        """0 where it doesn't burn, to 1 when it is grown."""
        age = elapsed_s - self.onset_s
        if not 0 <= age < self.burns_s:
            return 0.0
        grown = 1 - math.exp(-(((age + 3) / (_GROWS_S / 2)) ** 1.3))
        left = min(1.0, (self.burns_s - age) / _DIES_S)
        return max(0.0, grown * math.sqrt(left))


def _ramp(stops: list[int], values: list[tuple[float, ...]]) -> NDArray[np.float32]:
    table = np.array(values, float)
    return np.stack(
        [np.interp(np.arange(256), stops, table[:, i]) for i in range(table.shape[1])], 1
    ).astype(np.float32)


# Soot glows from dark red through orange to nearly white; a camera's sensor clips the middle.
_GLOW = _ramp(
    [0, 40, 80, 120, 165, 205, 255],
    [
        (20, 4, 0),
        (96, 20, 2),
        (205, 62, 6),
        (255, 128, 18),
        (255, 196, 70),
        (255, 238, 160),
        (255, 253, 236),
    ],
).astype(np.uint8)[:, None, :]
_FLAME_SHARE = np.clip((np.arange(256) - 24) / 70, 0, 1).astype(np.float32)
_SMOKE_SHARE = (0.86 * (1 - np.exp(-3.0 * np.arange(256) / 255))).astype(np.float32)

_TRUTH_SHARE = 0.45
"""Flames at least this opaque belong to the true box."""


def draw_fire(
    picture: Rgb,
    nearness: NDArray[np.float32],
    camera: PinholeCamera,
    place: Place,
    fire: Fire,
    loop: FireLoop,
    elapsed_s: float,
) -> Box | None:
    """Paint a fire with its smoke and glow; the box of its flames comes back, None where unseen."""
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
    view = _View(picture.shape, fx, fy, across_px, up_px, width_m, fire.seed)
    region = view.region(picture)
    if region is None:
        return None
    heat, smoke = view.gas(loop, elapsed_s + fire.seed * 3.7 + camera.yaw, size)
    behind = view.part(nearness) > 1 / depth
    if behind.any():
        heat[behind] = 0
        smoke[behind] = 0
    _glow_around(picture, fx, fy, across_px, camera, depth, width_m, size, heat)
    colour = _composed(region, heat, smoke)
    region[:] = colour
    rows, columns = np.nonzero(_FLAME_SHARE[heat] >= _TRUTH_SHARE)
    if rows.size < 6:
        return None
    return Box(
        float(view.x0 + columns.min()),
        float(view.y0 + rows.min()),
        float(view.x0 + columns.max() + 1),
        float(view.y0 + rows.max() + 1),
    )


def _composed(region: Rgb, heat: Plane8, smoke: Plane8) -> Rgb:
    flame = np.asarray(cv2.LUT(heat, _FLAME_SHARE), np.float32)[..., None]
    veil = np.asarray(cv2.LUT(smoke, _SMOKE_SHARE), np.float32)[..., None]
    # Smoke is lit from below by the flames, softly.
    small = cv2.resize(heat, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), max(1.0, heat.shape[1] / 40))
    bloom = np.asarray(cv2.resize(soft, heat.shape[::-1]), np.float32)[..., None] / 255
    grey = np.array((66, 63, 60), np.float32) + bloom * np.array((200, 92, 26), np.float32)
    out = region.astype(np.float32)
    out += (grey - out) * veil
    out += bloom * np.array((120, 62, 18), np.float32)
    glow = cv2.applyColorMap(heat, _GLOW[:, :, ::1])
    out += (glow.astype(np.float32) - out) * flame
    return np.asarray(np.clip(out, 0, 255), np.uint8)


def _glow_around(
    picture: Rgb,
    fx: float,
    fy: float,
    across_px: float,
    camera: PinholeCamera,
    depth: float,
    width_m: float,
    size: float,
    heat: Plane8,
) -> None:
    """Firelight on the ground, a flat ellipse for the camera, which flickers with the flames."""
    reach_m = 2.6 * width_m
    rx = reach_m * across_px
    ry = rx * min(1.0, camera.h / depth)
    height, width = picture.shape[:2]
    x0, x1 = max(0, int(fx - 2 * rx)), min(width, int(fx + 2 * rx) + 1)
    y0, y1 = max(0, int(fy - 2 * ry)), min(height, int(fy + 2 * ry) + 1)
    if x0 >= x1 or y0 >= y1:
        return
    x = (np.arange(x0, x1, dtype=np.float32) - fx) / rx
    y = (np.arange(y0, y1, dtype=np.float32) - fy) / ry
    fall = np.exp(-2.2 * (x[None, :] ** 2 + y[:, None] ** 2))
    strength = 0.55 * size * (0.6 + 0.4 * float(heat.mean()) / 40)
    region = picture[y0:y1, x0:x1]
    light = 1 + strength * fall[..., None] * np.array((1.5, 0.75, 0.18), np.float32)
    region[:] = np.clip(region * light, 0, 255).astype(np.uint8)


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
        seed: int,
    ) -> None:
        cell_m = width_m / BED_CELLS
        self._fx, self._fy = fx, fy
        self._cell_x, self._cell_y = cell_m * across_px, cell_m * up_px
        # The wind leans the plume: sideways by a share of the height.
        self._lean = 0.22 * math.cos(seed * 1.7)
        half = _WIDEST * (WIDTH_CELLS / 2 + abs(self._lean) * HEIGHT_CELLS)
        self.x0 = max(0, math.floor(fx - half * self._cell_x))
        self.x1 = min(shape[1], math.ceil(fx + half * self._cell_x))
        self.y0 = max(0, math.floor(fy - _WIDEST * HEIGHT_CELLS * self._cell_y))
        self.y1 = min(shape[0], math.ceil(fy))

    def region(self, picture: Rgb) -> Rgb | None:
        """The part of the picture that the gas covers; None where it is outside."""
        if self.x0 >= self.x1 or self.y0 >= self.y1:
            return None
        return picture[self.y0 : self.y1, self.x0 : self.x1]

    def part(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same part of another plane."""
        return plane[self.y0 : self.y1, self.x0 : self.x1]

    def gas(self, loop: FireLoop, seconds: float, size: float) -> tuple[Plane8, Plane8]:
        """Heat and smoke as this camera sees them: a middle fire with lesser tongues about it."""
        heat, smoke = loop.at(seconds)
        whole = self._warped(heat, 0.0, 1.0)
        for index, (aside, scale) in enumerate(((-0.36, 0.62), (0.34, 0.70), (0.10, 0.85))):
            other, _ = loop.at(seconds + 2.9 * (index + 1))
            source = other[:, ::-1] if index % 2 == 0 else other
            np.maximum(whole, self._warped(source, aside * BED_CELLS, scale), out=whole)
        veil = self._warped(smoke, 0.0, 1.0)
        later, _ = loop.at(seconds + 6.1)[::-1]
        np.maximum(veil, self._warped(later[:, ::-1], 3.0, _WIDEST), out=veil)
        # A young fire smokes little.
        return whole, np.asarray(cv2.convertScaleAbs(veil, alpha=0.35 + 0.65 * size), np.uint8)

    def _warped(self, source: Plane8, aside_cells: float, scale: float) -> Plane8:
        sx, sy = self._cell_x * scale, self._cell_y * scale
        # Column c, row r of the gas lie at fx + (c - W/2 + aside) sx + lean, fy - (H - r) sy.
        lean = -self._lean * self._cell_x * scale
        matrix = np.array(
            [
                [
                    sx,
                    lean,
                    self._fx
                    - self.x0
                    + aside_cells * self._cell_x
                    - WIDTH_CELLS / 2 * sx
                    - lean * HEIGHT_CELLS,
                ],
                [0.0, sy, self._fy - self.y0 - HEIGHT_CELLS * sy],
            ]
        )
        warped = cv2.warpAffine(
            np.ascontiguousarray(source),
            matrix,
            (self.x1 - self.x0, self.y1 - self.y0),
            flags=cv2.INTER_LINEAR,
        )
        return np.asarray(warped, np.uint8)
