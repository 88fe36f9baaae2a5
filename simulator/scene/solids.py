"""What things are built of: convex faces with a colour, put together to blocks, discs and barrels.

All in a thing's own frame: ahead, left and up, in metres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Colour = tuple[float, float, float]

_GLASS: Colour = (44, 52, 60)


@dataclass(frozen=True, eq=False)
class Face:
    """A convex outline in the vehicle's frame (ahead, left, up) with its colour and light."""

    corners: Floats
    colour: Colour
    glows: bool = False
    """A lamp: as bright in the dark as by day."""
    is_fine: bool = False
    """Too small to be missed far away."""


def solid(
    ahead: tuple[float, float],
    left: float,
    up: tuple[float, float],
    colour: Colour,
    *,
    top_ahead: tuple[float, float] | None = None,
    top_left: float | None = None,
    glazed: bool = False,
    panes: int = 1,
    ribs: int = 0,
) -> list[Face]:
    """A block from ``ahead[0]`` to ``ahead[1]``, ``left`` to each side; its top may be smaller.

    ``glazed`` ones have windows, ``panes`` of them on each side; ``ribs`` stiffen the sides.
    """
    x0, x1 = ahead
    tx0, tx1 = top_ahead or ahead
    half = left if top_left is None else top_left
    z0, z1 = up
    low = [(x1, left, z0), (x1, -left, z0), (x0, -left, z0), (x0, left, z0)]
    top = [(tx1, half, z1), (tx1, -half, z1), (tx0, -half, z1), (tx0, half, z1)]
    faces = [Face(np.array(top), lit(colour, 1.16))]
    for index, light in enumerate((0.84, 0.70, 0.76, 0.92)):
        after = (index + 1) % 4
        wall = np.array([low[index], low[after], top[after], top[index]])
        faces.append(Face(wall, lit(colour, light)))
        is_side = index % 2 == 1
        if glazed:
            for low_s, high_s in _spans(panes if is_side else 1, 0.10, 0.03):
                glass = _part(wall, low_s, high_s, 0.18, 0.9)
                faces.append(Face(glass, lit(_GLASS, light * 1.1)))
        for rib in range(ribs if is_side else 0):
            at = (rib + 0.5) / ribs
            faces.append(
                Face(_part(wall, at - 0.008, at + 0.008, 0.0, 1.0), lit(colour, light * 0.8))
            )
    return faces


def lit(colour: Colour, light: float) -> Colour:
    """A colour in so much light."""
    return (
        min(255.0, colour[0] * light),
        min(255.0, colour[1] * light),
        min(255.0, colour[2] * light),
    )


def _spans(count: int, margin: float, gap: float) -> list[tuple[float, float]]:
    """So many equal parts of 0 to 1, with a margin at both ends and gaps between."""
    wide = (1 - 2 * margin - (count - 1) * gap) / count
    starts = [margin + number * (wide + gap) for number in range(count)]
    return [(start, start + wide) for start in starts]


def _part(wall: Floats, low_s: float, high_s: float, low_t: float, high_t: float) -> Floats:
    """A rectangle of a wall: shares of its width, and of its height from below."""

    def point(s: float, t: float) -> Floats:
        low, high = wall[0] * (1 - s) + wall[1] * s, wall[3] * (1 - s) + wall[2] * s
        return np.asarray(low * (1 - t) + high * t)

    return np.array(
        [point(low_s, low_t), point(high_s, low_t), point(high_s, high_t), point(low_s, high_t)]
    )


def disc(ahead: float, left: float, up: float, radius: float, side: int, tone: Colour) -> Face:
    """A wheel or its hub, seen from its own side."""
    angle = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    rim = np.stack(
        (ahead + radius * np.cos(angle), np.full(10, left), up + radius * np.sin(angle)), 1
    )
    return Face(rim if side > 0 else rim[::-1], tone)


def barrel(
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
            faces.append(Face(wall, lit(tone, light)))
    faces.append(Face(rings[2], lit(tone, 1.12)))
    return faces


def plate(
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


def panel(x0: float, x1: float, left: float, z0: float, z1: float, side: int, tone: Colour) -> Face:
    """An upright rectangle along the vehicle, seen from its own side."""
    corners = np.array([(x0, left, z0), (x1, left, z0), (x1, left, z1), (x0, left, z1)])
    return Face(corners[::-1] if side < 0 else corners, tone)


def beside(
    side: int,
    ahead: tuple[float, float],
    left: tuple[float, float],
    up: tuple[float, float],
    colour: Colour,
) -> list[Face]:
    """A rider's thigh or arm: a block to one side."""
    middle, half = side * (left[0] + left[1]) / 2, (left[1] - left[0]) / 2
    faces = solid(ahead, half, up, colour, top_left=half)
    aside = np.array((0.0, middle, 0.0))
    return [Face(face.corners + aside, face.colour, face.glows) for face in faces]


_CRUMPLES_M = 1.3
"""So far from its end a body gives way; what is behind that stays as it was."""


def crush(corners: Floats, reach_m: float, front_m: float, back_m: float) -> None:
    """Push a body's ends in, in place: shorter, lower at the tip, buckled up behind it, skewed."""
    for sense, depth_m in ((1.0, front_m), (-1.0, back_m)):
        if not depth_m:
            continue
        ahead, left, up = sense * corners[:, 0], corners[:, 1], corners[:, 2]
        share = np.clip((ahead - (reach_m - _CRUMPLES_M)) / _CRUMPLES_M, 0, 1)
        # One corner takes more of it than the other.
        corners[:, 0] -= sense * depth_m * share * (1.0 + 0.55 * np.tanh(2 * left))
        corners[:, 1] += 0.22 * depth_m * share
        buckled = np.where(up > 0.5, 0.9 * share * (1 - share) - 0.28 * share, 0.0)
        corners[:, 2] += depth_m * buckled
