"""What fusion, its writer and its verdicts remember; what evidence was kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from incidents.tables.base import Table


class FusionWriterRow(Table):
    """One row: who may write fusion's decisions, and how far they have got."""

    __tablename__ = "fusion_writer"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    fencing: Mapped[int]
    report_seq: Mapped[int]


class LearntRow(Table):
    """A figure that fusion has learnt; `contracts.LearntFigure` is its body."""

    __tablename__ = "learnt"
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    frozen: Mapped[bool]
    """Learning leaves it as it is."""
    body: Mapped[str]


class VerdictRow(Table):
    """What people found a camera's track to be. It outlives the reports it was made from."""

    __tablename__ = "verdicts"
    id: Mapped[str] = mapped_column(String(250), primary_key=True)
    incident_id: Mapped[str] = mapped_column(String(80))
    camera_id: Mapped[str] = mapped_column(String(80))
    decided_at: Mapped[datetime]
    exercise: Mapped[bool]
    body: Mapped[str]
    __table_args__ = (
        Index("verdicts_by_incident", "incident_id"),
        Index("verdicts_by_time", "decided_at"),
    )


class ClipRow(Table):
    """A clip of an incident: asked for, and what became of it."""

    __tablename__ = "clips"
    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    incident_id: Mapped[str] = mapped_column(ForeignKey("incidents.id"))
    camera_id: Mapped[str] = mapped_column(String(80))
    until: Mapped[datetime]
    is_final: Mapped[bool]
    """Nothing more will come of it."""
    body: Mapped[str]
    __table_args__ = (
        Index("clips_by_incident", "incident_id"),
        Index("clips_by_end", "is_final", "until"),
    )
