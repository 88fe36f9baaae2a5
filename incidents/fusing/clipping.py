"""Incidents make the cameras' pictures be kept: of which cameras, from when to when.

What is wanted is in the database before a worker is told, and is told again until it is answered:
neither a bus that is away nor a worker that dies loses the wish, only the pictures that nobody has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from contracts import AlarmLevel, CameraId, ClipId, ClipState, EvidenceClip, Incident, KeepClip
from incidents.fusing.intake import DATABASE_AWAY
from incidents.store import Store
from plumbing.bus import Bus, BusUnavailable
from plumbing.clock import Clock
from plumbing.logs import get_logger
from plumbing.settings import EvidenceSettings

_log = get_logger(__name__)

ASK_AGAIN_S = 4.0
GIVE_UP_AFTER = timedelta(minutes=15)
"""After a clip's end nobody has its pictures in memory any more."""
LONGEST_AGO = timedelta(minutes=10)
REMEMBERED = 10_000
"""Clips that were asked for lately; the database knows the others."""


def clips_for(incident: Incident, now: datetime, settings: EvidenceSettings) -> list[EvidenceClip]:
    """What to keep of an incident as it is told: one clip a camera and level.

    The cameras that contributed come first, then, for an alarm, the best views: at most
    ``settings.cameras`` of all. Most candidates come to nothing, and what else sees their place
    isn't worth the disk.
    """
    if not incident.state.is_open or incident.level is AlarmLevel.SIGNAL:
        return []
    views = incident.best_camera_ids if incident.level is AlarmLevel.ALARM else ()
    ranked = dict.fromkeys((*incident.estimate.camera_ids, *views))
    cameras: list[CameraId] = list(ranked)[: settings.cameras]
    # Of what began long ago the cameras' memory holds the last part only.
    began_at = max(min(incident.estimate.started_at, now), now - LONGEST_AGO)
    since = began_at - timedelta(seconds=settings.before_s)
    return [
        EvidenceClip(
            id=ClipId(f"{incident.id}/{camera_id}/{incident.level.value}"),
            incident_id=incident.id,
            camera_id=camera_id,
            since=since,
            until=now + timedelta(seconds=settings.after_s),
            state=ClipState.WANTED,
            requested_at=now,
            updated_at=now,
            exercise=incident.estimate.exercise,
        )
        for camera_id in cameras
    ]


class Clipping:
    """Asks for the clips of the incidents that are told; for the process that leads."""

    def __init__(self, store: Store, bus: Bus, settings: EvidenceSettings, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._settings = settings
        self._clock = clock
        self._asked: dict[ClipId, None] = {}

    async def keep_for(self, incidents: Iterable[Incident]) -> None:
        """Ask for what these should have and have not."""
        now = self._clock.now()
        wanted = [
            clip
            for incident in incidents
            for clip in clips_for(incident, now, self._settings)
            if clip.id not in self._asked
        ]
        for clip in await self._store.clips.want(wanted):
            await self._tell(clip)
        self._asked.update(dict.fromkeys(clip.id for clip in wanted))
        while len(self._asked) > REMEMBERED:
            del self._asked[next(iter(self._asked))]

    async def ask_again(self) -> None:
        """Tell once more what has not been answered, and end what is too late."""
        too_late = self._clock.now() - GIVE_UP_AFTER
        unfinished = await self._store.clips.unfinished()
        gone = [clip.id for clip in unfinished if clip.until < too_late]
        if gone:
            await self._store.clips.give_up(gone)
        for clip in unfinished:
            if clip.until >= too_late:
                await self._tell(clip)

    async def run(self) -> None:
        """Ask again every few seconds, until cancelled."""
        while True:
            try:
                await self.ask_again()
            except DATABASE_AWAY as error:
                _log.error("clips can't be followed up; trying again", why=str(error))
            await asyncio.sleep(ASK_AGAIN_S)

    async def _tell(self, clip: EvidenceClip) -> None:
        command = KeepClip(
            clip_id=clip.id,
            incident_id=clip.incident_id,
            camera_id=clip.camera_id,
            since=clip.since,
            until=clip.until,
        )
        try:
            await self._bus.tell(command)
        except BusUnavailable:
            # It is told again; until then the cameras' memory holds the pictures.
            _log.warning("a clip can't be asked for: the bus is away", clip=clip.id)
