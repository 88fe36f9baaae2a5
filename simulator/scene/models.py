"""Vehicles' shapes ready for projection: every corner once, and each face's colour in a light."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
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

_LEAST_TURN = 0.5
"""Faces that show less than this (about their area in pixels) are left out."""


@dataclass(frozen=True, eq=False, slots=True)
class Mesh:
    """A shape: its points (N, 3), the shadow's four last, and its faces by these."""

    points: Floats
    corners: Indices
    """Of one face after the other."""
    thirds: Indices
    """Of each face three points, as far from one another as may be: (faces, 3)."""
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
    corners, counts = corners.ravel(), np.diff(ends)
    thirds = ends[:-1, None] + counts[:, None] * np.arange(3) // 3
    return Mesh(np.vstack((points, _shadow(kind))), corners, corners[thirds], spans)


def _shadow(kind: Kind) -> Floats:
    reach, half = kind.value / 2 + 0.15, vehicles.HALF_WIDTH_M[kind] + 0.15
    return np.array(
        [(reach, half + 0.2, 0), (reach, -half, 0), (-reach, -half, 0), (-reach, half + 0.2, 0)],
        float,
    )


class Faces:
    """The faces of many meshes, looked at all at once."""

    def __init__(self, meshes: Sequence[Mesh], starts: NDArray[np.intp]) -> None:
        """``starts`` tells where each mesh's points begin among all."""
        own = [start + mesh.thirds for mesh, start in zip(meshes, starts.tolist(), strict=False)]
        self._thirds = np.concatenate(own)
        self._ends = np.cumsum([len(thirds) for thirds in own])[:-1]

    def turned(self, pixels: Floats, sense: int) -> list[NDArray[np.bool_]]:
        """Which are turned to us: they run clockwise as seen from outside (``sense`` 1)."""
        first, one, two = (pixels[column] for column in self._thirds.T)
        one -= first
        two -= first
        turn = sense * (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])
        return np.split(turn > _LEAST_TURN, self._ends)
