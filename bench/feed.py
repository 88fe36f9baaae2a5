"""`siaga bench feed`: many readers, changes at a steady rate, then a burst; beside bare broadcast.

The API runs in its own process, the changes are committed by another one (this), and the readers
run in two more. Delays run from the entry's time in the database, which lies before its commit, to
its arrival at a reader. Then the same messages at the same rate go through nothing but
`websockets.broadcast` to as many readers: the least that a Python server can do.
"""

from __future__ import annotations

import asyncio
import os
import platform
import statistics
import tempfile
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from api.feed.waking import Waker
from api.wire import encode_entry
from bench.feed_processes import PATIENCE_S, all_open, cpu, findings, heard, process, readers
from bench.feed_readers import Findings, StallFindings, stall_in_process
from bench.feed_servers import api_in_process, bare_in_process
from contracts import CallId, CallReport, LogEntry, ReportId, Sequence
from incidents.people.accounts import Role
from incidents.store import Store
from plumbing.bus import Bus
from plumbing.clock import SystemClock
from plumbing.embedded_bus import EmbeddedBus
from plumbing.ids import new_id
from plumbing.settings import Settings, load_settings

NOTE = "x" * 2_000
"""Makes a change about as large as an incident with its regions is."""
STALL_BATCH = 50
STALL_PAUSE_S = 0.1

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
    bare_seconds: float | None = None
    """Of the comparison, whose CPU is told by the change; none for as long as the rest."""

    @property
    def changes(self) -> int:
        """Of the steady part."""
        return round(self.changes_per_s * self.seconds)

    @property
    def bare_changes(self) -> int:
        """Of the comparison."""
        seconds = self.seconds if self.bare_seconds is None else self.bare_seconds
        return round(self.changes_per_s * seconds)


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
        api = await _measure_api(plan, settings, say)
    bare_cpu_s, bare_burst_cpu_s, bare_delays_s = await _measure_bare(plan, api.entry, say)
    steady, burst, stall = api.steady, api.burst, api.stall
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
        "burst_s": round(burst.last_at_s - api.burst_began_s, 3),
        "server_cpu_s": round(api.cpu_s, 2),
        "server_cpu_ms_a_change": round(api.cpu_s / plan.changes * 1000, 1),
        "bare_changes": plan.bare_changes,
        "bare_cpu_s": round(bare_cpu_s, 2),
        "bare_cpu_ms_a_change": round(bare_cpu_s / plan.bare_changes * 1000, 1),
        "message_bytes": len(encode_entry(api.entry).chained),
        "burst_cpu_s": round(api.burst_cpu_s, 2),
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


@dataclass(frozen=True, slots=True)
class _Api:
    """What the API came to."""

    steady: Findings
    burst: Findings
    burst_began_s: float
    cpu_s: float
    burst_cpu_s: float
    stall: StallFindings
    entry: LogEntry
    """One that it sent; the comparison sends the same."""


async def _measure_api(plan: Plan, settings: Settings, say: Say) -> _Api:
    store = await Store.open(settings.database_url, SystemClock())
    key = await store.keys.issue("bench", Role.VIEWER)
    async with Bus(settings.bus.url or "", settings.bus.namespace) as bus:
        waker = Waker(bus)
        store.listen(waker.committed)
        waking = asyncio.create_task(waker.run())
        with process(api_in_process, settings) as api:
            url = await heard(api)
            headers = {"Authorization": f"Bearer {key}"}
            with readers(plan.readers, f"{url}/ws/v1/feed", headers) as following:
                say(f"connecting {plan.readers} readers")
                await all_open(following)
                say(f"{plan.changes} changes, {plan.changes_per_s:g} a second")
                before_s = await cpu(api)
                await _steadily(plan, plan.changes, lambda _: store.reports.accept([_change()]))
                seq = await store.log.last_seq()
                steady = await findings(following, seq)
                between_s = await cpu(api)
                say(f"a burst of {plan.burst}")
                started_s = time.time()
                await store.reports.accept([_change() for _ in range(plan.burst)])
                burst = await findings(following, seq + plan.burst)
                after_s = await cpu(api)
            stall = await _measure_stall(plan, store, f"{url}/ws/v1/feed", headers, say)
            (entry,) = await store.log.after(seq - 1, 1)
        waking.cancel()
    await store.close()
    return _Api(
        steady=steady,
        burst=burst,
        burst_began_s=started_s,
        cpu_s=between_s - before_s,
        burst_cpu_s=after_s - between_s,
        stall=stall,
        entry=entry,
    )


async def _measure_stall(
    plan: Plan, store: Store, url: str, headers: dict[str, str], say: Say
) -> StallFindings:
    """Readers that stop reading until the server has cut them off, and then come back."""
    if not plan.stalled:
        return StallFindings(0, 0, 0, 0, 0.0)
    say(f"{plan.stalled} readers stall while {plan.stall_changes} changes come")
    with process(stall_in_process, url, headers, plan.stalled) as stalling:
        await heard(stalling)
        left = plan.stall_changes
        while left:
            some = min(STALL_BATCH, left)
            await store.reports.accept([_change() for _ in range(some)])
            left -= some
            # The server must have had time to tell: what it never read it can't be late with.
            await asyncio.sleep(STALL_PAUSE_S)
        stalling.send(("resume", await store.log.last_seq(), PATIENCE_S * 2))
        found: StallFindings = await heard(stalling)
    return found


async def _measure_bare(plan: Plan, entry: LogEntry, say: Say) -> tuple[float, float, array[float]]:
    with process(bare_in_process) as bare:
        url = await heard(bare)
        with readers(plan.readers, f"{url}/", {}) as following:
            say("the same through websockets.broadcast alone")
            await all_open(following)

            async def send(number: int) -> None:
                bare.send(_message(entry, number))

            before_s = await cpu(bare)
            count = plan.bare_changes
            await _steadily(plan, count, send)
            steady = await findings(following, count)
            between_s = await cpu(bare)
            for number in range(count, count + plan.burst):
                await send(number)
            await findings(following, count + plan.burst)
            return between_s - before_s, await cpu(bare) - between_s, steady.delays_s


async def _steadily(plan: Plan, changes: int, do: Callable[[int], Any]) -> None:
    started_s = time.monotonic()
    for number in range(changes):
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


def _message(entry: LogEntry, number: int) -> str:
    """The message that the feed would send of an entry like this one."""
    again = replace(entry, seq=Sequence(number + 1), recorded_at=SystemClock().now())
    return encode_entry(again).chained.decode()


def _quantile(values: list[float], share: float) -> float | None:
    if len(values) < 2:
        return None
    cuts = statistics.quantiles(values, n=1000, method="inclusive")
    return round(cuts[min(998, round(share * 1000) - 1)], 2)


def table(figures: dict[str, Any]) -> str:
    """The figures for people."""
    machine = figures["machine"]
    ours, bare = figures["server_cpu_ms_a_change"], figures["bare_cpu_ms_a_change"]
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
            f"  server CPU      {ours} ms a change of {figures['message_bytes']} bytes"
            f" (bare broadcast {bare} ms; {ours / bare if bare else 0:.2f} times)",
            f"  burst CPU s     {figures['burst_cpu_s']}   (bare {figures['bare_burst_cpu_s']})",
            f"  stalled         {figures['stalled']}: {figures['stalled_cut_off']} cut off,"
            f" {figures['stalled_resumed']} back at the end in {figures['stalled_resume_s']} s,"
            f" lost {figures['stalled_lost']}, out of order {figures['stalled_out_of_order']}",
        )
    )
