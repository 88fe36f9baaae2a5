"""Vehicles' lamps in the dark: their glare, and the light that they throw on the road."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene.lanes import Kind
from simulator.scene.lighting import add_glow
from simulator.scene.place import Place
from simulator.scene.traffic import Vehicle
from simulator.scene.vehicles import HALF_WIDTH_M

Rgb = NDArray[np.uint8]

_LAMP_UP_M = 0.72
_HEAD = np.array((255, 246, 220), np.float32)
_TAIL = np.array((235, 30, 20), np.float32)
_BEAM = np.array((52, 48, 38), np.float32)
_SHRINK = 4
"""Beams are soft, and drawn so much smaller."""
_NEAREST_M = 4.0
_BEAM_M = ((1.0, 0.7), (13.0, 2.6))
"""A beam on the road: how far before the vehicle, and half how wide there."""


class Headlights:
    """The lamps of all vehicles of a time, as one camera sees them."""

    def __init__(
        self,
        camera: PinholeCamera,
        place: Place,
        traffic: Sequence[Vehicle],
        strength: float,
        wet: float = 0.0,
    ) -> None:
        """``strength`` from 0, which is off, to 1; ``wet`` is how much the road mirrors them."""
        self._wet = wet
        self._f_px = camera.f_px
        self._strength = strength
        self._seen: list[_Lit] = []
        if not traffic:
            return
        eye = place.to_local(np.array([[camera.x, camera.y]]))[0]
        turns = np.array([(math.cos(v.turn_rad), math.sin(v.turn_rad)) for v in traffic])
        middles = np.array([(v.a, v.b) for v in traffic])
        plane = place.to_plane(_lamps_and_beams(traffic, middles, turns))
        depths = ((plane - (camera.x, camera.y, camera.h)) @ camera.axes[2]).reshape(-1, _POINTS)
        pixels, visible = camera.project(plane)
        pixels, visible = pixels.reshape(-1, _POINTS, 2), visible.reshape(-1, _POINTS)
        towards = eye - middles
        facing = (towards * turns).sum(axis=1) / np.hypot(towards[:, 0], towards[:, 1])
        for index in np.flatnonzero(depths.min(axis=1) >= _NEAREST_M).tolist():
            self._seen.append(
                _Lit(
                    traffic[index].kind,
                    pixels[index],
                    depths[index],
                    visible[index],
                    float(facing[index]),
                )
            )

    def draw_beams(self, picture: Rgb) -> None:
        """Light the road; vehicles are painted over it afterwards."""
        height, width = picture.shape[:2]
        plane = np.zeros((height // _SHRINK, width // _SHRINK), np.uint8)
        for lit in self._seen:
            outline = np.round(lit.pixels[4:] / _SHRINK * 16).astype(np.int32)
            cv2.fillConvexPoly(plane, outline, 255, cv2.LINE_AA, 4)
        soft = cv2.GaussianBlur(plane, (0, 0), 4.0)
        tints = (_BEAM * np.float32(self._strength / 255)).tolist()
        tinted = cv2.merge([cv2.convertScaleAbs(soft, alpha=tint) for tint in tints])
        cv2.add(picture, cv2.resize(tinted, (width, height)), dst=picture)

    def draw_glare(self, picture: Rgb, nearness: NDArray[np.float32]) -> None:
        """Add the lamps themselves, white from before and red from behind."""
        for lit in self._seen:
            lamps, colour = ((0, 1), _HEAD) if lit.facing > 0 else ((2, 3), _TAIL)
            for index in lamps[: 1 if lit.kind is Kind.MOTORCYCLE else 2]:
                (u, v), depth = lit.pixels[index], float(lit.depths_m[index])
                if not lit.visible[index] or _is_hidden(nearness, u, v, depth):
                    continue
                scale = self._f_px / depth
                bright = self._strength * (0.2 + 0.8 * abs(lit.facing) ** 3)
                bright *= 1.0 if lit.facing > 0 else 0.55
                add_glow(picture, u, v, 0.5 * scale + 2, colour * np.float32(0.4 * bright))
                add_glow(picture, u, v, 0.14 * scale + 1, colour * np.float32(bright))
                if self._wet:
                    # Its image lies as far below the ground, drawn out by the ripples.
                    tint = colour * np.float32(0.34 * bright * self._wet)
                    below = v + 2 * _LAMP_UP_M * scale
                    add_glow(picture, u, below, 0.2 * scale + 1, tint, tall_px=1.1 * scale + 2)


@dataclass(frozen=True, eq=False, slots=True)
class _Lit:
    """A vehicle's four lamps and its beam's four corners in the picture."""

    kind: Kind
    pixels: NDArray[np.float64]
    depths_m: NDArray[np.float64]
    visible: NDArray[np.bool_]
    facing: float
    """1 where it comes straight at the camera, -1 where it drives away."""


_POINTS = 8


@cache
def _own_lamps_and_beam(kind: Kind) -> NDArray[np.float64]:
    """Ahead, left and up: two headlights, two tail lights, and the beam's corners."""
    reach = kind.value / 2
    side = 0.0 if kind is Kind.MOTORCYCLE else 0.7 * HALF_WIDTH_M[kind]
    (near, narrow), (far, wide) = _BEAM_M
    return np.array(
        [
            (reach, side, _LAMP_UP_M),
            (reach, -side, _LAMP_UP_M),
            (-reach, side, _LAMP_UP_M),
            (-reach, -side, _LAMP_UP_M),
            (reach + near, narrow, 0.0),
            (reach + near, -narrow, 0.0),
            (reach + far, -wide, 0.0),
            (reach + far, wide, 0.0),
        ]
    )


def _lamps_and_beams(
    traffic: Sequence[Vehicle], middles: NDArray[np.float64], turns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The points of all vehicles in the place's frame, `_POINTS` each: (N * 8, 3)."""
    own = np.stack([_own_lamps_and_beam(vehicle.kind) for vehicle in traffic])
    cos, sin = turns[:, :1], turns[:, 1:]
    found = own.copy()
    found[..., 0] = middles[:, :1] + own[..., 0] * cos - own[..., 1] * sin
    found[..., 1] = middles[:, 1:] + own[..., 0] * sin + own[..., 1] * cos
    return found.reshape(-1, 3)


def _is_hidden(nearness: NDArray[np.float32], u: float, v: float, depth_m: float) -> bool:
    row, column = min(int(v), nearness.shape[0] - 1), min(int(u), nearness.shape[1] - 1)
    return bool(nearness[row, column] > 1.02 / depth_m)
