"""Calls as the console shows them, put together from the reports about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import (
    Attachment,
    Call,
    CallChannel,
    CallerFix,
    CallId,
    CallReport,
    ContractError,
    LogKind,
    ReportBody,
    from_json,
    to_json,
)
from incidents.database import Database, Writing
from incidents.errors import NotFound
from incidents.tables import CallRow

MOST_PHOTOS = 8
"""Of one report: each is told to everybody with the whole call."""
LONGEST_NOTE = 4_000
"""Characters; what somebody goes on telling beyond it takes the place of what was told first."""


class Calls:
    """The calls; written by accepting reports, and photos that come after them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, call_id: CallId) -> Call:
        """One call.

        Raises:
            NotFound: no such call.
        """
        async with self._database.reading() as connection:
            call = await read_call(connection, call_id)
        if call is None:
            raise NotFound("call", call_id)
        return call

    async def recent(
        self, limit: int = 100, before: int | None = None
    ) -> tuple[list[Call], int | None]:
        """A page of calls, newest first, and the cursor of the next page (none at the end)."""
        statement = select(CallRow.received_seq, CallRow.body).order_by(CallRow.received_seq.desc())
        if before is not None:
            statement = statement.where(CallRow.received_seq < before)
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement.limit(limit + 1))).all()
        calls = [from_json(Call, row.body) for row in rows[:limit]]
        return calls, rows[limit - 1].received_seq if len(rows) > limit else None

    async def attach(self, call_id: CallId, photo: Attachment) -> Call:
        """Add a photo that a citizen has sent; the same one again changes nothing.

        Raises:
            NotFound: no such call.
            ContractError: it was no app that reported this, or it has `MOST_PHOTOS` already.
        """
        async with self._database.writing() as writing:
            call = await read_call(writing.connection, call_id)
            if call is None:
                raise NotFound("call", call_id)
            if any(one.evidence_id == photo.evidence_id for one in call.photos):
                return call
            if call.channel is not CallChannel.APP:
                raise ContractError("call_id", "photos go to what a citizens' app has reported")
            if len(call.photos) >= MOST_PHOTOS:
                raise ContractError("(body)", f"there are {MOST_PHOTOS} photos already")
            photo = replace(photo, at=writing.now)
            call = replace(call, photos=(*call.photos, photo), version=call.version + 1)
            writing.log(
                LogKind.CALL_UPDATED,
                call,
                actor=photo.actor,
                exercise=call.exercise,
                detail="photo",
            )
            await writing.connection.execute(
                update(CallRow).where(CallRow.id == call_id).values(body=to_json(call).decode())
            )
        return call


def with_report(call: Call | None, body: CallReport | CallerFix) -> Call:
    """The call after one more report about it; the first one makes it.

    A later `CallReport` is the call taker's correction: it replaces hazard and note, and leaves the
    time of the first. Raw messages stay with the reports: they hold device numbers, which readers
    of the feed have no business with.

    Raises:
        ContractError: the report's exercise flag differs from the call's.
    """
    if call is not None and call.exercise != body.exercise:
        kind = "an exercise" if call.exercise else "real"
        raise ContractError(
            "exercise", f"call '{call.id}' is {kind}; what is added to it must be too"
        )
    fixes = (replace(body, raw=None),) if isinstance(body, CallerFix) else ()
    if call is None:
        return Call(
            id=body.call_id,
            hazard=body.hazard if isinstance(body, CallReport) else None,
            note=body.note if isinstance(body, CallReport) else "",
            received_at=body.received_at,
            fixes=fixes,
            channel=body.channel if isinstance(body, CallReport) else CallChannel.PHONE,
            exercise=body.exercise,
        )
    if isinstance(body, CallReport):
        return replace(
            call,
            hazard=body.hazard,
            note=body.note,
            channel=body.channel,
            version=call.version + 1,
        )
    return replace(call, fixes=(*call.fixes, *fixes), version=call.version + 1)


def insisted(call: Call, body: CallReport) -> CallReport | None:
    """What its reporter tells again of a call, beside what is known of it: no word that was told
    before goes, nor one that a desk has added. None where the desk has made another hazard of the
    call since: then this is a call of its own, and overrules nobody.
    """
    if call.hazard is not body.hazard:
        return None
    known, more = call.note.strip(), body.note.strip()
    if more in known:
        return replace(body, note=call.note)
    room = LONGEST_NOTE - len(more) - 2
    if len(known) > room:
        known = f"…{known[-room:]}" if room > 0 else ""
    return replace(body, note=f"{known}\n{more}" if known else more)


async def fold_calls(writing: Writing, bodies: Iterable[ReportBody], actor: str) -> None:
    """Bring the calls up to date with new reports, and log each change."""
    for body in bodies:
        if not isinstance(body, CallReport | CallerFix):
            continue
        before = await read_call(writing.connection, body.call_id)
        call = with_report(before, body)
        kind = LogKind.CALL_RECEIVED if before is None else LogKind.CALL_UPDATED
        seq = writing.log(
            kind,
            call,
            actor=actor,
            exercise=call.exercise,
            detail="fix" if isinstance(body, CallerFix) else "call",
        )
        values = {"body": to_json(call).decode()}
        if before is None:
            await writing.connection.execute(
                insert(CallRow).values(
                    id=call.id,
                    received_seq=seq,
                    received_at=call.received_at,
                    exercise=call.exercise,
                    **values,
                )
            )
        else:
            await writing.connection.execute(
                update(CallRow).where(CallRow.id == call.id).values(**values)
            )


async def read_call(connection: AsyncConnection, call_id: CallId) -> Call | None:
    """One call, as this transaction sees it; none where there is none."""
    body = await connection.scalar(select(CallRow.body).where(CallRow.id == call_id))
    return None if body is None else from_json(Call, body)
