"""A pinhole camera over the ground: world to pixels, and pixels to (1/range, bearing).

Conventions, with those of `contracts.CameraPose`:

* World: metres east, north, up in the city's plane; up is 0 on the ground below the camera.
* ``yaw`` is the plane bearing of the optical axis, clockwise from the plane's north (a pose's true
  bearing plus the projection's convergence there); ``pitch`` is the axis' angle above the horizon,
  so negative for a camera that looks down (the pose's tilt); ``roll`` turns the camera clockwise
  about its axis as seen from behind it: the picture's right side dips, so the horizon climbs
  towards the right of the picture.
* Pixels: ``u`` to the right and ``v`` down from the picture's top left corner; the centre of the
  top left pixel is (0.5, 0.5); the optical axis meets the picture in its middle.
* ``f`` is the focal length in pixels. A ray at (x, y, 1) in the camera's right, down, forward axes
  is drawn at ``(x, y) (1 + k1 (x^2 + y^2)) f`` from the middle (Brown's first radial term): k1 < 0
  is barrel. ``hfov_deg`` is what the picture shows from its left to its right border, k1 included.
* theta = (x, y, h, yaw, pitch, roll, log f, k1); covariances of a camera are in this order.

A point on the ground is told by ``rho`` = 1 / range (horizontal, in 1/m) and ``beta`` = bearing
from the camera, in which a pixel's error and the pose's are close to Gaussian at any range. At
the horizon rho is 0 and above it negative: bearing only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts import CameraPose
from geo.projection import LocalProjection

Floats = NDArray[np.float64]

THETA = ("x", "y", "h", "yaw", "pitch", "roll", "log_f", "k1")
"""Names of a camera's parameters, in the order of its covariance; metres and radians."""

TERRAIN_SIGMA_M = 0.5
"""How far a street lies off the plane through the camera's foot: Bekasi is a plain with kerbs,
bridges and ditches. One metre is r/h, 12 m at 100 m from an 8 m mast."""


@dataclass(frozen=True, slots=True)
class PolarFix:
    """Pixels as (rho, beta) with covariance; scalars or arrays of one shape ``S``.

    ``covariance`` has shape ``S + (2, 2)``; it is the sum of ``calibration`` (common to all pixels
    of a camera, by way of its pose) and the pixel's own share.
    """

    rho: Any
    beta: Any
    calibration: Floats
    pixel: Floats

    @property
    def covariance(self) -> Floats:
        """Of (rho, beta): 1/m and radians."""
        return self.calibration + self.pixel


@dataclass(frozen=True)
class PinholeCamera:
    """A camera with the covariance of its parameters; see the module for the conventions."""

    x: float
    y: float
    h: float
    yaw: float
    pitch: float
    roll: float
    log_f: float
    k1: float
    width_px: int
    height_px: int
    covariance: Floats
    range_m: float = 150.0
    terrain_sigma_m: float = TERRAIN_SIGMA_M
    north: float = 0.0
    """True north in the plane at the camera's place; a plane bearing less this is a true one."""

    @classmethod
    def from_pose(
        cls,
        pose: CameraPose,
        projection: LocalProjection,
        terrain_sigma_m: float = TERRAIN_SIGMA_M,
    ) -> PinholeCamera:
        """A registered camera in the city's plane.

        Without a calibration's covariance the pose's sigmas stand on the diagonal, and a lens whose
        field of view is known to p % is taken to bend by k1 within p/100.
        """
        x, y = projection.point(pose.position)
        north = projection.convergence_rad(x, y)
        half = math.radians(pose.hfov_deg) / 2
        edge = math.tan(half)
        log_f = math.log(pose.width_px / 2 / edge)
        if pose.k1:
            log_f -= math.log1p(pose.k1 * edge**2)
        if pose.covariance is not None:
            covariance = np.array(pose.covariance)
        else:
            share = pose.hfov_sigma_pct / 100
            sigmas = (
                pose.position_sigma_m,
                pose.position_sigma_m,
                pose.height_sigma_m,
                math.radians(pose.bearing_sigma_deg),
                math.radians(pose.tilt_sigma_deg),
                math.radians(pose.roll_sigma_deg),
                share * 2 * half / math.sin(2 * half),
                share,
            )
            covariance = np.diag(np.square(sigmas))
        return cls(
            x=x,
            y=y,
            h=pose.height_m,
            yaw=math.radians(pose.bearing_deg) + north,
            pitch=math.radians(pose.tilt_deg),
            roll=math.radians(pose.roll_deg),
            log_f=log_f,
            k1=pose.k1,
            width_px=pose.width_px,
            height_px=pose.height_px,
            covariance=covariance,
            range_m=pose.range_m,
            terrain_sigma_m=terrain_sigma_m,
            north=north,
        )

    def to_pose(self, projection: LocalProjection) -> CameraPose:
        """The camera as it is registered."""
        sigma = np.sqrt(np.diag(self.covariance)).tolist()
        half = math.atan(self._edge())
        return CameraPose(
            position=projection.place(self.x, self.y),
            position_sigma_m=math.sqrt((sigma[0] ** 2 + sigma[1] ** 2) / 2),
            height_m=self.h,
            height_sigma_m=sigma[2],
            bearing_deg=math.degrees(self.yaw - self.north) % 360,
            bearing_sigma_deg=math.degrees(sigma[3]),
            tilt_deg=math.degrees(self.pitch),
            tilt_sigma_deg=math.degrees(sigma[4]),
            roll_deg=math.degrees(self.roll),
            roll_sigma_deg=math.degrees(sigma[5]),
            hfov_deg=math.degrees(2 * half),
            hfov_sigma_pct=100 * sigma[6] * math.sin(2 * half) / (2 * half),
            width_px=self.width_px,
            height_px=self.height_px,
            k1=self.k1,
            range_m=self.range_m,
            covariance=tuple(map(tuple, self.covariance.tolist())),
        )

    def _edge(self) -> float:
        """Tangent of half the horizontal field of view, the lens' bend included."""
        edge, _ = self._undistort(self.width_px / 2 / self.f_px, 0.0)
        return float(edge)

    @property
    def theta(self) -> Floats:
        """The parameters as a vector, in the order of `THETA`."""
        return np.array(
            [self.x, self.y, self.h, self.yaw, self.pitch, self.roll, self.log_f, self.k1]
        )

    @property
    def f_px(self) -> float:
        """Focal length in pixels."""
        return math.exp(self.log_f)

    @cached_property
    def axes(self) -> Floats:
        """Rows: the camera's right, down and forward axes in east, north, up."""
        sin_y, cos_y = math.sin(self.yaw), math.cos(self.yaw)
        sin_p, cos_p = math.sin(self.pitch), math.cos(self.pitch)
        sin_r, cos_r = math.sin(self.roll), math.cos(self.roll)
        right = np.array([cos_y, -sin_y, 0.0])
        down = np.array([sin_y * sin_p, cos_y * sin_p, -cos_p])
        forward = np.array([sin_y * cos_p, cos_y * cos_p, sin_p])
        return np.array([cos_r * right + sin_r * down, cos_r * down - sin_r * right, forward])

    def project(self, world: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """World points to pixels.

        Args:
            world: ``(N, 3)`` metres east, north (in the city's plane) and up.

        Returns:
            ``(N, 2)`` pixels (NaN behind the camera) and ``(N,)`` whether the picture shows them.
        """
        seen = (np.asarray(world, dtype=float) - (self.x, self.y, self.h)) @ self.axes.T
        depth = seen[:, 2]
        in_front = depth > 1e-6
        flat = seen[:, :2] / np.where(in_front, depth, np.nan)[:, None]
        square = np.sum(flat**2, axis=1)
        drawn = flat * (1 + self.k1 * square)[:, None]
        pixels = drawn * self.f_px + (self.width_px / 2, self.height_px / 2)
        with np.errstate(invalid="ignore"):
            visible = (
                in_front
                # Beyond the fold a lens of negative k1 would draw far rays inside the picture.
                & (1 + 3 * self.k1 * square > 0)
                & np.all(pixels >= 0, axis=1)
                & (pixels[:, 0] <= self.width_px)
                & (pixels[:, 1] <= self.height_px)
            )
        return pixels, visible

    def ray(self, u: Any, v: Any) -> Floats:
        """Pixels of shape ``S`` as rays (x, y, 1) in right, down, forward: ``S + (3,)``."""
        xd = (np.asarray(u, dtype=float) - self.width_px / 2) / self.f_px
        yd = (np.asarray(v, dtype=float) - self.height_px / 2) / self.f_px
        x, y = self._undistort(xd, yd)
        return np.stack(np.broadcast_arrays(x, y, 1.0), axis=-1)

    def look(self, u: Floats, v: Floats) -> tuple[Floats, Floats]:
        """(rho, beta) of many pixels, without their derivatives."""
        east, north, up = np.moveaxis(self.ray(u, v) @ self.axes, -1, 0)
        return -up / (self.h * np.hypot(east, north)), np.arctan2(east, north)

    def polar(self, u: Any, v: Any, sigma_u_px: Any = 1.0, sigma_v_px: Any = None) -> PolarFix:
        """Pixels to the ground in (rho, beta), with covariance.

        ``Sigma = J_theta Sigma_theta J_theta^T + J_u diag(sigma_px^2) J_u^T``, and terrain adds
        ``(rho s)^2 (1 + 8 s^2)`` with ``s = sigma_z / h`` to rho's variance: ground higher by z is
        met at ``rho / (1 - z/h)``, whose spread that is to the fourth order. All arguments are
        scalars or arrays of one shape. ``sigma_v_px`` is ``sigma_u_px`` where it is not given.
        """
        rho, beta, of_theta, of_pixel = self.polar_with_jacobians(u, v)
        sigma_v = sigma_u_px if sigma_v_px is None else sigma_v_px
        calibration = of_theta @ self.covariance @ np.swapaxes(of_theta, -1, -2)
        scaled = (
            of_pixel * np.stack(np.broadcast_arrays(sigma_u_px, sigma_v), axis=-1)[..., None, :]
        )
        pixel = scaled @ np.swapaxes(scaled, -1, -2)
        share = self.terrain_sigma_m / self.h
        pixel[..., 0, 0] += (rho * share) ** 2 * (1 + 8 * share**2)
        return PolarFix(rho, beta, calibration, pixel)

    def polar_with_jacobians(self, u: Any, v: Any) -> tuple[Any, Any, Floats, Floats]:
        """(rho, beta) of pixels of shape ``S``, their derivatives by theta ``S + (2, 8)``, and
        by the pixel ``S + (2, 2)``.

        The camera's own place moves a ground point at range r by dbeta = dp_across / r and
        drho = -dp_along / r^2, which vanishes towards the horizon.
        """
        f = self.f_px
        xd = (np.asarray(u, dtype=float)[()] - self.width_px / 2) / f
        yd = (np.asarray(v, dtype=float)[()] - self.height_px / 2) / f
        x, y = self._undistort(xd, yd)
        (re, rn, ru), (de, dn, du), (fe, fn, fu) = self.axes.tolist()
        east, north, up = x * re + y * de + fe, x * rn + y * dn + fn, x * ru + y * du + fu
        # A ray straight down has no bearing; this gives it one, at no range.
        flat2 = east * east + north * north + 1e-18
        flat = np.sqrt(flat2)
        rho = -up / (self.h * flat)
        beta = np.arctan2(east, north)

        shape = np.shape(rho)
        of_theta = np.empty((*shape, 2, 8))
        of_pixel = np.empty((*shape, 2, 2))

        # Derivatives of (rho, beta) by the ray's direction.
        inward = up / (self.h * flat2 * flat)
        rho_e, rho_n, rho_u = inward * east, inward * north, -1.0 / (self.h * flat)
        beta_e, beta_n = north / flat2, -east / flat2

        def put(out: Floats, column: int, d_e: Any, d_n: Any, d_u: Any) -> None:
            out[..., 0, column] = rho_e * d_e + rho_n * d_n + rho_u * d_u
            out[..., 1, column] = beta_e * d_e + beta_n * d_n

        near = np.maximum(rho, 0.0)
        sin_b, cos_b = east / flat, north / flat
        of_theta[..., 0, 0], of_theta[..., 0, 1] = -near * near * sin_b, -near * near * cos_b
        of_theta[..., 1, 0], of_theta[..., 1, 1] = near * cos_b, -near * sin_b
        of_theta[..., 0, 2], of_theta[..., 1, 2] = -rho / self.h, 0.0
        of_theta[..., 0, 3], of_theta[..., 1, 3] = 0.0, 1.0

        # Pitch turns forward against the level down axis; the ray has `level` along the latter.
        sin_r, cos_r = math.sin(self.roll), math.cos(self.roll)
        level = x * sin_r + y * cos_r
        be, bn, bu = (
            cos_r * down + sin_r * right for down, right in ((de, re), (dn, rn), (du, ru))
        )
        put(of_theta, 4, level * fe - be, level * fn - bn, level * fu - bu)
        put(of_theta, 5, x * de - y * re, x * dn - y * rn, x * du - y * ru)

        # Through the lens: (xd, yd) = (x, y)(1 + k1 q), inverted.
        q = x * x + y * y
        gain, twice = 1 + self.k1 * q, 2 * self.k1
        xx, yy, xy = gain + twice * x * x, gain + twice * y * y, twice * x * y
        det = xx * yy - xy * xy
        ixx, iyy, ixy = yy / det, xx / det, -xy / det

        def put_plane(out: Floats, column: int, d_x: Any, d_y: Any) -> None:
            put(out, column, d_x * re + d_y * de, d_x * rn + d_y * dn, d_x * ru + d_y * du)

        put_plane(of_theta, 6, -(ixx * xd + ixy * yd), -(ixy * xd + iyy * yd))
        put_plane(of_theta, 7, -(ixx * x + ixy * y) * q, -(ixy * x + iyy * y) * q)
        put_plane(of_pixel, 0, ixx / f, ixy / f)
        put_plane(of_pixel, 1, ixy / f, iyy / f)
        return rho, beta, of_theta, of_pixel

    def _undistort(self, xd: Any, yd: Any) -> tuple[Any, Any]:
        if self.k1 == 0.0:
            return xd, yd
        drawn = np.sqrt(xd * xd + yd * yd)
        # Newton on r (1 + k1 r^2) = drawn; from inside the fold it converges from below.
        limit = math.inf if self.k1 > 0 else 0.999 / math.sqrt(-3 * self.k1)
        reachable = limit * (1 + self.k1 * limit * limit) if self.k1 < 0 else math.inf
        goal = np.minimum(drawn, reachable)
        r = np.minimum(goal, limit)
        for _ in range(12):
            step = (r * (1 + self.k1 * r * r) - goal) / (1 + 3 * self.k1 * r * r)
            r = r - step
            if np.all(np.abs(step) < 1e-12):
                break
        scale = np.where(drawn > 1e-12, r / np.maximum(drawn, 1e-12), 1.0)[()]
        return xd * scale, yd * scale
