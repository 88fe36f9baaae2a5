"""A big database to ask: filled by the database itself, beside the store.

Rows are put together by SQL (`bench.archive_rows`) from templates that our own code has encoded, in
the order of their keys, and indexes are made afterwards: a million incidents with ten log entries
each take minutes, not hours.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.archive_dialects import Postgres, Sqlite
from bench.archive_rows import ENTRIES_AN_INCIDENT, PLACES, Rows, made_incident
from contracts import LonLat
from incidents.words import words_of

CENTRE = LonLat(106.9920, -6.2383)
AREAS = tuple(f"Kecamatan {number}" for number in range(12))
CHUNK = 50_000
_TABLES = ("incidents", "log", "incident_words")

Say = Callable[[str], None]


def _places(seed: int) -> Iterator[tuple[tuple[Any, ...], list[str]]]:
    """Rows of ``places``, and the words of each."""
    chance = random.Random(seed)  # noqa: S311 - a scenario, no secret
    for number in range(PLACES):
        lon = round(CENTRE.lon + chance.gauss(0, 0.05), 6)
        lat = round(CENTRE.lat + chance.gauss(0, 0.05), 6)
        area = chance.choice(AREAS)
        words = [
            word
            for word in words_of(made_incident(LonLat(lon, lat), area))
            if not word.startswith(("hazard:", "level:"))
        ]
        row = (number, lon, lat, str(lon), str(lat), area, "_".join(area.split()))
        yield row, sorted(words)


_PLACES = (
    "CREATE TEMP TABLE places (number INTEGER PRIMARY KEY, lon DOUBLE PRECISION, "
    "lat DOUBLE PRECISION, lon_text TEXT, lat_text TEXT, area TEXT, area_tag TEXT)",
    "CREATE TEMP TABLE place_words (place INTEGER, word TEXT)",
    "CREATE INDEX place_words_by_place ON place_words (place)",
)


def fill_sqlite(path: Path, incidents: int, seed: int, say: Say) -> None:
    """Fill a migrated file beside the store, which is closed meanwhile."""
    connection = sqlite3.connect(path, isolation_level=None)
    # For this filling alone: a crash would cost the file, which is made for the benchmark.
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000"):
        connection.execute(f"PRAGMA {pragma}")
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
        "AND tbl_name IN (?, ?, ?)",
        _TABLES,
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    for statement in _PLACES:
        connection.execute(statement)
    for row, words in _places(seed):
        connection.execute("INSERT INTO places VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        connection.executemany(
            "INSERT INTO place_words VALUES (?, ?)", [(row[0], word) for word in words]
        )
    made = Rows(Sqlite(), incidents)
    connection.execute("BEGIN")
    for first, last in _chunks(incidents):
        for statement in made.statements(first, last):
            connection.execute(statement)
        say(f"sqlite {last}")
    connection.execute(made.word_rows())
    connection.execute("COMMIT")
    for name, sql in indexes:
        say(f"sqlite {name}")
        connection.execute(sql)
    connection.execute(
        "UPDATE counters SET value = ? WHERE name = 'log'", (incidents * ENTRIES_AN_INCIDENT,)
    )
    connection.execute("PRAGMA analysis_limit = 1000")
    connection.execute("ANALYZE")
    connection.close()


async def fill_postgres(url: str, incidents: int, seed: int, say: Say) -> None:
    """The same in PostgreSQL."""
    import asyncpg  # type: ignore[import-untyped]

    connection = await asyncpg.connect(url)
    for setting in ("synchronous_commit = off", "maintenance_work_mem = '1GB'", "work_mem = '1GB'"):
        await connection.execute(f"SET {setting}")
    indexes = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY($1) AND indexname NOT IN "
        "(SELECT conname FROM pg_constraint)",
        list(_TABLES),
    )
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['indexname']}")
    for statement in _PLACES:
        await connection.execute(statement)
    places = list(_places(seed))
    await connection.copy_records_to_table("places", records=[row for row, _ in places])
    await connection.copy_records_to_table(
        "place_words", records=[(row[0], word) for row, words in places for word in words]
    )
    await connection.execute("ANALYZE places, place_words")
    made = Rows(Postgres(), incidents)
    for first, last in _chunks(incidents):
        for statement in made.statements(first, last):
            await connection.execute(statement)
        say(f"postgresql {last}")
    await connection.execute(made.word_rows())
    for index in indexes:
        say(f"postgresql {index['indexname']}")
        await connection.execute(index["indexdef"])
    await connection.execute(
        "UPDATE counters SET value = $1 WHERE name = 'log'", incidents * ENTRIES_AN_INCIDENT
    )
    for table in _TABLES:
        await connection.execute(f"VACUUM ANALYZE {table}")
    await connection.close()


def _chunks(incidents: int) -> Iterator[tuple[int, int]]:
    for first in range(0, incidents, CHUNK):
        yield first, min(first + CHUNK, incidents)
