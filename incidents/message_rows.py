"""A message of a phone or a network as the API has read it, and as it lies in its row."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import CallerFix, CallId, ReportId
from incidents.database import Writing
from incidents.errors import NotFound
from incidents.tables import RawMessageRow


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


async def row_of(connection: AsyncConnection, message_id: str) -> Any:
    """A message's row.

    Raises:
        NotFound: no such message.
    """
    statement = select(RawMessageRow).where(RawMessageRow.id == message_id)
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        raise NotFound("message", message_id)
    return row


async def new_row(
    writing: Writing, message: NewMessage, call_id: CallId | None
) -> dict[str, object]:
    """The values of a message's row, the newest of all."""
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
        "fix_ids": json.dumps(used_fixes(message)),
    }


def used_fixes(message: NewMessage) -> tuple[ReportId, ...]:
    """The positions of it that count."""
    return tuple(fix.id for fix in message.fixes) if message.is_trusted else ()


def kept(row: Any) -> KeptMessage:
    """A row as it is told."""
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
