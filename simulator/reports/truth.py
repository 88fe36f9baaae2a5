"""What truly happened in a city in numbers, and when its day is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from contracts import Hazard

START = datetime(2026, 3, 1, 17, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TrueEvent:
    """What truly happened. ``xy`` in metres of the city's plane."""

    number: int
    hazard: Hazard
    xy: tuple[float, float]
    onset_s: float


def at(seconds: float) -> datetime:
    """A time of the city's day."""
    return START + timedelta(seconds=round(seconds, 3))
