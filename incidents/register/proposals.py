"""The pose that a nudged camera seems to have now, for an admin to look at and take up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from sqlalchemy import exists, select

from contracts import Camera, CameraHealth, CameraId, CameraPose, CameraState, LogKind, from_json
from geo.camera import PinholeCamera
from geo.drift import Proposal, propose
from geo.projection import LocalProjection
from incidents.database import Database
from incidents.errors import NothingToPropose
from incidents.register.camera_rows import read_camera
from incidents.tables import CameraHealthRow, LogRow


@dataclass(frozen=True, slots=True)
class ProposedPose:
    """A pose for a camera at a version, and what it follows from."""

    camera: Camera
    health: CameraHealth
    pose: CameraPose
    drift: Proposal


async def propose_pose(database: Database, camera_id: CameraId) -> ProposedPose:
    """The pose that a camera's moved picture tells of.

    Raises:
        NotFound: no such camera.
        NothingToPropose: it isn't known to have moved, or not by how much; says why.
    """
    async with database.reading() as connection:
        camera = await read_camera(connection, camera_id)
        body = await connection.scalar(
            select(CameraHealthRow.body).where(CameraHealthRow.camera_id == camera_id)
        )
        health = None if body is None else from_json(CameraHealth, body)
        # The picture was compared with the one that went with the pose of that time. Whatever has
        # been saved since, it may be the pose, and a shift must not be added twice.
        saved_since = health is not None and await connection.scalar(
            select(
                exists().where(
                    LogRow.subject_id == camera_id,
                    LogRow.kind == LogKind.CAMERA_SAVED.value,
                    LogRow.recorded_at >= health.since,
                )
            )
        )
    if camera.pose is None:
        raise NothingToPropose("The camera has no pose yet; calibrate it.")
    if health is None or health.state is not CameraState.MOVED:
        raise NothingToPropose("The camera isn't known to have moved.")
    if saved_since:
        raise NothingToPropose(
            "The camera was changed after it was seen to have moved; "
            "wait until its picture has been looked at again."
        )
    if health.view_shift is None:
        raise NothingToPropose("Nobody knows how far the camera has moved; calibrate it anew.")
    projection = LocalProjection(camera.position)
    before = PinholeCamera.from_pose(camera.pose, projection)
    try:
        # A dozen fits: not in the event loop.
        drift = await asyncio.to_thread(propose, before, health.view_shift)
        pose = replace(drift.camera.to_pose(projection), position=camera.pose.position)
    except ValueError as error:
        raise NothingToPropose(f"No pose follows: {error}. Calibrate the camera anew.") from error
    return ProposedPose(camera, health, pose, drift)
