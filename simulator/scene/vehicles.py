"""Vehicles as shaded solids: boxes with slanting sides, windows, wheels, lamps and a shadow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene.place import Place
from simulator.scene.traffic import Kind, Vehicle

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float64]
Colour = tuple[float, float, float]

_PAINTS: tuple[Colour, ...] = (
    (214, 214, 212),
    (190, 192, 194),
    (60, 62, 66),
    (36, 37, 40),
    (140, 26, 28),
    (38, 58, 104),
    (206, 204, 196),
    (120, 122, 124),
    (84, 80, 72),
)
_GLASS: Colour = (44, 52, 60)
_TYRE: Colour = (24, 24, 25)
_SHIRTS: tuple[Colour, ...] = (
    (52, 110, 60),
    (40, 44, 60),
    (150, 40, 40),
    (180, 170, 150),
    (60, 60, 64),
    (30, 120, 70),
)


@dataclass(frozen=True, eq=False)
class _Face:
    """A convex outline in the vehicle's frame (ahead, left, up) with its colour and light."""

    corners: Floats
    colour: Colour
    glows: bool = False
    """A lamp: as bright in the dark as by day."""


def _solid(
    ahead: tuple[float, float],
    left: float,
    up: tuple[float, float],
    colour: Colour,
    *,
    top_ahead: tuple[float, float] | None = None,
    top_left: float | None = None,
    glazed: bool = False,
) -> list[_Face]:
    """A block from ``ahead[0]`` to ``ahead[1]``, ``left`` to each side; its top may be smaller."""
    x0, x1 = ahead
    tx0, tx1 = top_ahead or ahead
    half = left if top_left is None else top_left
    z0, z1 = up
    low = [(x1, left, z0), (x1, -left, z0), (x0, -left, z0), (x0, left, z0)]
    top = [(tx1, half, z1), (tx1, -half, z1), (tx0, -half, z1), (tx0, half, z1)]
    faces = [_Face(np.array(top), _lit(colour, 1.10))]
    for index, light in enumerate((0.86, 0.74, 0.80, 0.94)):
        after = (index + 1) % 4
        wall = np.array([low[index], low[after], top[after], top[index]])
        faces.append(_Face(wall, _lit(colour, light)))
        if glazed:
            faces.append(_Face(_inset(wall, 0.10, 0.18), _lit(_GLASS, light * 1.1)))
    return faces


def _lit(colour: Colour, light: float) -> Colour:
    return (
        min(255.0, colour[0] * light),
        min(255.0, colour[1] * light),
        min(255.0, colour[2] * light),
    )


def _inset(wall: Floats, across: float, along: float) -> Floats:
    def point(s: float, t: float) -> Floats:
        low, high = wall[0] * (1 - s) + wall[1] * s, wall[3] * (1 - s) + wall[2] * s
        return np.asarray(low * (1 - t) + high * t)

    return np.array(
        [point(across, along), point(1 - across, along), point(1 - across, 0.9), point(across, 0.9)]
    )


def _wheels(places: Sequence[float], left: float, radius: float) -> list[_Face]:
    angle = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    faces = []
    for ahead in places:
        for side in (1, -1):
            rim = np.stack(
                (
                    ahead + radius * np.cos(angle),
                    np.full(10, side * (left + 0.01)),
                    radius + radius * np.sin(angle),
                ),
                1,
            )
            faces.append(_Face(rim if side > 0 else rim[::-1], _TYRE))
    return faces


def _lamp(ahead: float, left: float, up: float, colour: Colour, size: float = 0.14) -> list[_Face]:
    faces = []
    for side in (left, -left):
        square = [
            (0, -size, -size / 2),
            (0, size, -size / 2),
            (0, size, size / 2),
            (0, -size, size / 2),
        ]
        corners = np.array([(ahead, side + y, up + z) for _, y, z in square])
        faces.append(_Face(corners if ahead < 0 else corners[::-1], colour, glows=True))
    return faces


@cache
def _shape(kind: Kind, paint: int, is_braking: bool) -> tuple[_Face, ...]:
    tail: Colour = (235, 40, 30) if is_braking else (120, 20, 18)
    head: Colour = (250, 246, 228)
    match kind:
        case Kind.CAR | Kind.MINIBUS:
            colour = (
                _PAINTS[paint % len(_PAINTS)]
                if kind is Kind.CAR
                else ((40, 116, 150), (196, 88, 36), (60, 130, 80))[paint % 3]
            )
            roof, slant = (1.48, 0.55) if kind is Kind.CAR else (1.85, 0.18)
            back = -2.05
            faces = _solid((back, 2.15), 0.86, (0.28, 0.86), colour)
            faces += _wheels((-1.3, 1.35), 0.86, 0.31)
            front = 0.95 if kind is Kind.CAR else 1.75
            faces += _solid(
                (back + 0.1, front + 0.25),
                0.82,
                (0.86, roof),
                colour,
                top_ahead=(back + 0.1 + slant, front - slant),
                top_left=0.66,
                glazed=True,
            )
            return tuple(
                faces + _lamp(2.16, 0.62, 0.66, head) + _lamp(back - 0.01, 0.66, 0.72, tail)
            )
        case Kind.TRUCK:
            colour = ((196, 180, 40), (46, 96, 60), (168, 44, 36))[paint % 3]
            faces = _solid((-3.6, 1.6), 1.0, (0.5, 0.95), (60, 58, 56))
            faces += _wheels((-2.6, 2.5), 1.0, 0.45)
            faces += _solid(
                (-3.6, 1.5), 1.1, (0.95, 2.7), ((120, 104, 80), (150, 150, 148))[paint % 2]
            )
            faces += _solid((1.7, 3.6), 1.02, (0.5, 1.5), colour)
            faces += _solid((1.7, 3.55), 1.0, (1.5, 2.4), colour, top_ahead=(1.7, 3.3), glazed=True)
            return tuple(faces + _lamp(3.61, 0.75, 0.8, head) + _lamp(-3.61, 0.8, 0.7, tail))
        case Kind.BUS:
            colour = ((206, 210, 214), (52, 104, 160), (176, 40, 44))[paint % 3]
            faces = _solid((-5.2, 5.2), 1.22, (0.4, 1.35), colour)
            faces += _wheels((-3.2, 3.4), 1.22, 0.5)
            faces += _solid((-5.2, 5.15), 1.22, (1.35, 3.0), colour, top_left=1.15, glazed=True)
            return tuple(faces + _lamp(5.21, 0.9, 0.8, head) + _lamp(-5.21, 0.9, 0.9, tail))
        case Kind.MOTORCYCLE:
            shirt = _SHIRTS[paint % len(_SHIRTS)]
            helmet: Colour = ((30, 30, 34), (176, 34, 34), (210, 208, 200), (34, 120, 64))[
                paint % 4
            ]
            faces = _wheels((-0.62, 0.62), 0.05, 0.29)
            faces += _solid((-0.85, 0.75), 0.16, (0.38, 0.78), _PAINTS[(paint + 3) % len(_PAINTS)])
            faces += _solid((-0.1, 0.15), 0.24, (0.55, 0.85), (44, 48, 62))
            faces += _solid((-0.32, 0.10), 0.23, (0.82, 1.42), shirt, top_left=0.20)
            faces += _solid(
                (-0.22, 0.08), 0.12, (1.42, 1.70), helmet, top_left=0.08, top_ahead=(-0.16, 0.04)
            )
            return tuple(
                faces + _lamp(-0.86, 0.0, 0.7, tail, 0.08) + _lamp(0.78, 0.0, 0.8, head, 0.09)
            )


@cache
def _packed(kind: Kind, paint: int, is_braking: bool) -> tuple[Floats, tuple[int, ...]]:
    """All corners of a shape in one array, and where each face's begin."""
    shape = _shape(kind, paint, is_braking)
    starts = np.cumsum([0] + [len(face.corners) for face in shape])
    return np.vstack([face.corners for face in shape]), tuple(int(s) for s in starts)


_HALF_WIDTH_M = {
    Kind.CAR: 0.9,
    Kind.MINIBUS: 0.9,
    Kind.TRUCK: 1.1,
    Kind.BUS: 1.25,
    Kind.MOTORCYCLE: 0.3,
}


def draw_vehicle(
    picture: Rgb,
    nearness: NDArray[np.float32],
    camera: PinholeCamera,
    place: Place,
    vehicle: Vehicle,
    light: Colour,
) -> None:
    """Paint a vehicle into the picture, behind what stands nearer; draw farther ones first."""
    paint = vehicle.paint % 36
    corners, starts = _packed(vehicle.kind, paint, vehicle.is_braking)
    reach, half = vehicle.kind.value / 2 + 0.15, _HALF_WIDTH_M[vehicle.kind] + 0.15
    shadow = np.array(
        [(reach, half + 0.2, 0), (reach, -half, 0), (-reach, -half, 0), (-reach, half + 0.2, 0)],
        float,
    )
    local = np.vstack((corners, shadow))
    cos, sin = math.cos(vehicle.turn_rad), math.sin(vehicle.turn_rad)
    turned = np.column_stack(
        (
            vehicle.a + local[:, 0] * cos - local[:, 1] * sin,
            vehicle.b + local[:, 0] * sin + local[:, 1] * cos,
            local[:, 2],
        )
    )
    plane = place.to_plane(turned)
    depths = (plane - (camera.x, camera.y, camera.h)) @ camera.axes[2]
    if depths.min() < 2.0:
        return
    pixels, _ = camera.project(plane)
    height, width = picture.shape[:2]
    x0, y0 = np.floor(pixels.min(axis=0)).astype(int) - 1
    x1, y1 = np.ceil(pixels.max(axis=0)).astype(int) + 2
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if x0 >= x1 or y0 >= y1:
        return
    region = picture[y0:y1, x0:x1]
    hidden = nearness[y0:y1, x0:x1] > 1 / (float(depths.mean()))
    before = region.copy() if hidden.any() else None
    fixed = np.round((pixels - (x0, y0)) * 16).astype(np.int32)
    _shade(region, fixed[-4:])
    canvas = np.ascontiguousarray(region)
    for face, start, end in zip(
        _shape(vehicle.kind, paint, vehicle.is_braking), starts[:-1], starts[1:], strict=True
    ):
        outline = fixed[start:end]
        # Faces run clockwise as seen from outside; only those turned to us are drawn.
        first, second, third = outline[0], outline[1], outline[2]
        turn = int(second[0] - first[0]) * int(third[1] - second[1]) - int(
            second[1] - first[1]
        ) * int(third[0] - second[0])
        if turn > 0:
            red, green, blue = face.colour
            if not face.glows:
                red, green, blue = red * light[0], green * light[1], blue * light[2]
            cv2.fillConvexPoly(canvas, outline, (red, green, blue), cv2.LINE_AA, 4)
    region[:] = canvas
    if before is not None:
        np.copyto(region, before, where=hidden[..., None])


def _shade(region: Rgb, outline: NDArray[np.int32]) -> None:
    """Darken the ground under a vehicle, softly at the edges."""
    light = np.full(region.shape[:2], 255, np.uint8)
    cv2.fillConvexPoly(light, outline, 112, cv2.LINE_AA, 4)
    soft = cv2.blur(light, (3, 3))
    cv2.multiply(region, cv2.merge([soft, soft, soft]), dst=region, scale=1 / 255)
