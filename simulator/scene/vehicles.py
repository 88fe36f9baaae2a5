"""What vehicles look like: shaded solids with slanting sides, windows, wheels and lamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


def _solid(
    ahead: tuple[float, float],
    left: float,
    up: tuple[float, float],
    colour: Colour,
    *,
    top_ahead: tuple[float, float] | None = None,
    top_left: float | None = None,
    glazed: bool = False,
) -> list[Face]:
    """A block from ``ahead[0]`` to ``ahead[1]``, ``left`` to each side; its top may be smaller."""
    x0, x1 = ahead
    tx0, tx1 = top_ahead or ahead
    half = left if top_left is None else top_left
    z0, z1 = up
    low = [(x1, left, z0), (x1, -left, z0), (x0, -left, z0), (x0, left, z0)]
    top = [(tx1, half, z1), (tx1, -half, z1), (tx0, -half, z1), (tx0, half, z1)]
    faces = [Face(np.array(top), _lit(colour, 1.10))]
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


def _wheels(places: Sequence[float], left: float, radius: float) -> list[Face]:
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
            faces.append(Face(rim if side > 0 else rim[::-1], _TYRE))
    return faces


def _lamp(ahead: float, left: float, up: float, colour: Colour, size: float = 0.14) -> list[Face]:
    faces = []
    for side in (left, -left):
        square = [
            (0, -size, -size / 2),
            (0, size, -size / 2),
            (0, size, size / 2),
            (0, -size, size / 2),
        ]
        corners = np.array([(ahead, side + y, up + z) for _, y, z in square])
        faces.append(Face(corners if ahead < 0 else corners[::-1], colour, glows=True))
    return faces


PAINTS = 36
"""So many paints make all the looks that a kind has."""

HALF_WIDTH_M = {
    Kind.CAR: 0.9,
    Kind.MINIBUS: 0.9,
    Kind.TRUCK: 1.1,
    Kind.BUS: 1.25,
    Kind.MOTORCYCLE: 0.3,
}


@cache
def shape(kind: Kind, paint: int, is_braking: bool, is_plain: bool = False) -> tuple[Face, ...]:
    """A vehicle's faces, in the order of painting; ``paint`` below `PAINTS`.

    A plain one is what is left of it far away.
    """
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
