"""Which call somebody is heard of in: by salted hashes of what a caller is known by (number, IMSI,
IMEI, another system's id of the call), as long as the call was heard of lately.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import CallerFix, CallId, CallReport, ReportBody, ReportKind
from incidents.database import Writing
from incidents.tables import CallKeyRow, CallRow, ReportRow

MOST_FIXES = 200
"""Positions of one call that come by themselves. A phone sends a handful; each is told to everybody
with the whole call, so that a gateway gone wild would drown them."""
FORGOTTEN_AFTER = timedelta(days=2)
"""Who called is nobody's business once no message can match any more (at most a day)."""


async def is_full(writing: Writing, call_id: CallId) -> bool:
    """Whether a call has as many positions as it may."""
    statement = select(func.count()).where(
        ReportRow.evidence_key == f"call:{call_id}", ReportRow.kind == ReportKind.FIX.value
    )
    return (await writing.connection.scalar(statement) or 0) >= MOST_FIXES


async def call_of(
    writing: Writing, named: CallId | None, keys: Sequence[str], window: timedelta
) -> CallId | None:
    """The call that is named, if it is ours; else the one that the first known key was last heard
    of in, not longer than ``window`` ago."""
    if named is not None:
        statement = select(CallRow.id).where(CallRow.id == named)
        if await writing.connection.scalar(statement) is not None:
            return named
    for key in keys:
        found = await newest_call(writing.connection, key, writing.now - window)
        if found is not None:
            return found
    return None


async def newest_call(connection: AsyncConnection, key: str, since: datetime) -> CallId | None:
    """The call that a key was last heard of in."""
    found = await connection.scalar(
        select(CallKeyRow.call_id)
        .where(CallKeyRow.key_hash == key, CallKeyRow.heard_at >= since)
        .order_by(CallKeyRow.heard_at.desc(), CallKeyRow.call_id)
        .limit(1)
    )
    return None if found is None else CallId(found)


async def untaken_call(
    writing: Writing, key: str, window: timedelta, *, exercise: bool
) -> CallId | None:
    """The same, where only messages have told of it and no desk has taken it yet."""
    call_id = await newest_call(writing.connection, key, writing.now - window)
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


def put_to(body: ReportBody, call_id: CallId) -> ReportBody:
    """A report as one of another call."""
    return replace(body, call_id=call_id) if isinstance(body, CallReport | CallerFix) else body


async def remember(writing: Writing, keys: Sequence[str], call_id: CallId) -> None:
    """The call was heard of under these keys now; old ones are forgotten."""
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
