"""Floods: water that rises over kerbs and wheels, mirrors what stands behind it, and recedes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene import masks
from simulator.scene.blend import lay
from simulator.scene.lanes import LANES, Hindrance
from simulator.scene.mirrors import Mirror
from simulator.scene.noise import clouds
from simulator.scene.place import Place

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

_CORNERS = 96
_NEAREST_M = 1.5
_SHRINK = 2
"""Water is drawn so much smaller: it has no fine detail of its own."""
_WAVE_M = 0.07
"""One pixel of the waves' texture."""
_MUD = np.array((128, 108, 84), np.float32)
_SLOWS_M, _STOPS_M = 0.08, 0.42
"""Vehicles crawl through water deeper than the first, and don't enter deeper than the second."""


@dataclass(frozen=True, slots=True)
class Flood:
    """A low place that fills; in a place's frame, times in seconds of the city's own time."""

    id: str
    a: float
    b: float
    reach_a_m: float
    """Half its length along the main road when it is full."""
    reach_b_m: float
    depth_m: float
    starts_s: float
    rises_s: float
    lasts_s: float
    recedes_s: float = 40.0
    """At the end of `lasts_s`."""
    seed: int = 0

    def fullness(self, elapsed_s: float) -> float:
        """0 dry to 1 full."""
        age = elapsed_s - self.starts_s
        if not 0 < age < self.lasts_s:
            return 0.0
        up = min(1.0, age / self.rises_s)
        down = min(1.0, (self.lasts_s - age) / self.recedes_s)
        share = min(up, down)
        return share * share * (3 - 2 * share)

    def level_m(self, elapsed_s: float) -> float:
        """The water's depth where it is deepest."""
        return self.depth_m * self.fullness(elapsed_s)

    def depth_at(self, a: float, b: float, elapsed_s: float) -> float:
        """Water over the ground at a point, 0 where it is dry."""
        square = ((a - self.a) / self.reach_a_m) ** 2 + ((b - self.b) / self.reach_b_m) ** 2
        return max(0.0, self.level_m(elapsed_s) - self.depth_m * square)

    def shore(self, elapsed_s: float) -> Floats | None:
        """The water's edge on the ground: ``(N, 2)``, a and b; None while it is dry."""
        full = self.fullness(elapsed_s)
        if full <= 0.002:
            return None
        angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
        random = np.random.default_rng(self.seed + 77)
        wobble = np.ones(_CORNERS)
        for wave in range(2, 9):
            wobble += 0.11 / wave * np.cos(wave * angle + random.uniform(0, 2 * np.pi))
        reach = math.sqrt(full) * wobble
        return np.column_stack(
            (
                self.a + self.reach_a_m * reach * np.cos(angle),
                self.b + self.reach_b_m * reach * np.sin(angle),
            )
        )

    def hindrances(self) -> list[Hindrance]:
        """Lanes through it are driven slowly, and not at all while it is deep."""
        found = []
        begins, ends = self.starts_s + 0.3 * self.rises_s, self.starts_s + self.lasts_s
        for number, lane in enumerate(LANES):
            cos, sin = math.cos(lane.turn_rad), math.sin(lane.turn_rad)
            middle = self.a * cos + self.b * sin
            aside = (-self.a * sin + self.b * cos) - lane.offset_m
            reach, across = (
                (self.reach_a_m, self.reach_b_m)
                if lane.is_main
                else (self.reach_b_m, self.reach_a_m)
            )
            rest = 1 - (aside / across) ** 2
            if rest <= 0 or self.depth_m * rest < _SLOWS_M:
                continue
            half = reach * math.sqrt(rest)
            stretch = (middle - half, middle + half)
            found.append(Hindrance(number, begins, ends, stretch_m=stretch, slow_m_s=2.4))
            if self.depth_m * rest > _STOPS_M:
                shut = self.starts_s + 0.8 * self.rises_s
                opens = ends - 0.7 * self.recedes_s
                edge = middle - half - 1.0
                found.append(
                    Hindrance(number, shut, opens, lambda _, m=edge: (m, 0.0))  # type: ignore[misc]
                )
        return found


def shore_pixels(camera: PinholeCamera, place: Place, shore: Floats) -> Floats | None:
    """The edge in the picture, cut where the ground is behind the camera; None where it all is."""
    plane = np.column_stack((place.to_plane(shore), np.zeros(len(shore))))
    own = (plane - (camera.x, camera.y, camera.h)) @ camera.axes.T
    kept: list[Floats] = []
    for index, point in enumerate(own):
        before = own[index - 1]
        if (before[2] < _NEAREST_M) != (point[2] < _NEAREST_M):
            share = (_NEAREST_M - before[2]) / (point[2] - before[2])
            kept.append(before + share * (point - before))
        if point[2] >= _NEAREST_M:
            kept.append(point)
    if len(kept) < 3:
        return None
    back = np.array(kept) @ camera.axes + (camera.x, camera.y, camera.h)
    return np.asarray(camera.project(back)[0], float)


class Water:
    """Paints floods for one camera."""

    def __init__(
        self, camera: PinholeCamera, place: Place, mirror: Mirror, light: tuple[float, float, float]
    ) -> None:
        self._camera = camera
        self._place = place
        size = (camera.width_px // _SHRINK, camera.height_px // _SHRINK)
        self._mirrored = np.asarray(
            cv2.resize(mirror.picture, size, interpolation=cv2.INTER_AREA), np.uint8
        )
        self._share = np.asarray(cv2.resize(mirror.share, size), np.float32)
        self._fades = np.asarray(mirror.fades[::_SHRINK][: size[1]], np.float32) / _SHRINK
        random = np.random.default_rng(5)
        self._waves = clouds(random, 256, 256, coarse=24, octaves=3).astype(np.float32)
        self._mud = _MUD * np.array(light, np.float32) * np.float32(0.85)
        columns = np.arange(size[0], dtype=np.float32)
        rows = np.arange(size[1], dtype=np.float32)
        self._columns, self._rows = np.meshgrid(columns, rows)
        # Waves lie on the ground, so they get smaller and flatter with distance as all there does.
        u = (self._columns + 0.5) * _SHRINK
        v = (self._rows + 0.5) * _SHRINK
        rays = camera.ray(u, v) @ camera.axes
        reach = camera.h / np.maximum(-rays[..., 2], 1e-3)
        self._wave_column = np.asarray(rays[..., 0] * reach / _WAVE_M % 255, np.float32)
        self._wave_row = np.asarray(rays[..., 1] * reach / _WAVE_M % 255, np.float32)
        self._calm = np.asarray(np.exp(-reach / 45.0), np.float32)

    def _waves_at(self, part: tuple[slice, slice], phase: float) -> Floats32:
        column = np.mod(self._wave_column[part] + np.float32(0.8 * phase), np.float32(255))
        row = np.mod(self._wave_row[part] + np.float32(0.6 * phase), np.float32(255))
        return np.asarray(cv2.remap(self._waves, column, row, cv2.INTER_LINEAR), np.float32)

    def mask(self, flood: Flood, elapsed_s: float, nearness: Floats32) -> NDArray[np.uint8] | None:
        """255 where the water is seen, H x W; None where it isn't."""
        shore = flood.shore(elapsed_s)
        pixels = None if shore is None else shore_pixels(self._camera, self._place, shore)
        if pixels is None:
            return None
        covered = masks.covered([pixels], (nearness.shape[0], nearness.shape[1]), fine=2)
        covered[nearness > 0] = 0
        return covered if covered.any() else None

    def paint(
        self, picture: Rgb, flood: Flood, elapsed_s: float, covered: NDArray[np.uint8]
    ) -> None:
        """Lay the water over the ground; what stands in it is painted afterwards."""
        x, y, wide, tall = cv2.boundingRect(covered)
        s = _SHRINK
        x0, y0 = x // s, y // s
        x1, y1 = -(-(x + wide) // s), -(-(y + tall) // s)
        part = (slice(y0, y1), slice(x0, x1))
        phase = elapsed_s * 9.0
        waves = self._waves_at(part, phase) + self._waves_at(part, -0.7 * phase + 90)
        waves *= np.float32(0.6) * self._calm[part]
        bent = waves * self._fades[y0:y1, None]
        shown = np.asarray(
            cv2.remap(
                self._mirrored,
                self._columns[part] + bent * np.float32(0.4),
                self._rows[part] + bent,
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            ),
            np.float32,
        )
        share = np.clip(self._share[part] * (1 + np.float32(0.10) * waves), 0, 0.9)[..., None]
        tone = self._mud * (1 + np.float32(0.05) * waves)[..., None]
        water = np.clip(tone * (1 - share) + shown * share, 0, 255).astype(np.uint8)
        full = np.asarray(
            cv2.resize(water, ((x1 - x0) * s, (y1 - y0) * s), interpolation=cv2.INTER_LINEAR),
            np.uint8,
        )
        region = picture[y : y + tall, x : x + wide]
        full = full[y - y0 * s : y - y0 * s + tall, x - x0 * s : x - x0 * s + wide]
        # Shallow water lets the ground through.
        strength = 0.35 + 0.65 * min(1.0, flood.level_m(elapsed_s) / 0.12)
        cover = cv2.convertScaleAbs(covered[y : y + tall, x : x + wide], alpha=strength)
        lay(region, np.ascontiguousarray(full), np.asarray(cover, np.uint8))
