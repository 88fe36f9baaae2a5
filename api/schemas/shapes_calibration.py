"""What answers about calibration hold."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from api.schemas.shapes import CameraItem
from contracts import (
    CameraPose,
    Polygon,
)


class PlacedPixel(BaseModel):
    """Where a pixel lies on the ground; no place above the horizon."""

    u: float
    v: float
    lon: float | None
    lat: float | None
    range_m: float | None
    bearing_deg: float
    rho: float
    rho_sigma: float
    beta_sigma_deg: float
    region95: dict[str, object] | None


class CalibrationAnswer(BaseModel):
    """A fitted pose; ``left_out`` is the number (from 0) of a control point that contradicts."""

    pose: CameraPose
    covariance: list[list[float]]
    residuals_px: list[float]
    left_out: int | None
    warnings: list[str]
    projected: list[PlacedPixel]
    field_of_view: Polygon | None


class CalibrationItem(BaseModel):
    """One pose of a camera's history."""

    id: str
    camera_version: int
    recorded_at: str
    actor: str
    origin: Literal["fitted", "proposed", "restored", "registered"]
    restored_id: str | None
    is_current: bool
    pose: CameraPose
    request: dict[str, object] | None
    findings: dict[str, object] | None


class CalibrationHistory(BaseModel):
    """A camera's poses, newest first."""

    calibrations: list[CalibrationItem]


class StoredCalibration(BaseModel):
    """A pose that was given to its camera."""

    calibration: CalibrationItem
    camera: CameraItem
    projected: list[PlacedPixel] = []


class Sigmas(BaseModel):
    """One standard deviation of each figure of a pose."""

    position_m: float
    height_m: float
    bearing_deg: float
    tilt_deg: float
    roll_deg: float
    hfov_pct: float


class Drift(BaseModel):
    """How a camera has moved: new less old; ``zoomed`` is a factor of the focal length."""

    turned_deg: float
    tilted_deg: float
    rolled_deg: float
    zoomed: float
    residual_px: float


class ProposedCalibration(BaseModel):
    """The pose that a moved camera seems to have, beside the one that it is registered with."""

    version: int
    current: CameraPose
    proposed: CameraPose
    sigmas: Sigmas
    drift: Drift
    moved_since: str
    warnings: list[str]
