"""A detection's box on the ground.

A hazard that stands on the street is placed by its foot: the middle of the box's lower border.
Smoke drifts and its root is hidden, so it is placed by bearing, somewhere before the point where
its lower border meets the ground. A box cut by the picture's lower border hides its foot: the
hazard is nearer than the border, and nothing else is known of its range.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from shapely import Polygon, make_valid
from shapely.geometry.base import BaseGeometry

from contracts import Box, Detection, Sighting
from geo.camera import PinholeCamera
from geo.mixture import Mixture
from geo.regions import UNIT_CIRCLE, sigmas_of

Floats = NDArray[np.float64]

FOOT_SIGMA_PX = 2.0
"""Error of a detector's box border, in pixels of a picture 640 wide."""
FOOT_SIGMA_SHARE = 0.05
"""Further error of the foot, as a share of the box's height, and of its middle, of its width."""
SMOKE_SEEN_M = 2_000.0
"""From how far a street camera's detector still finds a column of smoke."""
CUT_SHARE = 0.01
"""A box that comes this near to the picture's lower border (share of its height) is cut by it."""
FAR_RANGES = 4.0
"""A ground fix is believed up to this many times the camera's trusted range."""


@dataclass(frozen=True, slots=True)
class GroundFix:
    """One place seen by one camera, Gaussian in (rho, beta); see `geo.camera`.

    Attributes:
        camera_xy: the camera, metres in the city's plane.
        rho: 1 / range, 1/m; 0 or less at and above the horizon.
        beta: bearing in the plane, radians clockwise from its north.
        calibration, pixel: ``(2, 2)`` covariances of (rho, beta): the share that all of a camera's
            fixes have in common, and this fix's own.
        nearest_m, farthest_m: what is known of the range besides; a region ends there.
        range_unknown: only the bearing and the two bounds are known (smoke, a hidden foot).
    """

    camera_xy: tuple[float, float]
    rho: float
    beta: float
    calibration: Floats
    pixel: Floats
    nearest_m: float
    farthest_m: float
    range_unknown: bool = False

    @property
    def covariance(self) -> Floats:
        """``(2, 2)`` of (rho, beta)."""
        return self.calibration + self.pixel

    @property
    def xy(self) -> tuple[float, float] | None:
        """The most likely place in metres; None where the pixel tells no range."""
        if self.range_unknown or self.rho <= 1 / self.farthest_m:
            return None
        return self._at(1 / self.rho)

    def _at(self, range_m: float) -> tuple[float, float]:
        x, y = self.camera_xy
        return x + math.sin(self.beta) * range_m, y + math.cos(self.beta) * range_m

    def region(self, confidence: float) -> BaseGeometry | None:
        """The wedge that holds the place with ``confidence``, in metres; None above the horizon
        where not even the ellipse's lower part meets the ground in reach.
        """
        low, high = 1 / self.farthest_m, 1 / self.nearest_m
        if self.range_unknown:
            half = NormalDist().inv_cdf(0.5 + confidence / 2) * math.sqrt(self.covariance[1, 1])
            spread = np.linspace(-half, half, 9)
            edge = [(low, self.beta + s) for s in spread] + [(high, self.beta - s) for s in spread]
            ring = np.array(edge)
        else:
            root = np.linalg.cholesky(self.covariance)
            ring = (self.rho, self.beta) + sigmas_of(confidence) * UNIT_CIRCLE @ root.T
            if ring[:, 0].max() <= low:
                return None
        # Clamping folds the ellipse's tail onto the farthest arc, which is where it is cut.
        ranges = 1 / np.clip(ring[:, 0], low, high)
        shape = Polygon(
            np.column_stack((np.sin(ring[:, 1]), np.cos(ring[:, 1]))) * ranges[:, None]
            + self.camera_xy
        )
        return shape if shape.is_valid else make_valid(shape)

    def mixture(self, strata: int = 5) -> Mixture:
        """The fix as Gaussians on the plane, one a stratum of range: a chain along the wedge."""
        low, high = 1 / self.farthest_m, 1 / self.nearest_m
        (var_rho, both), (_, var_beta) = self.covariance.tolist()
        sigma_rho = math.sqrt(var_rho)
        if self.range_unknown:
            edges = np.geomspace(max(self.nearest_m, self.farthest_m / 30), self.farthest_m, 7)
            ranges, spread = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / math.sqrt(12)
            weights = edges[1:] - edges[:-1]
            lean = np.zeros_like(ranges)
            sigma_beta = math.sqrt(var_beta)
        elif sigma_rho < 0.12 * self.rho:
            ranges, weights, lean = np.array([1 / self.rho]), np.ones(1), np.zeros(1)
            spread = np.array([sigma_rho / self.rho**2])
            sigma_beta = math.sqrt(var_beta)
        else:
            normal = NormalDist(self.rho, sigma_rho)
            start, end = normal.cdf(low), normal.cdf(high)
            if end - start < 1e-9:
                # The whole of it lies beyond the horizon: as far as the camera is believed.
                quantiles = np.linspace(low, 1.5 * low, strata * 4)
            else:
                shares = (np.arange(strata * 4) + 0.5) / (strata * 4)
                quantiles = np.array([normal.inv_cdf(start + s * (end - start)) for s in shares])
            rhos = quantiles.reshape(strata, 4)
            ranges, spread = (1 / rhos).mean(axis=1), (1 / rhos).std(axis=1)
            spread = np.maximum(spread, np.abs(np.gradient(ranges)) / 3)
            weights = np.ones(strata)
            lean = both / var_rho * (rhos.mean(axis=1) - self.rho)
            sigma_beta = math.sqrt(max(var_beta - both**2 / var_rho, 1e-10))
        return self._chain(weights, ranges, spread, lean, sigma_beta, both)

    def _chain(
        self,
        weights: Floats,
        ranges: Floats,
        spread: Floats,
        lean: Floats,
        sigma_beta: float,
        both: float,
    ) -> Mixture:
        betas = self.beta + lean
        along = np.column_stack((np.sin(betas), np.cos(betas)))
        across = np.column_stack((np.cos(betas), -np.sin(betas)))
        means = along * ranges[:, None] + self.camera_xy
        covariances = (
            np.maximum(spread, 0.2)[:, None, None] ** 2 * along[:, :, None] * along[:, None, :]
            + np.maximum(ranges * sigma_beta, 0.2)[:, None, None] ** 2
            * across[:, :, None]
            * across[:, None, :]
        )
        if len(ranges) == 1:
            tilt = -both * ranges[0] ** 3
            covariances[0] += tilt * (np.outer(along[0], across[0]) + np.outer(across[0], along[0]))
        return Mixture.of(weights, means, covariances)

    def apart_from(self, other: GroundFix, extent_m: float = 0.0) -> float:
        """Squared statistical distance between two fixes of one camera.

        The calibration's error moves both alike, so that only the pixels' own counts, and the size
        of what is seen; where a range is unknown, only the bearings are compared.
        """
        turn = math.remainder(self.beta - other.beta, 2 * math.pi)
        own = self.pixel + other.pixel
        if self.range_unknown or other.range_unknown:
            size = extent_m / min(self.farthest_m, other.farthest_m)
            return turn * turn / float(own[1, 1] + size**2)
        near = max(self.rho, other.rho, 0.0)
        own = own + np.diag(np.square((extent_m * near * near, extent_m * near)))
        off = np.array([self.rho - other.rho, turn])
        return float(off @ np.linalg.solve(own, off))


def fix_of_box(
    camera: PinholeCamera,
    box: Box,
    frame_px: tuple[int, int],
    sighting: Sighting,
) -> GroundFix:
    """Where a box of a picture of ``frame_px`` (width, height) stands on the ground.

    The picture may have another size than the pose's; it must show the same view.
    """
    across, down = camera.width_px / frame_px[0], camera.height_px / frame_px[1]
    width, height = (box.x1 - box.x0) * across, (box.y1 - box.y0) * down
    u = (box.x0 + box.x1) / 2 * across
    v = min(max(box.y1 * down, 0.0), float(camera.height_px))
    border = FOOT_SIGMA_PX * camera.width_px / 640
    sigma_u = math.hypot(border, FOOT_SIGMA_SHARE * width)
    sigma_v = math.hypot(border, FOOT_SIGMA_SHARE * height)
    cut = v >= camera.height_px * (1 - CUT_SHARE)
    if sighting is Sighting.SMOKE:
        # The wind may carry a column half its width aside.
        sigma_u = math.hypot(border, width / 4)
    elif sighting is Sighting.CRASH:
        # The box holds all that moved about the crash, which may be anywhere in it.
        sigma_u, sigma_v = math.hypot(border, width / 4), math.hypot(border, height / 4)
    found = camera.polar(u, v, sigma_u, sigma_v)
    rho, beta = float(found.rho), float(found.beta)
    nearest = 0.5 * camera.h
    farthest = max(FAR_RANGES * camera.range_m, 2 * nearest)
    plain = GroundFix(
        (camera.x, camera.y), rho, beta, found.calibration, found.pixel, nearest, farthest
    )
    slack = 2 * math.sqrt(plain.covariance[0, 0])
    if sighting is Sighting.SMOKE:
        reach = min(SMOKE_SEEN_M, 1 / max(rho - slack, 1 / SMOKE_SEEN_M))
        return _bearing_only(plain, nearest, reach)
    if cut:
        return _bearing_only(plain, nearest / 2, min(farthest, 1 / max(rho - slack, 1 / farthest)))
    return plain


def _bearing_only(fix: GroundFix, nearest_m: float, farthest_m: float) -> GroundFix:
    return dataclasses.replace(
        fix,
        nearest_m=nearest_m,
        farthest_m=max(farthest_m, 2 * nearest_m),
        range_unknown=True,
    )


def fix_of_detection(camera: PinholeCamera, detection: Detection) -> GroundFix:
    """`fix_of_box` of a detection's box."""
    size = (detection.frame_width_px, detection.frame_height_px)
    return fix_of_box(camera, detection.box, size, detection.sighting)
