"""A backdrop drawn by day, put into other light: lamps, fog and a wet road.

Every pixel's place is known: a standing thing's from its depth, the ground's from its ray. So
lamplight falls off as it does in the street, and fog thickens with distance.
"""

from __future__ import annotations

from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene.conditions import Conditions
from simulator.scene.mirrors import wet_ground
from simulator.scene.pixels import SKY_M, places_of
from simulator.scene.place import Place
from simulator.scene.poles import ARM_RISE_M

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

SODIUM = np.array((1.0, 0.74, 0.42), np.float32)
_FOG = np.array((190, 194, 200), np.float32)
_LAMPLIT_FOG = np.array((96, 74, 48), np.float32)
_LAMP_STRENGTH = 80.0
"""Of one street lamp: light on the ground straight below it, at 9 m, is about that of a day."""


def lamp_heads(place: Place) -> Floats:
    """All street lamps of a place: ``(N, 3)``, a, b and height in metres."""
    heads = [(*pole.arm, pole.height_m + ARM_RISE_M) for pole in place.poles]
    return np.array(heads, float).reshape(-1, 3)


def lamplight(place: Place, points: Floats) -> Floats:
    """How much of a day's light the lamps give at points ``(N, 3)`` of the place's frame."""
    total = np.zeros(len(points))
    for a, b, up in lamp_heads(place):
        away = points - (a, b, up)
        square = (away**2).sum(axis=1) + 1.0
        down = np.clip(-away[:, 2], 0, None) / np.sqrt(square)
        # A lamp throws most of its light down, and a little aside.
        total += _LAMP_STRENGTH * (0.08 + 0.92 * down**2) / square
    return total


def light_on(place: Place, points: Floats, under: Conditions) -> Floats32:
    """The day's and the lamps' light on things at points ``(N, 3)``: (N, 3), RGB, 1 is a day's."""
    light = np.tile(np.array(under.light, np.float32), (len(points), 1))
    if under.lamps and place.poles:
        lamps = np.minimum(lamplight(place, points), 1.0) * under.lamps
        light += lamps[:, None].astype(np.float32) * SODIUM
    return light


def fog_colour(under: Conditions) -> Floats32:
    """What thick fog looks like: the day's light and the lamps' in it; RGB, 0-255."""
    lamps = np.float32(under.lamps) * _LAMPLIT_FOG * np.float32(1 - max(under.light))
    return np.asarray(_FOG * np.array(under.light, np.float32) + lamps, np.float32)


def relit(
    camera: PinholeCamera, place: Place, day: Floats32, nearness: Floats32, under: Conditions
) -> Floats32:
    """The day's picture (H x W x 3, 0-255) under other conditions."""
    if not (under.lamps or under.wet or np.isfinite(under.fog_m)):
        return np.asarray(day * np.array(under.light, np.float32), np.float32)
    # Poles and twigs take the light of what is behind them: on a coarse grid they would flicker.
    broad = cv2.morphologyEx(nearness, cv2.MORPH_OPEN, np.ones((13, 13)))
    depth, points = places_of(camera, place, np.asarray(broad, np.float32))
    size = (camera.width_px, camera.height_px)
    light = np.ones((*depth.shape, 3), np.float32) * np.array(under.light, np.float32)
    if under.lamps and place.poles:
        lamps = lamplight(place, points.reshape(-1, 3)).reshape(depth.shape)
        lamps[depth >= SKY_M] = 0
        light += under.lamps * lamps[..., None].astype(np.float32) * SODIUM
    picture = day * np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_LINEAR), np.float32)
    if np.isfinite(under.fog_m):
        fog = fog_colour(under)
        fine = np.where(nearness > 0, 1 / np.maximum(nearness, 1e-6), 0).astype(np.float32)
        ground = np.asarray(cv2.resize(depth, size, interpolation=cv2.INTER_LINEAR), np.float32)
        distance = np.where(fine > 0, fine, ground)
        clear = np.exp(-distance / np.float32(under.fog_m))[..., None]
        picture = picture * clear + fog * (1 - clear)
    if under.lamps:
        _lamp_glows(picture, camera, place, nearness, under)
    if under.wet:
        wet_ground(picture, nearness, depth, camera, under.wet)
    return picture


def _lamp_glows(
    picture: Floats32, camera: PinholeCamera, place: Place, nearness: Floats32, under: Conditions
) -> None:
    heads = place.to_plane(lamp_heads(place))
    pixels, visible = camera.project(heads)
    depths = (heads - (camera.x, camera.y, camera.h)) @ camera.axes[2]
    for (u, v), depth in zip(pixels[visible], depths[visible], strict=True):
        row = min(int(v), camera.height_px - 1)
        column = min(int(u), camera.width_px - 1)
        if depth > 3 and nearness[row, column] < 1.05 / depth:
            scale = camera.f_px / depth
            for radius, strength in ((0.35 * scale + 2, 420.0), (1.6 * scale + 6, 70.0)):
                add_glow(picture, u, v, radius, SODIUM * np.float32(strength * under.lamps))


@cache
def _spot() -> Floats32:
    axis = np.linspace(-1, 1, 65, dtype=np.float32)
    square = axis[None, :] ** 2 + axis[:, None] ** 2
    return np.asarray(np.clip(np.exp(-5 * square) - np.exp(-5), 0, 1), np.float32)


@lru_cache(maxsize=512)
def _spot_of(radius: int, rise: int) -> Floats32:
    how = cv2.INTER_AREA if max(radius, rise) < 32 else cv2.INTER_CUBIC
    spot = cv2.resize(_spot(), (2 * radius, 2 * rise), interpolation=how)
    return np.asarray(np.maximum(spot, 0), np.float32)


def add_glow(
    picture: Floats32 | Rgb,
    u: float,
    v: float,
    radius_px: float,
    colour: Floats32,
    *,
    tall_px: float | None = None,
) -> None:
    """A lamp's bloom, added to the picture about a pixel; ``tall_px`` draws it out up and down."""
    radius = max(1, round(float(radius_px)))
    rise = radius if tall_px is None else max(1, round(float(tall_px)))
    x0, y0 = round(float(u)) - radius, round(float(v)) - rise
    height, width = picture.shape[:2]
    left, top = max(x0, 0), max(y0, 0)
    right, low = min(x0 + 2 * radius, width), min(y0 + 2 * rise, height)
    if left >= right or top >= low:
        return
    spot = _spot_of(radius, rise)[top - y0 : low - y0, left - x0 : right - x0]
    region = picture[top:low, left:right]
    if picture.dtype == np.uint8:
        cv2.add(
            region,
            cv2.merge([cv2.convertScaleAbs(spot, alpha=c) for c in colour.tolist()]),
            dst=region,
        )
    else:
        region[:] = np.minimum(region + spot[..., None] * colour, 255)
