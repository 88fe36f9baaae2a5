"""People on foot: along the pavements, over the crossings, and about what has happened."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from simulator.scene.place import MAIN_HALF_M, MINOR_HALF_M

LOOKS = 12
_REACH_M = 62.0


class Pose(Enum):
    """What somebody does."""

    WALKS = auto()
    STANDS = auto()
    LIES = auto()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a place's frame; ``turn_rad`` anticlockwise from the a axis."""

    a: float
    b: float
    turn_rad: float
    pose: Pose
    walked_m: float
    looks: int
    event_id: str = ""


class Walkers:
    """The people of a place who have nothing to do with any event."""

    def __init__(self, seed: int, count: int = 14) -> None:
        random = np.random.default_rng((seed, 17))
        self._rows = [
            (
                float(random.choice((-1, 1))) * (MAIN_HALF_M + float(random.uniform(0.9, 2.6))),
                float(random.choice((-1, 1))),
                float(random.uniform(0, 2 * _REACH_M)),
                float(random.uniform(1.0, 1.5)),
                int(random.integers(LOOKS)),
            )
            for _ in range(count)
        ]
        self._crossers = [
            (
                float(random.choice((-1, 1))),
                float(random.uniform(0, 9)),
                int(random.integers(LOOKS)),
            )
            for _ in range(max(1, count // 3))
        ]

    def at(self, elapsed_s: float, may_walk: Callable[[float], float | None]) -> list[Person]:
        """Everybody at a time; crossings are walked while the main road has red."""
        found = []
        for b, ahead, start, speed, looks in self._rows:
            walked = start + elapsed_s * speed
            a = ahead * (walked % (2 * _REACH_M) - _REACH_M)
            turn = 0.0 if ahead > 0 else math.pi
            found.append(Person(a, b, turn, Pose.WALKS, walked, looks))
        since = may_walk(elapsed_s)
        way = 2 * MAIN_HALF_M + 2.4
        for side, wait, looks in self._crossers:
            walked = 0.0 if since is None else max(0.0, (since - wait) * 1.35)
            a = side * (MINOR_HALF_M + 2.1 + wait / 9)
            b = min(walked, way) - way / 2
            pose = Pose.WALKS if 0 < walked < way else Pose.STANDS
            found.append(Person(a, b, math.pi / 2, pose, walked, looks))
        return found


@dataclass(frozen=True)
class Gathering:
    """People who come to see what has happened, stand about it, and leave when it is over."""

    id: str
    a: float
    b: float
    starts_s: float
    lasts_s: float
    count: int = 7
    ring_m: float = 5.5
    arrive_within_s: float = 45.0
    seed: int = 0
    lying: tuple[float, float] | None = None
    """Somebody hurt lies there from the beginning."""

    def at(self, elapsed_s: float) -> list[Person]:
        """Those who have come."""
        age = elapsed_s - self.starts_s
        if not 0 <= age < self.lasts_s:
            return []
        random = np.random.default_rng((self.seed, 23))
        found = []
        if self.lying is not None:
            found.append(Person(*self.lying, 0.6, Pose.LIES, 0.0, self.seed % LOOKS, self.id))
        for _ in range(self.count):
            waits = float(random.uniform(3, self.arrive_within_s))
            angle = float(random.uniform(0, 2 * math.pi))
            ring = self.ring_m * float(random.uniform(0.75, 1.35))
            looks, speed = int(random.integers(LOOKS)), float(random.uniform(1.2, 2.4))
            spot = (self.a + ring * math.cos(angle), self.b + ring * math.sin(angle))
            side = 1 if spot[1] >= 0 else -1
            start = (
                spot[0] + float(random.choice((-1, 1))) * float(random.uniform(14, 26)),
                side * (MAIN_HALF_M + float(random.uniform(1.0, 2.6))),
            )
            way = math.dist(start, spot)
            walked = min(way, max(0.0, (age - waits) * speed))
            back = min(way, max(0.0, (age - (self.lasts_s - way / speed - 1)) * speed))
            if age < waits or back >= way:
                continue
            share = (walked - back) / way
            a = start[0] + (spot[0] - start[0]) * share
            b = start[1] + (spot[1] - start[1]) * share
            moves = walked < way or back > 0
            turn = (
                math.atan2(spot[1] - start[1], spot[0] - start[0]) + (math.pi if back else 0)
                if moves
                else math.atan2(self.b - b, self.a - a)
            )
            pose = Pose.WALKS if moves else Pose.STANDS
            found.append(Person(a, b, turn, pose, walked + back, looks))
        return found
