"""A camera as it lies in its row: the noun, and how to open its stream."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import (
    Camera,
    CameraHealth,
    CameraId,
    CameraPose,
    StreamSource,
    from_json,
    to_json,
)
from incidents.database import Writing
from incidents.errors import NotFound
from incidents.tables import CalibrationRow, CameraHealthRow, CameraRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What opening a camera's stream takes beside its address; the password comes sealed."""

    username: str | None = None
    sealed_password: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def any(self) -> bool:
        """Whether there is a user or a password."""
        return bool(self.username or self.sealed_password)


async def read_camera(connection: AsyncConnection, camera_id: CameraId) -> Camera:
    """A registered camera, as this transaction sees it.

    Raises:
        NotFound: no such camera.
    """
    body = await connection.scalar(
        select(CameraRow.body).where(CameraRow.id == camera_id, CameraRow.removed.is_(False))
    )
    if body is None:
        raise NotFound("camera", camera_id)
    return from_json(Camera, body)


async def read_cameras(connection: AsyncConnection) -> list[Camera]:
    """Every registered camera, as this transaction sees them."""
    rows = await connection.scalars(
        select(CameraRow.body).where(CameraRow.removed.is_(False)).order_by(CameraRow.id)
    )
    return [from_json(Camera, body) for body in rows]


async def read_healths(connection: AsyncConnection) -> dict[CameraId, CameraHealth]:
    """How the cameras are, as this transaction sees it."""
    rows = await connection.scalars(select(CameraHealthRow.body))
    healths = [from_json(CameraHealth, body) for body in rows]
    return {health.camera_id: health for health in healths}


async def newest_calibration(connection: AsyncConnection, camera_id: CameraId) -> CameraPose | None:
    """The pose that was last fitted or taken up for a camera; none where none ever was."""
    newest = await connection.scalar(
        select(CalibrationRow.pose)
        .where(CalibrationRow.camera_id == camera_id)
        .order_by(CalibrationRow.camera_version.desc(), CalibrationRow.id.desc())
        .limit(1)
    )
    return None if newest is None else from_json(CameraPose, newest)


async def newest_calibrations(connection: AsyncConnection) -> dict[CameraId, CameraPose]:
    """`newest_calibration` of every camera that has one."""
    rows = await connection.execute(
        select(CalibrationRow.camera_id, CalibrationRow.pose).order_by(
            CalibrationRow.camera_version, CalibrationRow.id
        )
    )
    poses = {CameraId(camera_id): pose for camera_id, pose in rows.all()}
    return {camera_id: from_json(CameraPose, pose) for camera_id, pose in poses.items()}


async def find_row(connection: AsyncConnection, camera_id: CameraId) -> Any | None:
    """A camera's row, a removed one's too; none where there never was one."""
    found = await connection.execute(select(CameraRow).where(CameraRow.id == camera_id))
    return found.one_or_none()


def credentials_of(row: Any) -> Credentials:
    """How to open the camera of a row."""
    return Credentials(
        username=row.username,
        sealed_password=row.sealed_password,
        headers=tuple((name, value) for name, value in json.loads(row.headers)),
    )


def source_of(camera: Camera, credentials: Credentials) -> StreamSource:
    """What a worker needs of a camera."""
    return StreamSource(
        camera_id=camera.id,
        url=camera.url,
        username=credentials.username,
        sealed_password=credentials.sealed_password,
        headers=credentials.headers,
        any_certificate=camera.any_certificate,
        exercise=camera.exercise,
        view_key="" if camera.pose is None else sha256(to_json(camera.pose)).hexdigest()[:16],
        turns=camera.head is not None,
        onvif_head=None if camera.head is None else camera.head.onvif,
        road_region=camera.road_region,
        version=camera.version,
    )


async def write_rows(
    writing: Writing, cameras: Sequence[tuple[Camera, Credentials]], known: Container[CameraId]
) -> None:
    """Store cameras as they shall be; ``known`` are those that have a row."""
    rows = [(_columns(camera, credentials), camera.id) for camera, credentials in cameras]
    old = [values | {"camera_id": one} for values, one in rows if one in known]
    new = [values | {"id": one} for values, one in rows if one not in known]
    if old:
        mine = CameraRow.id == bindparam("camera_id")
        await writing.connection.execute(update(CameraRow).where(mine), old)
    if new:
        await writing.connection.execute(insert(CameraRow), new)


def _columns(camera: Camera, credentials: Credentials) -> dict[str, object]:
    return {
        "version": camera.version,
        "enabled": camera.enabled,
        "removed": False,
        "body": to_json(camera).decode(),
        "username": credentials.username,
        "sealed_password": credentials.sealed_password,
        "headers": json.dumps(credentials.headers),
    }
