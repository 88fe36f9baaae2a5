"""What stands between the store and a database of each kind: address, driver, settings, and how a
transaction begins.

An access of ``read``, ``long read`` or ``write`` is an execution option (``siaga_access``) of each
connection; see `incidents.database`.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from incidents import sqlite_driver
from incidents.errors import StoreUnusable
from incidents.turns import Turns

LONGEST_WAIT_S = 15.0
"""How long one waits for another process's transaction on SQLite. Ours take milliseconds; a longer
wait means a process that hangs, and an error is the better answer then."""

_POSTGRES_SETTINGS = {"jit": "off", "max_parallel_workers_per_gather": "0"}
"""What we ask is answered from an index in milliseconds: compiling it, or starting processes for
it, takes longer."""

_AWAY = ("08", "40", "53", "55", "57", "58")
"""PostgreSQL's classes of errors that speak of the server or the moment: a lost connection, a
transaction taken back, no room or memory, a lock, a shutdown, its disk."""
_READ_ONLY = "25006"
"""What was the primary until a moment ago says this to writers."""

_BEGINNINGS = {
    "read": sqlite_driver.BEGIN_READ,
    "long read": sqlite_driver.BEGIN_LONG_READ,
    "write": sqlite_driver.BEGIN_WRITE,
}


def async_url(url: str) -> URL:
    """A database's address with the driver that we speak to it by.

    Raises:
        StoreUnusable: it is none, or of a kind that we don't know.
    """
    try:
        parsed = make_url(url)
        dialect = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError) as error:
        raise StoreUnusable(
            "database.url must look like sqlite+aiosqlite:////path/file.sqlite3 "
            "or postgresql+asyncpg://user:password@host/database"
        ) from error
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
    if dialect not in drivers:
        raise StoreUnusable(f"database.url: '{dialect}' is not supported; use sqlite or postgresql")
    if dialect == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise StoreUnusable("database.url: give SQLite a file; what it holds must outlive us")
    return parsed.set(drivername=drivers[dialect])


def turns_of(url: URL) -> Turns:
    """How the writers of a database queue."""
    is_sqlite = url.get_backend_name() == "sqlite"
    return Turns(Path(str(url.database)) if is_sqlite else None, LONGEST_WAIT_S)


def create(url: URL) -> AsyncEngine:
    """The engine for an address of `async_url`; connects when it is first used.

    Raises:
        StoreUnusable: PostgreSQL's driver isn't installed.
    """
    if url.get_backend_name() != "sqlite":
        try:
            engine = create_async_engine(
                url,
                pool_size=8,
                max_overflow=8,
                pool_pre_ping=True,
                connect_args={"server_settings": _POSTGRES_SETTINGS},
            )
        except ModuleNotFoundError as error:
            raise StoreUnusable(
                "PostgreSQL needs its driver: install the 'postgres' extra (siaga[postgres])"
            ) from error
        event.listen(engine.sync_engine, "handle_error", _tell_away_from_wrong, retval=True)
        return engine
    path = str(url.database)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url,
        pool_size=8,
        max_overflow=8,
        async_creator=lambda: sqlite_driver.connect(path, LONGEST_WAIT_S),
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _tell_away_from_wrong(context: ExceptionContext) -> BaseException | None:
    """SQLAlchemy makes one kind of all that PostgreSQL's server says; whoever waits for a server to
    come back must not take it for a fault of the data, and the other way round."""
    cause = context.original_exception
    state = getattr(cause, "sqlstate", None) or ""
    # What the driver says of itself where a connection was lost in the middle of a question.
    is_confused = isinstance(cause, context.dialect.loaded_dbapi.InternalClientError)
    if not (is_confused or state.startswith(_AWAY) or state == _READ_ONLY):
        return None
    return OperationalError(
        context.statement,
        context.parameters,
        cause,
        connection_invalidated=context.is_disconnect,
    )


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout = {LONGEST_WAIT_S * 1000:.0f}")
        cursor.execute("PRAGMA journal_mode = WAL")
        # FULL syncs the log at each commit: what was accepted survives a power cut.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that turns into a write fails at once when another one wrote meanwhile.
    access = connection.get_execution_options()["siaga_access"]
    connection.exec_driver_sql(_BEGINNINGS[access])
