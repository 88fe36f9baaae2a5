"""How often a camera's ordinary traffic passes for a crash. Pure: times are passed in.

`detection.clutter` knows the places that fire again and again; here the camera as a whole counts:
at a busy junction something brakes hard or turns close to the camera now here, now there.
Sightings that nobody has confirmed are Poisson events with a gamma prior, so that a camera is taken
for an ordinary one until it has shown otherwise. Its rate says what one more sighting must be worth
to be told of; what is told says honestly what the pictures show, and is weighed elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

USUAL_S = 3600.0
"""What is looked at closely for so long speaks once, as far as is known beforehand; the prior
weighs as much as that one sighting."""
MOST_RESTLESS_LLR = 1.5
"""The surest clips exceed the bar by more: no camera is silenced."""
HALF_LIFE_S = 86_400.0
"""A day: rush hours, nights and roadworks come and go."""
LONGEST_STEP_S = 2.0
"""A judgement stands for the time since the one before, but for no more than this."""


class Restlessness:
    """One camera's rate of unconfirmed crash sightings while it is looked at closely."""

    def __init__(self, sightings: float = 0.0, watched_s: float = 0.0, at_s: float = 0.0) -> None:
        if not all(math.isfinite(v) and v >= 0.0 for v in (sightings, watched_s, at_s)):
            raise ValueError("sightings, watched_s and at_s are finite and not negative")
        self._sightings, self._watched_s, self._at_s = sightings, watched_s, at_s

    def llr(self, at_s: float) -> float:
        """By how much more evidence a new sighting must have, in nats: 0 to MOST_RESTLESS_LLR."""
        kept = 0.5 ** (max(0.0, at_s - self._at_s) / HALF_LIFE_S)
        usual = 1.0 + kept * self._watched_s / USUAL_S
        return min(MOST_RESTLESS_LLR, max(0.0, math.log((1.0 + kept * self._sightings) / usual)))

    def note(self, at_s: float, *, spoke: bool) -> None:
        """The camera's clip was judged; `spoke` if that began a sighting."""
        since_s = max(0.0, at_s - self._at_s)
        kept = 0.5 ** (since_s / HALF_LIFE_S)
        self._sightings = kept * self._sightings + spoke
        self._watched_s = kept * self._watched_s + min(since_s, LONGEST_STEP_S)
        self._at_s = max(self._at_s, at_s)

    def to_plain(self) -> dict[str, float]:
        """JSON form; `from_plain` reads it."""
        return {
            "sightings": round(self._sightings, 4),
            "watched_s": round(self._watched_s, 1),
            "at_s": self._at_s,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Restlessness:
        """From the JSON form, nothing known where it is empty. Raises ValueError, TypeError."""
        return cls(*(float(plain.get(key, 0.0)) for key in ("sightings", "watched_s", "at_s")))
