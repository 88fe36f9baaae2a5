"""Areas that hold a place with a stated probability, as polygons in metres."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import numpy as np
from contourpy import FillType, contour_generator
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon, make_valid
from shapely.geometry.base import BaseGeometry

from geo.mixture import Mixture

Floats = NDArray[np.float64]

_TURN = np.linspace(0, 2 * np.pi, 49)[:-1]
UNIT_CIRCLE: Floats = np.column_stack((np.cos(_TURN), np.sin(_TURN)))


MOST_LINES = 96
"""Lines a side of the grid on which a mixture's areas are found."""


def sigmas_of(confidence: float) -> float:
    """Radius, in standard deviations, of a round Gaussian's circle that holds ``confidence``."""
    return math.sqrt(-2 * math.log1p(-confidence))


def ellipse(mean: Floats, covariance: Floats, confidence: float) -> Polygon:
    """The Gaussian's ellipse at a confidence."""
    root = np.linalg.cholesky(covariance)
    # The 48-gon's area equals the ellipse's, so that it holds what it says.
    outwards = math.sqrt(2 * np.pi / (48 * math.sin(2 * np.pi / 48)))
    return Polygon(mean + sigmas_of(confidence) * outwards * UNIT_CIRCLE @ root.T)


def credible_areas(mixture: Mixture, confidences: Sequence[float]) -> list[BaseGeometry]:
    """The smallest areas that hold the place with each confidence."""
    if len(mixture.log_weights) == 1:
        mean, covariance = mixture.means[0], mixture.covariances[0]
        return [ellipse(mean, covariance, confidence) for confidence in confidences]
    # Along the axes of the whole, so that a long thin posterior meets the grid squarely.
    _, axes = np.linalg.eigh(mixture.covariance)
    turned = Mixture(
        mixture.log_weights,
        (mixture.means - mixture.mean) @ axes,
        axes.T @ mixture.covariances @ axes,
    )
    across, along = (_knots(turned, axis) for axis in (0, 1))
    mesh = np.stack(np.meshgrid(across, along), axis=-1)
    density = np.exp(turned.log_density(mesh.reshape(-1, 2))).reshape(mesh.shape[:2])
    corners = (density[:-1, :-1] + density[1:, :-1] + density[:-1, 1:] + density[1:, 1:]) / 4
    mass = corners * np.diff(along)[:, None] * np.diff(across)[None, :]
    order = np.argsort(-corners, axis=None)
    held = np.cumsum(mass.ravel()[order])
    generator = contour_generator(across, along, density, fill_type=FillType.OuterOffset)
    found = []
    for confidence in confidences:
        place = int(np.searchsorted(held, confidence * held[-1]))
        level = corners.ravel()[order[min(place, len(order) - 1)]]
        points, offsets = cast(
            tuple[list[Floats], list[NDArray[np.uint32]]], generator.filled(level, math.inf)
        )
        parts = []
        for turned_xy, cuts in zip(points, offsets, strict=True):
            xy = turned_xy @ axes.T + mixture.mean
            rings = [xy[start:end] for start, end in pairwise(cuts)]
            parts.append(Polygon(rings[0], rings[1:]))
        plane = MultiPolygon(parts)
        # Corners that move the border by less than a hundredth of its size tell nobody anything.
        plane = plane.simplify(0.01 * math.sqrt(plane.area))
        found.append(plane if plane.is_valid else make_valid(plane))
    return found


def _knots(mixture: Mixture, axis: int) -> Floats:
    """Grid lines: close together where a component is narrow, few where it is wide."""
    sigmas = np.sqrt(mixture.covariances[:, axis, axis])
    steps = np.linspace(-3.3, 3.3, 15)
    lines = np.sort((mixture.means[:, axis, None] + sigmas[:, None] * steps).ravel())
    # Lines closer than a tenth of the narrowest step tell nothing new.
    finest = 0.1 * (steps[1] - steps[0]) * float(np.min(sigmas))
    kept = lines[np.concatenate(([True], np.diff(lines) > finest))]
    if len(kept) > MOST_LINES:
        kept = kept[np.unique(np.linspace(0, len(kept) - 1, MOST_LINES).astype(int))]
    return np.asarray(kept)
