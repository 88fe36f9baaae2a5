"""The shapes of reports, for the description at /docs."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ReportHead(BaseModel):
    """What a report is about."""

    since: str
    until: str
    exercise: bool


class KindItem(BaseModel):
    """One kind of emergency; shares are of all."""

    kind: str
    incidents: int
    incident_share: float
    calls: int
    call_share: float


class KindsReport(ReportHead):
    """The month's table."""

    incidents: int
    calls: int
    kinds: list[KindItem]
    by_area: dict[str, dict[str, int]] = Field(description="An empty name is outside all areas")
    by_hour: list[dict[str, int]] = Field(description="24, by the city's own time")


class ClockItem(BaseModel):
    """One step; seconds."""

    step: str
    count: int
    missing: int
    p50_s: float | None
    p90_s: float | None
    longest_s: float | None
    target_s: float | None
    within_target: float | None


class ClocksReport(ReportHead):
    """The response clocks."""

    clocks: list[ClockItem]


class LedgerItem(BaseModel):
    """A camera, a hazard, a day; an empty camera is calls alone."""

    camera_id: str
    hazard: str
    day: str
    rejected: int
    confirmed: int
    undecided: int


class LedgerReport(ReportHead):
    """The false-alarm ledger."""

    ledger: list[LedgerItem]


class ChatterItem(BaseModel):
    """A source that sounds again and again."""

    camera_id: str
    hazard: str
    alarms: int


class AlarmsReport(ReportHead):
    """ISA-18.2: alarms an operator in ten minutes, and which don't help."""

    operators: int
    alarms: int
    periods: int
    average: float
    busiest: float
    busiest_at: str | None
    share_fine: float
    share_manageable: float
    share_in_flood: float
    chattering: list[ChatterItem]
    stale: list[str]
    unacknowledged: int


class HeatItem(BaseModel):
    """A square's middle, and what happened in it."""

    lon: float
    lat: float
    count: int
    by_kind: dict[str, int]


class HeatReport(ReportHead):
    """Where things happened."""

    cell_m: float
    cells: list[HeatItem]
