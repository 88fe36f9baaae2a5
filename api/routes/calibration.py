"""A camera's calibration: tried out, stored as the camera's pose, looked back at, taken back."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request
from pydantic import Field
from starlette.responses import Response

from api.camera_view import camera_item
from api.problems import documented, invalid
from api.rights.access import GuardedRoute
from api.rights.security import identity_of
from api.routes.cameras import version_of
from api.schemas.bodies import Body, Number, Version
from api.schemas.shapes_calibration import (
    CalibrationAnswer,
    CalibrationHistory,
    ProposedCalibration,
    StoredCalibration,
)
from api.services import Services, services_of
from api.wire import answer, members, plain
from contracts import Camera, CameraId, CameraPose, HeadReport, to_plain
from geo.calibration_request import CalibrationRequest, Solved, solve
from geo.fields_of_view import visibility_polygon
from geo.projection import distance_m, require_inside
from incidents.register.calibrations import KeptCalibration

router = APIRouter(
    prefix="/api/v1/cameras/{camera_id}/calibration", route_class=GuardedRoute, tags=["cameras"]
)

FARTHEST_M = 1_000.0
"""Between the pose and where the camera is registered; farther off it is another camera's."""

Id = Annotated[str, Path(min_length=1, max_length=80)]
IfMatch = Annotated[str | None, Header(max_length=40)]


class HeadPosition(Body):
    """What the head of a camera that turns reported while the picture was taken."""

    pan_deg: Number = Field(ge=-720, le=720, description="Growing clockwise")
    tilt_deg: Number = Field(ge=-180, le=180, description="Growing upwards, 0 is level")
    zoom: Number = Field(ge=0, le=1, description="From 0, wide, to 1, tele")

    def report(self, at: datetime) -> HeadReport:
        """The noun."""
        return HeadReport(at=at, pan_deg=self.pan_deg, tilt_deg=self.tilt_deg, zoom=self.zoom)


class NewCalibration(CalibrationRequest):
    """A calibration to store, and the version of the camera that it was made on."""

    version: Version | None = None
    head: HeadPosition | None = Field(None, description="Needed where the camera turns")


class Restoring(Body):
    """The version of the camera that it was decided on."""

    version: Version | None = None


@router.post(
    "/preview",
    response_model=CalibrationAnswer,
    responses=documented(401, 403, 404, 413, 422),
)
async def preview_calibration(
    request: Request, camera_id: Id, body: CalibrationRequest
) -> Response:
    """Fit a pose to metadata and clicks, store nothing, and answer as `siaga calibrate --json`."""
    services = services_of(request)
    camera = await services.store.cameras.get(CameraId(camera_id))
    solved = await _solved(services, camera, body)
    seen = visibility_polygon(solved.pose)
    return answer(
        plain(
            solved.answer()
            | {
                "left_out": solved.calibration.left_out,
                "field_of_view": None if seen is None else to_plain(seen),
            }
        )
    )


@router.get("", response_model=CalibrationHistory, responses=documented(401, 403, 404))
async def list_calibrations(request: Request, camera_id: Id) -> Response:
    """The poses that the camera had, newest first, with what each was fitted to."""
    services = services_of(request)
    camera = await services.store.cameras.get(CameraId(camera_id))
    found = await services.store.calibrations.of(camera.id)
    return answer(plain({"calibrations": [_item(one, camera.pose) for one in found]}))


@router.put(
    "",
    response_model=StoredCalibration,
    responses=documented(401, 403, 404, 409, 413, 422),
)
async def store_calibration(
    request: Request, camera_id: Id, body: NewCalibration, if_match: IfMatch = None
) -> Response:
    """Fit a pose and give it to the camera; the one before stays in the history.

    What the camera reports from now on is placed with it; what it reported stays where it was.
    """
    services = services_of(request)
    version = _version(body.version, if_match)
    camera = await services.store.cameras.get(CameraId(camera_id))
    solved = await _solved(services, camera, body)
    found = solved.calibration
    saved, kept = await services.store.calibrations.record(
        camera.id,
        solved.pose,
        request=body.model_dump(mode="json", exclude={"version"}),
        findings={
            "residuals_px": list(found.residuals_px),
            "left_out": found.left_out,
            "warnings": list(found.warnings),
        },
        actor=identity_of(request).name,
        version=version,
        head_report=None if body.head is None else body.head.report(services.clock.now()),
    )
    return await _stored(services, saved, kept, solved)


@router.post(
    "/{calibration_id}/restore",
    response_model=StoredCalibration,
    responses=documented(401, 403, 404, 409, 413, 422),
)
async def restore_calibration(
    request: Request,
    camera_id: Id,
    calibration_id: Id,
    body: Restoring,
    if_match: IfMatch = None,
) -> Response:
    """Give the camera an earlier pose of its history again."""
    services = services_of(request)
    saved, kept = await services.store.calibrations.restore(
        CameraId(camera_id),
        calibration_id,
        actor=identity_of(request).name,
        version=_version(body.version, if_match),
    )
    return await _stored(services, saved, kept, None)


@router.get(
    "/proposal",
    response_model=ProposedCalibration,
    responses=documented(401, 403, 404, 409),
)
async def propose_calibration(request: Request, camera_id: Id) -> Response:
    """The pose that a moved camera's picture tells of, beside the current one; stores nothing."""
    found = await services_of(request).store.calibrations.proposal(CameraId(camera_id))
    pose, drift = found.pose, found.drift
    body = {
        "version": found.camera.version,
        "current": to_plain(found.camera.pose),
        "proposed": to_plain(pose),
        "sigmas": {
            "position_m": pose.position_sigma_m,
            "height_m": pose.height_sigma_m,
            "bearing_deg": pose.bearing_sigma_deg,
            "tilt_deg": pose.tilt_sigma_deg,
            "roll_deg": pose.roll_sigma_deg,
            "hfov_pct": pose.hfov_sigma_pct,
        },
        "drift": {
            "turned_deg": drift.turned_deg,
            "tilted_deg": drift.tilted_deg,
            "rolled_deg": drift.rolled_deg,
            "zoomed": drift.zoomed,
            "residual_px": drift.residual_px,
        },
        "moved_since": found.health.since.isoformat(),
        "warnings": list(drift.warnings),
    }
    return answer(plain(body), 200, ETag=f'"{found.camera.version}"')


@router.post(
    "/proposal/accept",
    response_model=StoredCalibration,
    responses=documented(401, 403, 404, 409, 413, 422),
)
async def accept_proposal(
    request: Request, camera_id: Id, body: Restoring, if_match: IfMatch = None
) -> Response:
    """Give the camera the proposed pose; the one before stays in the history."""
    services = services_of(request)
    saved, kept = await services.store.calibrations.accept_proposal(
        CameraId(camera_id),
        actor=identity_of(request).name,
        version=_version(body.version, if_match),
    )
    return await _stored(services, saved, kept, None)


_fitter = ThreadPoolExecutor(1, thread_name_prefix="fit")


async def _solved(services: Services, camera: Camera, body: CalibrationRequest) -> Solved:
    # A fit takes a tenth of a second, and seconds where the bearing is unknown: not in the event
    # loop, and one after the other, for calls and alarms want the processor too.
    solved = await asyncio.get_running_loop().run_in_executor(_fitter, solve, body)
    away_m = distance_m(solved.pose.position, camera.position)
    if away_m > FARTHEST_M:
        raise invalid(
            "position",
            f"lies {away_m / 1000:.1f} km from where the camera is registered; "
            "correct the one or the other",
        )
    require_inside(
        solved.pose.position, services.projection.centre, services.settings.city.radius_m
    )
    return solved


def _version(stated: int | None, if_match: str | None) -> int:
    version = stated if stated is not None else version_of(if_match)
    if version is None:
        raise invalid("version", "is missing; give the version of the camera that you looked at")
    return version


async def _stored(
    services: Services, camera: Camera, kept: KeptCalibration, solved: Solved | None
) -> Response:
    services.cameras.changed()
    healths = await services.store.cameras.healths()
    item = camera_item(camera, healths.get(camera.id), services.cameras.fields.of(camera))
    parts = {"calibration": plain(_item(kept, camera.pose)), "camera": item}
    if solved is not None:
        parts["projected"] = plain(solved.placed())
    return answer(members(**parts), 200, ETag=f'"{camera.version}"')


def _item(one: KeptCalibration, current: CameraPose | None) -> dict[str, Any]:
    return {
        "id": one.id,
        "camera_version": one.camera_version,
        "recorded_at": one.recorded_at.isoformat(),
        "actor": one.actor,
        "origin": one.origin.value,
        "restored_id": one.restored_id,
        "is_current": one.pose == current,
        "pose": to_plain(one.pose),
        "request": one.request,
        "findings": one.findings,
    }
