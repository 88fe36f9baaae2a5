"""Processes of ours that a test may kill, begun in milliseconds.

``python -m tests.incidents.forks`` imports everything once and then forks a child an order, so that
a test can afford twenty deaths. Its children die with it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts import Attachment, CallChannel, CallId, CameraId, ReportId
from incidents.fusing.service import FusionService
from incidents.store import Store
from plumbing.bus import Bus
from plumbing.clock import SystemClock
from plumbing.evidence import FolderEvidence
from plumbing.processes import SUPERVISOR_PID, die_with_parent
from plumbing.settings import Settings
from tests.incidents.make import call, camera

ROOT = Path(__file__).parents[2]


async def hammer(url: str, name: str, count: int) -> None:
    """Write as fast as possible: calls one by one, and a change of a camera after each.

    Says ``accepted ID`` once each call is committed.
    """
    store = await Store.open(url, SystemClock())
    saved = await store.cameras.save(
        camera(id=CameraId(f"camera-{name}")), actor=name, version=None
    )
    for number in range(count):
        body = call(id=ReportId(f"{name}-{number}"), call_id=CallId(f"{name}-{number % 10}"))
        await store.reports.accept([body], actor=name)
        print("accepted", body.id, flush=True)
        saved = await store.cameras.save(
            replace(saved, name=f"{name} {number}"), actor=name, version=saved.version
        )
    await store.close()


async def photograph(url: str, folder: str, count: int) -> None:
    """Take in reports of an app, each with a photo that no other has, as fast as possible.

    Says ``kept EVIDENCE`` once a photo stands in its call.
    """
    store = await Store.open(url, SystemClock())
    evidence = FolderEvidence(Path(folder), 0)
    for number in range(count):
        body = call(
            id=ReportId(f"app-{number}"),
            call_id=CallId(f"app-{number}"),
            channel=CallChannel.APP,
        )
        await store.reports.accept([body], actor="app")
        content = f"photo {number}".encode() * 500
        photo = Attachment(
            evidence_id=evidence.put(content, "image/jpeg"),
            name="banjir.jpg",
            media_type="image/jpeg",
            size_bytes=len(content),
            at=SystemClock().now(),
            actor="app",
        )
        await store.calls.attach(body.call_id, photo)
        print("kept", photo.evidence_id, flush=True)
    await store.close()


async def fuse(url: str, bus_url: str, namespace: str) -> None:
    """Run the fusion service until killed."""
    store = await Store.open(url, SystemClock())
    async with Bus(bus_url, namespace) as bus:
        settings = Settings.model_validate({"fusion": {"writer_lease_s": 2}})
        await FusionService(store, bus, settings, SystemClock()).run()


ACTIONS: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
    "hammer": hammer,
    "photograph": photograph,
    "fuse": fuse,
}


class Forks:
    """The test's side."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.incidents.forks"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, action: str, *args: object, out: Path = Path(os.devnull)) -> int:
        """Begin an action in a process of its own, which prints to ``out``; returns its id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"action": action, "args": args, "out": str(out)}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def is_alive(self, pid: int) -> bool:
        """Whether a child still runs."""
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self, pid: int) -> None:
        """``kill -9``; returns once it is gone."""
        os.kill(pid, signal.SIGKILL)
        while self.is_alive(pid):
            time.sleep(0.001)

    def close(self) -> None:
        """End them all."""
        self._process.communicate()


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Where processes come from."""
    started = Forks()
    yield started
    started.close()


def serve() -> None:
    """The zygote's side: an order a line, a process id a line."""
    # Nobody asks how the children ended; without this they would stay as zombies.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        order = json.loads(line)
        os.environ[SUPERVISOR_PID] = str(os.getpid())
        pid = os.fork()
        if pid == 0:
            die_with_parent()
            os.dup2(os.open(order["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            asyncio.run(ACTIONS[order["action"]](*order["args"]))
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    serve()
