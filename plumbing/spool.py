"""The worker's spool: detections on disk until the bus has confirmed them.

An SQLite file in write-ahead mode with full synchronisation: what was appended survives kill -9
and a power cut, and a torn tail is cut off by SQLite itself when the file is opened again.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from contracts import ContractError, Detection, from_json, to_json
from plumbing.logs import get_logger

_log = get_logger(__name__)


class SpoolError(Exception):
    """The spool can't be used: the disk is full or broken, or another process has it."""


class SpoolFull(SpoolError):
    """The spool holds as many detections as it may; the newest is refused."""


class Spool:
    """A durable queue of detections, first in, first out. One process, any of its threads.

    Bounded by ``max_entries``: a full spool refuses what is new and keeps what it has, since the
    start of an incident says more than its thousandth repetition.

    A file that SQLite can't read is moved aside (``.damaged-TIME``) and told, so that a worker
    with a broken disk block still watches its cameras.
    """

    def __init__(self, path: Path, max_entries: int = 100_000) -> None:
        self._path = path
        self._max_entries = max_entries
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = _open(path)
        except sqlite3.OperationalError as error:
            raise SpoolError(
                f"can't use the spool {path}: {error}; does another worker have it?"
            ) from error
        except sqlite3.DatabaseError as error:
            aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
            _log.error("the spool is damaged; moved aside", path=str(aside), why=str(error))
            path.rename(aside)
            for companion in ("-wal", "-shm"):
                path.with_name(path.name + companion).unlink(missing_ok=True)
            self._database = _open(path)
        self._count: int = self._database.execute("SELECT count(*) FROM spool").fetchone()[0]

    def append(self, detection: Detection) -> None:
        """Keep one detection; it is on disk when this returns.

        Raises:
            SpoolFull: ``max_entries`` are kept already.
            SpoolError: it could not be written (full disk).
        """
        body = to_json(detection)
        with self._lock:
            if self._count >= self._max_entries:
                raise SpoolFull(f"the spool {self._path} holds {self._count} detections")
            try:
                self._database.execute("INSERT INTO spool (body) VALUES (?)", (body,))
            except sqlite3.Error as error:
                raise SpoolError(f"can't write to the spool {self._path}: {error}") from error
            self._count += 1

    def peek(self, count: int) -> list[tuple[int, Detection]]:
        """The oldest ones with their places; they stay until `drop`.

        One that can't be read (written by an incompatible version) is set apart in the table
        ``unreadable`` and told, so that it doesn't block those behind it.
        """
        found: list[tuple[int, Detection]] = []
        with self._lock:
            rows = self._database.execute(
                "SELECT place, body FROM spool ORDER BY place LIMIT ?", (count,)
            ).fetchall()
            for place, body in rows:
                try:
                    found.append((place, from_json(Detection, body)))
                except ContractError as error:
                    _log.error("a spooled detection can't be read", place=place, why=str(error))
                    self._set_apart(place)
        return found

    def drop(self, through: int) -> None:
        """Forget everything up to and including this place."""
        with self._lock:
            try:
                gone = self._database.execute("DELETE FROM spool WHERE place <= ?", (through,))
            except sqlite3.Error as error:
                raise SpoolError(f"can't write to the spool {self._path}: {error}") from error
            self._count -= gone.rowcount

    def __len__(self) -> int:
        return self._count

    def close(self) -> None:
        """Close the file; what is in it stays."""
        with self._lock:
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _set_apart(self, place: int) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        self._database.execute(
            "INSERT INTO unreadable SELECT place, body FROM spool WHERE place = ?", (place,)
        )
        self._database.execute("DELETE FROM spool WHERE place = ?", (place,))
        self._database.execute("COMMIT")
        self._count -= 1


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
    try:
        # Exclusive: a second worker with the same spool fails at its start, not in the middle.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        # AUTOINCREMENT: a place is never given twice, so `drop` can't hit a later detection.
        database.execute(
            "CREATE TABLE IF NOT EXISTS spool "
            "(place INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL)"
        )
        database.execute(
            "CREATE TABLE IF NOT EXISTS unreadable (place INTEGER PRIMARY KEY, body BLOB NOT NULL)"
        )
    except sqlite3.Error:
        database.close()
        raise
    return database
