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
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update

from contracts import (
    CallId,
    CallReport,
    Incident,
    ReportBody,
    from_json,
)
from incidents.call_keys import (
    MOST_FIXES,
    call_of,
    is_full,
    newest_call,
    put_to,
    remember,
    untaken_call,
)
from incidents.calls import insisted, read_call
from incidents.database import SYSTEM, Database, Writing
from incidents.errors import MessageInUse, NotFound
from incidents.message_rows import KeptMessage, NewMessage, kept, new_row, row_of, used_fixes
from incidents.people.audit_chain import AuditEvent
from incidents.reports import Accepted, accept_within
from incidents.tables import CallRow, IncidentRow, RawMessageRow

BELIEVED = "message.believed"
DISCARDED = "message.discarded"


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
                return replace(kept(known), seen=known.seen + 1, seen_at=writing.now)
            call_id = await call_of(writing, message.call_id, message.keys, window)
            if call_id is not None and await is_full(writing, call_id):
                full = f"(call): has {MOST_FIXES} positions already; this is kept, and not used"
                message = replace(message, fixes=(), problems=(*message.problems, full))
            if message.is_trusted:
                call_id = await _accept(writing, message, call_id)
            await writing.connection.execute(
                insert(RawMessageRow).values(await new_row(writing, message, call_id))
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
                fix_ids=used_fixes(message),
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
                found = await untaken_call(writing, key, window, exercise=bodies[0].exercise)
                if found is not None:
                    bodies = [put_to(body, found) for body in bodies]
            accepted = await accept_within(writing, bodies, actor)
            body = accepted[0].report.body
            if key is not None and isinstance(body, CallReport):
                await remember(writing, (key,), body.call_id)
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
        is added to it (`incidents.calls.insisted`), so that insistence doesn't count as agreement.

        Raises:
            ContractError: as `incidents.reports.Reports.accept`.
        """
        async with self._database.writing() as writing:
            if key is not None:
                found = await newest_call(writing.connection, key, writing.now - window)
                if found is not None and not await is_full(writing, found):
                    bodies = await _insisted(writing, bodies, found)
            accepted = await accept_within(writing, bodies, actor)
            body = accepted[0].report.body
            if key is not None and isinstance(body, CallReport):
                await remember(writing, [key], body.call_id)
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
        return [kept(row) for row in rows[:limit]], following

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

    async def get(self, message_id: str) -> KeptMessage:
        """One message.

        Raises:
            NotFound: no such message.
        """
        async with self._database.reading() as connection:
            return kept(await row_of(connection, message_id))

    async def believe(
        self, message: NewMessage, window: timedelta, *, actor: str, reason: str
    ) -> KeptMessage:
        """Take in what was only kept: somebody has looked at it and stands for it.

        ``message`` is the kept one as it is read now, with its positions.

        Raises:
            NotFound: no such message.
            MessageInUse: its positions were taken in before.
        """
        async with self._database.writing() as writing:
            row = await row_of(writing.connection, message.id)
            if json.loads(row.fix_ids):
                raise MessageInUse(message.id, "its positions were taken in before")
            call_id = await call_of(writing, message.call_id, message.keys, window)
            if call_id is not None and await is_full(writing, call_id):
                raise MessageInUse(message.id, f"its call has {MOST_FIXES} positions already")
            call_id = await _accept(writing, message, call_id)
            problems = (*message.problems, f"(desk): believed by {actor}: {reason}")
            changed = {
                "is_trusted": True,
                "problems": json.dumps(problems),
                "call_id": call_id,
                "fix_ids": json.dumps(used_fixes(message)),
            }
            await writing.connection.execute(
                update(RawMessageRow).where(RawMessageRow.id == message.id).values(changed)
            )
            writing.audit(
                AuditEvent(
                    action=BELIEVED, actor=actor, subject=message.id, details={"reason": reason}
                )
            )
            return kept(await row_of(writing.connection, message.id))

    async def discard(self, message_id: str, *, actor: str, reason: str) -> None:
        """Take a message away that has come to nothing.

        Raises:
            NotFound: no such message.
            MessageInUse: a call's position rests on it, or its call is under legal hold.
        """
        async with self._database.writing() as writing:
            row = await row_of(writing.connection, message_id)
            if json.loads(row.fix_ids):
                raise MessageInUse(message_id, "positions of a call were made of it")
            held = await writing.connection.scalars(
                select(IncidentRow.body).where(IncidentRow.on_hold.is_(True))
            )
            for body in held if row.call_id is not None else ():
                if row.call_id in from_json(Incident, body).estimate.call_ids:
                    raise MessageInUse(message_id, "its call is under legal hold")
            await writing.connection.execute(
                delete(RawMessageRow).where(RawMessageRow.id == message_id)
            )
            writing.audit(
                AuditEvent(
                    action=DISCARDED, actor=actor, subject=message_id, details={"reason": reason}
                )
            )

    async def count(self) -> int:
        """How many different messages are kept."""
        async with self._database.reading(is_long=True) as connection:
            return await connection.scalar(select(func.count()).select_from(RawMessageRow)) or 0


async def _insisted(
    writing: Writing, bodies: Sequence[ReportBody], call_id: CallId
) -> Sequence[ReportBody]:
    """The reports as ones of a call that its reporter has told of before, if they can be."""
    call = await read_call(writing.connection, call_id)
    found = [put_to(body, call_id) for body in bodies]
    told = [
        insisted(call, body) if call is not None and isinstance(body, CallReport) else body
        for body in found
    ]
    kept = [body for body in told if body is not None]
    return kept if len(kept) == len(bodies) else bodies


async def _accept(writing: Writing, message: NewMessage, call_id: CallId | None) -> CallId | None:
    """Add the positions to the call, or found it; none where there is nothing to found of."""
    if message.fixes:
        call_id = call_id or message.fixes[0].call_id
        exercise = await writing.connection.scalar(
            select(CallRow.exercise).where(CallRow.id == call_id)
        )
        fixes = [
            replace(fix, call_id=call_id, exercise=fix.exercise if exercise is None else exercise)
            for fix in message.fixes
        ]
        await accept_within(writing, fixes, message.channel)
    if call_id is not None:
        await remember(writing, message.keys, call_id)
    return call_id
