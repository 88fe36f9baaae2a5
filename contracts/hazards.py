"""What can have happened, and what a camera can see of it."""

from __future__ import annotations

from enum import StrEnum


class Hazard(StrEnum):
    """The kinds that the emergency number takes; an incident is of one of these."""

    FIRE = "fire"
    CRASH = "crash"
    FLOOD = "flood"
    DISASTER = "disaster"
    """Fallen trees, landslides and the like."""
    MEDICAL = "medical"
    CRIME = "crime"
    OTHER = "other"


class Sighting(StrEnum):
    """The kinds that a camera's detector reports."""

    FIRE = "fire"
    SMOKE = "smoke"
    CRASH = "crash"
    FLOOD = "flood"

    @property
    def hazard(self) -> Hazard:
        """The hazard that this sighting speaks for: smoke is evidence of fire."""
        return Hazard.FIRE if self is Sighting.SMOKE else Hazard(self.value)
