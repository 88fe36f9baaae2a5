"""From the bus into the database: detections become reports, health becomes the cameras' state.

A delivery is acknowledged once its content is committed; what can't be read or stored is kept as a
dead letter, so that it blocks nothing and is not lost either.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError

from contracts import CameraHealth, ClipReport, Detection
from incidents.dead_letters import DeadLetter
from incidents.store import Store
from plumbing.bus import CLIPS, DETECTIONS, HEALTH, Bus, BusUnavailable, Delivery, Topic
from plumbing.clock import Clock
from plumbing.logs import get_logger
from plumbing.sealing import Sealer
from plumbing.tracing import Stage, is_tracing, trace

_log = get_logger(__name__)

GROUP = "fusion"
CONSUMER = "leader"
"""One name for whoever leads: what its predecessor was given and never acknowledged comes to it at
once, not after the time that tells a dead consumer from a slow one."""
PAUSE_S = 0.5
"""Between tries while the bus or the database is away."""

DATABASE_AWAY = (OperationalError, InterfaceError, OSError, TimeoutError)
"""Errors that say that the database can't be reached or is busy, not that the data is wrong."""

T = TypeVar("T")


@dataclass(slots=True)
class IntakeCounts:
    """What came over the bus since the process started."""

    accepted: int = 0
    repeated: int = 0
    healths: int = 0
    dead_letters: int = 0


class Intake:
    """The consumer of the bus; one at a time, in the process that leads."""

    def __init__(self, store: Store, bus: Bus, sealer: Sealer, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._sealer = sealer
        self._clock = clock
        self.counts = IntakeCounts()

    async def detections(self) -> None:
        """Accept detections until cancelled."""
        await self._consume(DETECTIONS, self._accept)

    async def healths(self) -> None:
        """Record the cameras' health until cancelled."""
        await self._consume(HEALTH, self._record)

    async def clips(self) -> None:
        """Record what workers made of the clips they were asked for, until cancelled."""
        await self._consume(CLIPS, self._note_clips)

    async def _accept(self, detections: Sequence[Detection]) -> None:
        begun = self._clock.now()
        accepted = await self._store.reports.accept(detections)
        new = sum(one.is_new for one in accepted)
        for one in accepted if is_tracing() else ():
            if one.is_new:
                seq = one.report.seq
                trace(one.report.id, Stage.ACCEPT, begun, self._clock.now(), report_seq=seq)
        self.counts.accepted += new
        self.counts.repeated += len(accepted) - new

    async def _record(self, healths: Sequence[CameraHealth]) -> None:
        await self._store.cameras.record_health(*healths)
        self.counts.healths += len(healths)

    async def _note_clips(self, reports: Sequence[ClipReport]) -> None:
        await self._store.clips.record(reports)

    async def _consume(
        self, topic: Topic[T], keep: Callable[[Sequence[T]], Awaitable[None]]
    ) -> None:
        self._bus.begin(topic, GROUP, CONSUMER)
        while True:
            try:
                deliveries = await self._bus.receive(topic, GROUP, CONSUMER)
            except BusUnavailable:
                # The link says so itself, once; calls go on coming through the database.
                await asyncio.sleep(PAUSE_S)
                continue
            if deliveries:
                await self._keep_at_last(topic, deliveries, keep)
                await self._acknowledge_at_last(topic, [one.entry_id for one in deliveries])

    async def _acknowledge_at_last(self, topic: Topic[T], entry_ids: Sequence[str]) -> None:
        """Acknowledge before anything newer is received: come again later, what a camera was
        would take the place of what it is."""
        while True:
            try:
                return await self._bus.acknowledge(topic, GROUP, entry_ids)
            except BusUnavailable:
                await asyncio.sleep(PAUSE_S)

    async def _keep_at_last(
        self,
        topic: Topic[T],
        deliveries: Sequence[Delivery[T]],
        keep: Callable[[Sequence[T]], Awaitable[None]],
    ) -> None:
        """`_keep`, tried until the database takes it. Let go of, these would come again only when
        they look like a dead consumer's, behind what is newer."""
        while True:
            try:
                return await self._keep(topic, deliveries, keep)
            except DATABASE_AWAY as error:
                _log.error("the database takes nothing; the bus keeps it", why=str(error))
                await asyncio.sleep(PAUSE_S)

    async def _keep(
        self,
        topic: Topic[T],
        deliveries: Sequence[Delivery[T]],
        keep: Callable[[Sequence[T]], Awaitable[None]],
    ) -> None:
        dead = [one for one in deliveries if one.value is None]
        readable = [one for one in deliveries if one.value is not None]
        try:
            await keep([one.value for one in readable if one.value is not None])
        except DATABASE_AWAY:
            raise
        except Exception:  # noqa: BLE001 - found out one by one which it is
            dead += await self._keep_one_by_one(readable, keep)
        if dead:
            letters = [self._letter(topic, one) for one in dead]
            self.counts.dead_letters += await self._store.dead_letters.keep(letters)
            told = [(one.id, one.problem) for one in letters]
            _log.error("deliveries can't be used; kept as dead letters", letters=told)

    def _letter(self, topic: Topic[T], delivery: Delivery[T]) -> DeadLetter:
        raw = delivery.raw
        return DeadLetter(
            id=f"{topic.name}/{delivery.entry_id}",
            problem=delivery.problem,
            sealed=None if raw is None else self._sealer.seal(base64.b64encode(raw).decode()),
        )

    async def _keep_one_by_one(
        self, readable: Sequence[Delivery[T]], keep: Callable[[Sequence[T]], Awaitable[None]]
    ) -> list[Delivery[T]]:
        dead: list[Delivery[T]] = []
        for one in readable:
            try:
                await keep([one.value] if one.value is not None else [])
            except DATABASE_AWAY:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the next may be good
                dead.append(replace(one, value=None, problem=f"{type(error).__name__}: {error}"))
        return dead
