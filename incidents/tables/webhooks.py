"""Webhooks and their outboxes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from incidents.tables.base import Table


class WebhookRow(Table):
    """Who is sent what by HTTP, and how far in the log its outbox has come."""

    __tablename__ = "webhooks"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    version: Mapped[int]
    removed: Mapped[bool]
    body: Mapped[str]
    sealed_secret: Mapped[str]
    sealed_previous: Mapped[str | None]
    """The secret before it was rotated; both sign until ``previous_until``."""
    previous_until: Mapped[datetime | None]
    cursor_seq: Mapped[int]
    failures: Mapped[int]
    """Tries in a row at which the receiver didn't answer."""
    paused_until: Mapped[datetime | None]
    """Nothing is sent before; the receiver is given time."""
    problem: Mapped[str]
    """What went wrong last; empty while all is well."""


class WebhookDeliveryRow(Table):
    """An entry that a webhook's receiver has not confirmed yet."""

    __tablename__ = "webhook_deliveries"
    webhook_id: Mapped[str] = mapped_column(String(80), ForeignKey("webhooks.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    subject_id: Mapped[str]
    state: Mapped[str] = mapped_column(String(20))
    """``waiting`` or ``dead``."""
    attempts: Mapped[int]
    due_at: Mapped[datetime]
    queued_at: Mapped[datetime]
    problem: Mapped[str]
    payload: Mapped[str]
    """The event as it is sent: the log may have been shortened by the time it goes."""
    __table_args__ = (Index("deliveries_by_state", "webhook_id", "state", "seq"),)
