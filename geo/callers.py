"""Where a caller is, and where what the caller reports may be.

A radius holds the caller with the confidence that its source states, never with an assumed one:
``sigma = R / sqrt(-2 ln(1 - c))``. The incident is near the caller, not at the caller: how far off
callers stand is a mixture a hazard, since fires are seen from afar and the sick are at hand.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from shapely import Polygon, affinity, box, intersection, make_valid
from shapely.geometry.base import BaseGeometry

from contracts import Area, CallerFix, Disc, FixShape, Hazard, Sector
from geo.mixture import Mixture
from geo.projection import LocalProjection
from geo.regions import UNIT_CIRCLE, sigmas_of

Floats = NDArray[np.float64]

DRAWN_CONFIDENCE = 0.95
"""One confidence for everything that is drawn, so that circles can be compared by eye."""
LEAST_SIGMA_M = 3.0
"""No phone knows better; a map click with radius 0 is this good."""

Standoff = tuple[tuple[float, float], ...]
"""Weight and sigma in metres (a coordinate) of each part of a mixture of round Gaussians."""

STANDOFFS: dict[Hazard | None, Standoff] = {
    Hazard.FIRE: ((0.45, 35.0), (0.40, 120.0), (0.15, 400.0)),
    Hazard.CRASH: ((0.70, 20.0), (0.25, 60.0), (0.05, 200.0)),
    Hazard.FLOOD: ((0.55, 50.0), (0.35, 150.0), (0.10, 400.0)),
    Hazard.DISASTER: ((0.65, 30.0), (0.30, 100.0), (0.05, 300.0)),
    Hazard.MEDICAL: ((0.85, 15.0), (0.15, 60.0)),
    Hazard.CRIME: ((0.65, 25.0), (0.30, 90.0), (0.05, 300.0)),
    Hazard.OTHER: ((0.65, 30.0), (0.30, 100.0), (0.05, 300.0)),
    None: ((0.60, 30.0), (0.30, 100.0), (0.10, 300.0)),
}
"""Assumed until closed incidents teach the city's own: there is no published table of this."""


def caller_place(shape: FixShape, confidence: float, projection: LocalProjection) -> Mixture:
    """The caller's own place, as Gaussians in metres."""
    if isinstance(shape, Disc):
        sigma = max(shape.radius_m / sigmas_of(confidence), LEAST_SIGMA_M)
        return Mixture.single(projection.point(shape.centre), sigma**2 * np.eye(2))
    if isinstance(shape, Sector):
        return _with_rest(_tiles_of(sector_outline(shape, projection)), confidence)
    return _with_rest(_tiles_of(projection.plane(shape.area)), confidence)


def stood_off(caller: Mixture, hazard: Hazard | None, standoff_factor: float = 1.0) -> Mixture:
    """What a caller at this place reports is about: near the caller, as far as the hazard's is."""
    standoff = STANDOFFS[hazard]
    return caller.blurred(
        [sigma * standoff_factor for _, sigma in standoff], [weight for weight, _ in standoff]
    )


def caller_region(
    fix: CallerFix, projection: LocalProjection, confidence: float = DRAWN_CONFIDENCE
) -> Area:
    """The area that holds the caller with ``confidence``, whatever confidence the fix has.

    A disc stays a disc; a sector or outline keeps its form and is scaled about its middle, as a
    Gaussian of that form would be.
    """
    factor = sigmas_of(confidence) / sigmas_of(fix.confidence)
    plane: BaseGeometry
    if isinstance(fix.shape, Disc):
        radius = max(fix.shape.radius_m * factor, LEAST_SIGMA_M * sigmas_of(confidence))
        plane = Polygon(UNIT_CIRCLE * radius + projection.point(fix.shape.centre))
    else:
        outline = (
            sector_outline(fix.shape, projection)
            if isinstance(fix.shape, Sector)
            else projection.plane(fix.shape.area)
        )
        plane = affinity.scale(outline, factor, factor, origin="centroid")
        least_m = LEAST_SIGMA_M * sigmas_of(confidence)
        if plane.area < math.pi * least_m**2:
            # A line or a sliver: no caller is known so well across.
            plane = plane.buffer(least_m)
    area = projection.area(plane)
    if area is None:
        raise ValueError("a caller's region must have an area")
    return area


def sector_outline(sector: Sector, projection: LocalProjection) -> Polygon:
    """A cell's sector as a polygon in metres."""
    x, y = projection.point(sector.antenna)
    if sector.opening_deg >= 360:
        return Polygon(UNIT_CIRCLE * sector.range_m + (x, y))
    middle = math.radians(sector.azimuth_deg) + projection.convergence_rad(x, y)
    half = math.radians(sector.opening_deg) / 2
    turn = np.linspace(middle - half, middle + half, max(8, int(sector.opening_deg / 5)))
    arc = np.column_stack((np.sin(turn), np.cos(turn))) * sector.range_m
    return Polygon(np.add(np.vstack(([0.0, 0.0], arc)), (x, y)))


def _tiles_of(outline: BaseGeometry, across: int = 4) -> Mixture:
    """A uniform density over an outline, as one Gaussian a tile of a coarse grid."""
    west, south, east, north = outline.bounds
    side = max(east - west, north - south, LEAST_SIGMA_M)
    columns = max(1, round(across * (east - west) / side))
    rows = max(1, round(across * (north - south) / side))
    xs, ys = np.linspace(west, east, columns + 1), np.linspace(south, north, rows + 1)
    tiles = box(
        np.repeat(xs[:-1], rows),
        np.tile(ys[:-1], columns),
        np.repeat(xs[1:], rows),
        np.tile(ys[1:], columns),
    )
    whole = outline if outline.is_valid else make_valid(outline)
    parts = [part for part in intersection(tiles, whole) if part.area > 0]
    if not parts:
        middle = outline.centroid
        return Mixture.single((middle.x, middle.y), LEAST_SIGMA_M**2 * np.eye(2))
    spread = np.array(
        [
            np.maximum(
                [(p.bounds[2] - p.bounds[0]) ** 2, (p.bounds[3] - p.bounds[1]) ** 2],
                12 * LEAST_SIGMA_M**2,
            )
            / 12
            for p in parts
        ]
    )
    return Mixture.of(
        [p.area for p in parts],
        np.array([[p.centroid.x, p.centroid.y] for p in parts]),
        spread[:, :, None] * np.eye(2),
    )


def _with_rest(inside: Mixture, confidence: float) -> Mixture:
    """The share that the source leaves outside its shape, spread widely about it."""
    wide = 9 * np.trace(inside.covariance) / 2 * np.eye(2)
    return Mixture.of(
        np.append(inside.weights * confidence, 1 - confidence),
        np.vstack((inside.means, inside.mean)),
        np.concatenate((inside.covariances, wide[None])),
    )
