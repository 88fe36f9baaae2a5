"""What phones and networks send by themselves: every message is kept as it came, and those that may
be believed bring their positions to the call they belong to.

Which call that is, is decided in the transaction that stores the message: by the id that it names,
else by what its caller is known by (salted hashes of number, IMSI, IMEI), else it founds a call.
The other way round, a call that a desk takes joins the one that a message of the same number has
founded before it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import CallerFix, CallId, CallReport, ReportBody, ReportId, ReportKind
from incidents.database import SYSTEM, Database, Writing
from incidents.errors import NotFound
from incidents.reports import Accepted, accept_within
from incidents.tables import CallKeyRow, CallRow, RawMessageRow, ReportRow

MOST_FIXES = 200
"""Positions of one call that come by themselves. A phone sends a handful; each is told to everybody
with the whole call, so that a gateway gone wild would drown them."""
FORGOTTEN_AFTER = timedelta(days=2)
"""Who called is nobody's business once no message can match any more (at most a day)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message as the API has read it.

    Attributes:
        id: follows from the content, so that a repeat has the same.
        channel: ``aml``, ``sms`` or ``pidf-lo``.
        sender: the machine key's name; empty for who had none.
        sealed: the bytes in base64, encrypted.
        is_trusted: whether it may touch calls at all.
        problems: what is wrong with it, in sentences.
        call_id: the call that it names, if any.
        keys: salted hashes that its caller is known by, the surest first.
        fixes: its positions; each names the call that they would found.
    """

    id: str
    channel: str
    sender: str
    sealed: str
    is_trusted: bool
    problems: tuple[str, ...] = ()
    call_id: CallId | None = None
    keys: tuple[str, ...] = ()
    fixes: tuple[CallerFix, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMessage:
    """A message that is stored."""

    id: str
    channel: str
    sender: str
    received_at: datetime
    seen_at: datetime
    seen: int
    is_trusted: bool
    problems: tuple[str, ...]
    call_id: CallId | None
    fix_ids: tuple[ReportId, ...]


class Messages:
    """The ``raw_messages`` and ``call_keys`` tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, message: NewMessage, window: timedelta) -> KeptMessage:
        """Keep a message and accept its positions, in one transaction; committed at return.

        Keys link messages to a call until it wasn't heard of for ``window``. A message that is not
        trusted is kept, with the call that it seems to belong to, and changes nothing else. The
        same message again is counted and changes nothing else either.
        """
        async with self._database.writing() as writing:
            known = (
                await writing.connection.execute(
                    select(RawMessageRow).where(RawMessageRow.id == message.id)
                )
            ).one_or_none()
            if known is not None:
                await writing.connection.execute(
                    update(RawMessageRow)
                    .where(RawMessageRow.id == message.id)
                    .values(seen=known.seen + 1, seen_at=writing.now)
                )
                return replace(_kept(known), seen=known.seen + 1, seen_at=writing.now)
            call_id = await _call_of(writing, message, window)
            if call_id is not None and await _is_full(writing, call_id):
                full = f"(call): has {MOST_FIXES} positions already; this is kept, and not used"
                message = replace(message, fixes=(), problems=(*message.problems, full))
            if message.is_trusted:
                call_id = await self._accept(writing, message, call_id)
            await writing.connection.execute(
                insert(RawMessageRow).values(await _row(writing, message, call_id))
            )
            return KeptMessage(
                id=message.id,
                channel=message.channel,
                sender=message.sender,
                received_at=writing.now,
                seen_at=writing.now,
                seen=1,
                is_trusted=message.is_trusted,
                problems=message.problems,
                call_id=call_id,
                fix_ids=_fix_ids(message),
            )

    async def take_call(
        self,
        bodies: Sequence[ReportBody],
        *,
        key: str | None,
        window: timedelta,
        actor: str = SYSTEM,
    ) -> list[Accepted]:
        """Accept a call as a desk has taken it, with its positions.

        Where its caller is known by ``key`` and a message has founded a call that no desk has taken
        yet, the reports are added to that call.

        Raises:
            ContractError: as `incidents.reports.Reports.accept`.
        """
        async with self._database.writing() as writing:
            if key is not None:
                found = await _untaken(writing, key, window, exercise=bodies[0].exercise)
                if found is not None:
                    bodies = [_of_call(body, found) for body in bodies]
            accepted = await accept_within(writing, bodies, actor)
            body = accepted[0].report.body
            if key is not None and isinstance(body, CallReport):
                await _remember(writing, (key,), body.call_id)
        return accepted

    async def take_report(
        self,
        bodies: Sequence[ReportBody],
        *,
        key: str | None,
        window: timedelta,
        actor: str,
    ) -> list[Accepted]:
        """Accept a citizen's report; what the same one (``key``) reports again within ``window``
        is added to it, so that insistence doesn't count as agreement.

        Raises:
            ContractError: as `incidents.reports.Reports.accept`.
        """
        async with self._database.writing() as writing:
            if key is not None:
                found = await _newest(writing.connection, key, writing.now - window)
                if found is not None and not await _is_full(writing, found):
                    bodies = [_of_call(body, found) for body in bodies]
            accepted = await accept_within(writing, bodies, actor)
            body = accepted[0].report.body
            if key is not None and isinstance(body, CallReport):
                await _remember(writing, [key], body.call_id)
        return accepted

    async def page(
        self, *, limit: int = 100, before: int | None = None, is_trusted: bool | None = None
    ) -> tuple[list[KeptMessage], int | None]:
        """Messages, newest first, and the cursor of the next page (none at the end)."""
        statement: Select[Any] = select(RawMessageRow).order_by(RawMessageRow.received_seq.desc())
        if before is not None:
            statement = statement.where(RawMessageRow.received_seq < before)
        if is_trusted is not None:
            statement = statement.where(RawMessageRow.is_trusted.is_(is_trusted))
        async with self._database.reading(is_long=True) as connection:
            rows = (await connection.execute(statement.limit(limit + 1))).all()
        following = rows[limit - 1].received_seq if len(rows) > limit else None
        return [_kept(row) for row in rows[:limit]], following

    async def sealed(self, message_id: str) -> str:
        """A message's bytes, in base64 and encrypted.

        Raises:
            NotFound: no such message.
        """
        statement = select(RawMessageRow.sealed).where(RawMessageRow.id == message_id)
        async with self._database.reading() as connection:
            found: str | None = await connection.scalar(statement)
        if found is None:
            raise NotFound("message", message_id)
        return found

    async def count(self) -> int:
        """How many different messages are kept."""
        async with self._database.reading(is_long=True) as connection:
            return await connection.scalar(select(func.count()).select_from(RawMessageRow)) or 0

    async def _accept(
        self, writing: Writing, message: NewMessage, call_id: CallId | None
    ) -> CallId | None:
        """Add the positions to the call, or found it; none where there is nothing to found of."""
        if message.fixes:
            call_id = call_id or message.fixes[0].call_id
            exercise = await writing.connection.scalar(
                select(CallRow.exercise).where(CallRow.id == call_id)
            )
            fixes = [
                replace(
                    fix, call_id=call_id, exercise=fix.exercise if exercise is None else exercise
                )
                for fix in message.fixes
            ]
            await accept_within(writing, fixes, message.channel)
        if call_id is not None:
            await _remember(writing, message.keys, call_id)
        return call_id


async def _is_full(writing: Writing, call_id: CallId) -> bool:
    statement = select(func.count()).where(
        ReportRow.evidence_key == f"call:{call_id}", ReportRow.kind == ReportKind.FIX.value
    )
    return (await writing.connection.scalar(statement) or 0) >= MOST_FIXES


async def _call_of(writing: Writing, message: NewMessage, window: timedelta) -> CallId | None:
    if message.call_id is not None:
        statement = select(CallRow.id).where(CallRow.id == message.call_id)
        if await writing.connection.scalar(statement) is not None:
            return message.call_id
    for key in message.keys:
        found = await _newest(writing.connection, key, writing.now - window)
        if found is not None:
            return found
    return None


async def _newest(connection: AsyncConnection, key: str, since: datetime) -> CallId | None:
    found = await connection.scalar(
        select(CallKeyRow.call_id)
        .where(CallKeyRow.key_hash == key, CallKeyRow.heard_at >= since)
        .order_by(CallKeyRow.heard_at.desc(), CallKeyRow.call_id)
        .limit(1)
    )
    return None if found is None else CallId(found)


async def _untaken(
    writing: Writing, key: str, window: timedelta, *, exercise: bool
) -> CallId | None:
    call_id = await _newest(writing.connection, key, writing.now - window)
    if call_id is None:
        return None
    taken = await writing.connection.scalar(
        select(ReportRow.seq)
        .where(
            ReportRow.evidence_key == f"call:{call_id}",
            ReportRow.kind == ReportKind.CALL.value,
        )
        .limit(1)
    )
    partition = await writing.connection.scalar(
        select(CallRow.exercise).where(CallRow.id == call_id)
    )
    return call_id if taken is None and partition == exercise else None


def _of_call(body: ReportBody, call_id: CallId) -> ReportBody:
    return replace(body, call_id=call_id) if isinstance(body, CallReport | CallerFix) else body


async def _remember(writing: Writing, keys: Sequence[str], call_id: CallId) -> None:
    await writing.connection.execute(
        delete(CallKeyRow).where(CallKeyRow.heard_at < writing.now - FORGOTTEN_AFTER)
    )
    for key in keys:
        row = (CallKeyRow.key_hash == key) & (CallKeyRow.call_id == call_id)
        changed = await writing.connection.execute(
            update(CallKeyRow).where(row).values(heard_at=writing.now)
        )
        if changed.rowcount == 0:
            await writing.connection.execute(
                insert(CallKeyRow).values(key_hash=key, call_id=call_id, heard_at=writing.now)
            )


async def _row(writing: Writing, message: NewMessage, call_id: CallId | None) -> dict[str, object]:
    last = await writing.connection.scalar(select(func.max(RawMessageRow.received_seq)))
    return {
        "id": message.id,
        "received_seq": (last or 0) + 1,
        "channel": message.channel,
        "sender": message.sender,
        "received_at": writing.now,
        "seen_at": writing.now,
        "seen": 1,
        "sealed": message.sealed,
        "is_trusted": message.is_trusted,
        "problems": json.dumps(message.problems),
        "call_id": call_id,
        "fix_ids": json.dumps(_fix_ids(message)),
    }


def _fix_ids(message: NewMessage) -> tuple[ReportId, ...]:
    return tuple(fix.id for fix in message.fixes) if message.is_trusted else ()


def _kept(row: Any) -> KeptMessage:
    return KeptMessage(
        id=row.id,
        channel=row.channel,
        sender=row.sender,
        received_at=row.received_at,
        seen_at=row.seen_at,
        seen=row.seen,
        is_trusted=row.is_trusted,
        problems=tuple(json.loads(row.problems)),
        call_id=None if row.call_id is None else CallId(row.call_id),
        fix_ids=tuple(ReportId(one) for one in json.loads(row.fix_ids)),
    )
