"""The database: opening it, migrating it, and the two kinds of transaction everything runs in.

A **reading** transaction sees one moment. A **writing** transaction begins by locking the counters'
rows (SQLite: the whole file, by ``BEGIN IMMEDIATE``), gives out the next sequence numbers,
and writes them back before it commits. So writers come one after another in the log's order: the
log has no gaps, and its entries become visible in order, on both databases.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contracts import Call, CameraHealth, Incident, LogKind, LogSubject, Sequence, to_json
from incidents import engines
from incidents.errors import StoreUnusable
from incidents.migrations import upgrade
from incidents.people.audit_chain import AuditEvent, append
from incidents.tables import CounterRow, LogRow
from incidents.tags import joined, tags_of
from incidents.turns import Turns
from plumbing.clock import Clock

SYSTEM = "system"
"""The actor of what no person did."""
LOCAL = "local"
"""The actor of what was done on the machine itself, by the command line."""

_IS_REFERENCE = re.compile(r"[a-z][a-z0-9_.-]{0,79}")

Listener = Callable[[Sequence], None]


class Writing:
    """One writing transaction, under the log's lock."""

    def __init__(
        self, connection: AsyncConnection, now: datetime, last_seq: int, last_report_seq: int
    ) -> None:
        self.connection = connection
        self.now = now
        self.last_report_seq = last_report_seq
        """Of the newest report before this transaction."""
        self._last_seq = last_seq
        self._entries: list[dict[str, object]] = []
        self._events: list[AuditEvent] = []
        self.accepted = False
        """Set where reports were added: listeners want to know though the log may not grow."""

    @property
    def last_seq(self) -> Sequence:
        """Of the newest entry, this transaction's own included."""
        return Sequence(self._last_seq)

    @property
    def has_news(self) -> bool:
        """Whether listeners should be told."""
        return self.accepted or bool(self._entries)

    def log(
        self,
        kind: LogKind,
        subject: LogSubject,
        *,
        actor: str = SYSTEM,
        exercise: bool,
        detail: str = "",
        request_key: str | None = None,
        before: LogSubject | None = None,
    ) -> Sequence:
        """Add one entry; it is written when the transaction ends.

        ``before`` is the thing as it was told last, or what else it is to be found by: a reader
        whose filter it leaves is told of that, too. What somebody did is written into the audit
        log as well, by reference.
        """
        self._last_seq += 1
        if actor != SYSTEM:
            self.audit(
                AuditEvent(
                    action=kind.value,
                    actor=actor,
                    subject=_subject_id(subject),
                    details={"log_seq": self._last_seq, "did": _reference(detail)},
                )
            )
        self._entries.append(
            {
                "seq": self._last_seq,
                "recorded_at": self.now,
                "kind": kind.value,
                "subject_id": _subject_id(subject),
                "actor": actor,
                "exercise": exercise,
                "detail": detail,
                "hazard": _hazard(subject),
                "level": subject.level.value if isinstance(subject, Incident) else None,
                "tags": joined(tags_of(subject), tags_of(before)),
                "request_key": request_key,
                "subject": to_json(subject).decode(),
            }
        )
        return Sequence(self._last_seq)

    def audit(self, event: AuditEvent) -> None:
        """Add one entry to the audit log; it is written when the transaction ends."""
        self._events.append(event)

    async def flush(self) -> None:
        """Write the entries and the counter; the last thing before the commit."""
        if self._events:
            await append(self.connection, self.now, self._events)
        if not self._entries:
            return
        await self.connection.execute(insert(LogRow), self._entries)
        await self.connection.execute(
            update(CounterRow).where(CounterRow.name == "log").values(value=self._last_seq)
        )


def _subject_id(subject: LogSubject) -> str:
    return subject.camera_id if isinstance(subject, CameraHealth) else subject.id


def _reference(detail: str) -> str:
    """An action's name or an id; free text may name persons, and isn't copied."""
    return detail if _IS_REFERENCE.fullmatch(detail) else ""


def _hazard(subject: LogSubject) -> str | None:
    match subject:
        case Incident() | Call():
            return subject.hazard.value if subject.hazard else None
        case _:
            return None


class Database:
    """An opened and migrated database."""

    def __init__(self, engine: AsyncEngine, turns: Turns, clock: Clock) -> None:
        self.clock = clock
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._read_options: dict[str, str] = (
            {} if self._is_sqlite else {"isolation_level": "REPEATABLE READ"}
        )
        self._turns = turns
        self.listeners: list[Listener] = []

    @classmethod
    async def open(cls, url: str, clock: Clock) -> Database:
        """Connect and bring the tables up to date.

        Raises:
            StoreUnusable: a URL we don't understand, a database that doesn't answer, is newer than
                this program, or isn't one of ours.
        """
        parsed = engines.async_url(url)
        try:
            database = cls(engines.create(parsed), engines.turns_of(parsed), clock)
            await database._migrate()
        except (DBAPIError, OSError) as error:
            shown = parsed.render_as_string(hide_password=True)
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise StoreUnusable(f"can't open the database {shown}: {cause}") from error
        return database

    async def _migrate(self) -> None:
        try:
            # The first one also makes the file one with a write-ahead log, which nobody may be in
            # meanwhile.
            async with self._turns.one(), self._transaction("write") as connection:
                await connection.run_sync(upgrade)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
        self._turns.close()

    @contextlib.asynccontextmanager
    async def _transaction(self, access: str) -> AsyncIterator[AsyncConnection]:
        options = {"siaga_access": access} | ({} if access == "write" else self._read_options)
        async with self._engine.connect() as connection:
            connection = await connection.execution_options(**options)
            async with connection.begin():
                yield connection

    @contextlib.asynccontextmanager
    async def reading(self, *, is_long: bool = False) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees one moment and changes nothing.

        ``is_long`` is for queries that are more than a few look-ups by an index: on SQLite they
        must not stop the event loop.
        """
        async with self._transaction("long read" if is_long else "read") as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def changing(self) -> AsyncIterator[AsyncConnection]:
        """A writing transaction that adds nothing to the log (accounts, sessions, keys)."""
        async with self._turns.one(), self._transaction("write") as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[Writing]:
        """A writing transaction under the log's lock; listeners hear of it once it is committed."""
        async with self._turns.one(), self._transaction("write") as connection:
            rows = await connection.execute(
                select(CounterRow.name, CounterRow.value)
                .order_by(CounterRow.name)
                .with_for_update()
            )
            last = {row.name: row.value for row in rows}
            if not last.keys() >= {"audit", "log", "reports"}:
                raise StoreUnusable("the database has lost its counters; restore a backup")
            writing = Writing(connection, self.clock.now(), last["log"], last["reports"])
            yield writing
            await writing.flush()
        if writing.has_news:
            for listener in tuple(self.listeners):
                listener(writing.last_seq)
