"""What an import makes of cameras that are known already: a file says some things of a camera, and
what it doesn't tell of stays as it was.

A fitted pose is worth more than a register's figures: it stays as long as the file has the
camera at the same place. A stored password stays too, for the host that it was given for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from sqlalchemy import select

from contracts import Camera, CameraId, CameraPose, ContractError, LogKind, from_json
from incidents.database import Writing
from incidents.register.camera_import import ImportedCamera, ImportProblem, distance_m
from incidents.register.camera_rows import (
    Credentials,
    credentials_of,
    newest_calibrations,
    write_rows,
)
from incidents.tables import CameraRow

SAME_PLACE_M = 30.0
"""Registers round, and name the pole or the crossing; a camera that was moved is farther off."""
_AGAIN = "give it again: the address leads to another host or port than the one it was stored for"


async def take_over(
    writing: Writing, given: Sequence[tuple[Camera, Credentials]], *, actor: str
) -> tuple[int, int]:
    """Register cameras, or change those whose ids are known: `Cameras.save_all`.

    A few statements for all of them, for calls and sightings wait as long as this writes.
    """
    rows = {row.id: row for row in await writing.connection.execute(select(CameraRow))}
    calibrated = await newest_calibrations(writing.connection)
    written: list[tuple[Camera, Credentials]] = []
    known = 0
    for camera, credentials in given:
        row = rows.get(camera.id)
        current, shall, opened = None, camera, credentials
        if row is not None and not row.removed:
            known += 1
            current, stored = from_json(Camera, row.body), credentials_of(row)
            shall = camera_over(camera, current, calibrated.get(camera.id))
            opened = credentials_over(camera, credentials, current, stored)
            if (shall, opened) == (current, stored):
                continue
        saved = replace(
            shall, version=1 if row is None else row.version + 1, has_credentials=opened.any
        )
        written.append((saved, opened))
        writing.log(
            LogKind.CAMERA_SAVED,
            saved,
            actor=actor,
            exercise=saved.exercise,
            detail="imported" if current else "registered",
            before=current,
        )
    await write_rows(writing, written, rows)
    return len(given) - known, known


def camera_over(camera: Camera, current: Camera, calibrated: CameraPose | None) -> Camera:
    """The known camera with what the file says of it.

    ``calibrated`` is the newest pose that was fitted or taken up for it.
    """
    return replace(
        current,
        name=camera.name,
        url=camera.url,
        position=camera.position,
        pose=_pose_over(camera, current, calibrated),
        group=camera.group or current.group,
        any_certificate=camera.any_certificate or current.any_certificate,
    )


def _pose_over(camera: Camera, current: Camera, calibrated: CameraPose | None) -> CameraPose | None:
    known = current.pose
    if known is None:
        return camera.pose
    # How far it sees is nothing that a fit tells.
    is_fitted = calibrated is not None and replace(calibrated, range_m=known.range_m) == known
    if is_fitted and distance_m(camera.position, current.position) <= SAME_PLACE_M:
        return known
    return camera.pose or replace(known, position=camera.position)


def credentials_over(
    camera: Camera, given: Credentials, current: Camera, stored: Credentials
) -> Credentials:
    """How to open it: as the file says, else as it is stored.

    Raises:
        ContractError: a stored password would go to another host.
    """
    headers = given.headers or stored.headers
    if given.any:
        return replace(given, headers=headers)
    if stored.sealed_password is not None and not leads_to_same_host(camera.url, current.url):
        raise ContractError("password", _AGAIN)
    return replace(stored, headers=headers)


def leads_to_same_host(url: str, other: str) -> bool:
    """Whether what is secret at one address may be sent to the other."""
    return _where(url) == _where(other)


def clashes(
    cameras: Sequence[ImportedCamera], known: Mapping[CameraId, Camera]
) -> Iterator[ImportProblem]:
    """What keeps a register from being taken over that lies in what is registered already."""
    named = {one.camera.id for one in cameras}
    elsewhere = {one.url: one for one in known.values() if one.id not in named}
    for one in cameras:
        current, other = known.get(one.camera.id), elsewhere.get(one.camera.url)
        if other is not None:
            why = f"is registered already, as {other.id!r} ({other.name}); give the row that id"
            yield ImportProblem(row=one.row, field="url", why=why)
        elif (
            current is not None
            and current.has_credentials
            and not (one.username or one.password)
            and not leads_to_same_host(one.camera.url, current.url)
        ):
            yield ImportProblem(row=one.row, field="password", why=_AGAIN)


def _where(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
