"""What was accepted, what it became, and what was told of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    Double,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    String,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from incidents.tables.base import Table


class ReportRow(Table):
    """An accepted report, in the one order that fusion works by."""

    __tablename__ = "reports"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    exercise: Mapped[bool]
    evidence_key: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(index=True)
    body: Mapped[str]
    incident_id: Mapped[str | None] = mapped_column(ForeignKey("incidents.id"), index=True)
    """Where fusion put it; none while undecided, or where it speaks for nothing."""
    problem: Mapped[str | None]
    """Why fusion could not work with it; such a report is set aside."""
    __table_args__ = (
        Index("reports_by_evidence", "evidence_key"),
        Index("reports_by_kind", "kind", "seq"),
        Index(
            "reports_of_exercises",
            "recorded_at",
            sqlite_where=text("exercise IS 1"),
            postgresql_where=text("exercise IS true"),
        ),
    )


class IncidentRow(Table):
    """An incident as last told, with what queries need beside it."""

    __tablename__ = "incidents"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    founded_seq: Mapped[int]
    """Log sequence of its founding: a total order to page by."""
    version: Mapped[int]
    guard_version: Mapped[int]
    """Version of the last change that a person's decision rests on; see `incidents.actions`."""
    is_open: Mapped[bool]
    exercise: Mapped[bool]
    state: Mapped[str] = mapped_column(String(20))
    level: Mapped[str] = mapped_column(String(20))
    hazard: Mapped[str] = mapped_column(String(20))
    acted_seq: Mapped[int] = mapped_column(default=0)
    """Log sequence of the last thing a person did to it; 0 if none ever did."""
    told_at: Mapped[datetime]
    """When the log last told of fusion's estimate."""
    body: Mapped[str]
    pending: Mapped[str | None]
    """The incident as fusion would tell it next; none where nothing is new."""
    lon: Mapped[float] = mapped_column(Double)
    lat: Mapped[float] = mapped_column(Double)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When it was closed, rejected, merged or cancelled."""
    created_at: Mapped[datetime]
    """When it was founded; see `incidents.finding`."""
    on_hold: Mapped[bool] = mapped_column(server_default=false())
    """Under legal hold: retention takes nothing of it."""
    __table_args__ = (
        # Holds all that a map or an export asks by, so that only what is found is read whole.
        Index(
            "incidents_by_place_and_time",
            "exercise",
            "founded_seq",
            "lon",
            "lat",
            "started_at",
            "ended_at",
        ),
        Index("incidents_open_by_founding", "is_open", "founded_seq"),
        Index("incidents_by_founding", "founded_seq"),
        Index("incidents_by_creation", "created_at", "founded_seq"),
        Index("incidents_by_start", "started_at"),
        Index(
            "incidents_on_hold",
            "founded_seq",
            sqlite_where=text("on_hold IS 1"),
            postgresql_where=text("on_hold IS true"),
        ),
        Index(
            "incidents_by_pending",
            "told_at",
            sqlite_where=text("pending IS NOT NULL"),
            postgresql_where=text("pending IS NOT NULL"),
        ),
    )


class IncidentWordRow(Table):
    """A word that an incident is found by, with what else is asked for (`incidents.finding`)."""

    __tablename__ = "incident_words"
    word: Mapped[str]
    founded_seq: Mapped[int]
    is_open: Mapped[bool]
    exercise: Mapped[bool]
    lon: Mapped[float] = mapped_column(Double)
    lat: Mapped[float] = mapped_column(Double)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    __table_args__ = (
        # Both keep the rows in the key's order, so that a word's are read one after another.
        PrimaryKeyConstraint(
            "word",
            "founded_seq",
            postgresql_include=["is_open", "exercise", "lon", "lat", "started_at", "ended_at"],
        ),
        {"sqlite_with_rowid": False},
    )


class LogRow(Table):
    """One change, with its subject as it was after it."""

    __tablename__ = "log"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    recorded_at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str]
    actor: Mapped[str]
    exercise: Mapped[bool]
    detail: Mapped[str]
    hazard: Mapped[str | None] = mapped_column(String(20))
    level: Mapped[str | None] = mapped_column(String(20))
    tags: Mapped[str] = mapped_column(server_default="")
    """What readers filter by: of the subject before and after the change (`incidents.tags`)."""
    request_key: Mapped[str | None] = mapped_column(unique=True)
    """Names the request that caused it, so that a repeat of it does nothing again."""
    subject: Mapped[str]
    __table_args__ = (
        Index("log_by_kind", "kind", "seq"),
        Index("log_by_subject", "subject_id", "seq"),
    )
