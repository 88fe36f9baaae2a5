"""Accepting reports: a report that is a row here is accepted, and has its place in the order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import Report, ReportBody, ReportId, ReportKind, evidence_key, to_json
from contracts import Sequence as SequenceNumber
from contracts.jsonform import from_json
from contracts.reports import BODIES
from incidents.calls import fold_calls
from incidents.database import SYSTEM, Database, Writing
from incidents.errors import NotFound
from incidents.tables import CounterRow, ReportRow

T = TypeVar("T")

_MOST_AT_ONCE = 500
"""Rows a statement: far below either database's limit of bound values."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A report that is stored; ``is_new`` is false where its id was stored before."""

    report: Report
    is_new: bool


class Reports:
    """The ``reports`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accept(self, bodies: Sequence[ReportBody], *, actor: str = SYSTEM) -> list[Accepted]:
        """Store reports, in this order, in one transaction; committed when this returns.

        A report whose id is already stored is left as it is, and the stored one is returned. Calls
        and fixes also go into the calls, with log entries by ``actor``.

        Raises:
            ContractError: a fix's exercise flag differs from its call's; nothing is stored then.
        """
        if not bodies:
            return []
        async with self._database.writing() as writing:
            return await accept_within(writing, bodies, actor)

    async def after(self, seq: int, limit: int = 256) -> list[Report]:
        """The first ``limit`` reports after ``seq``, in order."""
        statement = (
            select(ReportRow).where(ReportRow.seq > seq).order_by(ReportRow.seq).limit(limit)
        )
        async with self._database.reading() as connection:
            return [to_report(row) for row in await connection.execute(statement)]

    async def by_id(self, report_id: ReportId) -> Report:
        """One report.

        Raises:
            NotFound: no such report.
        """
        async with self._database.reading() as connection:
            found = await _known(connection, {report_id})
        if report_id not in found:
            raise NotFound("report", report_id)
        return found[report_id]

    async def set_aside(self) -> list[tuple[ReportId, str]]:
        """The reports that fusion could not work with, and why, oldest first."""
        statement = (
            select(ReportRow.id, ReportRow.problem)
            .where(ReportRow.problem.is_not(None))
            .order_by(ReportRow.seq)
        )
        async with self._database.reading(is_long=True) as connection:
            rows = await connection.execute(statement)
            return [(ReportId(key), problem or "") for key, problem in rows]


async def accept_within(
    writing: Writing, bodies: Sequence[ReportBody], actor: str = SYSTEM
) -> list[Accepted]:
    """`Reports.accept` as a part of a larger transaction."""
    known = await _known(writing.connection, {body.id for body in bodies})
    next_seq = writing.last_report_seq + 1
    accepted: list[Accepted] = []
    for body in bodies:
        report = known.get(body.id)
        accepted.append(
            Accepted(report or _numbered(body, next_seq, writing), is_new=report is None)
        )
        if report is None:
            known[body.id] = accepted[-1].report
            next_seq += 1
    new = [one.report for one in accepted if one.is_new]
    if new:
        await _store(writing, new)
        await fold_calls(writing, [report.body for report in new], actor)
    return accepted


def to_report(row: Any) -> Report:
    """A row of `ReportRow` as the noun."""
    return Report(
        seq=SequenceNumber(row.seq),
        recorded_at=row.recorded_at,
        body=from_json(BODIES[ReportKind(row.kind)], row.body),
    )


def _numbered(body: ReportBody, seq: int, writing: Writing) -> Report:
    return Report(seq=SequenceNumber(seq), recorded_at=writing.now, body=body)


async def _known(connection: AsyncConnection, ids: set[ReportId]) -> dict[ReportId, Report]:
    found: dict[ReportId, Report] = {}
    for some in _chunks(sorted(ids)):
        rows = await connection.execute(select(ReportRow).where(ReportRow.id.in_(some)))
        found.update((report.id, report) for report in map(to_report, rows))
    return found


async def _store(writing: Writing, reports: list[Report]) -> None:
    for some in _chunks(reports):
        await writing.connection.execute(
            insert(ReportRow),
            [
                {
                    "seq": report.seq,
                    "id": report.id,
                    "kind": report.kind.value,
                    "exercise": report.exercise,
                    "evidence_key": evidence_key(report.body),
                    "recorded_at": report.recorded_at,
                    "body": to_json(report.body).decode(),
                }
                for report in some
            ],
        )
    await writing.connection.execute(
        update(CounterRow).where(CounterRow.name == "reports").values(value=reports[-1].seq)
    )
    writing.accepted = True


def _chunks(items: Sequence[T]) -> Iterable[Sequence[T]]:
    for start in range(0, len(items), _MOST_AT_ONCE):
        yield items[start : start + _MOST_AT_ONCE]
