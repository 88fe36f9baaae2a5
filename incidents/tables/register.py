"""Cameras: how to open them, how they stand, how they are."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from incidents.tables.base import Table


class CameraRow(Table):
    """A registered camera and how to open it. A removed one stays, so that versions go on."""

    __tablename__ = "cameras"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    version: Mapped[int]
    enabled: Mapped[bool]
    removed: Mapped[bool]
    body: Mapped[str]
    username: Mapped[str | None]
    sealed_password: Mapped[str | None]
    headers: Mapped[str]
    """JSON list of name and value pairs."""


class CalibrationRow(Table):
    """A pose that a camera had, and what it was fitted to."""

    __tablename__ = "calibrations"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    camera_id: Mapped[str] = mapped_column(ForeignKey("cameras.id"))
    camera_version: Mapped[int]
    """The version of the camera that it made, or was found in."""
    recorded_at: Mapped[datetime]
    actor: Mapped[str]
    origin: Mapped[str] = mapped_column(String(20))
    restored_id: Mapped[str | None] = mapped_column(String(80))
    pose: Mapped[str]
    request: Mapped[str | None]
    """Metadata and clicks as JSON; none where the pose was not fitted."""
    findings: Mapped[str | None]
    """Residuals and warnings as JSON."""
    __table_args__ = (Index("calibrations_by_camera", "camera_id", "camera_version"),)


class CameraHealthRow(Table):
    """How a camera is."""

    __tablename__ = "camera_health"
    camera_id: Mapped[str] = mapped_column(ForeignKey("cameras.id"), primary_key=True)
    recorded_at: Mapped[datetime]
    body: Mapped[str]
