"""The fusion service: reports in, incidents out, by one active writer.

Its life: **stand by** until the lease ``fusion`` can be had; **claim** the database with the
lease's fencing number, which shuts every earlier writer out; **rebuild** fusion's memory from the
database; **lead**: take detections and health off the bus, decide about reports in the order of
their rows, and apply what was decided, until it is stopped, replaced (`FencedOff`), or has lost the
lease to another. Then it stands by again.

While the bus is away a leader goes on with what reaches the database (calls): nobody else can take
the lease meanwhile, and if somebody who still sees the bus does, the fencing number stops us.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from contracts import (
    Camera,
    Incident,
    IncidentId,
    LearntFigure,
    LogEntry,
    LogKind,
    Shelf,
    WatchClosely,
)
from incidents.database import SYSTEM
from incidents.desk import DeskRules
from incidents.errors import ActedMeanwhile, FencedOff
from incidents.fusing.alarms import AlarmPolicy
from incidents.fusing.clipping import Clipping
from incidents.fusing.configured import load_streets
from incidents.fusing.cueing import Cueing
from incidents.fusing.decisions import Applied, Outcome
from incidents.fusing.enrichment import Enrichment
from incidents.fusing.intake import DATABASE_AWAY, PAUSE_S, Intake
from incidents.fusing.mind import Mind
from incidents.fusing.publishing import Publishing
from incidents.fusing.telling import PAUSE
from incidents.fusing.verdicts import speaks_of_truth
from incidents.log import LogFilter
from incidents.store import Store
from plumbing.bus import Bus, BusUnavailable, Lease
from plumbing.clock import Clock
from plumbing.evidence import open_evidence
from plumbing.ids import new_id
from plumbing.logs import get_logger
from plumbing.sealing import Sealer
from plumbing.settings import Settings
from plumbing.tracing import Stage, trace

_log = get_logger(__name__)

LEASE = "fusion"
STANDBY_S = 1.0
"""Between two tries for the lease."""
POLL_S = 0.25
"""A wake-up that got lost costs this long."""
BATCH = 64
"""Reports decided and applied in one transaction while there is a backlog."""
NOTED_AT_ONCE = 500
BUDGET_S = 0.1
"""No batch takes longer than this and its last report: what is decided must become visible."""
SWEEP_S = 60.0
RETENTION_S = 1_800.0
"""Days are what counts; twice an hour keeps each run short."""
LEARN_S = 600.0
LOOK_AGAIN_S = 60.0
"""Between two reckonings of what cameras don't see: a fraction of how long it counts once."""
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


class _LeaseLost(Exception):
    """Another process holds the lease, or ours has lapsed: stand by."""


@dataclass(slots=True)
class FusionCounts:
    """What this process did since it started."""

    leading: bool = False
    decided: int = 0
    deciding_s: float = 0.0
    """Spent on deciding, without the database."""
    set_aside: int = 0
    told: int = 0
    rebuilt: int = 0
    cues: int = 0
    decided_to: int = 0
    """The last report decided on."""


class FusionService:
    """One process's fusion; several may run, one is active.

    Raises:
        SettingsError: made with rates or areas that can't be used.
    """

    def __init__(self, store: Store, bus: Bus, settings: Settings, clock: Clock) -> None:
        self.holder = f"{socket.gethostname()}-{os.getpid()}-{new_id('fusion')[-8:]}"
        self.counts = FusionCounts()
        self.intake = Intake(store, bus, Sealer(settings.key_file), clock)
        self._store = store
        self._bus = bus
        self._clock = clock
        self._begun = clock.now()
        """When the decisions at hand were begun."""
        self._lease_s = settings.fusion.writer_lease_s
        self._mind = Mind(settings.city, settings.fusion)
        self._cueing = Cueing(
            self._mind, settings.fusion.hot_cameras, settings.fusion.detection_probability
        )
        self._clipping = Clipping(store, bus, settings.evidence, clock)
        self._desk = DeskRules(settings.routing)
        self._alarms = AlarmPolicy(settings.fusion)
        self._enrichment = Enrichment(
            self._alarms,
            self._mind.name_of,
            self._mind.best_cameras,
            load_streets(settings).name_of,
            self._desk.complete,
        )
        self._retention = store.retention(
            settings,
            open_evidence(
                settings.evidence_folder, settings.evidence.min_free_bytes, settings.evidence.url
            ),
        )
        self._news = asyncio.Event()
        """Something may have been committed that we should look at."""
        self._publishing = Publishing(store, bus, clock)
        self._fencing = 0
        self._known_seq = 0
        self._look_again_s = 0.0
        self._learn_s = self._clock.monotonic_s() + LEARN_S
        self._learnt: list[LearntFigure] = []
        self._waiting: dict[IncidentId, float] = {}
        """Incidents with news to tell, and when, by the monotonic clock."""
        store.listen(self._committed)

    async def run(self, stopping: asyncio.Event | None = None) -> None:
        """Stand by and lead until ``stopping`` is set, or cancelled."""
        work = asyncio.create_task(self._stand_by_and_lead())
        stop = asyncio.create_task((stopping or asyncio.Event()).wait())
        try:
            await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work

    async def _stand_by_and_lead(self) -> None:
        while True:
            try:
                async with self._leading() as lease:
                    await self._lead(lease)
            except* (_LeaseLost, FencedOff) as replaced:
                _log.warning("no longer the fusion writer", why=str(replaced.exceptions[0]))
            except* DATABASE_AWAY as away:
                _log.error("the database is away", why=str(away.exceptions[0]))
            await asyncio.sleep(STANDBY_S)

    @contextlib.asynccontextmanager
    async def _leading(self) -> AsyncIterator[Lease]:
        lease = await self._obtain_lease()
        try:
            yield lease
        finally:
            self.counts.leading = False
            # A standby needn't wait for the lease to lapse.
            with contextlib.suppress(BusUnavailable):
                await self._bus.release_lease(lease)

    async def _obtain_lease(self) -> Lease:
        while True:
            with contextlib.suppress(BusUnavailable):
                above = await self._store.fusion.fencing()
                lease = await self._bus.take_lease(LEASE, self.holder, self._lease_s, above=above)
                if lease is not None:
                    return lease
            await asyncio.sleep(STANDBY_S)

    async def _lead(self, lease: Lease) -> None:
        async with asyncio.TaskGroup() as group:
            # From the first moment: rebuilding a large city's memory may take longer than a lease.
            group.create_task(self._keep_lease(lease))
            await self._store.fusion.claim(lease.fencing)
            self._fencing = lease.fencing
            await self._rebuild()
            _log.info("leading", fencing=lease.fencing, from_report=self.counts.decided_to)
            self.counts.leading = True
            tasks: list[Coroutine[Any, Any, None]] = [
                self._fuse(),
                self._listen(),
                self._publishing.wakes(),
                self._publishing.register(),
                self._publishing.verdicts(),
                self._sweep(),
                self._forget(),
                self.intake.detections(),
                self.intake.healths(),
                self.intake.clips(),
                self._clipping.run(),
            ]
            for task in tasks:
                group.create_task(task)

    async def _rebuild(self) -> None:
        """Take over what the database holds, cameras and log of the same moment or earlier."""
        now = self._clock.now()
        known_seq = await self._store.log.last_seq()
        cameras = await self._store.cameras.all()
        healths = await self._store.cameras.healths()
        memory = await self._store.fusion.remember(now - self._mind.memory)
        self._learnt = await self._store.learning.figures()
        await asyncio.to_thread(self._mind.rebuild, memory, cameras, healths.values(), self._learnt)
        groups = {camera.id: camera.group for camera in cameras}
        self._desk.renew(groups, await self._store.shelves.since(now))
        # Entries between the two readings are read again; noting one twice is harmless.
        self._known_seq = known_seq
        self.counts.decided_to = memory.report_seq
        self.counts.rebuilt += 1
        self._waiting = dict.fromkeys(await self._store.fusion.pending(), 0.0)
        self._publishing.cameras_changed.set()
        self._publishing.verdicts_changed.set()
        self._news.set()

    async def _fuse(self) -> None:
        while True:
            self._news.clear()
            try:
                went_on = await self._step()
            except ActedMeanwhile:
                await self._rebuild()
                continue
            except DATABASE_AWAY as error:
                _log.error("the database is away; trying again", why=str(error))
                await asyncio.sleep(PAUSE_S)
                # Whether the last commit came through is unknown; the database knows.
                await self._rebuild()
                continue
            if not went_on:
                with contextlib.suppress(TimeoutError):
                    # Not `asyncio.wait_for`, which on Python 3.11 can swallow a cancellation.
                    async with asyncio.timeout(POLL_S):
                        await self._news.wait()

    async def _step(self) -> bool:
        """Decide about the next reports and tell what is due; false when there was nothing."""
        await self._take_note()
        reports = await self._store.reports.after(self.counts.decided_to, BATCH)
        if reports:
            await self._cue(self._cueing.for_reports(reports, self._clock.now()))
            self._begun, started_s = self._clock.now(), self._clock.monotonic_s()
            outcomes = await asyncio.to_thread(self._mind.decide, reports, BUDGET_S)
            self.counts.deciding_s += self._clock.monotonic_s() - started_s
            await self._apply(outcomes)
        await self._tell_waiting()
        await self._look_again()
        await self._learn()
        return bool(reports)

    async def _learn(self) -> None:
        """Learn now and then, and take over what has changed: learnt, frozen or reset."""
        if self._clock.monotonic_s() < self._learn_s:
            return
        self._learn_s = self._clock.monotonic_s() + LEARN_S
        await self._store.learning.learn(self._mind.assumed, self._clock.now())
        if await self._store.learning.figures() != self._learnt:
            await self._rebuild()

    async def _look_again(self) -> None:
        """Cameras that go on seeing nothing speak, though no report comes."""
        if self._clock.monotonic_s() < self._look_again_s:
            return
        self._look_again_s = self._clock.monotonic_s() + LOOK_AGAIN_S
        estimates = await asyncio.to_thread(self._mind.look_again, self._clock.now())
        if estimates:
            await self._follow_up(
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
            cameras_changed = await asyncio.to_thread(self._mind.note, entries)
            if cameras_changed:
                self._publishing.cameras_changed.set()
            if any(speaks_of_truth(entry.detail) for entry in entries):
                self._publishing.verdicts_changed.set()
            # A short page holds all there was when `last_seq` was read.
            is_short = len(found) < NOTED_AT_ONCE
            self._known_seq = last_seq if is_short else found[-1].seq
            await self._follow_the_desk(entries)

    async def _follow_the_desk(self, entries: Sequence[LogEntry]) -> None:
        """Shelves, and incidents that people have merged or split."""
        regrouped: set[tuple[IncidentId, bool]] = set()
        shelved = False
        for entry in entries:
            if isinstance(entry.subject, Incident):
                self._alarms.note(entry.subject, self._clock.now())
            match entry.subject:
                case Incident() as incident if entry.kind in _REGROUPED and incident.state.is_open:
                    regrouped.add((incident.id, entry.exercise))
                case Camera() as camera:
                    self._desk.note_group(camera.id, camera.group)
                case Shelf() as shelf:
                    self._desk.note_shelf(shelf)
                    shelved = True
        if regrouped:
            # The reports' rows say where each belongs now; nothing else knows it all.
            await self._rebuild()
            estimates = {
                incident_id: estimate
                for incident_id, exercise in sorted(regrouped)
                if (estimate := self._mind.estimate_of(incident_id, exercise)) is not None
            }
            await self._follow_up(
                await self._store.fusion.restate(
                    estimates,
                    fencing=self._fencing,
                    known_seq=self._known_seq,
                    enrichment=self._enrichment,
                )
            )
        if shelved:
            await self._hold_against_the_desk()

    async def _hold_against_the_desk(self) -> None:
        self._desk.drop_ended(self._clock.now())
        await self._follow_up(
            await self._store.fusion.complete_anew(
                fencing=self._fencing, enrichment=self._enrichment
            )
        )

    async def _apply(self, outcomes: list[Outcome]) -> None:
        try:
            applied = await self._apply_together(outcomes)
        except (FencedOff, ActedMeanwhile, *DATABASE_AWAY):
            raise
        except Exception:  # noqa: BLE001 - found out one by one which it is
            await self._apply_one_by_one(outcomes)
            return
        await self._applied(outcomes, applied)
        if any(outcome.problem for outcome in outcomes):
            # What broke half-way may have left anything behind.
            await self._rebuild()

    async def _apply_one_by_one(self, outcomes: list[Outcome]) -> None:
        """Find the outcome that can't be stored, and set its report aside with the reason."""
        for outcome in outcomes:
            try:
                applied = await self._apply_together([outcome])
            except (FencedOff, ActedMeanwhile, *DATABASE_AWAY):
                raise
            except Exception as error:  # noqa: BLE001 - one bad report must not stop all others
                _log.exception("a decision can't be stored", report_id=outcome.report.id)
                problem = f"{type(error).__name__}: {error}"
                broken = [Outcome(outcome.report, problem=problem)]
                await self._applied(broken, await self._apply_together(broken))
                break
            await self._applied([outcome], applied)
        await self._rebuild()

    async def _apply_together(self, outcomes: list[Outcome]) -> Applied:
        return await self._store.fusion.apply(
            outcomes,
            fencing=self._fencing,
            known_seq=self._known_seq,
            enrichment=self._enrichment,
        )

    async def _applied(self, outcomes: list[Outcome], applied: Applied) -> None:
        self.counts.decided_to = outcomes[-1].report.seq
        self.counts.decided += len(outcomes)
        self.counts.set_aside += sum(bool(outcome.problem) for outcome in outcomes)
        for outcome in outcomes:
            _log.debug(
                "decided",
                report_id=outcome.report.id,
                report_seq=outcome.report.seq,
                incident_ids=[decision.incident_id for decision in outcome.decisions],
            )
            trace(
                outcome.report.id,
                Stage.FUSE,
                self._begun,
                self._clock.now(),
                incident_ids=" ".join(decision.incident_id for decision in outcome.decisions),
                together=len(outcomes),
            )
        await self._follow_up(applied)

    async def _follow_up(self, applied: Applied) -> None:
        told = [incident for _, incident in applied.told]
        self.counts.told += len(told)
        for incident in told:
            self._waiting.pop(incident.id, None)
            self._alarms.note(incident, self._clock.now())
        due = self._clock.monotonic_s() + PAUSE.total_seconds()
        for incident_id in applied.waiting:
            self._waiting.setdefault(incident_id, due)
        await self._cue(self._cueing.for_incidents(told, self._clock.now()))
        await self._clipping.keep_for(told)

    async def _tell_waiting(self) -> None:
        now = self._clock.monotonic_s()
        due = [incident_id for incident_id, at in self._waiting.items() if at <= now]
        if not due:
            return
        for incident_id in due:
            del self._waiting[incident_id]
        applied = await self._store.fusion.publish_pending(fencing=self._fencing, only=due)
        await self._follow_up(applied)

    async def _cue(self, cues: Iterable[WatchClosely]) -> None:
        for cue in cues:
            try:
                await self._bus.tell(cue)
                self.counts.cues += 1
            except BusUnavailable:
                # A late cue is worth nothing: what it was for has passed.
                _log.warning("cameras can't be cued: the bus is away", why=cue.why)

    async def _keep_lease(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            with contextlib.suppress(BusUnavailable):
                if not await self._bus.renew_lease(lease, self._lease_s):
                    raise _LeaseLost("the lease has lapsed or is held by another process")

    async def _listen(self) -> None:
        async for _ in self._bus.wakes():
            self._news.set()

    def _committed(self, seq: int) -> None:
        self._news.set()
        self._publishing.wake_at(seq)

    async def _forget(self) -> None:
        """Apply retention; see `incidents.keeping.retention`."""
        while True:
            await asyncio.sleep(RETENTION_S)
            try:
                found = await self._retention.run()
            except DATABASE_AWAY as error:
                _log.error("retention can't run; trying again later", why=str(error))
                continue
            if found.is_anything:
                _log.info("forgot what was due", **asdict(found))

    def _say_how_it_goes(self) -> None:
        counts, load = self.counts, self._alarms.load(self._clock.now())
        _log.info(
            "fusion",
            decided=counts.decided,
            told=counts.told,
            ms_a_report=round(1e3 * counts.deciding_s / max(1, counts.decided), 2),
            alarms_last_hour=load.alarms_last_hour,
            odds_factor=round(load.odds_factor, 2),
            chattering=load.chattering,
        )
        if load.flood_since is not None:
            groups = [f"{hazard.value} {name}: {count}" for hazard, name, count in load.groups]
            _log.warning("alarm flood", since=load.flood_since.isoformat(), groups=groups)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self._say_how_it_goes()
            silent_since = self._clock.now() - self._mind.memory
            try:
                await self._store.fusion.expire(silent_since, fencing=self._fencing)
                if self._desk.drop_ended(self._clock.now()):
                    await self._hold_against_the_desk()
            except DATABASE_AWAY as error:
                _log.error("old signals can't be ended; trying again later", why=str(error))


__all__ = ["FusionCounts", "FusionService"]
