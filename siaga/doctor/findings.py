"""What `siaga doctor` finds: one thing a finding, how it is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARNING = "warning"
    """Works, but not as it should."""
    PROBLEM = "problem"
    """Something doesn't work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    health: Health
    found: str
    mend: str = ""
    """What to do, where it isn't ok."""


def ok(what: str, found: str) -> Finding:
    """It is well."""
    return Finding(what=what, health=Health.OK, found=found)


def warning(what: str, found: str, mend: str) -> Finding:
    """It works, but not as it should."""
    return Finding(what=what, health=Health.WARNING, found=found, mend=mend)


def problem(what: str, found: str, mend: str) -> Finding:
    """It doesn't work."""
    return Finding(what=what, health=Health.PROBLEM, found=found, mend=mend)
