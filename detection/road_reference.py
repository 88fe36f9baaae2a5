"""How wet a camera's road looks when it is not flooded. Pure: times are passed in.

A flood is a change. Dry asphalt under a grey sky or in sodium light can look as wet as water to a
classifier that sees it for the first time, and it looks so all day, now more and now less, as
vehicles pass. So a look is worth no more than by how much the last looks stand out from what this
road shows: from its middle and spread in the hour before, and at this hour of other days.

**Learning.** The first minute's looks are the first reference, by their median and their median
deviation. A later look is learnt when it has become old, so that water that rises isn't measured
against itself. What each hour of the day looks like is remembered for weeks by whoever keeps the
camera's map: it stands in for the first minute when a camera comes back after hours.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

FOLLOWS_S = 3600.0
"""The reference follows what is seen with this time constant: water rises within minutes, light
changes within an hour."""
FIRST_LOOKS = 12
"""A minute, at a look in five seconds."""
LOOKS_TOGETHER = (1, 3, 6, 12, 24)
"""Of so many last looks the mean is compared: the more there are, the smaller a rise stands out.
Looks older than the most of them are learnt."""
REPLAYED_S = 20.0
"""A camera that is connected anew sends again what is no older than that."""
START_LLR = 1.0
"""What a look is worth at most where the road was never seen to look otherwise: enough to support a
call that speaks of a flood, and too little to be told of alone."""
SLOW_LOOKS = 60
"""A look counts as one in five minutes of them at most: water that rises soon after a camera's
first minute is not followed at once. An hour of which less was seen is not remembered."""
SEEN_LOOKS = 720
"""An hour of looks. What a road has looked like for so long says nothing of a flood any more."""
CHANCE_LLR = 8.0
"""What must be taken from how much looks stand out, since there are thousands of them in a day."""
LEAST_SPREAD = 0.5
"""Nats: the next quarter of an hour may differ where the last one didn't."""
LOOKS_ALIKE = 9
"""So many looks in a row show the same thing: vehicles wait so long at a light."""
REMEMBERED_S = 21 * 86_400.0
TODAYS_SHARE = 0.3
"""Of what is remembered of an hour, once it is over."""
_MAD_TO_SIGMA = 1.4826
_MEAN_DEVIATION_TO_SIGMA = 1.2533
_HOUR_S, _HOURS = 3600.0, 24


@dataclass(slots=True)
class _Usual:
    """What a road shows: middle and spread (standard deviation) of its looks, in nats."""

    middle: float
    spread: float
    looks: float
    """So many it rests on."""
    at_s: float

    def learn(self, llr: float, apart: float, at_s: float, weight: float) -> None:
        """Take in a look; `apart` is how far one looked from what the looks about it showed."""
        sigma = min(apart * _MEAN_DEVIATION_TO_SIGMA, 3.0 * self.spread)
        self.middle += weight * (llr - self.middle)
        self.spread += weight * (max(LEAST_SPREAD, sigma) - self.spread)
        self.looks = min(self.looks + 1.0, SEEN_LOOKS)
        self.at_s = max(self.at_s, at_s)

    def stands_out_llr(self, mean: float, looks: int) -> float:
        """How much likelier such a mean of the last looks is where water has risen, in nats.

        The generalised likelihood ratio of a higher middle, z^2 / 2, less what chance gives.
        """
        variance = 1.0 / _independent(looks) + 1.0 / _independent(self.looks)
        z = max(0.0, mean - self.middle) / (self.spread * math.sqrt(variance))
        return max(0.0, z * z / 2.0 - CHANCE_LLR)

    def to_plain(self) -> list[float]:
        return [round(v, 4) for v in (self.middle, self.spread, self.looks, self.at_s)]

    @classmethod
    def from_plain(cls, plain: Any) -> _Usual:
        middle, spread, looks, at_s = (float(v) for v in plain)
        if not all(math.isfinite(v) for v in (middle, spread, looks, at_s)) or looks < 1:
            raise ValueError("a road's reference must be finite and rest on looks")
        return cls(middle, max(LEAST_SPREAD, spread), looks, at_s)


def _independent(looks: float) -> float:
    """So many independent looks are worth as much."""
    return 1.0 + (looks - 1.0) / LOOKS_ALIKE


class RoadReference:
    """What one camera's road shows, in nats of flood evidence a look."""

    def __init__(self) -> None:
        self._usual: _Usual | None = None
        self._hours: dict[int, _Usual] = {}
        """By the hour of the day (UTC), of other days."""
        self._this_hour: _Usual | None = None
        self._first: list[float] = []
        self._new: deque[tuple[float, float]] = deque()
        """Looks that aren't learnt yet, with their times."""
        self._told_at_s = float("-inf")

    def worth(self, llr: float, at_s: float) -> float:
        """What a look is worth here that a classifier states `llr` of, at most that; learns it.

        Looks from shortly before one that was taken are worth nothing, and are not learnt; from
        long before it they come where the clock was set back.
        """
        if self._told_at_s - REPLAYED_S <= at_s <= self._told_at_s:
            return min(0.0, llr)
        if abs(at_s - self._told_at_s) > FOLLOWS_S:
            self._begin(at_s)
        self._told_at_s = at_s
        if self._usual is None:
            self._first.append(llr)
            if len(self._first) == FIRST_LOOKS:
                self._usual = self._of_the_first(at_s)
            return min(llr, START_LLR)
        self._new.append((at_s, llr))
        stands_out = self._stands_out_llr(self._usual, at_s)
        if len(self._new) >= LOOKS_TOGETHER[-1]:
            self._learn_oldest(self._usual)
        is_known = self._usual.looks >= SEEN_LOOKS or self._remembered(at_s) is not None
        return min(llr, max(0.0 if is_known else START_LLR, stands_out))

    def _begin(self, at_s: float) -> None:
        self._first.clear()
        self._new.clear()
        hour = self._remembered(at_s)
        self._usual = None
        if hour is not None:
            self._usual = _Usual(hour.middle, hour.spread, FIRST_LOOKS, at_s)

    def to_plain(self) -> dict[str, Any]:
        """JSON form; a road that was never seen is empty."""
        if not math.isfinite(self._told_at_s):
            return {}
        return {
            "at_s": self._told_at_s,
            "usual": None if self._usual is None else self._usual.to_plain(),
            "this_hour": None if self._this_hour is None else self._this_hour.to_plain(),
            "hours": {str(hour): usual.to_plain() for hour, usual in self._hours.items()},
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> RoadReference:
        """From the JSON form. Raises ValueError, KeyError or TypeError where it is none."""
        road = cls()
        # Earlier versions kept the middle alone: too little to go on.
        if "hours" in plain:
            road._told_at_s = float(plain["at_s"])
            if not math.isfinite(road._told_at_s):
                raise ValueError("a road's reference must be finite")
            road._usual, road._this_hour = (
                None if plain[key] is None else _Usual.from_plain(plain[key])
                for key in ("usual", "this_hour")
            )
            road._hours = {
                int(hour) % _HOURS: _Usual.from_plain(usual)
                for hour, usual in plain["hours"].items()
            }
        return road

    def _of_the_first(self, at_s: float) -> _Usual:
        middle = median(self._first)
        apart = median(abs(llr - middle) for llr in self._first)
        usual = _Usual(middle, max(LEAST_SPREAD, _MAD_TO_SIGMA * apart), FIRST_LOOKS, at_s)
        self._first.clear()
        return usual

    def _stands_out_llr(self, usual: _Usual, at_s: float) -> float:
        hour = self._remembered(at_s)
        return max(
            min(one.stands_out_llr(mean, looks) for one in (usual, hour) if one is not None)
            for looks in LOOKS_TOGETHER
            if looks <= len(self._new)
            for mean in [fmean(llr for _, llr in list(self._new)[-looks:])]
        )

    def _remembered(self, at_s: float) -> _Usual | None:
        """What this hour of the day shows on other days, where that is known."""
        hour = self._hours.get(_hour(at_s) % _HOURS)
        return hour if hour is not None and at_s - hour.at_s < REMEMBERED_S else None

    def _learn_oldest(self, usual: _Usual) -> None:
        # In the middle of the looks about it: there a steady rise takes nothing from either side.
        nearby = abs(self._new[len(self._new) // 2][1] - fmean(llr for _, llr in self._new))
        at_s, llr = self._new.popleft()
        follows = 1.0 - math.exp(-max(0.0, at_s - usual.at_s) / FOLLOWS_S)
        # What wanders goes below its middle as far as above, and water only above.
        below = usual.middle - llr
        apart = below if below > 0.0 else max(nearby, usual.spread / _MEAN_DEVIATION_TO_SIGMA)
        usual.learn(llr, apart, at_s, max(follows, 1.0 / max(usual.looks, SLOW_LOOKS)))
        if self._this_hour is not None and _hour(self._this_hour.at_s) != _hour(at_s):
            self._remember(self._this_hour)
            self._this_hour = None
        if self._this_hour is None:
            self._this_hour = _Usual(llr, usual.spread, 1.0, at_s)
        else:
            today = self._this_hour
            today.learn(llr, abs(llr - today.middle), at_s, 1.0 / (today.looks + 1.0))

    def _remember(self, today: _Usual) -> None:
        """An hour is over: take what it showed into what is known of it from other days."""
        if today.looks < SLOW_LOOKS:
            return
        known = self._remembered(today.at_s)
        hour_of_day = _hour(today.at_s) % _HOURS
        if known is None:
            self._hours[hour_of_day] = today
            return
        apart = today.middle - known.middle
        known.middle += TODAYS_SHARE * apart
        known.spread = math.sqrt(
            (1.0 - TODAYS_SHARE) * known.spread**2
            + TODAYS_SHARE * today.spread**2
            + TODAYS_SHARE * (1.0 - TODAYS_SHARE) * apart**2
        )
        known.looks, known.at_s = max(known.looks, today.looks), today.at_s


def _hour(at_s: float) -> int:
    return int(at_s // _HOUR_S)
