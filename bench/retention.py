"""Forgetting in a big database while others write: `python -m bench.retention --incidents 1000000`.

Fills a database as `bench.archive` does, adds calls, messages and entries of the audit log, lets a
month go by on a clock of its own, and runs retention with a tenth of the log due at once, as after
a long time without it. Another process takes calls meanwhile, and tells how long each had to wait:
before retention, and beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from sqlalchemy import func, insert, select

from bench.archive import FILE, FILLED, database_of
from bench.archive_dialects import BEGIN
from bench.archive_fill import CENTRE, fill_postgres, fill_sqlite
from bench.archive_rows import STEP
from contracts import CallerFix, CallId, CallReport, Disc, FixMethod, Hazard, ReportId
from incidents.people.audit_chain import AuditEvent
from incidents.store import Store
from incidents.tables import LogRow, RawMessageRow
from plumbing.clock import HeldClock, SystemClock
from plumbing.evidence import FolderEvidence
from plumbing.ids import new_id
from plumbing.settings import Settings

CALLS = 2_000
MESSAGES = 20_000
AUDITED = 20_000
FILES = 2_000
DUE_SHARE = 0.1
AFTER = timedelta(days=40)
BEFORE_S = 8.0
PAUSE_S = 0.02


async def add(store: Store, clock: HeldClock, evidence: FolderEvidence) -> None:
    """What the archive doesn't hold."""
    for first in range(0, CALLS, 100):
        await store.reports.accept(
            [body for number in range(first, first + 100) for body in _call(number, clock)]
        )
    now = clock.now()
    rows = [
        {
            "id": f"message-{number}",
            "received_seq": -1 - number,
            "channel": "aml",
            "sender": "",
            "received_at": now,
            "seen_at": now,
            "seen": 1,
            "sealed": "x" * 600,
            "is_trusted": False,
            "problems": "[]",
            "call_id": None,
            "fix_ids": "[]",
        }
        for number in range(MESSAGES)
    ]
    async with store._database.changing() as connection:
        await connection.execute(insert(RawMessageRow), rows)
    for _ in range(AUDITED // 500):
        await store.audit.record(
            *(AuditEvent(action="view.call", actor="ani", subject="call-1") for _ in range(500))
        )
    for number in range(FILES):
        kept = evidence.put(f"picture {number}".encode(), "image/jpeg")
        os.utime(evidence.path(kept), (now.timestamp(), now.timestamp()))


def _call(number: int, clock: HeldClock) -> list[CallReport | CallerFix]:
    at = clock.now()
    call_id = CallId(f"call-{number}")
    report = CallReport(
        id=ReportId(f"report-call-{number}"),
        call_id=call_id,
        hazard=Hazard.FIRE,
        note="",
        received_at=at,
    )
    fix = CallerFix(
        id=ReportId(f"report-fix-{number}"),
        call_id=call_id,
        shape=Disc(centre=CENTRE, radius_m=30),
        confidence=0.68,
        method=FixMethod.GNSS,
        source="aml",
        positioned_at=at,
        received_at=at,
    )
    return [report, fix]


async def write(url: str) -> None:
    """Take calls until ended; a line of milliseconds each."""
    store = await Store.open(url, SystemClock())
    while True:
        body = CallReport(
            id=ReportId(new_id("report")),
            call_id=CallId(new_id("call")),
            hazard=Hazard.FIRE,
            note="",
            received_at=store._database.clock.now(),
        )
        started_s = time.perf_counter()
        await store.reports.accept([body])
        print(f"{(time.perf_counter() - started_s) * 1000:.1f}", flush=True)
        await asyncio.sleep(PAUSE_S)


class Writer:
    """`write` in a process of its own."""

    def __init__(self) -> None:
        self.waits_ms: list[float] = []

    @contextlib.asynccontextmanager
    async def running(self, url: str) -> AsyncIterator[Writer]:
        """Write as long as the context lasts."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.retention", "--write", url, stdout=asyncio.subprocess.PIPE
        )
        if process.stdout is None:
            raise RuntimeError("the writer says nothing")
        self.waits_ms.append(float(await process.stdout.readline()))
        reading = asyncio.create_task(self._read(process.stdout))
        try:
            yield self
        finally:
            process.kill()
            await process.wait()
            await reading

    async def _read(self, lines: asyncio.StreamReader) -> None:
        async for line in lines:
            if line.endswith(b"\n"):
                self.waits_ms.append(float(line))

    def taken(self) -> dict[str, float]:
        """How long writers had to wait since the last look."""
        waits, self.waits_ms = self.waits_ms, []
        cuts = quantiles(waits, n=100, method="inclusive")
        return {
            "writes": len(waits),
            "p50_ms": round(cuts[49], 1),
            "p99_ms": round(cuts[98], 1),
            "longest_ms": round(max(waits), 1),
        }


async def run(kind: str, incidents: int, seed: int, folder: Path) -> dict[str, Any]:
    """Fill one database and forget in it."""

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    with database_of(kind, folder) as url:
        store = await Store.open(url, SystemClock())
        await store.close()
        if not (folder / FILLED).exists():
            if kind == "sqlite":
                fill_sqlite(folder / FILE, incidents, seed, say)
            else:
                await fill_postgres(url, incidents, seed, say)
        clock = HeldClock(BEGIN + incidents * STEP)
        evidence = FolderEvidence(folder / "evidence", 0)
        store = await Store.open(url, clock)
        say("calls, messages, audit log, pictures")
        await add(store, clock, evidence)
        clock.advance(AFTER.total_seconds())
        since_first = clock.now() - BEGIN
        log_days = (since_first - DUE_SHARE * incidents * STEP) / timedelta(days=1)
        settings = Settings.model_validate({"retention": {"log_days": log_days, "audit_days": 30}})
        async with Writer().running(url) as writer:
            await asyncio.sleep(BEFORE_S)
            before = writer.taken()
            started_s, cpu_s = time.monotonic(), time.process_time()
            found = await store.retention(settings, evidence).run()
            took_s = time.monotonic() - started_s
            cpu_s = time.process_time() - cpu_s
            beside = writer.taken()
        oldest, last = await store.log.oldest_seq(), await store.log.last_seq()
        counted = await _count(store, oldest)
        verdict = await store.audit.verify()
        await store.close()
    return {
        "database": kind,
        "incidents": incidents,
        "seconds": round(took_s, 1),
        "cpu_s": round(cpu_s, 1),
        "forgotten": asdict(found),
        "writes_before": before,
        "writes_beside": beside,
        "gaps": last - oldest + 1 - counted,
        "audit_broken_at": verdict.broken_seq,
    }


async def _count(store: Store, oldest: int) -> int:
    """Entries of the log from there on."""
    async with store._database.reading(is_long=True) as connection:
        found = await connection.scalar(select(func.count(LogRow.seq)).where(LogRow.seq >= oldest))
    return found or 0


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--incidents", type=int, default=20_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where there is room; default a temporary one")
    parser.add_argument("--write", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.write:
        asyncio.run(write(given.write))
    found = []
    for kind in given.database or ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory(dir=given.folder, prefix="siaga-retention-") as name:
            found.append(asyncio.run(run(kind, given.incidents, given.seed, Path(name))))
    if given.json:
        sys.stdout.write(json.dumps({"rows": found}) + "\n")
    else:
        for one in found:
            sys.stdout.writelines(f"{name:<16} {value}\n" for name, value in one.items())


if __name__ == "__main__":
    main()
