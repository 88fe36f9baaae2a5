"""The worker's spool: detections on disk until the bus has confirmed them.

An SQLite file in write-ahead mode with full synchronisation: what was appended survives kill -9
and a power cut, and a torn tail is cut off by SQLite itself when the file is opened again.

A disk that takes nothing holds nothing up: what should go to it is held in memory, from where it
goes to the bus, or to the disk as soon as that takes it.
"""

from __future__ import annotations

import itertools
import sqlite3
import threading
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

from contracts import ContractError, Detection, from_json, to_json
from plumbing.logs import get_logger

_log = get_logger(__name__)

MOST_HELD = 5_000
"""Detections that are held in memory, some kilobytes each, while the disk takes none."""
_HELD_FROM = 2**62
"""Their places: beyond all of the file's, so that none can be taken for another."""


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
        self._dropped_through = 0
        """What was let go, although it may still be in the file."""
        self._held: deque[tuple[int, Detection]] = deque()
        """Newer than all that is in the file."""
        self._next_held = _HELD_FROM
        self._disk_fails = False
        self._count = self._count_in_file()

    def append(self, detection: Detection) -> None:
        """Keep one detection; it is on disk when this returns, if the disk takes it.

        Raises:
            SpoolFull: ``max_entries`` are kept already.
            SpoolError: the disk takes nothing (is full), and memory holds `MOST_HELD` already.
        """
        with self._lock:
            if len(self) >= self._max_entries:
                raise SpoolFull(f"the spool {self._path} holds {len(self)} detections")
            try:
                while self._held:
                    self._write(self._held[0][1])
                    self._held.popleft()
                self._write(detection)
            except sqlite3.Error as error:
                self._note_disk(error)
                if len(self._held) >= MOST_HELD:
                    raise SpoolError(f"can't write to the spool {self._path}: {error}") from error
                self._held.append((self._next_held, detection))
                self._next_held += 1
            else:
                self._note_disk(None)

    def peek(self, count: int) -> list[tuple[int, Detection]]:
        """The oldest ones with their places; they stay until `drop`.

        One that can't be read (written by an incompatible version) is set apart in the table
        ``unreadable`` and told, so that it doesn't block those behind it.
        """
        found: list[tuple[int, Detection]] = []
        with self._lock:
            rows = self._database.execute(
                "SELECT place, body FROM spool WHERE place > ? ORDER BY place LIMIT ?",
                (self._dropped_through, count),
            ).fetchall()
            for place, body in rows:
                try:
                    found.append((place, from_json(Detection, body)))
                except ContractError as error:
                    _log.error("a spooled detection can't be read", place=place, why=str(error))
                    self._set_apart(place)
            if not rows:
                found = list(itertools.islice(self._held, count))
        return found

    def drop(self, through: int) -> None:
        """Forget everything up to and including this place.

        Where the disk takes not even that, it is forgotten by this process alone: another one that
        opens the file finds it again.
        """
        with self._lock:
            if through >= _HELD_FROM:
                while self._held and self._held[0][0] <= through:
                    self._held.popleft()
                return
            if through <= self._dropped_through:
                return
            self._dropped_through = through
            try:
                self._database.execute("DELETE FROM spool WHERE place <= ?", (through,))
            except sqlite3.Error as error:
                self._note_disk(error)
            self._count = self._count_in_file()

    def __len__(self) -> int:
        return self._count + len(self._held)

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

    def _write(self, detection: Detection) -> None:
        body = to_json(detection)
        self._database.execute("INSERT INTO spool (body) VALUES (?)", (body,))
        self._count += 1

    def _count_in_file(self) -> int:
        kept: int = self._database.execute(
            "SELECT count(*) FROM spool WHERE place > ?", (self._dropped_through,)
        ).fetchone()[0]
        return kept

    def _note_disk(self, error: sqlite3.Error | None) -> None:
        """Say once that the disk takes nothing, and once that it does again."""
        if error is not None and not self._disk_fails:
            _log.error(
                "the spool can't be written; detections are held in memory: make room on its disk",
                path=str(self._path),
                why=str(error),
            )
        elif error is None and self._disk_fails:
            _log.info("the spool is written again", path=str(self._path))
        self._disk_fails = error is not None

    def _set_apart(self, place: int) -> None:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute(
                "INSERT INTO unreadable SELECT place, body FROM spool WHERE place = ?", (place,)
            )
            self._database.execute("DELETE FROM spool WHERE place = ?", (place,))
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            self._note_disk(error)
        else:
            self._count -= 1


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
    try:
        # Exclusive: a second worker with the same spool fails at its start, not in the middle.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        # A broken block is found here, not by the thread that watches.
        (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
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
