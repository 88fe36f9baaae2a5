"""A keeper: one role kept running, with growing waits between its starts."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from siaga.child import Child

_READY_EVERY_S = 0.1
_ALIVE_EVERY_S = 2.0
FAILURES_TOLD = 5
"""After so many failed starts in a row the role's last words are shown, and again each so many."""


@dataclass(frozen=True, kw_only=True)
class Role:
    """One process to keep running.

    Attributes:
        name: unique; shown to people and used in ``roles.json``.
        argv: the command line; holds no secrets (others on the machine can read it).
        environment: on top of the supervisor's own.
        stop_after_s: how long it may take to end after SIGTERM before it is killed.
        ready: whether it does its work by now; None: as soon as it runs. May block for a moment.
        hung_after_s: kill it once ``ready`` has said no for so long after having said yes.
        stage: neighbours of one stage are started and stopped together; empty: its own.
    """

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    stop_after_s: float = 10.0
    ready: Callable[[], bool] | None = None
    hung_after_s: float | None = None
    stage: str = ""


@dataclass(frozen=True, kw_only=True)
class Waits:
    """Pauses before a role is started again: doubling, jittered, forgotten once it has been ready
    for a healthy time."""

    first_s: float = 0.5
    longest_s: float = 30.0
    healthy_after_s: float = 20.0

    def before(self, failures: int) -> float:
        """The pause after so many failures in a row (1, 2 ...), seconds."""
        longest = min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing


class Keeper:
    """Starts a role's process again whenever it ends, until told to stop.

    Args:
        role: what to keep running.
        waits: pauses between starts.
        say: told one line a change of state.
        changed: called whenever `child` changes.
    """

    def __init__(
        self,
        role: Role,
        waits: Waits,
        say: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        self.role = role
        self.child: Child | None = None
        self.settled = asyncio.Event()
        """It was ready once, or failed so often that nobody should wait for it."""
        self._ready_s: float | None = None
        """When the present process became ready. What never was hasn't been healthy either, however
        long it took to fail: on a busy machine even a program that ends at once takes its time."""
        self._waits = waits
        self._tell = say
        self._changed = changed
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """End the process in order, and start it no more; `run` then returns."""
        self._stop.set()

    async def run(self) -> None:
        """Keep the role running until `stop`."""
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await self._keep(stopping)
        finally:
            stopping.cancel()

    async def _keep(self, stopping: asyncio.Task[bool]) -> None:
        failures = 0
        while not stopping.done():
            was_healthy, how, words = await self._run_once(stopping)
            if stopping.done():
                self._say(f"stopped ({how})")
                return
            failures = 1 if was_healthy else failures + 1
            wait_s = self._waits.before(failures)
            self._say(f"ended ({how}); starting it again in {wait_s:.1f} s")
            if failures % FAILURES_TOLD == 0:
                shown = "".join(f"\n    {line}" for line in words.splitlines()) or " nothing"
                self._say(f"failed {failures} times in a row; the last that it wrote:{shown}")
                self.settled.set()
            await asyncio.wait((stopping,), timeout=wait_s)

    async def _run_once(self, stopping: asyncio.Task[bool]) -> tuple[bool, str, str]:
        """Whether it was healthy for long enough, how it ended, and its last words."""
        try:
            child = await Child.start(self.role.argv, self.role.environment)
        except OSError as error:
            return False, f"can't be started: {error}", str(error)
        self.child = child
        self._ready_s = None
        self._changed()
        self._say(f"started (process {child.pid})")
        ended = asyncio.create_task(child.ended())
        watching = asyncio.create_task(self._watch(child))
        try:
            await asyncio.wait((ended, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                child.ask_to_stop()
                await asyncio.wait((ended,), timeout=self.role.stop_after_s)
            if not ended.done():
                self._say(f"did not stop within {self.role.stop_after_s:g} s; killing it")
                child.kill()
            how = await ended
        finally:
            # Also when we are cancelled or a bug of ours ends us: no process outlives its keeper.
            child.kill()
            watching.cancel()
            self.child = None
            self._changed()
        return self._was_healthy(), how, child.last_output()

    def _was_healthy(self) -> bool:
        if self._ready_s is None:
            return False
        return time.monotonic() - self._ready_s >= self._waits.healthy_after_s

    def _say(self, line: str) -> None:
        self._tell(f"{self.role.name}: {line}")

    async def _watch(self, child: Child) -> None:
        """Tell when it is ready, and kill it when it hangs."""
        while not await self._is_ready():  # noqa: ASYNC110 - another process sets no Event
            await asyncio.sleep(_READY_EVERY_S)
        self._ready_s = time.monotonic()
        self._say(f"ready after {child.uptime_s:.1f} s")
        self.settled.set()
        if self.role.hung_after_s is None:
            return
        last_yes_s = time.monotonic()
        while True:
            await asyncio.sleep(_ALIVE_EVERY_S)
            if await self._is_ready():
                last_yes_s = time.monotonic()
            elif time.monotonic() - last_yes_s > self.role.hung_after_s:
                self._say(f"hangs: not ready for {self.role.hung_after_s:g} s; killing it")
                child.kill()
                return

    async def _is_ready(self) -> bool:
        return self.role.ready is None or await asyncio.to_thread(self.role.ready)
