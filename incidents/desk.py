"""Shelves and handovers: what the desk keeps beside incidents."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import (
    AlarmLevel,
    CameraId,
    ContractError,
    Handover,
    HandoverId,
    Hazard,
    Incident,
    IncidentId,
    LogKind,
    Shelf,
    ShelfId,
    from_json,
    to_json,
)
from incidents.database import Database
from incidents.errors import NotFound
from incidents.responders import responsible
from incidents.tables import HandoverRow, ShelfRow
from plumbing.ids import new_id
from plumbing.settings import RoutingSettings

LONGEST_SHELF = timedelta(days=30)
"""Longer ones are forgotten; who still wants it says so again."""


class Shelves:
    """The ``shelves`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(
        self,
        *,
        camera_id: CameraId | None,
        hazard: Hazard | None,
        reason: str,
        until: datetime,
        actor: str,
        exercise: bool = False,
    ) -> Shelf:
        """Keep a camera, a hazard, or a hazard at a camera from sounding until a time.

        Raises:
            ContractError: no reason, nothing named, or an end that has passed or lies too far off.
        """
        async with self._database.writing() as writing:
            if not writing.now < until <= writing.now + LONGEST_SHELF:
                raise ContractError(
                    "until", f"must lie ahead, at most {LONGEST_SHELF.days} days from now"
                )
            shelf = Shelf(
                id=ShelfId(new_id("shelf")),
                camera_id=camera_id,
                hazard=hazard,
                reason=reason.strip(),
                actor=actor,
                since=writing.now,
                until=until,
                exercise=exercise,
            )
            await writing.connection.execute(
                insert(ShelfRow).values(id=shelf.id, until=until, body=to_json(shelf).decode())
            )
            writing.log(LogKind.SHELF_SAVED, shelf, actor=actor, exercise=exercise, detail="put")
        return shelf

    async def end(self, shelf_id: ShelfId, *, actor: str) -> Shelf:
        """Let it sound again before its time; what has ended already stays as it is.

        Raises:
            NotFound: no such shelf.
        """
        async with self._database.writing() as writing:
            body = await writing.connection.scalar(
                select(ShelfRow.body).where(ShelfRow.id == shelf_id)
            )
            if body is None:
                raise NotFound("shelf", shelf_id)
            shelf = from_json(Shelf, body)
            if shelf.until <= writing.now:
                return shelf
            shelf = replace(shelf, until=writing.now, ended_by=actor)
            await writing.connection.execute(
                update(ShelfRow)
                .where(ShelfRow.id == shelf_id)
                .values(until=shelf.until, body=to_json(shelf).decode())
            )
            writing.log(
                LogKind.SHELF_SAVED, shelf, actor=actor, exercise=shelf.exercise, detail="ended"
            )
        return shelf

    async def since(self, when: datetime) -> list[Shelf]:
        """Those that end or ended after a time, by their end."""
        async with self._database.reading() as connection:
            return await read_shelves(connection, when)


async def read_shelves(connection: AsyncConnection, since: datetime) -> list[Shelf]:
    """The shelves that end after a time, as this transaction sees them."""
    statement = select(ShelfRow.body).where(ShelfRow.until > since).order_by(ShelfRow.until)
    return [from_json(Shelf, body) for body in await connection.scalars(statement)]


class Handovers:
    """The ``handovers`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(
        self,
        text: str,
        *,
        actor: str,
        incident_ids: Collection[IncidentId] = (),
        exercise: bool = False,
    ) -> Handover:
        """Leave something for the next shift.

        Raises:
            ContractError: nothing is written.
        """
        async with self._database.writing() as writing:
            handover = Handover(
                id=HandoverId(new_id("handover")),
                at=writing.now,
                actor=actor,
                text=text.strip(),
                incident_ids=tuple(incident_ids),
                exercise=exercise,
            )
            seq = writing.log(LogKind.HANDOVER_WRITTEN, handover, actor=actor, exercise=exercise)
            await writing.connection.execute(
                insert(HandoverRow).values(
                    id=handover.id,
                    logged_seq=seq,
                    recorded_at=writing.now,
                    body=to_json(handover).decode(),
                )
            )
        return handover

    async def take(self, handover_id: HandoverId, *, actor: str) -> Handover:
        """Take over what an earlier shift has left; what somebody took already stays theirs.

        Raises:
            NotFound: no such handover.
        """
        async with self._database.writing() as writing:
            body = await writing.connection.scalar(
                select(HandoverRow.body).where(HandoverRow.id == handover_id)
            )
            if body is None:
                raise NotFound("handover", handover_id)
            handover = from_json(Handover, body)
            if handover.taken_by:
                return handover
            handover = replace(handover, taken_by=actor, taken_at=writing.now)
            await writing.connection.execute(
                update(HandoverRow)
                .where(HandoverRow.id == handover_id)
                .values(body=to_json(handover).decode())
            )
            writing.log(LogKind.HANDOVER_TAKEN, handover, actor=actor, exercise=handover.exercise)
        return handover

    async def page(
        self, limit: int = 50, before: int | None = None
    ) -> tuple[list[Handover], int | None]:
        """A page, newest first, and the cursor of the next page (none at the end)."""
        statement = select(HandoverRow.logged_seq, HandoverRow.body)
        if before is not None:
            statement = statement.where(HandoverRow.logged_seq < before)
        statement = statement.order_by(HandoverRow.logged_seq.desc()).limit(limit + 1)
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).all()
        following = rows[limit - 1].logged_seq if len(rows) > limit else None
        return [from_json(Handover, row.body) for row in rows[:limit]], following


class DeskRules:
    """What the desk's rules make of an incident after each estimate: who is responsible, whose
    cameras have to do with it, and whether it is kept quiet. Computing only; the fusion service
    keeps it up to date."""

    def __init__(self, routing: RoutingSettings) -> None:
        self._routing = routing
        self._groups: dict[CameraId, str] = {}
        self._shelves: dict[ShelfId, Shelf] = {}

    def renew(self, groups: Mapping[CameraId, str], shelves: Collection[Shelf]) -> None:
        """Take over what the database holds."""
        self._groups = dict(groups)
        self._shelves = {shelf.id: shelf for shelf in shelves}

    def note_group(self, camera_id: CameraId, group: str) -> None:
        """A camera was registered or moved to a group."""
        self._groups[camera_id] = group

    def note_shelf(self, shelf: Shelf) -> None:
        """A shelf was put up or ended."""
        self._shelves[shelf.id] = shelf

    def drop_ended(self, now: datetime) -> bool:
        """Forget what has ended; true where there was any."""
        ended = [key for key, shelf in self._shelves.items() if shelf.until <= now]
        for key in ended:
            del self._shelves[key]
        return bool(ended)

    def complete(self, incident: Incident) -> Incident:
        """The incident as the desk shall see it."""
        cameras = (*incident.estimate.camera_ids, *incident.best_camera_ids)
        groups = sorted({group for camera in cameras if (group := self._groups.get(camera, ""))})
        agencies = responsible(incident, self._routing)
        quiet = incident.level is AlarmLevel.ALARM and self._is_shelved(incident)
        return replace(
            incident,
            camera_groups=tuple(groups),
            agency_ids=agencies,
            shelved=quiet,
            level=AlarmLevel.CANDIDATE if quiet else incident.level,
        )

    def _is_shelved(self, incident: Incident) -> bool:
        """What people report, or have verified, always sounds."""
        estimate = incident.estimate
        if estimate.call_ids or incident.verified_at is not None or not estimate.camera_ids:
            return False
        return all(
            any(
                shelf.exercise == estimate.exercise
                and shelf.camera_id in (None, camera_id)
                and shelf.hazard in (None, incident.hazard)
                for shelf in self._shelves.values()
            )
            for camera_id in estimate.camera_ids
        )
