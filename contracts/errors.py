"""The one error of this room: a value that no noun may hold."""

from __future__ import annotations

import math
from datetime import datetime, timedelta


class ContractError(ValueError):
    """A value breaks a noun's law.

    Attributes:
        field: the field's name, dotted where it lies deeper.
        why: what is wrong and what would be right, in one sentence.
    """

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


def require_between(field: str, value: float, low: float, high: float) -> None:
    """Refuse a number that is not finite or lies outside ``[low, high]``."""
    if not _is_finite(value):
        raise ContractError(field, "must be a finite number")
    if not low <= value <= high:
        raise ContractError(field, f"must lie between {low:g} and {high:g}, got {value:g}")


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        # A whole number beyond what a float can hold.
        return False


def require_positive(field: str, value: float) -> None:
    """Refuse a number that is not finite or not above zero."""
    if not _is_finite(value) or value <= 0:
        raise ContractError(field, "must be a finite number above 0")


def require_utc(field: str, value: datetime) -> None:
    """Refuse a time without an offset or with another offset than UTC's."""
    if value.tzinfo is None or value.utcoffset() != timedelta(0):
        raise ContractError(field, f"must be an aware time in UTC, got {value.isoformat()}")


def require_text(field: str, value: str, max_length: int) -> None:
    """Refuse text that is blank or longer than ``max_length`` characters."""
    if not value.strip():
        raise ContractError(field, "must not be blank")
    if len(value) > max_length:
        raise ContractError(field, f"must have at most {max_length} characters, got {len(value)}")
