"""`siaga calibrate`: a camera's pose from what its admin clicked, and pixels placed with it."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from pydantic import Field, ValidationError

from contracts import ContractError
from geo.calibration_request import (
    CalibrationRequest,
    HeightClick,
    PlumbClick,
    PointClick,
    Solved,
    SurePixel,
    solve,
)
from siaga.commands.options import JsonOption
from siaga.failures import Failure


class Camera(CalibrationRequest):
    """A camera's file; whoever calls the command may have it think for as long as it takes."""

    points: list[PointClick] = Field([])
    horizon: list[SurePixel] = Field([])
    verticals: list[PlumbClick] = Field([])
    heights: list[HeightClick] = Field([])
    project: list[SurePixel] = Field([])


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
    try:
        solved = solve(read_camera(file))
    except ContractError as error:
        raise Failure(f"{file}: {error}") from error
    if as_json:
        typer.echo(json.dumps(solved.answer()))
    else:
        _tell(solved)


def read_camera(file: Path) -> Camera:
    """The camera that a file describes.

    Raises:
        Failure: no JSON, or a field that is missing, unknown or out of bounds; names the first.
    """
    try:
        return Camera.model_validate_json(file.read_bytes().removeprefix(codecs.BOM_UTF8))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "(whole file)"
        raise Failure(f"{file}: {where}: {first['msg']}") from error


def _tell(solved: Solved) -> None:
    found, pose = solved.calibration, solved.pose
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
    for spot in solved.placed():
        where = (
            "above the horizon"
            if spot["lon"] is None
            else f"{spot['lon']:.7f}, {spot['lat']:.7f}, {spot['range_m']:.1f} m"
        )
        typer.echo(f"({spot['u']:g}, {spot['v']:g}) -> {where}, bearing {spot['bearing_deg']:.1f}")
    for warning in found.warnings:
        typer.echo(f"warning: {warning}", err=True)
