"""The camera register, and how the cameras are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import delete, insert, select, update

from contracts import (
    Camera,
    CameraHealth,
    CameraId,
    ContractError,
    LogKind,
    StreamSource,
    from_json,
    to_json,
)
from incidents.database import SYSTEM, Database, Writing
from incidents.errors import Exists, NotFound, VersionConflict
from incidents.register.camera_rows import (
    Credentials,
    credentials_of,
    find_row,
    read_camera,
    read_cameras,
    read_healths,
    source_of,
    write_rows,
)
from incidents.register.taking_over import take_over
from incidents.tables import CameraHealthRow, CameraRow


class Cameras:
    """The ``cameras`` and ``camera_health`` tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Camera]:
        """Every registered camera, by id."""
        async with self._database.reading(is_long=True) as connection:
            return await read_cameras(connection)

    async def get(self, camera_id: CameraId) -> Camera:
        """One camera.

        Raises:
            NotFound: no such camera.
        """
        async with self._database.reading() as connection:
            row = await find_row(connection, camera_id)
        if row is None or row.removed:
            raise NotFound("camera", camera_id)
        return from_json(Camera, row.body)

    async def credentials(self, camera_id: CameraId) -> Credentials:
        """How to open it, so that a changed address can be probed with the stored password.

        Raises:
            NotFound: no such camera.
        """
        async with self._database.reading() as connection:
            row = await find_row(connection, camera_id)
        if row is None or row.removed:
            raise NotFound("camera", camera_id)
        return credentials_of(row)

    async def save(
        self,
        camera: Camera,
        credentials: Credentials | None = None,
        *,
        actor: str,
        version: int | None,
    ) -> Camera:
        """Register a camera (``version=None``) or change the one that is at ``version``.

        ``credentials=None`` keeps what is stored; ``Credentials()`` takes it away. The camera's
        own ``version`` and ``has_credentials`` are set here.

        Raises:
            Exists: ``version`` is none and the id is taken.
            NotFound: there is no such camera to change.
            VersionConflict: it is at another version; carries the current camera.
            ContractError: its exercise flag would change.
        """
        async with self._database.writing() as writing:
            return await save_within(writing, camera, credentials, actor=actor, version=version)

    async def change_many(
        self,
        versions: Mapping[CameraId, int],
        change: Callable[[Camera], Camera],
        *,
        actor: str,
        detail: str = "changed",
    ) -> tuple[list[Camera], list[CameraId]]:
        """Change many cameras in one transaction, each if it is at the version given.

        Returns those that were changed, and the ids of those that weren't: unknown ones, and ones
        that somebody else has changed since.
        """
        done: list[Camera] = []
        left: list[CameraId] = []
        async with self._database.writing() as writing:
            for camera_id, version in versions.items():
                try:
                    before = await read_camera(writing.connection, camera_id)
                    done.append(
                        await save_within(
                            writing,
                            change(before),
                            None,
                            actor=actor,
                            version=version,
                            detail=detail,
                        )
                    )
                except (NotFound, VersionConflict):
                    left.append(camera_id)
        return done, left

    async def save_all(
        self, given: Sequence[tuple[Camera, Credentials]], *, actor: str
    ) -> tuple[int, int]:
        """Register cameras, or change those whose ids are known, all or none.

        What isn't told of a known camera stays (`incidents.register.taking_over`); where nothing
        is new, nothing is written, and nobody opens its stream again.

        Returns how many are new, and how many were known.

        Raises:
            ContractError: a stored password would go to another host.
        """
        async with self._database.writing() as writing:
            return await take_over(writing, given, actor=actor)

    async def remove(self, camera_id: CameraId, *, actor: str, version: int | None = None) -> None:
        """Take a camera out of the register; its reports and log entries stay.

        Raises:
            NotFound: no such camera.
            VersionConflict: ``version`` is given and it is at another one.
        """
        async with self._database.writing() as writing:
            row = await find_row(writing.connection, camera_id)
            if row is None or row.removed:
                raise NotFound("camera", camera_id)
            camera = from_json(Camera, row.body)
            if version is not None and version != camera.version:
                raise VersionConflict(camera, version)
            await writing.connection.execute(
                delete(CameraHealthRow).where(CameraHealthRow.camera_id == camera_id)
            )
            # The row stays without its secrets: were the id used again, the version goes on, and
            # workers see that it is another camera.
            await writing.connection.execute(
                update(CameraRow)
                .where(CameraRow.id == camera_id)
                .values(
                    version=camera.version + 1,
                    removed=True,
                    username=None,
                    sealed_password=None,
                    headers="[]",
                )
            )
            writing.log(LogKind.CAMERA_REMOVED, camera, actor=actor, exercise=camera.exercise)

    async def stream_sources(self) -> list[StreamSource]:
        """What the workers shall watch: every enabled camera, by id."""
        statement = (
            select(CameraRow)
            .where(CameraRow.removed.is_(False), CameraRow.enabled.is_(True))
            .order_by(CameraRow.id)
        )
        async with self._database.reading(is_long=True) as connection:
            rows = (await connection.execute(statement)).all()
        return [source_of(from_json(Camera, row.body), credentials_of(row)) for row in rows]

    async def healths(self) -> dict[CameraId, CameraHealth]:
        """How the cameras are, those of which anything is known."""
        async with self._database.reading(is_long=True) as connection:
            return await read_healths(connection)

    async def record_health(self, *healths: CameraHealth) -> int:
        """Keep how cameras are, in this order; a change of state or detail is logged.

        Returns how many were logged. News of a camera that isn't registered (it was removed
        meanwhile) is dropped.
        """
        if not healths:
            return 0
        async with self._database.writing() as writing:
            return sum([await _record(writing, health) for health in healths])


async def save_within(
    writing: Writing,
    camera: Camera,
    credentials: Credentials | None,
    *,
    actor: str,
    version: int | None,
    detail: str = "changed",
) -> Camera:
    """`Cameras.save` as a part of a larger transaction; ``detail`` is the log's word for it."""
    row = await find_row(writing.connection, camera.id)
    current = None if row is None or row.removed else from_json(Camera, row.body)
    if version is None and current is not None:
        raise Exists("camera", camera.id)
    if version is not None and current is None:
        raise NotFound("camera", camera.id)
    if current is not None and version is not None:
        if version != current.version:
            raise VersionConflict(current, version)
        if camera.exercise != current.exercise:
            raise ContractError(
                "exercise", "can't change: what it reported is already in its partition"
            )
    if credentials is None:
        credentials = Credentials() if current is None else credentials_of(row)
    saved = replace(
        camera,
        version=1 if row is None else row.version + 1,
        has_credentials=credentials.any,
    )
    await write_rows(writing, [(saved, credentials)], () if row is None else (camera.id,))
    writing.log(
        LogKind.CAMERA_SAVED,
        saved,
        actor=actor,
        exercise=saved.exercise,
        detail="registered" if current is None else detail,
        before=current,
    )
    return saved


async def _record(writing: Writing, health: CameraHealth) -> bool:
    row = await find_row(writing.connection, health.camera_id)
    if row is None or row.removed:
        return False
    body = await writing.connection.scalar(
        select(CameraHealthRow.body).where(CameraHealthRow.camera_id == health.camera_id)
    )
    known = None if body is None else from_json(CameraHealth, body)
    values = {"recorded_at": writing.now, "body": to_json(health).decode()}
    if known is None:
        await writing.connection.execute(
            insert(CameraHealthRow).values(camera_id=health.camera_id, **values)
        )
    else:
        await writing.connection.execute(
            update(CameraHealthRow)
            .where(CameraHealthRow.camera_id == health.camera_id)
            .values(**values)
        )
    if known is not None and (known.state, known.detail) == (health.state, health.detail):
        return False
    camera = from_json(Camera, row.body)
    writing.log(
        LogKind.CAMERA_HEALTH,
        health,
        actor=health.worker or SYSTEM,
        exercise=camera.exercise,
        detail=health.state,
        before=camera,
    )
    return True
