"""Which cameras this worker has: leases on the bus, shared by cost among the living workers.

A lease is taken, renewed every third of its time, and given back when the camera leaves the
register or when others carry less (`siaga.watching.sharing`). A worker that dies renews nothing,
and its cameras are taken by the others once the leases have run out. While the bus is away a worker
keeps what it has: two workers on one camera for a while do less harm than none. When it is back,
leases that ran out meanwhile are taken anew by those that still watch, who for `RETURN_S` take no
others: each finds its own again, and no camera moves.

A camera that is given back is *handed over*: it is watched here until its new worker says, in its
lease's note, that it has pictures of it, or for `HAND_OVER_S`. So neither a new host that joins nor
one that ends leaves a gap.

A worker that was suspended finds its leases gone when it wakes: until it has looked (`is_sound`)
it says nothing of its cameras.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from contracts import CameraId, StreamSource
from plumbing.bus import Bus, BusUnavailable, HeldLease, Lease, RegisterMissing
from plumbing.clock import Clock
from plumbing.logs import get_logger
from plumbing.settings import WorkerSettings
from siaga.watching.lease_notes import (
    camera_note,
    load_of,
    presence_note,
    tells_of_pictures,
)
from siaga.watching.sharing import TOLERANCE, Load, fair_share, to_give_back, to_take

_log = get_logger(__name__)

HAND_OVER_S = 12.0
"""A new worker opens a stream and waits for its keyframe within this, or can't open it at all."""
RETURN_S = 6.0
"""All workers have found out that the bus is back: they look every second, and wait for an answer
for three and five."""
LOOK_EVERY_S = 0.2
DEFAULT_COST = 15.0
"""CPU-milliseconds a second of a camera while none was measured: 720p, keyframes alone."""


@dataclass(frozen=True, slots=True)
class OwnCameras:
    """What a worker knows of its cameras, asked at each round."""

    costs: Callable[[], Mapping[CameraId, float]]
    """CPU-milliseconds a second that each takes; the missing ones are taken for average ones."""
    has_pictures: Callable[[CameraId], bool]
    address: Callable[[], str]
    """Where their live video is to be had."""
    budget: Callable[[], float] = lambda: math.inf
    """CPU-milliseconds a second that its cameras may take together."""


class CameraLeases:
    """The cameras that one worker holds."""

    def __init__(
        self, bus: Bus, worker: str, settings: WorkerSettings, own: OwnCameras, clock: Clock
    ) -> None:
        self._bus = bus
        self._worker = worker
        self._lease_s = settings.lease_s
        self._max_cameras = settings.max_cameras
        self._own = own
        self._clock = clock
        self._presence: Lease | None = None
        self._held: dict[CameraId, Lease] = {}
        self._leaving: dict[CameraId, float] = {}
        """Given back and still watched, with the moment when that ends."""
        self._register: dict[CameraId, StreamSource] = {}
        self._average = DEFAULT_COST
        """Of all workers' cameras, as they were last seen."""
        self._draining = False
        self._has_too_much = False
        self._takes_from_s = float("-inf")
        """The bus was away: until then the others come back to theirs."""
        self._turn = asyncio.Lock()
        self._sound_until_s = float("-inf")

    @property
    def sources(self) -> list[StreamSource]:
        """What to watch now."""
        return [self._register[camera_id] for camera_id in (*self._held, *self._leaving)]

    @property
    def is_sound(self) -> bool:
        """Whether our leases can't have run out since they were last seen."""
        return self._clock.monotonic_s() < self._sound_until_s

    def figures(self) -> dict[str, float]:
        """For the metrics: what is carried, and how much of it fits; CPU-milliseconds a second."""
        figures = {
            "cameras": float(len(self._held)),
            "cameras_cost_ms": sum(self._costs().values()),
        }
        if math.isfinite(budget := self._own.budget()):
            figures["cameras_budget_ms"] = budget
        return figures

    def holds(self, camera_id: CameraId) -> bool:
        """Whether the camera is ours, and not only still watched for the next one."""
        return camera_id in self._held

    def watches(self, camera_id: CameraId) -> bool:
        """Whether the camera is watched here, be it for the next worker."""
        return camera_id in self._held or camera_id in self._leaving

    async def refresh(self) -> bool:
        """Read the register, renew, give back and take; False where the bus was away.

        Raises nothing: without a bus the worker goes on with what it has.
        """
        async with self._turn:
            return not self._draining and await self._refresh()

    async def _refresh(self) -> bool:
        began_s = self._clock.monotonic_s()
        try:
            register = {source.camera_id: source for source in await self._bus.read_register()}
            await self._announce()
            await self._renew(register)
            await self._see_off()
            await self._balance()
        except RegisterMissing:
            _log.info("waiting for the register of cameras", cameras=len(self._held))
            self._wait_for_the_others()
            return False
        except BusUnavailable as error:
            _log.warning("keeping the cameras at hand", cameras=len(self._held), why=str(error))
            self._wait_for_the_others()
            return False
        self._sound_until_s = began_s + self._lease_s
        return True

    def _wait_for_the_others(self) -> None:
        if self._held:
            self._takes_from_s = self._clock.monotonic_s() + RETURN_S

    async def drain(self, changed: Callable[[], None]) -> None:
        """Give everything back, and watch on until others have pictures of it.

        Returns when nothing is left to hand over, or nobody takes it. ``changed`` is called when
        `sources` has become shorter. From now on `refresh` does nothing.
        """
        async with self._turn:
            self._draining = True
        try:
            if self._presence is not None:
                # First, so that the others see that they have to carry more.
                await self._bus.release_lease(self._presence)
                self._presence = None
            for camera_id in list(self._held):
                await self._give_back(camera_id)
            # Where all end at once there is nobody to wait for.
            while self._leaving and await self._bus.leases("worker/"):
                watched = len(self._leaving)
                await self._see_off()
                if len(self._leaving) < watched:
                    changed()
                await asyncio.sleep(LOOK_EVERY_S)
        except BusUnavailable as error:
            _log.warning("bus is away; leases run out by themselves", why=str(error))
        self._leaving.clear()

    async def release_all(self) -> None:
        """Give everything back at once, on the way out."""
        try:
            for lease in [*self._held.values(), *([self._presence] if self._presence else [])]:
                await self._bus.release_lease(lease)
        except BusUnavailable as error:
            _log.warning("bus is away; leases run out by themselves", why=str(error))
        self._held.clear()
        self._leaving.clear()
        self._presence = None

    async def _announce(self) -> None:
        costs = self._costs()
        cost = sum(costs.values())
        full = len(costs) >= self._max_cameras or cost >= self._own.budget()
        note = presence_note(Load(len(costs), cost, full))
        if self._presence is not None:
            (renewed,) = await self._bus.renew_leases([self._presence], self._lease_s, [note])
            if renewed:
                return
        self._presence = await self._bus.take_lease(
            f"worker/{self._worker}", self._worker, self._lease_s, note=note
        )

    async def _renew(self, register: dict[CameraId, StreamSource]) -> None:
        for camera_id in [one for one in self._held if one not in register]:
            await self._bus.release_lease(self._held.pop(camera_id))
        for camera_id in [one for one in self._leaving if one not in register]:
            del self._leaving[camera_id]
        held = list(self._held)
        renewed = await self._bus.renew_leases(
            [self._held[camera_id] for camera_id in held],
            self._lease_s,
            [self._note(camera_id) for camera_id in held],
        )
        for camera_id, is_ours in zip(held, renewed, strict=True):
            if is_ours:
                continue
            # We were silent for too long; another worker may have it now.
            lease = await self._take(camera_id)
            if lease is None:
                _log.warning("lost a camera's lease", camera=camera_id)
                del self._held[camera_id]
            else:
                self._held[camera_id] = lease
                self._wait_for_the_others()  # whose leases have run out as well, perhaps
        self._register = register

    async def _see_off(self) -> None:
        """Let go of the cameras that others have pictures of by now."""
        leaving = list(self._leaving)
        now_s = self._clock.monotonic_s()
        for camera_id, lease in zip(leaving, await self._look(leaving), strict=True):
            if lease is not None and lease.holder != self._worker and tells_of_pictures(lease):
                del self._leaving[camera_id]
            elif now_s >= self._leaving[camera_id]:
                _log.warning("handed a camera over to nobody that has pictures", camera=camera_id)
                del self._leaving[camera_id]

    async def _balance(self) -> None:
        workers = sorted(await self._bus.leases("worker/"))
        loads = [
            load_of(lease) for lease in await self._bus.look_at_leases(workers) if lease is not None
        ]
        costs = self._costs()
        watched = sum(load.cameras for load in loads)
        if watched:
            self._average = sum(load.cost for load in loads) / watched
        share = fair_share(loads, max(0, len(self._register) - watched), self._average)
        # No more are taken than fit, and what has come to cost too much is given back, while there
        # is a worker with room. Where there is none, a camera that is looked at seldom
        # (`camera_ingest.shedding`) is better than one that isn't.
        budget = self._own.budget()
        if not all(load.is_full for load in loads):
            share = min(share, budget)
        for camera_id in to_give_back(costs, share, self._max_cameras):
            await self._give_back(camera_id)
        carried = sum(costs[camera_id] for camera_id in self._held)
        room = self._max_cameras - len(self._held)
        if carried < share and room > 0 and self._clock.monotonic_s() >= self._takes_from_s:
            carried += await self._take_up_to(share, carried, room)
        self._say_whether_all_fit(carried, budget)
        if room <= 0 and watched < len(self._register):
            _log.warning("worker is full", cameras=len(self._held), registered=len(self._register))

    def _say_whether_all_fit(self, carried_ms: float, budget_ms: float) -> None:
        """Once a change: that nobody had room for what is too much here, and that it fits again."""
        too_much = carried_ms > budget_ms * (1 + TOLERANCE)
        if too_much == self._has_too_much:
            return
        self._has_too_much = too_much
        figures = {"cost_ms": round(carried_ms), "fits_ms": round(budget_ms)}
        if too_much:
            _log.warning("more cameras than fit", cameras=len(self._held), **figures)
        else:
            _log.info("all cameras fit again", cameras=len(self._held), **figures)

    async def _take_up_to(self, share: float, carried: float, room: int) -> float:
        """Take free cameras; what they are expected to cost."""
        others = [
            camera_id
            for camera_id in self._register
            if camera_id not in self._held and camera_id not in self._leaving
        ]
        free = [
            camera_id
            for camera_id, lease in zip(others, await self._look(others), strict=True)
            if lease is None
        ]
        average = carried / len(self._held) if self._held else self._average
        before = len(self._held)
        for camera_id in to_take(dict.fromkeys(free, average), carried, share, room):
            lease = await self._take(camera_id)
            if lease is not None:
                self._held[camera_id] = lease
        return average * (len(self._held) - before)

    async def _take(self, camera_id: CameraId) -> Lease | None:
        return await self._bus.take_lease(
            _name(camera_id), self._worker, self._lease_s, note=self._note(camera_id)
        )

    async def _give_back(self, camera_id: CameraId) -> None:
        await self._bus.release_lease(self._held.pop(camera_id))
        self._leaving[camera_id] = self._clock.monotonic_s() + HAND_OVER_S

    async def _look(self, camera_ids: list[CameraId]) -> list[HeldLease | None]:
        return await self._bus.look_at_leases([_name(camera_id) for camera_id in camera_ids])

    def _costs(self) -> dict[CameraId, float]:
        """Of the cameras held; a new one counts as an average one."""
        known = self._own.costs()
        measured = [known[camera_id] for camera_id in self._held if camera_id in known]
        average = sum(measured) / len(measured) if measured else self._average
        return {camera_id: known.get(camera_id, average) for camera_id in self._held}

    def _note(self, camera_id: CameraId) -> str:
        return camera_note(self._own.address(), has_pictures=self._own.has_pictures(camera_id))


def _name(camera_id: CameraId) -> str:
    return f"camera/{camera_id}"
