"""A calibration as people and programs ask for it: metadata and clicks in, a pose and placed pixels
out. The command line and the API share it, so that both give the same pose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contracts import CameraPose, ContractError, LonLat, to_plain
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

FARTHEST_M = 10_000.0
"""A region that reaches the horizon is drawn up to here."""
FAR_POINT_M = 5_000.0
"""A control point farther than this from the camera is a slip of the mouse or a swapped pair."""
MOST_CLICKS = 60
"""Of each kind; a person clicks a dozen, and a fit takes a second a hundred."""
MOST_PROJECTED = 1_000

Px = Annotated[float, Field(ge=-50_000, le=50_000)]
SigmaPx = Annotated[float, Field(gt=0, le=1000)]
Lon = Annotated[float, Field(ge=-180, le=180)]


def _latitude(lat: float) -> float:
    if not -90 <= lat <= 90:
        raise ValueError(f"must lie between -90 and 90, got {lat:g}; are lon and lat swapped?")
    return lat


Lat = Annotated[
    float, AfterValidator(_latitude), Field(json_schema_extra={"minimum": -90, "maximum": 90})
]


class Part(BaseModel):
    """A part of the request; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Pixel(Part):
    """A spot in the picture."""

    u: Px
    v: Px


class SurePixel(Pixel):
    """A spot in the picture with how surely it was clicked."""

    sigma_px: SigmaPx = 2.0


class StatedPlace(Part):
    """Where the camera is said to hang."""

    lon: Lon
    lat: Lat
    sigma_m: float = Field(2.0, ge=0, le=10_000)


class PointClick(SurePixel):
    """A spot on the ground, clicked in the picture and on the map."""

    lon: Lon
    lat: Lat
    sigma_m: float = Field(0.5, gt=0, le=1000)


class PlumbClick(Part):
    """Two spots on one plumb line."""

    u0: Px
    v0: Px
    u1: Px
    v1: Px
    sigma_px: SigmaPx = 2.0


class HeightClick(Part):
    """Foot and top of something of known height."""

    foot: Pixel
    top: Pixel
    height_m: float = Field(gt=0, le=500)
    sigma_px: SigmaPx = 2.0


class CalibrationRequest(Part):
    """What is known of a camera, and what was clicked in its picture."""

    width_px: int = Field(ge=16, le=16384)
    height_px: int = Field(ge=16, le=16384)
    position: StatedPlace
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
    points: list[PointClick] = Field([], max_length=MOST_CLICKS)
    horizon: list[SurePixel] = Field([], max_length=MOST_CLICKS)
    verticals: list[PlumbClick] = Field([], max_length=MOST_CLICKS)
    heights: list[HeightClick] = Field([], max_length=MOST_CLICKS)
    project: list[SurePixel] = Field([], max_length=MOST_PROJECTED)

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
            ContractError: a control point lies too far from the camera to be seen; names it.
        """
        points = []
        for number, point in enumerate(self.points):
            away_m = distance_m(projection.centre, LonLat(point.lon, point.lat))
            if away_m > FAR_POINT_M:
                raise ContractError(
                    f"points[{number}]",
                    f"lies {away_m / 1000:.1f} km from the camera; are lon and lat swapped?",
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


@dataclass(frozen=True, slots=True)
class Solved:
    """A fitted camera with the plane it was fitted in."""

    request: CalibrationRequest
    calibration: Calibration
    projection: LocalProjection
    pose: CameraPose

    def answer(self) -> dict[str, Any]:
        """In plain JSON values: pose, covariance, residuals_px, warnings and projected."""
        found = self.calibration
        return {
            "pose": to_plain(self.pose),
            "covariance": found.camera.covariance.tolist(),
            "residuals_px": list(found.residuals_px),
            "warnings": list(found.warnings),
            "projected": self.placed(),
        }

    def placed(self) -> list[dict[str, Any]]:
        """Where the pixels lie that the request asks about."""
        return [
            placed_pixel(self.calibration.camera, self.projection, one.u, one.v, one.sigma_px)
            for one in self.request.project
        ]


def solve(request: CalibrationRequest) -> Solved:
    """Fit the camera.

    Raises:
        ContractError: figures that no camera has, a control point that is far off, or clicks that
            no camera fits; names the field.
    """
    projection = LocalProjection(LonLat(request.position.lon, request.position.lat))
    prior = PinholeCamera.from_pose(
        request.pose(), projection, terrain_sigma_m=request.terrain_sigma_m
    )
    clicks = request.clicks(projection)
    try:
        found = fit_camera(prior, clicks)
    except (np.linalg.LinAlgError, FloatingPointError, ValueError) as error:
        raise ContractError(
            "points", f"no camera fits these clicks ({error}); check them one by one"
        ) from error
    try:
        pose = found.camera.to_pose(projection)
    except ContractError as error:
        raise ContractError(
            "points", f"lead to a pose that no camera has: {error.field} {error.why}"
        ) from error
    return Solved(request, found, projection, pose)


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
