"""The leader's work: decide about reports in the order of their rows, make it true, and take note
of what people do meanwhile.

Its memory is rebuilt from the database when it begins to lead, and after anything that may have
left memory and database apart.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from contracts import Camera, Incident, IncidentId, LearntFigure, LogEntry, LogKind, Shelf
from incidents.database import SYSTEM
from incidents.desk import DeskRules
from incidents.errors import ActedMeanwhile
from incidents.fusing.alarms import AlarmPolicy
from incidents.fusing.applying import Applying
from incidents.fusing.burden import Burden
from incidents.fusing.clipping import Clipping
from incidents.fusing.configured import load_streets
from incidents.fusing.counts import FusionCounts
from incidents.fusing.cueing import Cueing
from incidents.fusing.enrichment import Enrichment
from incidents.fusing.following_up import FollowingUp
from incidents.fusing.intake import DATABASE_AWAY, PAUSE_S
from incidents.fusing.mind import Mind
from incidents.fusing.publishing import Publishing
from incidents.fusing.verdicts import speaks_of_truth
from incidents.log import LogFilter
from incidents.store import Store
from plumbing.bus import Bus
from plumbing.clock import Clock
from plumbing.logs import get_logger
from plumbing.settings import Settings

_log = get_logger(__name__)

POLL_S = 0.25
"""A wake-up that got lost costs this long."""
BATCH = 64
"""Reports decided and applied in one transaction while there is a backlog."""
NOTED_AT_ONCE = 500
BUDGET_S = 0.1
"""No batch takes longer than this and its last report: what is decided must become visible."""
LEARN_S = 600.0
LOOK_AGAIN_S = 60.0
"""Between two reckonings of what cameras don't see: a fraction of how long it counts once."""
TOLD_AGAIN = timedelta(minutes=2)
"""How far back a new leader looks for what its predecessor told, or people did, that nobody has
followed up: a commit and its following are moments apart."""
_REGROUPED = frozenset({LogKind.INCIDENT_MERGED, LogKind.INCIDENT_SPLIT})
_OF_INTEREST = LogFilter(
    kinds=frozenset(
        {
            LogKind.INCIDENT_ACTED,
            LogKind.CAMERA_SAVED,
            LogKind.CAMERA_REMOVED,
            LogKind.CAMERA_HEALTH,
            LogKind.SHELF_SAVED,
            *_REGROUPED,
        }
    )
)


class Work:
    """Begun anew, by `lead`, each time that its process leads."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        settings: Settings,
        clock: Clock,
        publishing: Publishing,
        counts: FusionCounts,
    ) -> None:
        self.news = asyncio.Event()
        """Something may have been committed that we should look at."""
        self.alarms = AlarmPolicy(settings.fusion)
        self.mind = Mind(settings.city, settings.fusion)
        self._store = store
        self._clock = clock
        self._publishing = publishing
        self._counts = counts
        self._desk = DeskRules(settings.routing)
        self._cueing = Cueing(
            self.mind, settings.fusion.hot_cameras, settings.fusion.detection_probability
        )
        self._enrichment = Enrichment(
            self.alarms,
            self.mind.name_of,
            self.mind.best_cameras,
            load_streets(settings).name_of,
            self._desk.complete,
        )
        clipping = Clipping(store, bus, settings.evidence, clock)
        self._following = FollowingUp(
            store, bus, clock, self.alarms, self._cueing, clipping, counts
        )
        self.clipping = clipping
        self._applying = Applying(store, clock, self._enrichment, self._following, counts)
        self._burden = Burden(store.desk_loads, self.alarms, clock)
        self._fencing = 0
        self._known_seq = 0
        self._recalled_seq = 0
        """What was told of alarms up to here was recalled as this leader began."""
        self._regrouped: set[tuple[IncidentId, bool]] = set()
        """Incidents, and their partition, that people have merged or split, to be told of."""
        self._look_again_s = 0.0
        self._learn_s = clock.monotonic_s() + LEARN_S
        self._learnt: list[LearntFigure] = []

    async def lead(self, fencing: int) -> None:
        """Become the one writer, and take over what the database holds.

        Raises:
            FencedOff: a writer with a higher number has claimed before.
        """
        await self._store.fusion.claim(fencing)
        self._fencing = fencing
        self._recalled_seq = await self._store.log.last_seq()
        await self._burden.recall()
        # A predecessor may have died over what people did last; noting it twice is harmless.
        self._known_seq = await self._store.fusion.log_before(self._clock.now() - TOLD_AGAIN)
        self._regrouped.clear()
        await self._take_over()

    async def _take_over(self) -> None:
        """After something died or broke between a commit and what follows from it."""
        await self.rebuild()
        now = self._clock.now()
        # What ended while nobody led: the first step lets sound what it kept quiet.
        for shelf in await self._store.shelves.since(now - self.mind.memory):
            self._desk.note_shelf(shelf)
        told = await self._store.fusion.told_since(now - TOLD_AGAIN)
        await self._following.catch_up(told)

    async def rebuild(self) -> None:
        """Take over what the database holds. What people did since `_known_seq` is in it, and yet
        to be followed."""
        now = self._clock.now()
        cameras = await self._store.cameras.all()
        healths = await self._store.cameras.healths()
        memory = await self._store.fusion.remember(now - self.mind.memory)
        self._learnt = await self._store.learning.figures()
        await asyncio.to_thread(self.mind.rebuild, memory, cameras, healths.values(), self._learnt)
        groups = {camera.id: camera.group for camera in cameras}
        self._desk.renew(groups, await self._store.shelves.since(now))
        self._counts.decided_to = memory.report_seq
        self._counts.rebuilt += 1
        self._following.wait_for(await self._store.fusion.pending())
        self._publishing.cameras_changed.set()
        self._publishing.verdicts_changed.set()
        self.news.set()

    async def run(self) -> None:
        """Decide until cancelled.

        Raises:
            FencedOff: another writer has taken over.
        """
        while True:
            self.news.clear()
            try:
                went_on = await self._step()
            except ActedMeanwhile:
                await self.rebuild()
                continue
            except DATABASE_AWAY as error:
                _log.error("the database is away; trying again", why=str(error))
                await asyncio.sleep(PAUSE_S)
                # Whether the last commit came through is unknown; the database knows.
                await self._take_over()
                continue
            if not went_on:
                with contextlib.suppress(TimeoutError):
                    # Not `asyncio.wait_for`, which on Python 3.11 can swallow a cancellation.
                    async with asyncio.timeout(POLL_S):
                        await self.news.wait()

    async def _step(self) -> bool:
        """Decide about the next reports and tell what is due; false when there was nothing."""
        await self._take_note()
        if self._desk.drop_ended(self._clock.now()):
            await self._hold_against_the_desk()
        reports = await self._store.reports.after(self._counts.decided_to, BATCH)
        if reports:
            now = self._clock.now()
            await self._following.cue(partial(self._cueing.for_reports, reports, now))
            begun, started_s = self._clock.now(), self._clock.monotonic_s()
            outcomes = await asyncio.to_thread(self.mind.decide, reports, BUDGET_S)
            self._counts.deciding_s += self._clock.monotonic_s() - started_s
            if not await self._applying.apply(
                outcomes, begun, fencing=self._fencing, known_seq=self._known_seq
            ):
                await self.rebuild()
        await self._following.tell_waiting(self._fencing)
        await self._burden.tell(self._fencing)
        await self._look_again()
        await self._learn()
        return bool(reports)

    async def _learn(self) -> None:
        """Learn now and then, and take over what has changed: learnt, frozen or reset."""
        if self._clock.monotonic_s() < self._learn_s:
            return
        self._learn_s = self._clock.monotonic_s() + LEARN_S
        await self._store.learning.learn(self.mind.assumed, self._clock.now())
        if await self._store.learning.figures() != self._learnt:
            await self.rebuild()

    async def _look_again(self) -> None:
        """Cameras that go on seeing nothing speak, though no report comes."""
        if self._clock.monotonic_s() < self._look_again_s:
            return
        self._look_again_s = self._clock.monotonic_s() + LOOK_AGAIN_S
        estimates = await asyncio.to_thread(self.mind.look_again, self._clock.now())
        if estimates:
            await self._following.follow_up(
                await self._store.fusion.reconsider(
                    estimates,
                    fencing=self._fencing,
                    known_seq=self._known_seq,
                    enrichment=self._enrichment,
                )
            )

    async def _take_note(self) -> None:
        last_seq = await self._store.log.last_seq()
        while self._known_seq < last_seq:
            found = await self._store.log.after(self._known_seq, NOTED_AT_ONCE, _OF_INTEREST)
            # What we have merged and split ourselves is no news.
            entries = [
                entry for entry in found if entry.kind not in _REGROUPED or entry.actor != SYSTEM
            ]
            cameras_changed = await asyncio.to_thread(self.mind.note, entries)
            if cameras_changed:
                self._publishing.cameras_changed.set()
            if any(speaks_of_truth(entry.detail) for entry in entries):
                self._publishing.verdicts_changed.set()
            # A short page holds all there was when `last_seq` was read.
            is_short = len(found) < NOTED_AT_ONCE
            self._known_seq = last_seq if is_short else found[-1].seq
            await self._follow_the_desk(entries)
        await self._restate()

    async def _follow_the_desk(self, entries: Sequence[LogEntry]) -> None:
        """Shelves, and incidents that people have merged or split."""
        shelved = regrouped = False
        for entry in entries:
            if isinstance(entry.subject, Incident) and entry.seq > self._recalled_seq:
                self.alarms.note(entry.subject, self._clock.now())
            match entry.subject:
                case Incident() as incident if entry.kind in _REGROUPED and incident.state.is_open:
                    self._regrouped.add((incident.id, entry.exercise))
                    regrouped = True
                case Camera() as camera:
                    self._desk.note_group(camera.id, camera.group)
                case Shelf() as shelf:
                    self._desk.note_shelf(shelf)
                    shelved = True
        if regrouped:
            # The reports' rows say where each belongs now; nothing else knows it all.
            await self.rebuild()
        if shelved:
            await self._hold_against_the_desk()

    async def _restate(self) -> None:
        """Tell what is thought of what people have merged or split."""
        if not self._regrouped:
            return
        estimates = {
            incident_id: estimate
            for incident_id, exercise in sorted(self._regrouped)
            if (estimate := self.mind.estimate_of(incident_id, exercise)) is not None
        }
        applied = await self._store.fusion.restate(
            estimates,
            fencing=self._fencing,
            known_seq=self._known_seq,
            enrichment=self._enrichment,
        )
        # Only now: somebody may act meanwhile, and it is thought of once more.
        self._regrouped.clear()
        await self._following.follow_up(applied)

    async def _hold_against_the_desk(self) -> None:
        """Hold every open incident against what is kept quiet, which has changed."""
        self._desk.drop_ended(self._clock.now())
        await self._following.follow_up(
            await self._store.fusion.complete_anew(
                fencing=self._fencing, enrichment=self._enrichment
            )
        )

    async def end_what_is_old(self) -> None:
        """End old signals.

        Raises:
            FencedOff: another writer has taken over.
        """
        silent_since = self._clock.now() - self.mind.memory
        # What has ended takes nothing more, though no report came that would have swept it away.
        await asyncio.to_thread(self.mind.forget, silent_since)
        await self._store.fusion.expire(silent_since, fencing=self._fencing)
