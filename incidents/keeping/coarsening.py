"""Coarsening where callers were: their fixes, the reports and the log entries that tell of them.

Calls are coarsened in the order that they came in, and a counter says how far that has got, so that
a run that is cut short is finished by the next.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import Call, CallerFix, CallId, Disc, LonLat, ReportKind, from_json, to_json
from incidents.fusing.cueing import disc_around
from incidents.tables import CallRow, CounterRow, LogRow, ReportRow

COARSE_DEG = 0.01
COARSE_RADIUS_M = 1_000.0
"""A hundredth of a degree is about a kilometre: a part of the city, and nobody's house."""
LARGEST_RADIUS_M = 100_000.0
COARSENED = "coarsened"
"""The counter that says up to which call positions are coarsened."""


def coarsened(fix: CallerFix) -> CallerFix:
    """A position that tells the part of the city and no more; coarsening again changes nothing."""
    centre, radius_m = disc_around(fix.shape)
    rounded = LonLat(
        round(round(centre.lon / COARSE_DEG) * COARSE_DEG, 2),
        round(round(centre.lat / COARSE_DEG) * COARSE_DEG, 2),
    )
    wide_m = min(max(radius_m, COARSE_RADIUS_M), LARGEST_RADIUS_M)
    shape = Disc(centre=rounded, radius_m=wide_m)
    return replace(fix, shape=shape, altitude_m=None, raw=None)


async def coarsen_some(
    connection: AsyncConnection, before: datetime, kept: Collection[CallId], limit: int
) -> int | None:
    """Coarsen the next calls that came before a time, but for those that are kept.

    Returns how many, or none where nothing is left to do.
    """
    place = await _counter(connection, COARSENED)
    rows = (
        await connection.execute(
            select(CallRow)
            .where(CallRow.received_seq > place, CallRow.received_at < before)
            .order_by(CallRow.received_seq)
            .limit(limit)
        )
    ).all()
    if not rows:
        return None
    due = [row for row in rows if row.id not in kept]
    for row in due:
        await _coarsen_call(connection, row)
    await _set_counter(connection, COARSENED, rows[-1].received_seq)
    return len(due)


async def _coarsen_call(connection: AsyncConnection, row: Any) -> None:
    call = _coarse_call(row.body)
    await connection.execute(
        update(CallRow).where(CallRow.id == row.id).values(body=to_json(call).decode())
    )
    reports = await connection.execute(
        select(ReportRow.seq, ReportRow.body).where(
            ReportRow.evidence_key == f"call:{row.id}", ReportRow.kind == ReportKind.FIX.value
        )
    )
    for report in reports.all():
        fix = coarsened(from_json(CallerFix, report.body))
        await connection.execute(
            update(ReportRow).where(ReportRow.seq == report.seq).values(body=to_json(fix).decode())
        )
    entries = await connection.execute(
        select(LogRow.seq, LogRow.subject).where(
            and_(LogRow.subject_id == row.id, LogRow.kind.startswith("call.", autoescape=True))
        )
    )
    for entry in entries.all():
        await connection.execute(
            update(LogRow)
            .where(LogRow.seq == entry.seq)
            .values(subject=to_json(_coarse_call(entry.subject)).decode())
        )


def _coarse_call(body: str) -> Call:
    call = from_json(Call, body)
    return replace(call, fixes=tuple(coarsened(fix) for fix in call.fixes))


async def _counter(connection: AsyncConnection, name: str) -> int:
    value = await connection.scalar(select(CounterRow.value).where(CounterRow.name == name))
    return value or 0


async def _set_counter(connection: AsyncConnection, name: str, value: int) -> None:
    changed = await connection.execute(
        update(CounterRow).where(CounterRow.name == name).values(value=value)
    )
    if changed.rowcount == 0:
        await connection.execute(insert(CounterRow).values(name=name, value=value))
