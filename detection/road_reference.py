"""How wet a camera's road looks when it is not flooded. Pure: times are passed in.

A flood is a change. Dry asphalt under a grey sky or in sodium light can look as wet as water to a
classifier that sees it for the first time, and it looks so all day. So what a look is worth is
what it shows beyond this camera's own road.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

FOLLOWS_S = 3600.0
"""The reference follows what is seen with this time constant: water rises within minutes, light
changes within an hour. After a longer gap the first look counts as it did for a new camera."""


class RoadReference:
    """The running mean of a camera's flood evidence, in nats a look."""

    def __init__(self) -> None:
        self._llr = 0.0
        self._told_at_s = float("-inf")

    def note(self, llr: float, at_s: float) -> None:
        """A look at the road was worth `llr`. Looks from before one that was noted are ignored."""
        if at_s <= self._told_at_s:
            return
        # Of the first look ever, and of one after hours, this is 1.
        weight = 1.0 - math.exp((self._told_at_s - at_s) / FOLLOWS_S)
        self._llr += weight * (llr - self._llr)
        self._told_at_s = at_s

    @property
    def discount_llr(self) -> float:
        """What a look is worth less, since this road looks flooded anyway: 0 or more."""
        return max(0.0, self._llr)

    def to_plain(self) -> dict[str, Any]:
        """JSON form; a road that was never seen is empty."""
        if not math.isfinite(self._told_at_s):
            return {}
        return {"llr": round(self._llr, 4), "at_s": self._told_at_s}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> RoadReference:
        """From the JSON form. Raises ValueError, KeyError or TypeError where it is none."""
        road = cls()
        if plain:
            road._llr, road._told_at_s = float(plain["llr"]), float(plain["at_s"])
            if not (math.isfinite(road._llr) and math.isfinite(road._told_at_s)):
                raise ValueError("a road's reference must be finite")
        return road
