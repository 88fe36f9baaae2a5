"""What the leading process publishes on the bus: the workers' register of streams, what people
decided about their sightings, and that something was committed.

All of it can be had from the database again, so that a bus that lost its memory gets it anew.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

from incidents.fusing.intake import DATABASE_AWAY, PAUSE_S
from incidents.store import Store
from plumbing.bus import Bus, BusUnavailable
from plumbing.clock import Clock
from plumbing.logs import get_logger

_log = get_logger(__name__)

REGISTER_S = 10.0
"""The workers' register is published this often, in case the bus lost its memory."""
VERDICTS_FOR = timedelta(days=120)
"""Workers forget slowly what people decided; after so long nothing of it is left."""


class Publishing:
    """Set an event, or call `wake_at`, and it is told at once."""

    def __init__(self, store: Store, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self.cameras_changed = asyncio.Event()
        self.verdicts_changed = asyncio.Event()
        self._to_wake = asyncio.Event()
        self._wake_seq = 0

    def wake_at(self, seq: int) -> None:
        """The log has come to this entry: those who read it should look."""
        self._wake_seq = seq
        self._to_wake.set()

    async def wakes(self) -> None:
        """Tell of commits until cancelled."""
        while True:
            await self._to_wake.wait()
            self._to_wake.clear()
            with contextlib.suppress(BusUnavailable):
                await self._bus.wake(self._wake_seq)

    async def register(self) -> None:
        """Publish the register of streams until cancelled."""
        while True:
            self.cameras_changed.clear()
            try:
                await self._bus.publish_register(await self._store.cameras.stream_sources())
            except BusUnavailable:
                await asyncio.sleep(PAUSE_S)
                continue
            except DATABASE_AWAY as error:
                _log.error("the register can't be read", why=str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REGISTER_S):
                    await self.cameras_changed.wait()

    async def verdicts(self) -> None:
        """Tell workers what people decide, at once, and again where the bus lost its memory,
        until cancelled.
        """
        while True:
            try:
                if self.verdicts_changed.is_set() or not await self._bus.verdicts_are_published():
                    self.verdicts_changed.clear()
                    since = self._clock.now() - VERDICTS_FOR
                    await self._bus.publish_verdicts(await self._store.verdicts.by_camera(since))
            except (BusUnavailable, *DATABASE_AWAY) as error:
                _log.warning("verdicts can't be published now", why=str(error))
                self.verdicts_changed.set()
                await asyncio.sleep(PAUSE_S)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REGISTER_S):
                    await self.verdicts_changed.wait()
