"""`siaga bench feed`: many readers, changes at a steady rate, then a burst; beside bare broadcast.

The API runs in its own process, the changes are committed by another one (this), and the readers
run in two more. Delays run from the entry's time in the database, which lies before its commit, to
its arrival at a reader. Then the same messages at the same rate go through nothing but
`websockets.broadcast` to as many readers: the least that a Python server can do.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import platform
import statistics
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from api.feed.waking import Waker
from bench.feed_readers import Findings, StallFindings, read_in_process, stall_in_process
from bench.feed_servers import api_in_process, bare_in_process
from contracts import CallId, CallReport, ReportId
from incidents.people.accounts import Role
from incidents.store import Store
from plumbing.bus import Bus
from plumbing.clock import SystemClock
from plumbing.embedded_bus import EmbeddedBus
from plumbing.ids import new_id
from plumbing.settings import Settings, load_settings

READER_PROCESSES = 2
NOTE = "x" * 2_000
"""Makes a change about as large as an incident with its regions is."""
PATIENCE_S = 60.0
STALL_BATCH = 50
STALL_PAUSE_S = 0.1
_spawn = multiprocessing.get_context("spawn")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to do."""

    readers: int = 500
    changes_per_s: float = 5.0
    seconds: float = 20.0
    burst: int = 500
    stalled: int = 50
    """Readers that stop reading while `stall_changes` come."""
    stall_changes: int = 1_500

    @property
    def changes(self) -> int:
        """Of the steady part."""
        return round(self.changes_per_s * self.seconds)


def run(plan: Plan = Plan(), say: Say = lambda _text: None) -> dict[str, Any]:
    """Run it and return the figures, ready for JSON."""
    with tempfile.TemporaryDirectory(prefix="siaga-bench-") as folder:
        return asyncio.run(_run(plan, Path(folder), say))


async def _run(plan: Plan, folder: Path, say: Say) -> dict[str, Any]:
    with EmbeddedBus(folder) as server:
        settings = load_settings(
            None,
            {
                "SIAGA__DATA_DIR": str(folder),
                "SIAGA__BUS__URL": server.url,
                "SIAGA__API__PORT": "0",
                "SIAGA__EVIDENCE__MIN_FREE_BYTES": "0",
            },
        )
        steady, burst, burst_s, cpu_s, burst_cpu_s, stall = await _measure_api(plan, settings, say)
    bare_cpu_s, bare_burst_cpu_s, bare_delays_s = await _measure_bare(plan, say)
    expected = plan.readers * (plan.changes + plan.burst)
    delays_ms = [delay * 1000 for delay in steady.delays_s]
    return {
        "readers": plan.readers,
        "changes": plan.changes,
        "burst": plan.burst,
        "lost": expected - steady.received - burst.received,
        "out_of_order": steady.out_of_order + burst.out_of_order,
        "p50_ms": _quantile(delays_ms, 0.50),
        "p95_ms": _quantile(delays_ms, 0.95),
        "p99_ms": _quantile(delays_ms, 0.99),
        "burst_s": round(burst_s, 3),
        "server_cpu_s": round(cpu_s, 2),
        "bare_cpu_s": round(bare_cpu_s, 2),
        "burst_cpu_s": round(burst_cpu_s, 2),
        "bare_burst_cpu_s": round(bare_burst_cpu_s, 2),
        "bare_p50_ms": _quantile([delay * 1000 for delay in bare_delays_s], 0.50),
        "bare_p99_ms": _quantile([delay * 1000 for delay in bare_delays_s], 0.99),
        "stalled": plan.stalled,
        "stall_changes": plan.stall_changes,
        "stalled_cut_off": stall.cut_off,
        "stalled_resumed": stall.complete,
        "stalled_lost": plan.stalled * plan.stall_changes - stall.received,
        "stalled_out_of_order": stall.out_of_order,
        "stalled_resume_s": round(stall.seconds, 2),
        "machine": {
            "cpus": os.cpu_count(),
            "load_1min": round(os.getloadavg()[0], 1),
            "processor": platform.machine(),
            "python": platform.python_version(),
        },
    }


async def _measure_api(
    plan: Plan, settings: Settings, say: Say
) -> tuple[Findings, Findings, float, float, float, StallFindings]:
    store = await Store.open(settings.database_url, SystemClock())
    key = await store.keys.issue("bench", Role.VIEWER)
    async with Bus(settings.bus.url or "", settings.bus.namespace) as bus:
        waker = Waker(bus)
        store.listen(waker.committed)
        waking = asyncio.create_task(waker.run())
        with _process(api_in_process, settings) as api:
            url = await _heard(api)
            headers = {"Authorization": f"Bearer {key}"}
            with _readers(plan.readers, f"{url}/ws/v1/feed", headers) as readers:
                say(f"connecting {plan.readers} readers")
                await _all_open(readers)
                say(f"{plan.changes} changes, {plan.changes_per_s:g} a second")
                before_s = await _cpu(api)
                await _steadily(plan, lambda _: store.reports.accept([_change()]))
                seq = await store.log.last_seq()
                steady = await _findings(readers, seq)
                between_s = await _cpu(api)
                say(f"a burst of {plan.burst}")
                started_s = time.time()
                await store.reports.accept([_change() for _ in range(plan.burst)])
                burst = await _findings(readers, seq + plan.burst)
                after_s = await _cpu(api)
            stall = await _measure_stall(plan, store, f"{url}/ws/v1/feed", headers, say)
        waking.cancel()
    await store.close()
    burst_s = burst.last_at_s - started_s
    return steady, burst, burst_s, between_s - before_s, after_s - between_s, stall


async def _measure_stall(
    plan: Plan, store: Store, url: str, headers: dict[str, str], say: Say
) -> StallFindings:
    """Readers that stop reading until the server has cut them off, and then come back."""
    if not plan.stalled:
        return StallFindings(0, 0, 0, 0, 0.0)
    say(f"{plan.stalled} readers stall while {plan.stall_changes} changes come")
    with _process(stall_in_process, url, headers, plan.stalled) as readers:
        await _heard(readers)
        left = plan.stall_changes
        while left:
            some = min(STALL_BATCH, left)
            await store.reports.accept([_change() for _ in range(some)])
            left -= some
            # The server must have had time to tell: what it never read it can't be late with.
            await asyncio.sleep(STALL_PAUSE_S)
        readers.send(("resume", await store.log.last_seq(), PATIENCE_S * 2))
        found: StallFindings = await _heard(readers)
    return found


async def _measure_bare(plan: Plan, say: Say) -> tuple[float, float, array[float]]:
    with _process(bare_in_process) as bare:
        url = await _heard(bare)
        with _readers(plan.readers, f"{url}/", {}) as readers:
            say("the same through websockets.broadcast alone")
            await _all_open(readers)

            async def send(number: int) -> None:
                bare.send(_message(number))

            before_s = await _cpu(bare)
            await _steadily(plan, send)
            steady = await _findings(readers, plan.changes)
            between_s = await _cpu(bare)
            for number in range(plan.changes, plan.changes + plan.burst):
                await send(number)
            await _findings(readers, plan.changes + plan.burst)
            return between_s - before_s, await _cpu(bare) - between_s, steady.delays_s


async def _steadily(plan: Plan, do: Callable[[int], Any]) -> None:
    started_s = time.monotonic()
    for number in range(plan.changes):
        wait_s = started_s + number / plan.changes_per_s - time.monotonic()
        await asyncio.sleep(max(0.0, wait_s))
        await do(number)


def _change() -> CallReport:
    return CallReport(
        id=ReportId(new_id("report")),
        call_id=CallId(new_id("call")),
        hazard=None,
        note=NOTE,
        received_at=SystemClock().now(),
    )


def _message(number: int) -> str:
    """A change as the feed sends it, of the same size."""
    at = SystemClock().now().isoformat()
    head = f'{{"type":"change","seq":{number + 1},"prev_seq":{number},"recorded_at":"{at}",'
    return head + json.dumps({"subject": {"note": NOTE, "filler": "y" * 380}})[1:]


@contextmanager
def _process(body: Callable[..., None], *arguments: Any) -> Iterator[Connection]:
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=body, args=(theirs, *arguments))
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        if process.is_alive():
            ours.send("end")
        process.join(10)
        if process.is_alive():
            process.kill()
            process.join()


@contextmanager
def _readers(count: int, url: str, headers: dict[str, str]) -> Iterator[list[Connection]]:
    half = count // READER_PROCESSES
    shares = [half] * (READER_PROCESSES - 1)
    shares.append(count - sum(shares))
    with (
        _process(read_in_process, url, headers, shares[0]) as one,
        _process(read_in_process, url, headers, shares[1]) as two,
    ):
        yield [one, two]


async def _heard(pipe: Connection) -> Any:
    """The next thing said over a pipe; EOFError where the process has ended instead."""
    return await asyncio.to_thread(pipe.recv)


async def _all_open(readers: list[Connection]) -> None:
    await asyncio.gather(*map(_heard, readers))


async def _cpu(server: Connection) -> float:
    server.send("cpu")
    return float(await _heard(server))


async def _findings(readers: list[Connection], seq: int) -> Findings:
    for reader in readers:
        reader.send(("findings", seq, PATIENCE_S))
    found: list[Findings] = await asyncio.gather(*map(_heard, readers))
    delays = array("d")
    for one in found:
        delays.extend(one.delays_s)
    return Findings(
        received=sum(one.received for one in found),
        out_of_order=sum(one.out_of_order for one in found),
        closed=sum(one.closed for one in found),
        last_at_s=max(one.last_at_s for one in found),
        delays_s=delays,
    )


def _quantile(values: list[float], share: float) -> float | None:
    if len(values) < 2:
        return None
    cuts = statistics.quantiles(values, n=1000, method="inclusive")
    return round(cuts[min(998, round(share * 1000) - 1)], 2)


def table(figures: dict[str, Any]) -> str:
    """The figures for people."""
    machine = figures["machine"]
    ratio = figures["server_cpu_s"] / figures["bare_cpu_s"] if figures["bare_cpu_s"] else 0.0
    return "\n".join(
        (
            f"{figures['readers']} readers, {figures['changes']} changes, then {figures['burst']}"
            f" at once; {machine['cpus']} CPUs ({machine['processor']}), load"
            f" {machine['load_1min']}, Python {machine['python']}",
            f"  lost {figures['lost']}, out of order {figures['out_of_order']}",
            f"  delay ms        p50 {figures['p50_ms']}  p95 {figures['p95_ms']}"
            f"  p99 {figures['p99_ms']}   (bare: p50 {figures['bare_p50_ms']}"
            f"  p99 {figures['bare_p99_ms']})",
            f"  burst to all    {figures['burst_s']} s",
            f"  server CPU s    {figures['server_cpu_s']}   (bare broadcast"
            f" {figures['bare_cpu_s']}; {ratio:.2f} times)",
            f"  burst CPU s     {figures['burst_cpu_s']}   (bare {figures['bare_burst_cpu_s']})",
            f"  stalled         {figures['stalled']}: {figures['stalled_cut_off']} cut off,"
            f" {figures['stalled_resumed']} back at the end in {figures['stalled_resume_s']} s,"
            f" lost {figures['stalled_lost']}, out of order {figures['stalled_out_of_order']}",
        )
    )
