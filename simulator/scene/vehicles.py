"""What vehicles look like: shaded solids with slanting sides, windows, wheels and lamps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from simulator.scene.traffic import Kind

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
_HUB: Colour = (112, 114, 118)
_BUMPER: Colour = (46, 47, 49)
_GRILLE: Colour = (28, 29, 31)
_NUMBER: Colour = (36, 36, 38)
_JEANS: Colour = (52, 58, 78)
_SKIN: Colour = (134, 98, 74)
_SHIRTS: tuple[Colour, ...] = (
    (52, 110, 60),
    (40, 44, 60),
    (150, 40, 40),
    (180, 170, 150),
    (60, 60, 64),
    (30, 120, 70),
)


@dataclass(frozen=True, eq=False)
class Face:
    """A convex outline in the vehicle's frame (ahead, left, up) with its colour and light."""

    corners: Floats
    colour: Colour
    glows: bool = False
    """A lamp: as bright in the dark as by day."""
    is_fine: bool = False
    """Too small to be missed far away."""


def _solid(
    ahead: tuple[float, float],
    left: float,
    up: tuple[float, float],
    colour: Colour,
    *,
    top_ahead: tuple[float, float] | None = None,
    top_left: float | None = None,
    glazed: bool = False,
    is_open: bool = False,
) -> list[Face]:
    """A block from ``ahead[0]`` to ``ahead[1]``, ``left`` to each side; its top may be smaller.

    An open one has no lid: something stands on it.
    """
    x0, x1 = ahead
    tx0, tx1 = top_ahead or ahead
    half = left if top_left is None else top_left
    z0, z1 = up
    low = [(x1, left, z0), (x1, -left, z0), (x0, -left, z0), (x0, left, z0)]
    top = [(tx1, half, z1), (tx1, -half, z1), (tx0, -half, z1), (tx0, half, z1)]
    faces = [] if is_open else [Face(np.array(top), _lit(colour, 1.10))]
    for index, light in enumerate((0.86, 0.74, 0.80, 0.94)):
        after = (index + 1) % 4
        wall = np.array([low[index], low[after], top[after], top[index]])
        faces.append(Face(wall, _lit(colour, light)))
        if glazed:
            faces.append(Face(_inset(wall, 0.10, 0.18), _lit(_GLASS, light * 1.1)))
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


def _wheels(
    places: Sequence[float], left: float, radius: float, *, is_plain: bool = False
) -> list[Face]:
    faces = []
    for ahead in places:
        for side in (1, -1):
            faces.append(_disc(ahead, side * (left + 0.01), radius, radius, side, _TYRE))
            if not is_plain:
                hub = _disc(ahead, side * (left + 0.02), radius, 0.58 * radius, side, _HUB)
                faces.append(hub)
    return faces


def _disc(ahead: float, left: float, up: float, radius: float, side: int, tone: Colour) -> Face:
    angle = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    rim = np.stack(
        (ahead + radius * np.cos(angle), np.full(10, left), up + radius * np.sin(angle)), 1
    )
    return Face(rim if side > 0 else rim[::-1], tone)


def _barrel(
    ahead: float, radii: tuple[float, float, float], ups: tuple[float, float, float], tone: Colour
) -> list[Face]:
    """Something round and upright, of two rings of eight sides, and a lid."""
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)[::-1]
    rings = [
        np.stack((ahead + r * np.cos(angle), r * np.sin(angle), np.full(8, up)), 1)
        for r, up in zip(radii, ups, strict=True)
    ]
    faces = []
    for low, high in ((rings[0], rings[1]), (rings[1], rings[2])):
        for index in range(8):
            after = (index + 1) % 8
            wall = np.array([low[index], low[after], high[after], high[index]])
            light = 0.92 + 0.16 * math.sin(float(angle[index]) + 0.8)
            faces.append(Face(wall, _lit(tone, light)))
    faces.append(Face(rings[2], _lit(tone, 1.12)))
    return faces


def _lamp(ahead: float, left: float, up: float, colour: Colour, size: float = 0.14) -> list[Face]:
    return [_plate(ahead, side, up, size, size / 2, colour, glows=True) for side in (left, -left)]


def _plate(
    ahead: float,
    left: float,
    up: float,
    half_m: float,
    rise_m: float,
    tone: Colour,
    *,
    glows: bool = False,
) -> Face:
    """An upright rectangle across the vehicle, seen from before or, where behind, from behind."""
    square = [(-half_m, -rise_m), (half_m, -rise_m), (half_m, rise_m), (-half_m, rise_m)]
    corners = np.array([(ahead, left + y, up + z) for y, z in square])
    return Face(corners if ahead < 0 else corners[::-1], tone, glows=glows)


def _trim(back: float, front: float, half: float) -> list[Face]:
    """Bumpers, number plates, a grille."""
    return [
        _plate(front + 0.012, 0.0, 0.40, half * 0.96, 0.10, _BUMPER),
        _plate(front + 0.014, 0.0, 0.62, half * 0.42, 0.09, _GRILLE),
        _plate(front + 0.018, 0.0, 0.40, 0.22, 0.06, _NUMBER),
        _plate(back - 0.012, 0.0, 0.40, half * 0.96, 0.10, _BUMPER),
        _plate(back - 0.018, 0.0, 0.58, 0.22, 0.06, _NUMBER),
    ]


PAINTS = 36
"""So many paints make all the looks that a kind has."""

HALF_WIDTH_M = {
    Kind.CAR: 0.9,
    Kind.MINIBUS: 0.9,
    Kind.TRUCK: 1.1,
    Kind.BUS: 1.25,
    Kind.MOTORCYCLE: 0.3,
}


class Detail(IntEnum):
    """How much of a vehicle can be told from where it is seen."""

    TINY = 0
    PLAIN = 1
    FULL = 2


@cache
def shape(
    kind: Kind, paint: int, is_braking: bool, detail: Detail = Detail.FULL
) -> tuple[Face, ...]:
    """A vehicle's faces, in the order of painting; ``paint`` below `PAINTS`."""
    is_plain = detail < Detail.FULL
    if detail is Detail.TINY:
        return _tiny(kind, paint, is_braking)
    tail: Colour = (235, 40, 30) if is_braking else (120, 20, 18)
    head: Colour = (250, 246, 228)
    match kind:
        case Kind.CAR | Kind.MINIBUS:
            colour = (
                _PAINTS[paint % len(_PAINTS)]
                if kind is Kind.CAR
                else ((40, 116, 150), (142, 44, 46), (60, 130, 80))[paint % 3]
            )
            roof, slant = (1.48, 0.55) if kind is Kind.CAR else (1.85, 0.18)
            back = -2.05
            faces = _solid((back, 2.15), 0.86, (0.28, 0.86), colour)
            faces += _wheels((-1.3, 1.35), 0.86, 0.31, is_plain=is_plain)
            faces += [] if is_plain else _trim(back, 2.15, 0.86)
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
            faces = _wheels((-0.62, 0.62), 0.05, 0.29, is_plain=is_plain)
            faces += _solid(
                (-0.85, 0.35),
                0.13,
                (0.42, 0.76),
                _PAINTS[(paint + 3) % len(_PAINTS)],
                top_left=0.11,
            )
            if not is_plain:
                # The shield before the knees, the forks, the mirrors' bar.
                faces += _solid(
                    (0.40, 0.52), 0.17, (0.35, 0.95), _PAINTS[(paint + 3) % len(_PAINTS)],
                    top_ahead=(0.30, 0.40), top_left=0.13,
                )  # fmt: skip
                faces += _solid((0.28, 0.34), 0.31, (0.96, 1.0), _BUMPER)
                for side in (1, -1):
                    faces += _beside(side, (-0.12, 0.34), (0.10, 0.21), (0.52, 0.80), _JEANS)
                    faces += _beside(side, (-0.16, 0.26), (0.19, 0.27), (1.0, 1.28), shirt)
            else:
                faces += _solid((-0.1, 0.2), 0.22, (0.55, 0.85), _JEANS)
            faces += _barrel(-0.18, (0.17, 0.20, 0.15), (0.76, 1.22, 1.42), shirt)
            faces += _barrel(-0.12, (0.09, 0.13, 0.07), (1.42, 1.56, 1.70), helmet)
            if not is_plain:
                faces.append(_plate(0.012, 0.0, 1.54, 0.09, 0.035, _SKIN))
            return tuple(
                faces + _lamp(-0.86, 0.0, 0.7, tail, 0.08) + _lamp(0.78, 0.0, 0.8, head, 0.09)
            )


def _tiny(kind: Kind, paint: int, is_braking: bool) -> tuple[Face, ...]:
    """Two blocks with lamps: what is left of a vehicle in a dozen pixels."""
    if kind is Kind.MOTORCYCLE:
        shirt = _SHIRTS[paint % len(_SHIRTS)]
        faces = _solid((-0.9, 0.8), 0.13, (0.1, 0.8), _BUMPER)
        faces += _solid((-0.35, 0.1), 0.2, (0.8, 1.45), shirt, top_left=0.16)
        return tuple(faces + _solid((-0.2, 0.05), 0.11, (1.45, 1.68), _BUMPER))
    plain = shape(kind, paint, is_braking, Detail.PLAIN)
    # Wheels are discs of ten corners, glass lies upon a wall: neither is missed from so far.
    return tuple(
        face for face in plain if len(face.corners) == 4 and (face.glows or not face.is_fine)
    )


def _beside(
    side: int,
    ahead: tuple[float, float],
    left: tuple[float, float],
    up: tuple[float, float],
    colour: Colour,
) -> list[Face]:
    """A rider's thigh or arm: a block to one side."""
    middle, half = side * (left[0] + left[1]) / 2, (left[1] - left[0]) / 2
    faces = _solid(ahead, half, up, colour, top_left=half)
    aside = np.array((0.0, middle, 0.0))
    return [Face(face.corners + aside, face.colour, face.glows) for face in faces]
