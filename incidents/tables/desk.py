"""Units, shelves, hand-overs, exercises."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    Index,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from incidents.tables.base import Table


class UnitRow(Table):
    """An agency's unit: an engine, an ambulance, a patrol."""

    __tablename__ = "units"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(40))
    removed: Mapped[bool]
    body: Mapped[str]
    __table_args__ = (Index("units_by_agency", "agency_id"),)


class ShelfRow(Table):
    """A camera or hazard that doesn't sound for a while."""

    __tablename__ = "shelves"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    until: Mapped[datetime]
    """When it ends or was ended."""
    body: Mapped[str]
    __table_args__ = (Index("shelves_by_end", "until"),)


class HandoverRow(Table):
    """What one shift tells the next."""

    __tablename__ = "handovers"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    logged_seq: Mapped[int]
    """Its log entry: a total order to page by."""
    recorded_at: Mapped[datetime]
    body: Mapped[str]
    __table_args__ = (Index("handovers_by_seq", "logged_seq", unique=True),)


class ExerciseRow(Table):
    """An exercise that was played; `contracts.ExerciseRecord` is its body."""

    __tablename__ = "exercises"
    __table_args__ = (Index("exercises_by_time", "started_at"),)
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    started_at: Mapped[datetime]
    body: Mapped[str]
