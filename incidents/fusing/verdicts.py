"""What people found the cameras' sightings to be: written with the action that says so.

An action on an incident speaks for every camera's track in it: verifying confirms them, rejecting
rejects them, reopening takes either back. What was cancelled later may have been true or not, so
nothing is learnt from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import (
    CameraId,
    Detection,
    Incident,
    IncidentAction,
    ReportKind,
    TrackId,
    from_json,
    to_json,
)
from contracts.verdicts import Truth, Verdict
from incidents.database import Database, Writing
from incidents.tables import ReportRow, VerdictRow

MOST_OF_A_CAMERA = 64
"""Verdicts handed to a camera's worker, the newest ones."""

_MEANS: Mapping[IncidentAction, Truth | None] = MappingProxyType(
    {
        IncidentAction.VERIFY: Truth.CONFIRMED,
        IncidentAction.REJECT: Truth.REJECTED,
        IncidentAction.REOPEN: None,
        IncidentAction.CANCEL: None,
    }
)


class Verdicts:
    """The ``verdicts`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(
        self, since: datetime | None = None, *, exercise: bool | None = None
    ) -> list[Verdict]:
        """The verdicts decided from a time on, oldest first."""
        statement = select(VerdictRow.body).order_by(VerdictRow.decided_at, VerdictRow.id)
        if since is not None:
            statement = statement.where(VerdictRow.decided_at >= since)
        if exercise is not None:
            statement = statement.where(VerdictRow.exercise.is_(exercise))
        async with self._database.reading(is_long=True) as connection:
            return [from_json(Verdict, body) for body in await connection.scalars(statement)]

    async def by_camera(self, since: datetime) -> dict[CameraId, tuple[Verdict, ...]]:
        """What every camera's worker should know: its newest verdicts, oldest first."""
        found: dict[CameraId, list[Verdict]] = {}
        for verdict in await self.since(since):
            found.setdefault(verdict.camera_id, []).append(verdict)
        return {camera: tuple(some[-MOST_OF_A_CAMERA:]) for camera, some in found.items()}


def speaks_of_truth(action: str) -> bool:
    """Whether an action changes what is known of an incident's sightings."""
    return action in _MEANS


async def note_verdicts(writing: Writing, after: Incident, action: IncidentAction) -> None:
    """Keep what an action says of the incident's tracks, within the action's transaction."""
    if action not in _MEANS:
        return
    await writing.connection.execute(delete(VerdictRow).where(VerdictRow.incident_id == after.id))
    truth = _MEANS[action]
    if truth is None:
        return
    rows = [
        {
            "id": verdict.id,
            "incident_id": verdict.incident_id,
            "camera_id": verdict.camera_id,
            "decided_at": verdict.decided_at,
            "exercise": verdict.exercise,
            "body": to_json(verdict).decode(),
        }
        for verdict in [
            _verdict(after, truth, track, writing.now)
            for track in await _tracks(writing.connection, after)
        ]
    ]
    if rows:
        await writing.connection.execute(insert(VerdictRow), rows)


@dataclass(slots=True)
class _Track:
    last: Detection
    shown: Detection
    """The one that its picture was taken for; the last one where there is no picture."""


async def _tracks(connection: AsyncConnection, incident: Incident) -> list[_Track]:
    statement = (
        select(ReportRow.body)
        .where(ReportRow.incident_id == incident.id, ReportRow.kind == ReportKind.DETECTION.value)
        .order_by(ReportRow.seq)
    )
    tracks: dict[tuple[CameraId, TrackId], _Track] = {}
    for body in await connection.scalars(statement):
        detection = from_json(Detection, body)
        track = tracks.setdefault(
            (detection.camera_id, detection.track_id), _Track(detection, detection)
        )
        track.last = detection
        # Later detections go on naming the best picture; only the first was found in it.
        if detection.picture_id is None or detection.picture_id != track.shown.picture_id:
            track.shown = detection
    return list(tracks.values())


def _verdict(incident: Incident, truth: Truth, track: _Track, at: datetime) -> Verdict:
    seen = track.shown
    return Verdict(
        incident_id=incident.id,
        camera_id=seen.camera_id,
        track_id=seen.track_id,
        truth=truth,
        decided_at=at,
        actor=incident.last_actor,
        sighting=seen.sighting,
        box=seen.box,
        frame_width_px=seen.frame_width_px,
        frame_height_px=seen.frame_height_px,
        score=seen.score,
        llr=track.last.llr,
        captured_at=seen.captured_at,
        model_version=seen.model_version,
        picture_id=seen.picture_id,
        exercise=seen.exercise,
    )
