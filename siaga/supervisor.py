"""The supervisor: starts the roles in order, keeps them running, stops them in reverse order.

It stops when it is asked to: by Ctrl-C, SIGTERM, SIGHUP (a closed terminal) or `Supervisor.stop`;
asked twice, it kills what still runs. Until a role's turn to stop has come it is kept running, so
that those who stop first can still hand over to those who stop last. Should the supervisor itself
be killed, its children die with it (`plumbing.processes`).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import http.client
import itertools
import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from plumbing.embedded_bus import EmbeddedBus
from plumbing.logs import get_logger
from siaga.keeper import Keeper, Role, Waits

__all__ = [
    "Role",
    "Supervisor",
    "SupervisorBusyError",
    "Waits",
    "answers_http",
    "bus_role",
    "refuse_if_running",
]

_log = get_logger("siaga.supervisor")

_ONE_WISH_S = 1.0
"""Signals so close together are one wish: a terminal and a parent may both pass it on."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SupervisorBusyError(Exception):
    """Another supervisor runs with the same folder."""


def bus_role(bus: EmbeddedBus) -> Role:
    """The embedded bus as a role: first to start, last to stop, back at the same address."""
    return Role(name="bus", argv=bus.command(), ready=bus.is_ready, hung_after_s=60.0)


def answers_http(url: str) -> Callable[[], bool]:
    """A `Role.ready` that asks whether ``url``, on this machine, answers with success."""
    # No proxy, whatever the environment says.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ready() -> bool:
        try:
            with opener.open(url, timeout=2.0):
                return True
        except (OSError, http.client.HTTPException):
            return False

    return ready


def refuse_if_running(folder: Path) -> None:
    """For those who are about to touch what a running system uses, before they do.

    Raises:
        SupervisorBusyError: a supervisor runs with this folder.
    """
    if (folder / "lock").exists():
        os.close(_lock(folder))


class Supervisor:
    """Keeps roles running; one a ``folder``. To be made and run in the main thread's event loop.

    Args:
        roles: in the order of their start; each is awaited (`Role.ready`) before the next, unless
            it fails again and again: then the others start without it.
        folder: ``roles.json`` in it tells the roles' process numbers by name, and the
            supervisor's own under ``supervisor``.
        waits: pauses before a role is started again.
        say: told one line a change of state; the log by default.
        welcome: said once all roles have been started.

    Raises:
        ValueError: two roles of one name.
    """

    def __init__(
        self,
        roles: Sequence[Role],
        folder: Path,
        *,
        waits: Waits | None = None,
        say: Callable[[str], None] | None = None,
        welcome: str = "",
    ) -> None:
        names = [role.name for role in roles]
        if len({*names, "supervisor"}) != len(names) + 1:
            raise ValueError(f"roles need names of their own, other than 'supervisor': {names}")
        self._folder = folder
        self._hearer: Callable[[str], None] = say or _log.info
        self._welcome = welcome
        self._stopping = asyncio.Event()
        self._asked_s = 0.0
        stages = itertools.groupby(roles, key=lambda role: role.stage or role.name)
        self._stages = [
            [Keeper(role, waits or Waits(), self._say, self._tell_pids) for role in stage]
            for _, stage in stages
        ]

    def stop(self) -> None:
        """Ask for an orderly stop; asked again a moment later, kill everything that still runs."""
        now_s = time.monotonic()
        if not self._stopping.is_set():
            self._asked_s = now_s
        elif now_s - self._asked_s > _ONE_WISH_S:
            self._say("asked to stop again: killing what still runs")
            for keeper in itertools.chain(*self._stages):
                keeper.stop()
                if keeper.child is not None:
                    keeper.child.kill()
        self._stopping.set()

    async def run(self) -> None:
        """Run until asked to stop. When this returns or raises, no process of ours is left.

        Raises:
            SupervisorBusyError: the folder is another supervisor's.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = _lock(self._folder)
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.stop)
        try:
            await self._run_all()
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
            (self._folder / "roles.json").unlink(missing_ok=True)
            os.close(lock)
        self._say("everything has stopped")

    async def _run_all(self) -> None:
        self._tell_pids()
        running: list[list[asyncio.Task[None]]] = []
        stopping: asyncio.Task[Any] = asyncio.create_task(self._stopping.wait())
        try:
            for stage in self._stages:
                running.append([asyncio.create_task(keeper.run()) for keeper in stage])
                settled: asyncio.Task[Any] = asyncio.create_task(_all_settled(stage))
                await asyncio.wait(
                    (settled, stopping, *itertools.chain(*running)),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                settled.cancel()
                if stopping.done():
                    break
            else:
                if self._welcome:
                    self._say(self._welcome)
            # A keeper ends only when told to, or by a fault of ours that must not be hidden.
            await asyncio.wait(
                (stopping, *itertools.chain(*running)), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            stopping.cancel()
            self._stopping.set()
            for keepers, tasks in reversed(list(zip(self._stages, running, strict=False))):
                for keeper in keepers:
                    keeper.stop()
                await asyncio.wait(tasks)
        for task in itertools.chain(*running):
            task.result()

    def _say(self, line: str) -> None:
        # Nobody hears it any more, or no disk takes it: the roles must go on all the same.
        with contextlib.suppress(OSError, ValueError):
            self._hearer(line)

    def _tell_pids(self) -> None:
        """Write ``roles.json`` whole, so that a reader never sees half of it. What can't be written
        is said: on a full disk roles end and must be started again all the same.
        """
        pids = {"supervisor": os.getpid()} | {
            keeper.role.name: keeper.child.pid
            for keeper in itertools.chain(*self._stages)
            if keeper.child is not None
        }
        part = self._folder / ".roles.json.part"
        try:
            part.write_text(json.dumps(pids))
            part.replace(self._folder / "roles.json")
        except OSError as error:
            self._say(f"roles.json can't be written: {error.strerror}")


async def _all_settled(stage: Sequence[Keeper]) -> None:
    for keeper in stage:
        await keeper.settled.wait()


def _lock(folder: Path) -> int:
    descriptor = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise SupervisorBusyError(
            f"Siaga is running already with {folder.parent}: stop it first, or give this one "
            "another data_dir"
        ) from None
    return descriptor
