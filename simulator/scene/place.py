"""One road junction of the simulated city: its frame, its streets and what stands beside them.

Everything lies in the junction's own frame: ``a`` metres along the main road, ``b`` metres to its
left, up in metres; `Place.to_plane` turns that into the city's plane, in which cameras live.
Traffic keeps left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MAIN_HALF_M = 7.5
"""Half the main road's width: two lanes and a motorcycles' margin each way."""
MINOR_HALF_M = 4.6
CORNER_RADIUS_M = 6.0
PAVEMENT_M = 3.2
STOP_LINE_M = 4.5
"""From the crossing road's kerb back to the stop line."""
EXTENT_M = 110.0
"""The junction is drawn this far from its centre, each way."""


@dataclass(frozen=True, slots=True)
class Building:
    """An upright block, its sides along the roads unless it is turned about its middle."""

    a0: float
    b0: float
    a1: float
    b1: float
    height_m: float
    style: int
    """Chooses colours and shop front."""
    front: tuple[int, int]
    """The side with the shop: the outward direction in its own (a, b)."""
    turn_rad: float = 0.0
    """Anticlockwise."""

    @property
    def middle(self) -> tuple[float, float]:
        """About which it is turned."""
        return (self.a0 + self.a1) / 2, (self.b0 + self.b1) / 2

    def turned(self, a: float, b: float) -> tuple[float, float]:
        """Where a point of the unturned block lies in the place's frame."""
        return _about(self.middle, a, b, self.turn_rad)

    def unturned(self, a: float, b: float) -> tuple[float, float]:
        """The inverse of `turned`."""
        return _about(self.middle, a, b, -self.turn_rad)

    def corners(self) -> Floats:
        """Of its foot, (4, 2), in the place's frame, anticlockwise."""
        a0, b0, a1, b1 = self.a0, self.b0, self.a1, self.b1
        return np.array([self.turned(*at) for at in ((a0, b0), (a1, b0), (a1, b1), (a0, b1))])


def _about(middle: tuple[float, float], a: float, b: float, turn_rad: float) -> tuple[float, float]:
    if not turn_rad:
        return a, b
    cos, sin = math.cos(turn_rad), math.sin(turn_rad)
    da, db = a - middle[0], b - middle[1]
    return middle[0] + da * cos - db * sin, middle[1] + da * sin + db * cos


class Ground(Enum):
    """What an area beside the streets is covered with."""

    GREEN = auto()
    WATER = auto()
    PAVED = auto()
    BARE = auto()


@dataclass(frozen=True, slots=True)
class Area:
    """A piece of ground, its outline in the place's frame."""

    ground: Ground
    outline: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """A street tree, drawn facing the camera."""

    a: float
    b: float
    height_m: float
    kind: int


@dataclass(frozen=True, slots=True)
class Pole:
    """A lamp post or a utility pole; ``arm`` is where its arm reaches, in (a, b)."""

    a: float
    b: float
    height_m: float
    arm: tuple[float, float]


@dataclass(frozen=True)
class Place:
    """A junction in the city's plane; ``heading_rad`` is the main road's bearing there."""

    name: str
    x: float
    y: float
    heading_rad: float
    seed: int
    buildings: tuple[Building, ...] = field(default=())
    trees: tuple[Tree, ...] = field(default=())
    poles: tuple[Pole, ...] = field(default=())
    index: int = 0
    """Its number in the city."""
    areas: tuple[Area, ...] = field(default=())

    def to_plane(self, local: Floats) -> Floats:
        """``(N, 2)`` or ``(N, 3)`` from (a, b[, up]) to (east, north[, up]) in metres."""
        sin_h, cos_h = math.sin(self.heading_rad), math.cos(self.heading_rad)
        out = np.array(local, dtype=float)
        a, b = out[:, 0].copy(), out[:, 1].copy()
        # Bearings turn clockwise: along is (sin, cos), its left is (-cos, sin).
        out[:, 0] = self.x + a * sin_h - b * cos_h
        out[:, 1] = self.y + a * cos_h + b * sin_h
        return out

    def to_local(self, plane: Floats) -> Floats:
        """The inverse of `to_plane`."""
        sin_h, cos_h = math.sin(self.heading_rad), math.cos(self.heading_rad)
        out = np.array(plane, dtype=float)
        e, n = out[:, 0] - self.x, out[:, 1] - self.y
        out[:, 0] = e * sin_h + n * cos_h
        out[:, 1] = -e * cos_h + n * sin_h
        return out


def build_place(
    name: str, x: float, y: float, heading_rad: float, seed: int, index: int = 0
) -> Place:
    """A junction with its surroundings, all from the seed."""
    random = np.random.default_rng(seed)
    buildings, trees, poles = [], [], []
    for sign_a in (1, -1):
        for sign_b in (1, -1):
            buildings += _row_along_main(random, sign_a, sign_b)
            buildings += _row_along_minor(random, sign_a, sign_b)
            buildings += _houses_behind(random, sign_a, sign_b)
            trees += _street_trees(random, sign_a, sign_b)
            trees += _garden_trees(random, sign_a, sign_b)
            poles += _street_poles(sign_a, sign_b)
    return Place(name, x, y, heading_rad, seed, tuple(buildings), tuple(trees), tuple(poles), index)


def _row_along_main(random: np.random.Generator, sign_a: int, sign_b: int) -> list[Building]:
    """Shophouses wall to wall, in rows of like ones with gaps between."""
    row: list[Building] = []
    a = MINOR_HALF_M + PAVEMENT_M + 7.0 + random.uniform(0, 5)
    while a < EXTENT_M - 10:
        units, width = int(random.integers(2, 6)), float(random.uniform(4.2, 5.6))
        floors, style = int(random.choice([1, 2, 2, 3, 3, 4])), int(random.integers(0, 1_000))
        near = MAIN_HALF_M + PAVEMENT_M + random.uniform(3.0, 6.5)
        deep = random.uniform(9, 14)
        for unit in range(units):
            row.append(
                _block(sign_a, sign_b, a, near, a + width, near + deep, 3.5 * floors + 0.8)(
                    style * 10 + unit, (0, -sign_b)
                )
            )
            a += width
        a += random.uniform(0.5, 9)
    return row


def _row_along_minor(random: np.random.Generator, sign_a: int, sign_b: int) -> list[Building]:
    row: list[Building] = []
    b = MAIN_HALF_M + PAVEMENT_M + 24 + random.uniform(0, 6)
    while b < EXTENT_M - 10:
        width, floors = float(random.uniform(6, 11)), int(random.choice([1, 1, 2, 2, 3]))
        near = MINOR_HALF_M + PAVEMENT_M + random.uniform(1.5, 4.5)
        row.append(
            _block(
                sign_a, sign_b, near, b, near + random.uniform(8, 12), b + width, 3.4 * floors + 0.6
            )(int(random.integers(0, 10_000)), (-sign_a, 0))
        )
        b += width + random.uniform(1, 8)
    return row


def _houses_behind(random: np.random.Generator, sign_a: int, sign_b: int) -> list[Building]:
    """The quarter behind the street fronts: houses in loose rows, higher ones far off."""
    found = []
    for a in np.arange(34.0, 190.0, 15.0):
        for b in np.arange(34.0, 190.0, 14.0):
            if random.random() < 0.22:
                continue
            width, deep = random.uniform(7, 12), random.uniform(7, 11)
            is_far = max(a, b) > EXTENT_M - 15
            floors = int(random.choice([1, 2, 3, 5, 8] if is_far else [1, 1, 2]))
            x, y = float(a + random.uniform(-2, 2)), float(b + random.uniform(-2, 2))
            made = _block(sign_a, sign_b, x, y, x + width, y + deep, 3.3 * floors + 0.7)
            found.append(made(int(random.integers(0, 10_000)), (0, 0)))
    return found


def _garden_trees(random: np.random.Generator, sign_a: int, sign_b: int) -> list[Tree]:
    return [
        Tree(
            sign_a * float(random.uniform(20, 180)),
            sign_b * float(random.uniform(26, 180)),
            float(random.uniform(6, 12)),
            int(random.integers(4)),
        )
        for _ in range(46)
    ]


def _block(
    sign_a: int, sign_b: int, a0: float, b0: float, a1: float, b1: float, height_m: float
) -> Callable[[int, tuple[int, int]], Building]:
    def made(style: int, front: tuple[int, int]) -> Building:
        low_a, high_a = sorted((sign_a * a0, sign_a * a1))
        low_b, high_b = sorted((sign_b * b0, sign_b * b1))
        return Building(low_a, low_b, high_a, high_b, height_m, style, front)

    return made


def _street_trees(random: np.random.Generator, sign_a: int, sign_b: int) -> list[Tree]:
    # The near side is where the masts stand: trees must not hide the junction from them.
    found, a = [], MINOR_HALF_M + (12 if sign_b > 0 else 26) + random.uniform(0, 8)
    while a < EXTENT_M - 5:
        if random.random() < 0.75:
            b = MAIN_HALF_M + PAVEMENT_M - 0.6
            found.append(
                Tree(sign_a * a, sign_b * b, float(random.uniform(4.5, 8)), int(random.integers(4)))
            )
        a += random.uniform(9, 17)
    return found


def _street_poles(sign_a: int, sign_b: int) -> list[Pole]:
    edge = MAIN_HALF_M + 0.7
    return [
        Pole(sign_a * a, sign_b * edge, 9.0, (sign_a * a, sign_b * (edge - 2.4)))
        for a in (13.0, 43.0, 73.0, 103.0)
    ]
