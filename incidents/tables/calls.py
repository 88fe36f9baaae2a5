"""Calls, and what phones and networks sent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from incidents.tables.base import Table


class CallRow(Table):
    """A call, put together from its reports."""

    __tablename__ = "calls"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    received_seq: Mapped[int] = mapped_column(index=True)
    """Log sequence of its first report: a total order to page by."""
    received_at: Mapped[datetime] = mapped_column(index=True)
    exercise: Mapped[bool]
    body: Mapped[str]


class CallKeyRow(Table):
    """What a call is known by: salted hashes of its caller's number and the like."""

    __tablename__ = "call_keys"
    key_hash: Mapped[str] = mapped_column(String(80), primary_key=True)
    call_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    heard_at: Mapped[datetime] = mapped_column(index=True)
    """When it was last heard of the caller."""


class RawMessageRow(Table):
    """A message of a phone or a network as it came, whatever it was worth."""

    __tablename__ = "raw_messages"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    received_seq: Mapped[int] = mapped_column(unique=True, index=True)
    """A total order to page by."""
    channel: Mapped[str] = mapped_column(String(20))
    sender: Mapped[str]
    """The machine key's name; empty for who had none."""
    received_at: Mapped[datetime] = mapped_column(index=True)
    seen_at: Mapped[datetime]
    seen: Mapped[int]
    """How often it came: senders repeat what wasn't answered."""
    sealed: Mapped[str]
    """Its bytes in base64, encrypted: they hold numbers of persons and devices."""
    is_trusted: Mapped[bool]
    problems: Mapped[str]
    """JSON list of sentences."""
    call_id: Mapped[str | None] = mapped_column(String(80), index=True)
    fix_ids: Mapped[str]
    """JSON list: the positions that were made of it."""


class DeadLetterRow(Table):
    """What came over the bus and could not be read; kept for people to look at."""

    __tablename__ = "dead_letters"
    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    """Topic and the bus's entry id, so that a repeat is kept once."""
    recorded_at: Mapped[datetime]
    problem: Mapped[str]
    sealed: Mapped[str | None]
    """Its bytes in base64, encrypted."""
