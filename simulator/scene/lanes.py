"""A junction's lanes and signals, what drives there, and what may be in its way."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from simulator.scene.place import MAIN_HALF_M, MINOR_HALF_M, STOP_LINE_M

CYCLE_S = 60.0
"""Of the signals."""
GREEN_S = 29.0
"""Of the main road, from the cycle's beginning."""


class Kind(Enum):
    """What drives; the value is its length in metres."""

    CAR = 4.3
    MINIBUS = 4.4
    TRUCK = 7.2
    BUS = 10.5
    MOTORCYCLE = 1.9


@dataclass(frozen=True, slots=True)
class Lane:
    """A file of vehicles; ``turn_rad`` anticlockwise from the a axis."""

    turn_rad: float
    offset_m: float
    """To the left of the road's axis, as its drivers see it."""
    stop_at_m: float
    is_main: bool
    for_motorcycles: bool
    mean_gap_s: float

    def has_green(self, time_s: float) -> bool:
        """Whether it may be driven at a time of the signals' own."""
        phase = time_s % CYCLE_S
        return phase < GREEN_S if self.is_main else 34 <= phase < 55


def _lanes() -> list[Lane]:
    lanes = []
    for turn in (0.0, math.pi):
        for offset, gap in ((1.9, 13.0), (5.1, 9.0)):
            stop = -(MINOR_HALF_M + STOP_LINE_M)
            lanes.append(Lane(turn, offset, stop, True, False, gap))
        lanes.append(Lane(turn, 6.4, -(MINOR_HALF_M + STOP_LINE_M - 1.2), True, True, 5.0))
    for turn in (math.pi / 2, -math.pi / 2):
        stop = -(MAIN_HALF_M + STOP_LINE_M)
        lanes.append(Lane(turn, 2.0, stop, False, False, 14.0))
        lanes.append(Lane(turn, 3.9, stop + 1.2, False, True, 8.0))
    return lanes


LANES = tuple(_lanes())


def lane_at(a: float, b: float) -> int:
    """The index of the cars' lane of the main road that is nearest to a point."""
    cars = [i for i, lane in enumerate(LANES) if lane.is_main and not lane.for_motorcycles]
    return min(cars, key=lambda i: abs(LANES[i].offset_m * math.cos(LANES[i].turn_rad) - b))


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Something in a lane's way: behind it vehicles queue, those beyond it drive on."""

    lane: int
    """An index of `LANES`."""
    from_s: float
    to_s: float
    rear_at: Callable[[float], tuple[float, float]] | None = None
    """Its rear end along the lane and its speed at a time; None for a slow stretch alone."""
    stretch_m: tuple[float, float] = (0.0, 0.0)
    """Between these the lane is driven at `slow_m_s` at most."""
    slow_m_s: float = math.inf
    empty_from_s: float = math.inf
    """From here to `from_s` nobody enters the lane."""

    def moved(self, by_s: float) -> Hindrance:
        """The same so much later."""
        rear = self.rear_at
        return replace(
            self,
            from_s=self.from_s + by_s,
            to_s=self.to_s + by_s,
            empty_from_s=self.empty_from_s + by_s,
            rear_at=None if rear is None else lambda now: rear(now - by_s),
        )
