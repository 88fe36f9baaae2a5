"""Reports: what happened in a month, how fast it was answered, and how much of it was in vain.

Each as JSON, or with ``format=csv`` as its main table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime
from starlette.responses import Response

from api.formats.exports import csv_table
from api.problems import documented, invalid
from api.rights.access import GuardedRoute
from api.schemas.shapes_reports import (
    AlarmsReport,
    ClocksReport,
    HeatReport,
    KindsReport,
    LedgerReport,
)
from api.services import services_of
from api.wire import answer, plain
from incidents.reporting.facts import Span
from incidents.reporting.loudness import alarm_figures
from incidents.reporting.statistics import clocks, heat, kinds, ledger

LONGEST = timedelta(days=400)

router = APIRouter(prefix="/api/v1/reports", route_class=GuardedRoute, tags=["reports"])


class Format(StrEnum):
    """How a report is given."""

    JSON = "json"
    CSV = "csv"


def _span(
    request: Request,
    month: Annotated[
        str | None,
        Query(
            pattern=r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$",
            description="Such as 2026-11, in the city's own time; default the current one",
        ),
    ] = None,
    since: Annotated[AwareDatetime | None, Query(description="Instead of a month")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Default now")] = None,
    exercise: Annotated[bool | None, Query(description="Default what this installation is")] = None,
) -> Span:
    services = services_of(request)
    now = services.clock.now()
    apart = services.settings.exercise if exercise is None else exercise
    if since is None and until is None:
        begin, end = _month(month, now.astimezone(_timezone(request)))
    elif month is not None:
        raise invalid("month", "give either a month, or since and until")
    elif since is None:
        raise invalid("since", "is needed with until")
    else:
        begin, end = _utc("since", since), _utc("until", until or now)
    if end - begin > LONGEST:
        raise invalid("until", f"must be within {LONGEST.days} days after since")
    return Span(since=begin, until=end, exercise=apart)


InSpan = Annotated[Span, Depends(_span)]
As = Annotated[Format, Query(alias="format")]
_PROBLEMS = documented(401, 403, 422)
_ALSO_CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}


@router.get("/kinds", response_model=KindsReport, responses=_PROBLEMS | _ALSO_CSV)
async def report_kinds(request: Request, span: InSpan, as_: As = Format.JSON) -> Response:
    """Kinds of emergencies with counts and shares, by area, and by hour of the day."""
    facts = services_of(request).store.facts
    found = kinds(await facts.incidents(span), await facts.calls(span), _timezone(request))
    if as_ is Format.CSV:
        return _csv("kinds", map(dataclasses.asdict, found.rows))
    return _json(
        span,
        incidents=found.incidents,
        calls=found.calls,
        kinds=[dataclasses.asdict(row) for row in found.rows],
        by_area=found.by_area,
        by_hour=list(found.by_hour),
    )


@router.get("/clocks", response_model=ClocksReport, responses=_PROBLEMS | _ALSO_CSV)
async def report_clocks(request: Request, span: InSpan, as_: As = Format.JSON) -> Response:
    """How long acknowledging, verifying, dispatching, arriving and closing took."""
    found = clocks(await services_of(request).store.facts.incidents(span))
    rows = [dataclasses.asdict(row) for row in found]
    return _csv("clocks", rows) if as_ is Format.CSV else _json(span, clocks=rows)


@router.get("/false-alarms", response_model=LedgerReport, responses=_PROBLEMS | _ALSO_CSV)
async def report_false_alarms(request: Request, span: InSpan, as_: As = Format.JSON) -> Response:
    """What was rejected and what confirmed, by camera, hazard and day."""
    incidents = await services_of(request).store.facts.incidents(span)
    rows = [
        dataclasses.asdict(row) | {"day": row.day.isoformat()}
        for row in ledger(incidents, _timezone(request))
    ]
    return _csv("false-alarms", rows) if as_ is Format.CSV else _json(span, ledger=rows)


@router.get("/alarms", response_model=AlarmsReport, responses=_PROBLEMS | _ALSO_CSV)
async def report_alarms(
    request: Request,
    span: InSpan,
    as_: As = Format.JSON,
    operators: Annotated[int, Query(ge=1, le=1_000, description="At the desk")] = 1,
) -> Response:
    """How loud it was (ISA-18.2): the rate, time in flood, what chatters, what stands for days."""
    services = services_of(request)
    alarms = await services.store.facts.alarms(span)
    found = alarm_figures(alarms, span, services.clock.now(), operators)
    document = dataclasses.asdict(found)
    document["busiest_at"] = None if found.busiest_at is None else found.busiest_at.isoformat()
    if as_ is Format.CSV:
        plain_figures = {
            key: len(value) if isinstance(value, list | tuple) else value
            for key, value in document.items()
        }
        return _csv("alarms", [plain_figures])
    return _json(span, **document)


@router.get("/heat", response_model=HeatReport, responses=_PROBLEMS | _ALSO_CSV)
async def report_heat(
    request: Request,
    span: InSpan,
    as_: As = Format.JSON,
    cell_m: Annotated[float, Query(ge=50, le=20_000, description="A square's side")] = 500,
) -> Response:
    """Where things happened, in squares."""
    cells = heat(await services_of(request).store.facts.incidents(span), cell_m)
    rows = [dataclasses.asdict(cell) for cell in cells]
    if as_ is Format.CSV:
        return _csv("heat", ({**row, **row.pop("by_kind")} for row in rows), more=True)
    return _json(span, cell_m=cell_m, cells=rows)


def _month(text: str | None, now: datetime) -> tuple[datetime, datetime]:
    first = date.fromisoformat(f"{text}-01") if text else now.date().replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    zone = now.tzinfo
    begin, end = (
        datetime(one.year, one.month, 1, tzinfo=zone).astimezone(UTC) for one in (first, following)
    )
    return begin, end


def _utc(name: str, moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise invalid(name, "must be a time that a calendar has") from None


def _timezone(request: Request) -> ZoneInfo:
    return ZoneInfo(services_of(request).settings.city.timezone)


def _json(span: Span, **parts: Any) -> Response:
    head = {
        "since": span.since.isoformat(),
        "until": span.until.isoformat(),
        "exercise": span.exercise,
    }
    return answer(plain(head | parts))


def _csv(name: str, rows: Iterable[Mapping[str, Any]], *, more: bool = False) -> Response:
    """``more``: the rows don't all have the same columns; what one lacks is 0."""
    found = list(rows)
    columns = list(found[0]) if found else []
    if more:
        columns = list(dict.fromkeys(column for row in found for column in row))
    lines = [[row.get(column, 0) for column in columns] for row in found]
    return Response(
        csv_table(columns, lines),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="siaga-{name}.csv"'},
    )
