"""SQLite under asyncio, without a thread hop for every statement.

SQLAlchemy's asyncio dialect for SQLite hands each step of each statement (cursor, execute, fetch,
close) to a thread: some twenty hops a transaction, of which each costs microseconds on an idle
machine and milliseconds on a busy one. Only three things may really wait: getting the write lock,
the commit's sync to disk, and a long query. Those go to a thread; the rest (look-ups by an index,
and what a writing transaction does between its begin and its commit) takes microseconds and is done
at once. How a transaction begins says which kind it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

BEGIN_WRITE = "BEGIN IMMEDIATE"
BEGIN_READ = "BEGIN"
BEGIN_LONG_READ = "BEGIN DEFERRED"
"""The same as `BEGIN_READ` to SQLite; to us its queries may take long, and go to a thread."""

_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="sqlite")


async def connect(path: str, busy_timeout_s: float) -> Connection:
    """Open a file; transactions are begun by statements, never by the driver."""
    return Connection(
        await _in_thread(
            lambda: sqlite3.connect(
                path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False
            )
        )
    )


async def _in_thread(call: Callable[[], T]) -> T:
    """Call in a thread; a cancellation waits for its end, since it holds the connection."""
    future = asyncio.get_running_loop().run_in_executor(_threads, call)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([future])
        if not future.cancelled():
            # Nobody is left to hear of an error.
            future.exception()
        raise


class Connection:
    """What SQLAlchemy's dialect for ``aiosqlite`` needs of a connection."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._connection: sqlite3.Connection | None = raw
        self._writes = False
        self._is_long = False

    @property
    def isolation_level(self) -> str | None:
        """Always none: the driver begins nothing by itself."""
        return self._raw.isolation_level

    def cursor(self) -> Cursor:
        """A new cursor."""
        return Cursor(self, self._raw.cursor())

    async def create_function(self, *args: Any, **kw: Any) -> None:
        """See `sqlite3.Connection.create_function`."""
        self._raw.create_function(*args, **kw)

    async def commit(self) -> None:
        """Commit; what was written is synced to disk."""
        await self._end(self._raw.commit)

    async def rollback(self) -> None:
        """Take the transaction back."""
        await self._end(self._raw.rollback)

    async def close(self) -> None:
        """Close; again is harmless."""
        if self._connection is not None:
            raw, self._connection = self._connection, None
            # The last connection of a file copies its write-ahead log back.
            await _in_thread(raw.close)

    def stop(self) -> None:
        """Close at once, outside of asyncio."""
        if self._connection is not None:
            raw, self._connection = self._connection, None
            raw.close()

    async def run(self, statement: str, call: Callable[[], T]) -> T:
        """Execute a statement where it belongs; see the module."""
        if statement == BEGIN_WRITE:
            begun = await _in_thread(call)
            self._writes, self._is_long = True, False
            return begun
        if statement in (BEGIN_READ, BEGIN_LONG_READ):
            self._is_long = statement == BEGIN_LONG_READ
            return call()
        return await _in_thread(call) if self._is_long else call()

    async def _end(self, call: Callable[[], None]) -> None:
        if not self._writes:
            call()
            return
        try:
            await _in_thread(call)
        finally:
            # A commit that failed leaves the transaction open, and is followed by a rollback.
            self._writes = self._connection is not None and self._connection.in_transaction

    @property
    def _raw(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.OperationalError("the connection is closed")
        return self._connection


class Cursor:
    """What SQLAlchemy's dialect for ``aiosqlite`` needs of a cursor; rows come at once."""

    def __init__(self, connection: Connection, raw: sqlite3.Cursor) -> None:
        self._connection = connection
        self._raw = raw
        self._rows: list[Any] = []
        self.arraysize = 1

    async def __aenter__(self) -> Cursor:
        return self

    @property
    def description(self) -> Any:
        """The columns, or none."""
        return self._raw.description

    @property
    def rowcount(self) -> int:
        """Rows changed."""
        return self._raw.rowcount

    @property
    def lastrowid(self) -> int | None:
        """The last row inserted."""
        return self._raw.lastrowid

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Execute one statement and fetch all its rows."""

        def call() -> list[Any]:
            self._raw.execute(statement, parameters)
            return self._raw.fetchall() if self._raw.description else []

        self._rows = await self._connection.run(statement, call)

    async def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Execute one statement many times."""
        await self._connection.run(statement, lambda: self._raw.executemany(statement, parameters))

    async def fetchall(self) -> list[Any]:
        """The rows of the last statement, once."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Close."""
        self._raw.close()
