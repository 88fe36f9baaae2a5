"""Vehicles' shapes ready for projection: every corner once, and each face's colour in a light."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simulator.scene import vehicles
from simulator.scene.lanes import Kind
from simulator.scene.solids import Face, crush
from simulator.scene.vehicles import Detail

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Colour = tuple[float, float, float]


@dataclass(frozen=True, eq=False, slots=True)
class Mesh:
    """A shape: its points (N, 3), the shadow's four last, and its faces by these."""

    points: Floats
    corners: Indices
    """Of one face after the other."""
    firsts: Indices
    """Where in `corners` each face begins."""
    spans: tuple[slice, ...]
    """Each face's part of `corners`."""


@dataclass(frozen=True, eq=False, slots=True)
class Model:
    """A mesh with its faces' colours in some light."""

    mesh: Mesh
    colours: tuple[Colour, ...]


@lru_cache(maxsize=4_096)
def model(
    kind: Kind,
    paint: int,
    is_braking: bool,
    detail: Detail,
    has_fallen: bool,
    crushed_m: tuple[float, float],
    light: Colour,
) -> Model:
    """A vehicle as it stands in a light (RGB, 1 is a bright day's)."""
    faces = vehicles.shape(kind, paint, is_braking, detail)
    lit = (
        face.colour
        if face.glows
        else (
            min(255.0, face.colour[0] * light[0]),
            min(255.0, face.colour[1] * light[1]),
            min(255.0, face.colour[2] * light[2]),
        )
        for face in faces
    )
    return Model(_mesh(kind, paint, is_braking, detail, has_fallen, crushed_m), tuple(lit))


@lru_cache(maxsize=1_024)
def _mesh(
    kind: Kind,
    paint: int,
    is_braking: bool,
    detail: Detail,
    has_fallen: bool,
    crushed_m: tuple[float, float],
) -> Mesh:
    faces: tuple[Face, ...] = vehicles.shape(kind, paint, is_braking, detail)
    ends = np.cumsum([0] + [len(face.corners) for face in faces])
    body = np.vstack([face.corners for face in faces])
    if any(crushed_m):
        crush(body, kind.value / 2, *crushed_m)
    if has_fallen:
        body[:, 1], body[:, 2] = -body[:, 2].copy(), body[:, 1] + 0.32
    # Faces of a solid share their corners: each is projected once.
    points, corners = np.unique(body.round(6), axis=0, return_inverse=True)
    spans = tuple(slice(*pair) for pair in itertools.pairwise(ends.tolist()))
    return Mesh(np.vstack((points, _shadow(kind))), corners.ravel(), ends[:-1], spans)


def _shadow(kind: Kind) -> Floats:
    reach, half = kind.value / 2 + 0.15, vehicles.HALF_WIDTH_M[kind] + 0.15
    return np.array(
        [(reach, half + 0.2, 0), (reach, -half, 0), (-reach, -half, 0), (-reach, half + 0.2, 0)],
        float,
    )
