"""Cameras' poses as they were fitted, one after the other; an earlier one can be taken up again.

A calibration and the camera's new version are one transaction. A pose that was typed in by hand is
noted as ``registered`` when the first calibration, or the next, replaces it, so that it too can be
restored. What a camera reported keeps the pose that it was placed with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select

from contracts import (
    Camera,
    CameraId,
    CameraPose,
    ContractError,
    HeadReport,
    PtzHead,
    from_json,
    to_json,
)
from geo.camera import PinholeCamera
from geo.projection import LocalProjection
from geo.ptz import PtzModel
from incidents.database import SYSTEM, Database, Writing
from incidents.errors import NotFound, VersionConflict
from incidents.register.camera_rows import newest_calibration, read_camera
from incidents.register.cameras import save_within
from incidents.register.proposals import ProposedPose, propose_pose
from incidents.tables import CalibrationRow, CameraRow
from plumbing.ids import new_id


class Origin(StrEnum):
    """Where a pose is from."""

    FITTED = "fitted"
    PROPOSED = "proposed"
    """The one before, turned as the moved picture told."""
    RESTORED = "restored"
    REGISTERED = "registered"
    """Found in the register: typed in, or imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCalibration:
    """One pose of a camera's history."""

    id: str
    camera_id: CameraId
    camera_version: int
    recorded_at: datetime
    actor: str
    origin: Origin
    restored_id: str | None
    pose: CameraPose
    request: dict[str, Any] | None
    findings: dict[str, Any] | None


class Calibrations:
    """The ``calibrations`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, camera_id: CameraId) -> list[KeptCalibration]:
        """A camera's history, newest first.

        Raises:
            NotFound: no such camera.
        """
        async with self._database.reading(is_long=True) as connection:
            known = await connection.scalar(
                select(CameraRow.id).where(CameraRow.id == camera_id, CameraRow.removed.is_(False))
            )
            if known is None:
                raise NotFound("camera", camera_id)
            rows = await connection.execute(
                select(CalibrationRow)
                .where(CalibrationRow.camera_id == camera_id)
                .order_by(CalibrationRow.camera_version.desc(), CalibrationRow.id.desc())
            )
            return [_kept(row) for row in rows]

    async def record(
        self,
        camera_id: CameraId,
        pose: CameraPose,
        *,
        request: Mapping[str, Any] | None,
        findings: Mapping[str, Any],
        actor: str,
        version: int,
        origin: Origin = Origin.FITTED,
        head_report: HeadReport | None = None,
    ) -> tuple[Camera, KeptCalibration]:
        """Give a camera a fitted pose; its ``range_m`` stays, for that is nothing a fit tells.

        A camera that turns learns from it how its head is mounted, by what the head reported while
        the picture was taken.

        Raises:
            NotFound: no such camera.
            VersionConflict: it is at another version; carries the current camera.
            ContractError: the camera turns, and what its head reported isn't told, or the reverse.
        """
        async with self._database.writing() as writing:
            camera = await read_camera(writing.connection, camera_id)
            if camera.pose is not None:
                pose = replace(pose, range_m=camera.pose.range_m)
            head = _taught(camera.head, pose, head_report) if origin is Origin.FITTED else None
            return await _take_up(
                writing,
                camera if head is None else replace(camera, head=head),
                KeptCalibration(
                    id=new_id("calibration"),
                    camera_id=camera_id,
                    camera_version=0,
                    recorded_at=writing.now,
                    actor=actor,
                    origin=origin,
                    restored_id=None,
                    pose=pose,
                    request=None if request is None else dict(request),
                    findings=dict(findings),
                ),
                version,
            )

    async def proposal(self, camera_id: CameraId) -> ProposedPose:
        """`propose_pose` of this database."""
        return await propose_pose(self._database, camera_id)

    async def accept_proposal(
        self, camera_id: CameraId, *, actor: str, version: int
    ) -> tuple[Camera, KeptCalibration]:
        """Give a camera the pose that is proposed for it.

        Raises:
            NotFound: no such camera.
            NothingToPropose: there is none, or no more.
            VersionConflict: it is at another version; carries the current camera.
        """
        found = await self.proposal(camera_id)
        if found.camera.version != version:
            raise VersionConflict(found.camera, version)
        return await self.record(
            camera_id,
            found.pose,
            request=None,
            findings={
                "residual_px": found.drift.residual_px,
                "turned_deg": found.drift.turned_deg,
                "tilted_deg": found.drift.tilted_deg,
                "rolled_deg": found.drift.rolled_deg,
                "zoomed": found.drift.zoomed,
                "warnings": list(found.drift.warnings),
            },
            actor=actor,
            version=version,
            origin=Origin.PROPOSED,
        )

    async def restore(
        self, camera_id: CameraId, calibration_id: str, *, actor: str, version: int
    ) -> tuple[Camera, KeptCalibration]:
        """Give a camera an earlier pose again, as a new entry of its history.

        Raises:
            NotFound: no such camera, or it has no such calibration.
            VersionConflict: it is at another version; carries the current camera.
        """
        async with self._database.writing() as writing:
            camera = await read_camera(writing.connection, camera_id)
            row = (
                await writing.connection.execute(
                    select(CalibrationRow).where(
                        CalibrationRow.id == calibration_id, CalibrationRow.camera_id == camera_id
                    )
                )
            ).one_or_none()
            if row is None:
                raise NotFound("calibration", calibration_id)
            again = replace(
                _kept(row),
                id=new_id("calibration"),
                recorded_at=writing.now,
                actor=actor,
                origin=Origin.RESTORED,
                restored_id=calibration_id,
            )
            return await _take_up(writing, camera, again, version)


async def _take_up(
    writing: Writing, camera: Camera, calibration: KeptCalibration, version: int
) -> tuple[Camera, KeptCalibration]:
    saved = await save_within(
        writing,
        replace(camera, pose=calibration.pose),
        None,
        actor=calibration.actor,
        version=version,
        detail="calibrated",
    )
    await _note_registered(writing, camera)
    calibration = replace(calibration, camera_version=saved.version)
    await _insert(writing, calibration)
    return saved, calibration


def _taught(head: PtzHead | None, pose: CameraPose, report: HeadReport | None) -> PtzHead | None:
    """The head with what this pose tells of it."""
    if head is None:
        if report is not None:
            raise ContractError(
                "head", "is of no use: the camera is registered without one; register its zoom"
            )
        return None
    if report is None:
        raise ContractError(
            "head", "is missing: tell the pan, tilt and zoom that it reported with this picture"
        )
    # The plane hardly matters: north at the camera and at the city's centre differ by less than
    # a head's own repeatability.
    fitted = PinholeCamera.from_pose(pose, LocalProjection(pose.position))
    try:
        return PtzModel.of(fitted, head).learnt(report, fitted).known
    except ValueError as error:
        raise ContractError("head", str(error)) from error


async def _note_registered(writing: Writing, camera: Camera) -> None:
    """Note the pose that is replaced, unless it is the history's newest."""
    if camera.pose is None:
        return
    if await newest_calibration(writing.connection, camera.id) == camera.pose:
        return
    await _insert(
        writing,
        KeptCalibration(
            id=new_id("calibration"),
            camera_id=camera.id,
            camera_version=camera.version,
            recorded_at=writing.now,
            actor=SYSTEM,
            origin=Origin.REGISTERED,
            restored_id=None,
            pose=camera.pose,
            request=None,
            findings=None,
        ),
    )


async def _insert(writing: Writing, one: KeptCalibration) -> None:
    await writing.connection.execute(
        insert(CalibrationRow).values(
            id=one.id,
            camera_id=one.camera_id,
            camera_version=one.camera_version,
            recorded_at=one.recorded_at,
            actor=one.actor,
            origin=one.origin.value,
            restored_id=one.restored_id,
            pose=to_json(one.pose).decode(),
            request=None if one.request is None else json.dumps(one.request),
            findings=None if one.findings is None else json.dumps(one.findings),
        )
    )


def _kept(row: Any) -> KeptCalibration:
    return KeptCalibration(
        id=row.id,
        camera_id=CameraId(row.camera_id),
        camera_version=row.camera_version,
        recorded_at=row.recorded_at,
        actor=row.actor,
        origin=Origin(row.origin),
        restored_id=row.restored_id,
        pose=from_json(CameraPose, row.pose),
        request=None if row.request is None else json.loads(row.request),
        findings=None if row.findings is None else json.loads(row.findings),
    )
