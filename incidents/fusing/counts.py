"""What a fusion process has done since it started."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class FusionCounts:
    """For the logs and for whoever watches the process."""

    leading: bool = False
    decided: int = 0
    deciding_s: float = 0.0
    """Spent on deciding, without the database."""
    set_aside: int = 0
    told: int = 0
    rebuilt: int = 0
    cues: int = 0
    decided_to: int = 0
    """The last report decided on."""
