"""What a fire lights: the ground, walls, trees and vehicles about it, as one camera sees them."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene.backdrop import Backdrop
from simulator.scene.fires import Fire
from simulator.scene.pixels import places_of
from simulator.scene.place import Place

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

_TINT = np.array((1.0, 0.52, 0.18), np.float32)
_POWER = 0.62
"""Of a grown fire a metre wide: light at a metre's distance, 1 is a bright day's."""
_FLAME_MIDDLE = 0.8
"""The light comes from so many of the fire's widths above the ground."""
_LEAST = 0.012


class Firelight:
    """For one camera; what a fire lights is found once, and then flickers with it."""

    def __init__(self, camera: PinholeCamera, place: Place, backdrop: Backdrop) -> None:
        self._camera = camera
        self._place = place
        self._backdrop = backdrop
        self._lit: dict[str, tuple[tuple[slice, slice], Rgb] | None] = {}

    def on(self, points: Floats, fire: Fire, elapsed_s: float) -> Floats32:
        """The light of a fire at points ``(N, 3)``: (N, 3), RGB, 1 is a bright day's."""
        level = _falloff(points, fire) * (_strength(fire, elapsed_s))
        return np.asarray(level[:, None].astype(np.float32) * _TINT, np.float32)

    def lay(self, picture: Rgb, fire: Fire, elapsed_s: float) -> None:
        """Add a fire's light to the empty scene."""
        if fire.id not in self._lit:
            self._lit[fire.id] = self._made(fire)
        lit = self._lit[fire.id]
        strength = _strength(fire, elapsed_s)
        if lit is not None and strength > 0:
            window, light = lit
            region = picture[window]
            cv2.addWeighted(region, 1.0, light, strength, 0.0, dst=region)

    def _made(self, fire: Fire) -> tuple[tuple[slice, slice], Rgb] | None:
        _, points = places_of(self._camera, self._place, self._backdrop.nearness)
        level = _falloff(points.reshape(-1, 3), fire).reshape(points.shape[:2])
        full = np.asarray(
            cv2.resize(level.astype(np.float32), self._backdrop.day.shape[1::-1]), np.float32
        )
        x, y, wide, tall = cv2.boundingRect((full > _LEAST).astype(np.uint8))
        if not wide or not tall:
            return None
        window = (slice(y, y + tall), slice(x, x + wide))
        light = self._backdrop.day[window] * (full[window][..., None] * _TINT)
        return window, np.asarray(np.clip(light, 0, 255), np.uint8)


def _falloff(points: Floats, fire: Fire) -> Floats:
    away = points - (fire.a, fire.b, _FLAME_MIDDLE * fire.width_m)
    square = (away**2).sum(axis=1)
    return np.asarray(_POWER * fire.width_m**2 / (square + 0.6 * fire.width_m**2))


def _strength(fire: Fire, elapsed_s: float) -> float:
    """How it flickers: a few waves that never repeat together."""
    t = elapsed_s + fire.seed
    flicker = (
        0.84 + 0.08 * math.sin(11.3 * t) + 0.06 * math.sin(17.9 * t + 1) + 0.05 * math.sin(6.1 * t)
    )
    return fire.size_at(elapsed_s) * flicker
