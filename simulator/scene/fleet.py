"""Vehicles into the picture: all of a time are projected at once, then painted one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene import vehicles
from simulator.scene.conditions import Conditions
from simulator.scene.lighting import SODIUM, fog_colour, lamplight
from simulator.scene.place import Place
from simulator.scene.traffic import Kind, Vehicle

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float64]
Fixed = NDArray[np.int32]
Colour = tuple[float, float, float]

_NEAREST_M = 2.0
_LEAST_TURN = 40
"""Faces that show less than this (in 256ths of a pixel) are left out."""


@dataclass(frozen=True, eq=False, slots=True)
class _Model:
    """A shape ready for projection: all corners, the shadow's four last."""

    corners: Floats
    starts: NDArray[np.intp]
    """Where each face's corners begin; one more at the end."""
    colours: tuple[Colour, ...]


@dataclass(frozen=True, eq=False, slots=True)
class SeenVehicle:
    """A vehicle as one camera sees it."""

    a: float
    b: float
    depth_m: float
    window: tuple[int, int, int, int]
    """Its part of the picture: x0, y0, x1, y1."""
    shadow: Fixed
    faces: tuple[tuple[Fixed, Colour], ...]
    """Outlines of the faces turned to the camera, in 16ths of a pixel, the farther first."""


@lru_cache(maxsize=4_096)
def _model(kind: Kind, paint: int, is_braking: bool, light: Colour) -> _Model:
    faces = vehicles.shape(kind, paint, is_braking)
    reach, half = kind.value / 2 + 0.15, vehicles.HALF_WIDTH_M[kind] + 0.15
    shadow = np.array(
        [(reach, half + 0.2, 0), (reach, -half, 0), (-reach, -half, 0), (-reach, half + 0.2, 0)],
        float,
    )
    lit = (
        face.colour
        if face.glows
        else (face.colour[0] * light[0], face.colour[1] * light[1], face.colour[2] * light[2])
        for face in faces
    )
    return _Model(
        np.vstack([*(face.corners for face in faces), shadow]),
        np.cumsum([0] + [len(face.corners) for face in faces]),
        tuple(lit),
    )


def see_vehicles(
    camera: PinholeCamera, place: Place, found: Sequence[Vehicle], under: Conditions
) -> list[SeenVehicle]:
    """The vehicles that a camera shows, in the order given."""
    if not found:
        return []
    lights = _lights(place, found, under)
    models = [
        _model(v.kind, v.paint % vehicles.PAINTS, v.is_braking, light)
        for v, light in zip(found, lights, strict=True)
    ]
    counts = np.array([len(model.corners) for model in models])
    local = np.vstack([model.corners for model in models])
    turns = np.array([(math.cos(v.turn_rad), math.sin(v.turn_rad), v.a, v.b) for v in found])
    cos, sin, a, b = np.repeat(turns, counts, axis=0).T
    ahead, left = local[:, 0].copy(), local[:, 1].copy()
    local[:, 0] = a + ahead * cos - left * sin
    local[:, 1] = b + ahead * sin + left * cos
    plane = place.to_plane(local)
    depths = (plane - (camera.x, camera.y, camera.h)) @ camera.axes[2]
    pixels, _ = camera.project(plane)
    starts = np.concatenate(([0], np.cumsum(counts)))
    nearest = np.minimum.reduceat(depths, starts[:-1])
    means = np.add.reduceat(depths, starts[:-1]) / counts
    pixels[~np.isfinite(pixels)] = 0
    low = np.floor(np.minimum.reduceat(pixels, starts[:-1], axis=0)).astype(int) - 1
    high = np.ceil(np.maximum.reduceat(pixels, starts[:-1], axis=0)).astype(int) + 2
    low = np.maximum(low, 0)
    high = np.minimum(high, (camera.width_px, camera.height_px))
    shown = (nearest >= _NEAREST_M) & (low < high).all(axis=1)
    seen = []
    for index in np.flatnonzero(shown).tolist():
        model, vehicle = models[index], found[index]
        part = pixels[starts[index] : starts[index + 1]]
        outline = np.round(part * 16).astype(np.int32)
        window = (*low[index].tolist(), *high[index].tolist())
        faces = _facing(model, outline)
        if math.isfinite(under.fog_m):
            faces = _fogged(faces, float(means[index]), under)
        seen.append(
            SeenVehicle(vehicle.a, vehicle.b, float(means[index]), window, outline[-4:], faces)
        )
    return seen


def _lights(place: Place, found: Sequence[Vehicle], under: Conditions) -> list[Colour]:
    """The day's and the lamps' light on each, in few steps, so that lit shapes can be kept."""
    if not (under.lamps and place.poles):
        return [under.light] * len(found)
    spots = np.array([(v.a, v.b, 1.0) for v in found])
    steps = np.round(np.minimum(lamplight(place, spots), 1.0) * under.lamps * 12) / 12
    red, green, blue = SODIUM.tolist()
    day = under.light
    return [
        (day[0] + red * step, day[1] + green * step, day[2] + blue * step)
        for step in steps.tolist()
    ]


def _facing(model: _Model, outline: Fixed) -> tuple[tuple[Fixed, Colour], ...]:
    """Faces run clockwise as seen from outside; only those turned to us are kept."""
    starts = model.starts[:-1]
    first = outline[starts].astype(np.int64)
    one, two = outline[starts + 1] - first, outline[starts + 2] - first
    turn = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    return tuple(
        (outline[model.starts[number] : model.starts[number + 1]], model.colours[number])
        for number in np.flatnonzero(turn > _LEAST_TURN).tolist()
    )


def _fogged(
    faces: tuple[tuple[Fixed, Colour], ...], depth_m: float, under: Conditions
) -> tuple[tuple[Fixed, Colour], ...]:
    clear = math.exp(-depth_m / under.fog_m)
    fog = fog_colour(under) * (1 - clear)

    def seen(colour: Colour) -> Colour:
        red, green, blue = (np.array(colour) * clear + fog).tolist()
        return red, green, blue

    return tuple((outline, seen(colour)) for outline, colour in faces)


def draw_vehicle(picture: Rgb, nearness: NDArray[np.float32], seen: SeenVehicle) -> None:
    """Paint a vehicle, behind what stands nearer; draw farther ones first."""
    x0, y0, x1, y1 = seen.window
    region = picture[y0:y1, x0:x1]
    hidden = nearness[y0:y1, x0:x1] > 1 / seen.depth_m
    before = region.copy() if hidden.any() else None
    _shade(picture, seen.shadow)
    for outline, colour in seen.faces:
        cv2.fillConvexPoly(picture, outline, colour, cv2.LINE_AA, 4)
    if before is not None:
        np.copyto(region, before, where=hidden[..., None])


def _shade(picture: Rgb, outline: Fixed) -> None:
    """Darken the ground under a vehicle, softly at the edges."""
    height, width = picture.shape[:2]
    x0, y0 = np.maximum(outline.min(axis=0) // 16 - 2, 0).tolist()
    x1, y1 = np.minimum(outline.max(axis=0) // 16 + 3, (width, height)).tolist()
    if x0 >= x1 or y0 >= y1:
        return
    region = picture[y0:y1, x0:x1]
    light = np.full(region.shape[:2], 255, np.uint8)
    cv2.fillConvexPoly(light, outline - (16 * x0, 16 * y0), 112, cv2.LINE_AA, 4)
    soft = cv2.blur(light, (3, 3))
    cv2.multiply(region, cv2.merge([soft, soft, soft]), dst=region, scale=1 / 255)
