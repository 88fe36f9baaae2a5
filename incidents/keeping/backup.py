"""The database copied out while it runs, and in again: one moment of every table, on either kind.

A dump is one compressed file of JSON lines a table, the first line naming its columns, so that what
was dumped from SQLite can be loaded into PostgreSQL and the other way round. The whole is read
within one transaction that sees one moment (`Database.reading`), so an incident, its log entries
and the audit log agree. Signed-in browsers are left out: who restores lets them sign in again.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from alembic.migration import MigrationContext
from sqlalchemy import (
    Boolean,
    Connection,
    DateTime,
    MetaData,
    Table,
    delete,
    func,
    insert,
    select,
    tuple_,
)

from incidents import migrations
from incidents.database import Database
from incidents.errors import StoreError
from incidents.people.audit_chain import read_head
from incidents.tables import SessionRow
from incidents.tables import Table as Declared
from plumbing.clock import Clock

BATCH = 2_000
LONGEST_ROW = 64 * 2**20
"""Characters of one row: far more than any of ours has, and a compressed file may claim more than
there is memory."""
_IS_NAME = re.compile(r"[a-z][a-z_]{0,59}")
_LEFT_OUT = frozenset({SessionRow.__tablename__})
_SEEDED = frozenset({"alembic_version", "audit_anchor", "counters", "fusion_writer"})
"""Tables that hold rows from the start."""


class BackupUnusable(StoreError):
    """A backup can't be loaded, here or at all; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpedTable:
    """One table's file."""

    name: str
    rows: int
    sha256: str

    def __post_init__(self) -> None:
        # It becomes a file's name, and a manifest may be anybody's.
        if not _IS_NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no table's name")

    @property
    def file_name(self) -> str:
        """Within the dump's folder."""
        return f"{self.name}.jsonl.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dump:
    """What was dumped, and from which version of the tables."""

    revision: str
    tables: tuple[DumpedTable, ...]
    audit_head: str
    """The end of the audit log's chain at that moment."""


async def dump(database: Database, folder: Path) -> Dump:
    """Write every table of one moment into files of ``folder``."""
    async with database.reading(is_long=True) as connection:
        head = await read_head(connection)
        return await connection.run_sync(_dump_all, folder, str(head))


def _dump_all(connection: Connection, folder: Path, audit_head: str) -> Dump:
    folder.mkdir(parents=True, exist_ok=True)
    revision = MigrationContext.configure(connection).get_current_revision()
    tables = [
        _dump_table(connection, table, folder)
        for table in Declared.metadata.sorted_tables
        if table.name not in _LEFT_OUT
    ]
    return Dump(revision=revision or "", tables=tuple(tables), audit_head=audit_head)


def _dump_table(connection: Connection, table: Table, folder: Path) -> DumpedTable:
    path = folder / f"{table.name}.jsonl.gz"
    names = [column.name for column in table.columns]
    count = 0
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=3) as file:
        file.write(json.dumps({"table": table.name, "columns": names}) + "\n")
        for row in _rows(connection, table):
            file.write(json.dumps([_out(value) for value in row], ensure_ascii=False) + "\n")
            count += 1
    return DumpedTable(name=table.name, rows=count, sha256=sha256_of(path))


def _rows(connection: Connection, table: Table) -> Iterator[Any]:
    """All rows by key, a batch at a time: our SQLite driver fetches a whole answer at once."""
    keys = list(table.primary_key.columns)
    last: tuple[Any, ...] | None = None
    while True:
        statement = select(table).order_by(*keys).limit(BATCH)
        if last is not None:
            statement = statement.where(tuple_(*keys) > tuple_(*last))
        rows = connection.execute(statement).all()
        yield from rows
        if len(rows) < BATCH:
            return
        last = tuple(rows[-1]._mapping[key] for key in keys)


async def load(url: str, clock: Clock, dumped: Dump, folder: Path) -> None:
    """Fill an empty database with a dump and bring it up to date; all of it or nothing.

    Raises:
        BackupUnusable: the database holds something, or a file isn't what was dumped.
        StoreUnusable: the database can't be opened, or the dump is a newer program's.
    """
    check_files(dumped, folder)
    database = await Database.open(url, clock)
    try:
        async with database.changing() as connection:
            await connection.run_sync(_load_all, dumped, folder)
    finally:
        await database.close()


async def require_empty(url: str, clock: Clock) -> None:
    """Whether a dump can be loaded into a database, before anything is done for it.

    Raises:
        BackupUnusable: it holds something.
        StoreUnusable: it can't be opened.
    """
    database = await Database.open(url, clock)
    try:
        async with database.reading(is_long=True) as connection:
            await connection.run_sync(_require_empty)
    finally:
        await database.close()


def check_files(dumped: Dump, folder: Path) -> None:
    """Whether the files are those that were written.

    Raises:
        BackupUnusable: one is missing or was changed.
    """
    for table in dumped.tables:
        path = folder / table.file_name
        if not path.is_file():
            raise BackupUnusable(f"{path} is missing from the backup")
        if sha256_of(path) != table.sha256:
            raise BackupUnusable(f"{path} is not what was written: it is damaged or was changed")


def _load_all(connection: Connection, dumped: Dump, folder: Path) -> None:
    _require_empty(connection)
    if dumped.revision != MigrationContext.configure(connection).get_current_revision():
        migrations.downgrade(connection, "base")
        migrations.upgrade(connection, dumped.revision)
    known = MetaData()
    known.reflect(connection)
    for name in sorted(_SEEDED - {"alembic_version"}):
        if name in known.tables:
            connection.execute(delete(known.tables[name]))
    files = {table.name: folder / table.file_name for table in dumped.tables}
    for table in known.sorted_tables:
        if table.name in files:
            _load_table(connection, table, files[table.name])
    migrations.upgrade(connection)


def _require_empty(connection: Connection) -> None:
    for table in Declared.metadata.sorted_tables:
        if table.name in _SEEDED:
            continue
        if connection.scalar(select(func.count()).select_from(table.select().limit(1).subquery())):
            raise BackupUnusable(
                f"the database is not empty (there is something in {table.name}): restore into a "
                "new one, and move the old one out of the way first"
            )


def _load_table(connection: Connection, table: Table, path: Path) -> None:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = _lines(file, path)
        columns = [table.columns[name] for name in json.loads(next(lines))["columns"]]
        batch: list[dict[str, Any]] = []
        for line in lines:
            values = json.loads(line)
            batch.append(
                {
                    column.name: _in(column, value, connection.dialect.name)
                    for column, value in zip(columns, values, strict=True)
                }
            )
            if len(batch) >= BATCH:
                connection.execute(insert(table), batch)
                batch.clear()
        if batch:
            connection.execute(insert(table), batch)


def _lines(file: TextIO, path: Path) -> Iterator[str]:
    while line := file.readline(LONGEST_ROW):
        if len(line) == LONGEST_ROW:
            raise BackupUnusable(f"{path} holds a row that is longer than any of ours")
        yield line


def _out(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _in(column: Any, value: Any, dialect: str) -> Any:
    if value is None:
        return None
    if isinstance(column.type, DateTime):
        moment = datetime.fromisoformat(value)
        # As `UtcTime` keeps them.
        return moment.replace(tzinfo=None) if dialect == "sqlite" else moment
    if isinstance(column.type, Boolean):
        return bool(value)
    return value


def sha256_of(path: Path) -> str:
    """Of a file's content, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
