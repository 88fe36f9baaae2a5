"""What vehicles look like: shaded solids with slanting sides, windows, wheels and lamps."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from simulator.scene.lanes import Kind
from simulator.scene.solids import (
    Colour,
    Face,
    barrel,
    beside,
    disc,
    lit,
    panel,
    plate,
    solid,
)

Floats = NDArray[np.float64]

_PAINTS: tuple[Colour, ...] = (
    (204, 204, 202),
    (190, 192, 194),
    (60, 62, 66),
    (36, 37, 40),
    (116, 34, 34),
    (46, 62, 94),
    (196, 194, 187),
    (120, 122, 124),
    (84, 80, 72),
)
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


def _wheels(
    places: Sequence[float], left: float, radius: float, *, is_plain: bool = False
) -> list[Face]:
    faces = []
    for ahead in places:
        for side in (1, -1):
            faces.append(disc(ahead, side * (left + 0.01), radius, radius, side, _TYRE))
            if not is_plain:
                hub = disc(ahead, side * (left + 0.02), radius, 0.58 * radius, side, _HUB)
                faces.append(hub)
    return faces


def _lamp(ahead: float, left: float, up: float, colour: Colour, size: float = 0.14) -> list[Face]:
    return [plate(ahead, side, up, size, size / 2, colour, glows=True) for side in (left, -left)]


def _trim(back: float, front: float, half: float) -> list[Face]:
    """Bumpers, number plates, a grille."""
    return [
        plate(front + 0.012, 0.0, 0.40, half * 0.96, 0.10, _BUMPER),
        plate(front + 0.014, 0.0, 0.62, half * 0.42, 0.09, _GRILLE),
        plate(front + 0.018, 0.0, 0.40, 0.22, 0.06, _NUMBER),
        plate(back - 0.012, 0.0, 0.40, half * 0.96, 0.10, _BUMPER),
        plate(back - 0.018, 0.0, 0.58, 0.22, 0.06, _NUMBER),
    ]


def _doors(kind: Kind, colour: Colour) -> list[Face]:
    """The gaps about the doors, the handles and the mirrors: what makes a side look like one."""
    gaps = (-0.95, 0.12, 1.1) if kind is Kind.CAR else (-0.6, 0.6, 1.5)
    dark = lit(colour, 0.52)
    faces = []
    for side in (1, -1):
        left = side * 0.868
        faces += [panel(at - 0.014, at + 0.014, left, 0.34, 0.86, side, dark) for at in gaps]
        faces.append(panel(-2.0, 2.1, left, 0.30, 0.38, side, _BUMPER))
        faces += [panel(at + 0.1, at + 0.28, left, 0.74, 0.78, side, dark) for at in gaps[:2]]
        # Flat, so that what is on the far side is never seen through the body.
        faces.append(panel(0.68, 0.86, side * 1.0, 0.86, 1.02, side, _BUMPER))
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
                else ((58, 106, 132), (128, 56, 52), (72, 116, 86))[paint % 3]
            )
            roof, slant = (1.48, 0.55) if kind is Kind.CAR else (1.85, 0.18)
            back = -2.05
            faces = solid((back, 2.15), 0.86, (0.28, 0.86), colour)
            faces += _wheels((-1.3, 1.35), 0.86, 0.31, is_plain=is_plain)
            faces += [] if is_plain else _trim(back, 2.15, 0.86)
            front = 0.95 if kind is Kind.CAR else 1.75
            faces += solid(
                (back + 0.1, front + 0.25),
                0.82,
                (0.86, roof),
                colour,
                top_ahead=(back + 0.1 + slant, front - slant),
                top_left=0.66,
                glazed=True,
                panes=1 if is_plain else 2 if kind is Kind.CAR else 3,
            )
            if not is_plain:
                faces += _doors(kind, colour)
            return tuple(
                faces + _lamp(2.16, 0.62, 0.66, head) + _lamp(back - 0.01, 0.66, 0.72, tail)
            )
        case Kind.TRUCK:
            colour = ((184, 160, 60), (58, 92, 66), (146, 58, 48))[paint % 3]
            faces = solid((-3.6, 1.6), 1.0, (0.5, 0.95), (60, 58, 56))
            faces += _wheels((-2.6, 2.5), 1.0, 0.45)
            faces += solid(
                (-3.6, 1.5),
                1.1,
                (0.95, 2.7),
                ((120, 104, 80), (150, 150, 148))[paint % 2],
                ribs=0 if is_plain else 7,
            )
            if not is_plain:
                faces += [
                    plate(-3.612, 0.0, 1.82, 0.02, 0.86, _BUMPER),
                    plate(-3.61, 0.0, 0.62, 1.0, 0.1, _BUMPER),
                    plate(3.612, 0.0, 0.62, 0.98, 0.11, _BUMPER),
                    plate(3.612, 0.0, 1.05, 0.55, 0.16, _GRILLE),
                ]
            faces += solid((1.7, 3.6), 1.02, (0.5, 1.5), colour)
            faces += solid((1.7, 3.55), 1.0, (1.5, 2.4), colour, top_ahead=(1.7, 3.3), glazed=True)
            return tuple(faces + _lamp(3.61, 0.75, 0.8, head) + _lamp(-3.61, 0.8, 0.7, tail))
        case Kind.BUS:
            colour = ((206, 210, 214), (66, 104, 146), (156, 56, 54))[paint % 3]
            faces = solid((-5.2, 5.2), 1.22, (0.4, 1.35), colour)
            faces += _wheels((-3.2, 3.4), 1.22, 0.5)
            faces += solid((-5.2, 5.15), 1.22, (1.35, 3.0), colour, top_left=1.15,
                glazed=True, panes=1 if is_plain else 7,
            )  # fmt: skip
            return tuple(faces + _lamp(5.21, 0.9, 0.8, head) + _lamp(-5.21, 0.9, 0.9, tail))
        case Kind.MOTORCYCLE:
            shirt = _SHIRTS[paint % len(_SHIRTS)]
            helmet: Colour = ((30, 30, 34), (176, 34, 34), (210, 208, 200), (34, 120, 64))[
                paint % 4
            ]
            faces = _wheels((-0.62, 0.62), 0.05, 0.29, is_plain=is_plain)
            faces += solid(
                (-0.85, 0.35),
                0.13,
                (0.42, 0.76),
                _PAINTS[(paint + 3) % len(_PAINTS)],
                top_left=0.11,
            )
            if not is_plain:
                # The shield before the knees, the forks, the mirrors' bar.
                faces += solid(
                    (0.40, 0.52), 0.17, (0.35, 0.95), _PAINTS[(paint + 3) % len(_PAINTS)],
                    top_ahead=(0.30, 0.40), top_left=0.13,
                )  # fmt: skip
                faces += solid((0.28, 0.34), 0.31, (0.96, 1.0), _BUMPER)
                for side in (1, -1):
                    faces += beside(side, (-0.12, 0.34), (0.10, 0.21), (0.52, 0.80), _JEANS)
                    faces += beside(side, (-0.16, 0.26), (0.19, 0.27), (1.0, 1.28), shirt)
            else:
                faces += solid((-0.1, 0.2), 0.22, (0.55, 0.85), _JEANS)
            faces += barrel(-0.18, (0.17, 0.20, 0.15), (0.76, 1.22, 1.42), shirt)
            faces += barrel(-0.12, (0.09, 0.13, 0.07), (1.42, 1.56, 1.70), helmet)
            if not is_plain:
                faces.append(plate(0.012, 0.0, 1.54, 0.09, 0.035, _SKIN))
            return tuple(
                faces + _lamp(-0.86, 0.0, 0.7, tail, 0.08) + _lamp(0.78, 0.0, 0.8, head, 0.09)
            )


def _tiny(kind: Kind, paint: int, is_braking: bool) -> tuple[Face, ...]:
    """Two blocks with lamps: what is left of a vehicle in a dozen pixels."""
    if kind is Kind.MOTORCYCLE:
        shirt = _SHIRTS[paint % len(_SHIRTS)]
        faces = solid((-0.9, 0.8), 0.13, (0.1, 0.8), _BUMPER)
        faces += solid((-0.35, 0.1), 0.2, (0.8, 1.45), shirt, top_left=0.16)
        return tuple(faces + solid((-0.2, 0.05), 0.11, (1.45, 1.68), _BUMPER))
    plain = shape(kind, paint, is_braking, Detail.PLAIN)
    # Wheels are discs of ten corners, glass lies upon a wall: neither is missed from so far.
    return tuple(
        face for face in plain if len(face.corners) == 4 and (face.glows or not face.is_fine)
    )
