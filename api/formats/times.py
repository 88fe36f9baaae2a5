"""Times as the formats write them, in the city's own offset."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo


def whole_seconds(at: datetime, zone: ZoneInfo) -> str:
    """``2026-11-22T06:35:00+07:00``: CAP refuses ``Z`` and fractions of a second."""
    return at.astimezone(zone).isoformat(timespec="seconds")


def milliseconds(at: datetime, zone: ZoneInfo) -> str:
    """``2026-11-22T06:35:00.250+07:00``, as EIDO has it."""
    return at.astimezone(zone).isoformat(timespec="milliseconds")
