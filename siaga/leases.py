"""Which cameras this worker has: leases on the bus, shared fairly among the living workers.

A lease is taken, renewed every third of its time, and given back when the camera leaves the
register or when more workers have come. A worker that dies renews nothing, and its cameras are
taken by the others once the leases have run out. While the bus is away a worker keeps what it
has: two workers on one camera for a while do less harm than none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from contracts import CameraId, StreamSource
from plumbing.bus import Bus, BusUnavailable, Lease, RegisterMissing
from plumbing.logs import get_logger

_log = get_logger(__name__)


class CameraLeases:
    """The cameras that one worker holds."""

    def __init__(self, bus: Bus, worker: str, lease_s: float, max_cameras: int) -> None:
        self._bus = bus
        self._worker = worker
        self._lease_s = lease_s
        self._max_cameras = max_cameras
        self._presence: Lease | None = None
        self._held: dict[CameraId, Lease] = {}
        self._register: dict[CameraId, StreamSource] = {}

    @property
    def sources(self) -> list[StreamSource]:
        """What to watch now."""
        return [self._register[camera_id] for camera_id in self._held]

    async def refresh(self) -> bool:
        """Read the register, renew, give back and take; False where the bus was away.

        Raises nothing: without a bus the worker goes on with what it has.
        """
        try:
            register = {source.camera_id: source for source in await self._bus.read_register()}
            await self._announce()
            await self._renew(register)
            share = await self._fair_share(len(register))
            await self._give_back_beyond(share)
            await self._take_up_to(share, list(register.values()))
        except RegisterMissing:
            _log.info("waiting for the register of cameras", cameras=len(self._held))
            return False
        except BusUnavailable as error:
            _log.warning("keeping the cameras at hand", cameras=len(self._held), why=str(error))
            return False
        return True

    async def release_all(self) -> None:
        """Hand everything over, on the way out."""
        try:
            for lease in [*self._held.values(), *([self._presence] if self._presence else [])]:
                await self._bus.release_lease(lease)
        except BusUnavailable as error:
            _log.warning("bus is away; leases run out by themselves", why=str(error))
        self._held.clear()
        self._presence = None

    async def _announce(self) -> None:
        if self._presence and await self._bus.renew_lease(self._presence, self._lease_s):
            return
        self._presence = await self._bus.take_lease(
            f"worker/{self._worker}", self._worker, self._lease_s
        )

    async def _renew(self, register: dict[CameraId, StreamSource]) -> None:
        for camera_id, lease in list(self._held.items()):
            if camera_id not in register:
                await self._bus.release_lease(lease)
                del self._held[camera_id]
            elif not await self._bus.renew_lease(lease, self._lease_s):
                # We were silent for too long and another worker has it now.
                _log.warning("lost a camera's lease", camera=camera_id)
                del self._held[camera_id]
        self._register = register

    async def _fair_share(self, cameras: int) -> int:
        workers = max(1, len(await self._bus.leases("worker/")))
        return min(self._max_cameras, math.ceil(cameras / workers))

    async def _give_back_beyond(self, share: int) -> None:
        for camera_id in list(self._held)[share:]:
            await self._bus.release_lease(self._held.pop(camera_id))

    async def _take_up_to(self, share: int, register: Sequence[StreamSource]) -> None:
        for source in register:
            if len(self._held) >= share:
                break
            if source.camera_id in self._held:
                continue
            lease = await self._bus.take_lease(
                f"camera/{source.camera_id}", self._worker, self._lease_s
            )
            if lease is not None:
                self._held[source.camera_id] = lease
        waiting = len(register) - len(self._held)
        if len(self._held) >= self._max_cameras and waiting > 0:
            _log.warning("worker is full", cameras=len(self._held), registered=len(register))
