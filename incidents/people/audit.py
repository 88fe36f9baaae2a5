"""The audit log: who did what, who saw whose place and which camera, who came in and who could not.

Entries are only ever added (the database refuses anything else, see the migration), and chained
(`incidents.people.audit_chain`). Actions on calls, incidents and cameras are written in the
transaction that carries them out (`Writing.log`), as are changes of accounts and keys; what is
shown is written down before it is shown.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import takewhile
from typing import Any

from sqlalchemy import delete, select, update

from incidents.database import LOCAL, Database
from incidents.pace import Pace
from incidents.people.audit_chain import (
    AuditEvent,
    Head,
    append,
    hash_of_details,
    hash_of_entry,
    read_head,
)
from incidents.tables import AuditAnchorRow, AuditRow, CounterRow

_PAGE = 2_000


class AuditAction(StrEnum):
    """What is written down besides the log's own kinds (``incident.acted`` and so on)."""

    SIGNED_IN = "session.opened"
    SIGN_IN_REFUSED = "session.refused"
    SIGNED_OUT = "session.ended"
    SESSIONS_ENDED = "session.all-ended"
    ACCOUNT_ADDED = "account.added"
    ACCOUNT_CHANGED = "account.changed"
    PASSWORD_CHANGED = "account.password"  # noqa: S105 - a name
    KEY_ISSUED = "key.issued"
    KEY_ROTATED = "key.rotated"
    KEY_REVOKED = "key.revoked"
    CONFIGURATION_CHANGED = "configuration.changed"
    FORGOTTEN = "audit.forgotten"
    PRUNED = "audit.pruned"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry as it is kept; ``details`` is none where they were taken away."""

    seq: int
    recorded_at: datetime
    actor: str
    action: str
    subject: str
    details: dict[str, Any] | None
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """Entries, newest first, and the cursor of the next page (none at the end)."""

    entries: tuple[AuditEntry, ...]
    next: int | None
    head: Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check of the chain found; ``broken_seq`` is its first broken link."""

    entries: int
    first_seq: int
    head: Head
    broken_seq: int | None = None
    why: str = ""

    @property
    def holds(self) -> bool:
        """Whether every link is whole."""
        return self.broken_seq is None


class Audit:
    """The ``audit`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Lock()
        self._waiting: list[tuple[tuple[AuditEvent, ...], asyncio.Future[None]]] = []

    async def record(self, *events: AuditEvent) -> None:
        """Write entries down; when this returns they are on disk.

        Those who wait at the same moment share one transaction: a thousand readers who come back
        at once cost a few syncs, not a thousand.
        """
        written = asyncio.get_running_loop().create_future()
        mine = (events, written)
        self._waiting.append(mine)
        try:
            async with self._turn:
                if not written.done():
                    await self._write_waiting()
        except asyncio.CancelledError:
            if mine in self._waiting:
                self._waiting.remove(mine)
            raise
        written.result()

    async def _write_waiting(self) -> None:
        batch, self._waiting = self._waiting, []
        try:
            async with self._database.changing() as connection:
                events = [event for mine, _ in batch for event in mine]
                await append(connection, self._database.clock.now(), events)
        except asyncio.CancelledError:
            # The others still wait; the next of them writes again what may not be there.
            self._waiting = batch + self._waiting
            raise
        except Exception as error:  # noqa: BLE001 - handed to everybody who waits
            for _, written in batch:
                if not written.done():
                    written.set_exception(error)
            return
        for _, written in batch:
            if not written.done():
                written.set_result(None)

    async def page(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        subject: str | None = None,
        since: datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> AuditPage:
        """A page of entries, newest first; ``action`` may be a beginning, such as ``view.``."""
        statement = select(AuditRow)
        if actor is not None:
            statement = statement.where(AuditRow.actor == actor)
        if action is not None:
            statement = statement.where(AuditRow.action.startswith(action, autoescape=True))
        if subject is not None:
            statement = statement.where(AuditRow.subject == subject)
        if since is not None:
            statement = statement.where(AuditRow.recorded_at >= since)
        if before is not None:
            statement = statement.where(AuditRow.seq < before)
        statement = statement.order_by(AuditRow.seq.desc()).limit(limit + 1)
        async with self._database.reading(is_long=True) as connection:
            rows = (await connection.execute(statement)).all()
            head = await read_head(connection)
        return AuditPage(
            entries=tuple(_entry(row) for row in rows[:limit]),
            next=rows[limit - 1].seq if len(rows) > limit else None,
            head=head,
        )

    async def head(self) -> Head:
        """The end of the chain, worth noting elsewhere."""
        async with self._database.reading() as connection:
            return await read_head(connection)

    async def verify(self, noted: Head | None = None) -> Verdict:
        """Walk the whole chain; ``noted`` is a head that was written down elsewhere before."""
        async with self._database.reading(is_long=True) as connection:
            anchor = (await connection.execute(select(AuditAnchorRow))).one()
            last_seq = await connection.scalar(
                select(CounterRow.value).where(CounterRow.name == "audit")
            )
        if noted is not None and noted.seq < anchor.seq:
            noted = None
        count, former = 0, Head(anchor.seq, anchor.hash)

        def broken(seq: int, why: str) -> Verdict:
            return Verdict(
                entries=count, first_seq=anchor.seq + 1, head=former, broken_seq=seq, why=why
            )

        if noted is not None and noted.seq == former.seq and noted != former:
            return broken(noted.seq, "the chain begins otherwise than was noted")
        async for row in self._rows_after(anchor.seq, last_seq or 0):
            if row.seq != former.seq + 1:
                return broken(former.seq + 1, f"the entry is missing; the next one is {row.seq}")
            if row.details is not None and row.details_hash != hash_of_details(
                row.salt or "", row.details
            ):
                return broken(row.seq, "its details were changed")
            if row.hash != hash_of_entry(former.hash, row._mapping):
                return broken(row.seq, "it, or the hash of the one before it, was changed")
            if noted is not None and noted.seq == row.seq and noted.hash != row.hash:
                return broken(row.seq, "the chain up to here is another than was noted")
            count, former = count + 1, Head(row.seq, row.hash)
        if former.seq != last_seq:
            return broken(former.seq + 1, f"the end is missing: {last_seq} entries were written")
        if noted is not None and noted.seq > former.seq:
            return broken(former.seq + 1, f"the end is missing: entry {noted.seq} was noted")
        return Verdict(entries=count, first_seq=anchor.seq + 1, head=former)

    async def _rows_after(self, seq: int, last_seq: int) -> AsyncIterator[Any]:
        # Page by page, so that a long chain holds up no writer and fills no memory.
        while True:
            statement = (
                select(AuditRow)
                .where(AuditRow.seq > seq, AuditRow.seq <= last_seq)
                .order_by(AuditRow.seq)
                .limit(_PAGE)
            )
            async with self._database.reading(is_long=True) as connection:
                rows = (await connection.execute(statement)).all()
            for row in rows:
                yield row
            if len(rows) < _PAGE:
                return
            seq = rows[-1].seq

    async def forget(self, subject: str, *, actor: str = LOCAL) -> int:
        """Take the details of all entries about something away; the chain holds without them.

        Returns how many had some.
        """
        statement = (
            update(AuditRow)
            .where(AuditRow.subject == subject, AuditRow.details.is_not(None))
            .values(details=None, salt=None)
        )
        async with self._database.changing() as connection:
            gone = int((await connection.execute(statement)).rowcount)
            event = AuditEvent(
                action=AuditAction.FORGOTTEN,
                actor=actor,
                subject=subject,
                details={"entries": gone},
            )
            await append(connection, self._database.clock.now(), [event])
        return gone

    async def prune(self, before: datetime) -> int:
        """Take the entries from before a time away, some at once; the chain begins after them.

        Returns how many went.
        """
        gone, pace = 0, Pace(self._database)
        while some := await self._prune_some(before, pace):
            gone += some
        if gone:
            event = AuditEvent(action=AuditAction.PRUNED, actor=LOCAL, details={"entries": gone})
            await self.record(event)
        return gone

    async def _prune_some(self, before: datetime, pace: Pace) -> int:
        oldest = select(AuditRow.seq, AuditRow.hash, AuditRow.recorded_at).order_by(AuditRow.seq)
        async with pace.batch() as batch:
            connection = batch.connection
            rows = (await connection.execute(oldest.limit(batch.rows))).all()
            due = list(takewhile(lambda row: row.recorded_at < before, rows))
            if due:
                last = due[-1]
                await connection.execute(
                    update(AuditAnchorRow).values(seq=last.seq, hash=last.hash)
                )
                await connection.execute(delete(AuditRow).where(AuditRow.seq <= last.seq))
        return len(due)


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(
        seq=row.seq,
        recorded_at=row.recorded_at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        details=None if row.details is None else json.loads(row.details),
        hash=row.hash,
    )
