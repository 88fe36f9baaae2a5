"""The feed connections of this process: those of a revoked session or key are closed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from api.feed.connection import CLOSE_SIGNED_OUT
from api.rights.identity import Identity
from plumbing.logs import get_logger

CHECK_S = 2.0
"""How long a connection may outlive its session where another process ended that; a little longer
with many readers, since at most one look-up is made every `PACE_S`."""
PACE_S = 0.02

_log = get_logger(__name__)


class Present(Protocol):
    """A connection that can be closed."""

    def end(self, code: int, reason: str) -> None:
        """Close it."""
        ...


class FeedReaders:
    """Who is connected, by what they came in with."""

    def __init__(self, still_holds: Callable[[Identity], Awaitable[bool]]) -> None:
        self._still_holds = still_holds
        self._present: dict[Identity, set[Present]] = defaultdict(set)
        self.stopping = asyncio.Event()
        """Set when this process is about to stop. Websockets are closed by the server itself; an
        event stream would look to it like an answer that takes long, and be cut off."""

    @contextmanager
    def present(self, identity: Identity, connection: Present) -> Iterator[None]:
        """Know of a connection while it lasts."""
        self._present[identity].add(connection)
        try:
            yield
        finally:
            self._present[identity].discard(connection)
            if not self._present[identity]:
                del self._present[identity]

    def sign_out(self, identity: Identity) -> None:
        """Close everything that came in with this session or key."""
        for connection in list(self._present.get(identity, ())):
            connection.end(CLOSE_SIGNED_OUT, "signed out")

    async def run(self) -> None:
        """Look now and then whether everybody may still be here; until cancelled."""
        while True:
            await asyncio.sleep(CHECK_S)
            for identity in list(self._present):
                try:
                    holds = await self._still_holds(identity)
                except Exception as error:  # noqa: BLE001 - a database that is away signs nobody out
                    _log.warning("sessions can't be checked", error=str(error))
                    break
                if not holds:
                    self.sign_out(identity)
                await asyncio.sleep(PACE_S)
