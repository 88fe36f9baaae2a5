"""`siaga calibrate`: a camera's pose from what its admin clicked, and pixels placed with it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts import CameraPose, LonLat, to_plain
from geo.calibration import (
    Calibration,
    Clicks,
    ControlPoint,
    HorizonPoint,
    KnownHeight,
    Vertical,
    fit_camera,
)
from geo.camera import TERRAIN_SIGMA_M, PinholeCamera
from geo.ground import GroundFix
from geo.projection import LocalProjection, bearing_deg_of, distance_m
from siaga.commands.options import JsonOption
from siaga.failures import Failure

FARTHEST_M = 10_000.0
"""A region that reaches the horizon is drawn up to here."""
FAR_POINT_M = 5_000.0
"""A control point farther than this from the camera is a slip of the mouse or a swapped pair."""

Px = Annotated[float, Field(ge=-50_000, le=50_000)]
SigmaPx = Annotated[float, Field(gt=0, le=1000)]
Lon = Annotated[float, Field(ge=-180, le=180)]
Lat = Annotated[float, Field(ge=-90, le=90)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class _Pixel(_Part):
    u: Px
    v: Px


class _SurePixel(_Pixel):
    sigma_px: SigmaPx = 2.0


class _Place(_Part):
    lon: Lon
    lat: Lat
    sigma_m: float = Field(2.0, ge=0, le=10_000)


class _Point(_SurePixel):
    lon: Lon
    lat: Lat
    sigma_m: float = Field(0.5, gt=0, le=1000)


class _Vertical(_Part):
    u0: Px
    v0: Px
    u1: Px
    v1: Px
    sigma_px: SigmaPx = 2.0


class _Height(_Part):
    foot: _Pixel
    top: _Pixel
    height_m: float = Field(gt=0, le=500)
    sigma_px: SigmaPx = 2.0


class CameraFile(_Part):
    """What is known of a camera, and what was clicked in its picture."""

    width_px: int = Field(ge=16, le=16384)
    height_px: int = Field(ge=16, le=16384)
    position: _Place
    height_m: float = Field(ge=0.5, le=500)
    height_sigma_m: float = Field(0.5, ge=0, le=100)
    bearing_deg: float = Field(ge=-360, le=360)
    bearing_sigma_deg: float = Field(4.0, ge=0, le=360)
    tilt_deg: float = Field(ge=-90, le=60)
    tilt_sigma_deg: float = Field(2.0, ge=0, le=90)
    roll_deg: float = Field(0.0, ge=-180, le=180)
    roll_sigma_deg: float = Field(1.5, ge=0, le=90)
    hfov_deg: float = Field(ge=1, le=175)
    hfov_sigma_pct: float = Field(5.0, ge=0, le=100)
    terrain_sigma_m: float = Field(TERRAIN_SIGMA_M, ge=0, le=20)
    points: list[_Point] = []
    horizon: list[_SurePixel] = []
    verticals: list[_Vertical] = []
    heights: list[_Height] = []
    project: list[_SurePixel] = []

    def pose(self) -> CameraPose:
        """The metadata."""
        return CameraPose(
            position=LonLat(self.position.lon, self.position.lat),
            position_sigma_m=self.position.sigma_m,
            **{
                name: getattr(self, name)
                for name in (
                    "height_m",
                    "height_sigma_m",
                    "bearing_deg",
                    "bearing_sigma_deg",
                    "tilt_deg",
                    "tilt_sigma_deg",
                    "roll_deg",
                    "roll_sigma_deg",
                    "hfov_deg",
                    "hfov_sigma_pct",
                    "width_px",
                    "height_px",
                )
            },
        )

    def clicks(self, projection: LocalProjection) -> Clicks:
        """What was clicked, in the plane.

        Raises:
            Failure: a control point lies too far from the camera to be seen.
        """
        points = []
        for number, point in enumerate(self.points, start=1):
            away_m = distance_m(projection.centre, LonLat(point.lon, point.lat))
            if away_m > FAR_POINT_M:
                raise Failure(
                    f"points[{number - 1}]: lies {away_m / 1000:.1f} km from the camera; "
                    "are lon and lat swapped?"
                )
            x, y = projection.to_xy(point.lon, point.lat)
            points.append(ControlPoint(point.u, point.v, x, y, point.sigma_px, point.sigma_m))
        return Clicks(
            points=points,
            horizon=[HorizonPoint(p.u, p.v, p.sigma_px) for p in self.horizon],
            verticals=[Vertical(p.u0, p.v0, p.u1, p.v1, p.sigma_px) for p in self.verticals],
            heights=[
                KnownHeight(p.foot.u, p.foot.v, p.top.u, p.top.v, p.height_m, p.sigma_px)
                for p in self.heights
            ],
        )


def calibrate(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, metavar="CAMERA.json", help="Metadata and clicks."
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Fit a camera's pose to control points, the horizon, plumb lines and known heights."""
    camera = read_camera(file)
    projection = LocalProjection(LonLat(camera.position.lon, camera.position.lat))
    prior = PinholeCamera.from_pose(
        camera.pose(), projection, terrain_sigma_m=camera.terrain_sigma_m
    )
    found = fit_camera(prior, camera.clicks(projection))
    placed = [
        placed_pixel(found.camera, projection, pixel.u, pixel.v, pixel.sigma_px)
        for pixel in camera.project
    ]
    answer = {
        "pose": to_plain(found.camera.to_pose(projection)),
        "covariance": found.camera.covariance.tolist(),
        "residuals_px": list(found.residuals_px),
        "warnings": list(found.warnings),
        "projected": placed,
    }
    if as_json:
        typer.echo(json.dumps(answer))
    else:
        _tell(found, projection, placed)


def read_camera(file: Path) -> CameraFile:
    """The camera that a file describes.

    Raises:
        Failure: no JSON, or a field that is missing, unknown or out of bounds; names the first.
    """
    try:
        return CameraFile.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "(whole file)"
        hint = "; are lon and lat swapped?" if where.endswith("lat") else ""
        raise Failure(f"{file}: {where}: {first['msg']}{hint}") from error


def placed_pixel(
    camera: PinholeCamera, projection: LocalProjection, u: float, v: float, sigma_px: float
) -> dict[str, Any]:
    """Where a pixel lies on the ground, with the region that holds it by 95 %."""
    polar = camera.polar(u, v, sigma_px)
    rho, beta = float(polar.rho), float(polar.beta)
    answer: dict[str, Any] = {
        "u": u,
        "v": v,
        "lon": None,
        "lat": None,
        "range_m": None,
        "bearing_deg": float(bearing_deg_of(beta - projection.convergence_rad(camera.x, camera.y))),
        "rho": rho,
        "rho_sigma": math.sqrt(polar.covariance[0, 0]),
        "beta_sigma_deg": math.degrees(math.sqrt(polar.covariance[1, 1])),
        "region95": None,
    }
    if rho <= 1e-9:
        return answer
    lon, lat = projection.to_lonlat(
        camera.x + math.sin(beta) / rho, camera.y + math.cos(beta) / rho
    )
    farthest_m = max(FARTHEST_M, 2 / rho) if rho > 1e-5 else FARTHEST_M
    fix = GroundFix(
        (camera.x, camera.y), rho, beta, polar.calibration, polar.pixel, 0.1, farthest_m
    )
    region = fix.region(0.95)
    area = None if region is None else projection.area(region)
    answer |= {
        "lon": lon,
        "lat": lat,
        "range_m": 1 / rho,
        "region95": None if area is None else to_plain(area),
    }
    return answer


def _tell(found: Calibration, projection: LocalProjection, placed: list[dict[str, Any]]) -> None:
    pose = found.camera.to_pose(projection)
    sigmas = np.sqrt(np.diag(found.camera.covariance))
    rows = (
        (
            "position",
            f"{pose.position.lon:.7f}, {pose.position.lat:.7f}",
            pose.position_sigma_m,
            "m",
        ),
        ("height", f"{pose.height_m:.2f} m", pose.height_sigma_m, "m"),
        ("bearing", f"{pose.bearing_deg:.2f} deg", pose.bearing_sigma_deg, "deg"),
        ("tilt", f"{pose.tilt_deg:.2f} deg", pose.tilt_sigma_deg, "deg"),
        ("roll", f"{pose.roll_deg:.2f} deg", pose.roll_sigma_deg, "deg"),
        ("field of view", f"{pose.hfov_deg:.2f} deg", pose.hfov_sigma_pct, "%"),
        ("k1", f"{pose.k1:.4f}", float(sigmas[7]), ""),
    )
    for name, value, sigma, unit in rows:
        typer.echo(f"{name:<14} {value:<26} +- {sigma:.3g} {unit}")
    for number, residual in enumerate(found.residuals_px, start=1):
        typer.echo(f"point {number:<8} {residual:.1f} px off")
    for spot in placed:
        where = (
            "above the horizon"
            if spot["lon"] is None
            else f"{spot['lon']:.7f}, {spot['lat']:.7f}, {spot['range_m']:.1f} m"
        )
        typer.echo(f"({spot['u']:g}, {spot['v']:g}) -> {where}, bearing {spot['bearing_deg']:.1f}")
    for warning in found.warnings:
        typer.echo(f"warning: {warning}", err=True)
