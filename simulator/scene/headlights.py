"""Vehicles' lamps in the dark: their glare, and the light that they throw on the road."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene.lighting import add_glow
from simulator.scene.place import Place
from simulator.scene.traffic import Kind, Vehicle
from simulator.scene.vehicles import HALF_WIDTH_M

Rgb = NDArray[np.uint8]

_LAMP_UP_M = 0.72
_HEAD = np.array((255, 246, 220), np.float32)
_TAIL = np.array((235, 30, 20), np.float32)
_BEAM = np.array((64, 60, 50), np.float32)
_NEAREST_M = 4.0
_BEAM_M = ((1.0, 0.7), (13.0, 2.6))
"""A beam on the road: how far before the vehicle, and half how wide there."""


def draw_headlights(
    picture: Rgb,
    nearness: NDArray[np.float32],
    camera: PinholeCamera,
    place: Place,
    traffic: Sequence[Vehicle],
    strength: float,
) -> None:
    """Add the glare and beams of all vehicles; ``strength`` from 0 to 1."""
    for vehicle in traffic:
        reach = vehicle.kind.value / 2
        side = 0.0 if vehicle.kind is Kind.MOTORCYCLE else 0.7 * HALF_WIDTH_M[vehicle.kind]
        (near, narrow), (far, wide) = _BEAM_M
        own = np.array(
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
        cos, sin = math.cos(vehicle.turn_rad), math.sin(vehicle.turn_rad)
        local = own.copy()
        local[:, 0] = vehicle.a + own[:, 0] * cos - own[:, 1] * sin
        local[:, 1] = vehicle.b + own[:, 0] * sin + own[:, 1] * cos
        plane = place.to_plane(local)
        depths = (plane - (camera.x, camera.y, camera.h)) @ camera.axes[2]
        if depths.min() < _NEAREST_M:
            continue
        pixels, visible = camera.project(plane)
        _beam(picture, pixels[4:], strength)
        towards = place.to_local(np.array([[camera.x, camera.y]]))[0] - (vehicle.a, vehicle.b)
        facing = float((towards @ (cos, sin)) / np.hypot(*towards))
        lamps, colour = ((0, 1), _HEAD) if facing > 0 else ((2, 3), _TAIL)
        for index in lamps[: 1 if vehicle.kind is Kind.MOTORCYCLE else 2]:
            u, v = pixels[index]
            if not visible[index] or _is_hidden(nearness, u, v, float(depths[index])):
                continue
            scale = camera.f_px / float(depths[index])
            bright = strength * (0.25 + 0.75 * abs(facing)) * (1.0 if facing > 0 else 0.55)
            add_glow(picture, u, v, 0.55 * scale + 2, colour * np.float32(0.55 * bright))
            add_glow(picture, u, v, 0.16 * scale + 1, colour * np.float32(bright))


def _is_hidden(nearness: NDArray[np.float32], u: float, v: float, depth_m: float) -> bool:
    row, column = min(int(v), nearness.shape[0] - 1), min(int(u), nearness.shape[1] - 1)
    return bool(nearness[row, column] > 1.02 / depth_m)


def _beam(picture: Rgb, outline: NDArray[np.float64], strength: float) -> None:
    height, width = picture.shape[:2]
    low, high = outline.min(axis=0), outline.max(axis=0)
    margin = 0.15 * float(np.hypot(*(high - low))) + 3
    x0, y0 = (int(v) for v in np.maximum(low - margin, 0))
    x1, y1 = (int(v) for v in np.minimum(high + margin, (width, height)))
    if x1 - x0 < 4 or y1 - y0 < 3:
        return
    shrink = 4
    mask = np.zeros(((y1 - y0) // shrink + 1, (x1 - x0) // shrink + 1), np.uint8)
    points = np.round((outline - (x0, y0)) / shrink * 16).astype(np.int32)
    cv2.fillConvexPoly(mask, points, 255, cv2.LINE_AA, 4)
    blur = max(0.8, margin / shrink / 2.2)
    soft = cv2.GaussianBlur(mask, (0, 0), blur)
    tinted = (soft[..., None] * (_BEAM * np.float32(strength / 255))).astype(np.uint8)
    region = picture[y0:y1, x0:x1]
    light = cv2.resize(tinted, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    cv2.add(region, light, dst=region)
