"""Vehicles on the junction's lanes: they follow one another, stop at red, and the period repeats.

Every lane is one file of the intelligent driver model (M. Treiber, A. Hennecke, D. Helbing, Phys.
Rev. E 62, 2000). It is run once, for a lead and a period of arrivals and signals; the period, by
then settled, is played in a loop, so that a time always gives the same picture. Where something
is in the way for a while (`Hindrance`), the lane is run for the whole of its scenario's period, and
a queue grows behind it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from simulator.scene.place import EXTENT_M, MAIN_HALF_M, MINOR_HALF_M, STOP_LINE_M

PERIOD_S = 180.0
CYCLE_S = 60.0
"""Of the signals."""
GREEN_S = 29.0
"""Of the main road, from the cycle's beginning."""
_LEAD_S = 2 * CYCLE_S
_STEP_S = 0.1
_KEEP_EVERY = 2


class Kind(Enum):
    """What drives; the value is its length in metres."""

    CAR = 4.3
    MINIBUS = 4.4
    TRUCK = 7.2
    BUS = 10.5
    MOTORCYCLE = 1.9


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle's middle in the place's frame; ``turn_rad`` anticlockwise from the a axis."""

    kind: Kind
    paint: int
    a: float
    b: float
    turn_rad: float
    is_braking: bool
    event_id: str = ""
    """The crash that it is part of."""
    has_fallen: bool = False
    """A motorcycle on its side."""
    crushed_m: tuple[float, float] = (0.0, 0.0)
    """So much shorter it has become in front and behind."""


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


@dataclass(frozen=True, eq=False)
class _Track:
    kind: Kind
    paint: int
    lane: Lane
    aside_m: float
    first: int
    along_m: NDArray[np.float32]
    """Place of the vehicle's middle, a sample each ``_KEEP_EVERY`` steps from ``first``."""


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


@dataclass(frozen=True, eq=False)
class _Files:
    """Lanes with one period."""

    period_s: float
    tracks: list[_Track]
    firsts: NDArray[np.int64]
    lasts: NDArray[np.int64]

    @classmethod
    def of(cls, period_s: float, tracks: list[_Track]) -> _Files:
        firsts = np.array([track.first for track in tracks], np.int64)
        lasts = firsts + np.array([len(track.along_m) - 1 for track in tracks], np.int64)
        return cls(period_s, tracks, firsts, lasts)

    def at(self, elapsed_s: float) -> list[Vehicle]:
        position = elapsed_s % self.period_s / (_STEP_S * _KEEP_EVERY)
        index, share = int(position), position % 1
        found = []
        for number in np.flatnonzero((self.firsts <= index) & (index < self.lasts)).tolist():
            track = self.tracks[number]
            here = index - track.first
            step = float(track.along_m[here + 1] - track.along_m[here])
            along = float(track.along_m[here]) + share * step
            speed = step / (_STEP_S * _KEEP_EVERY)
            left = track.lane.offset_m + track.aside_m
            cos, sin = math.cos(track.lane.turn_rad), math.sin(track.lane.turn_rad)
            found.append(
                Vehicle(
                    track.kind,
                    track.paint,
                    along * cos - left * sin,
                    along * sin + left * cos,
                    track.lane.turn_rad,
                    speed < 2.0,
                )
            )
        return found


class Traffic:
    """All vehicles of one junction."""

    def __init__(
        self,
        seed: int,
        hindrances: Sequence[Hindrance] = (),
        *,
        period_s: float = PERIOD_S,
        offset_s: float = 0.0,
        density: float = 1.0,
    ) -> None:
        """Runs a period and what leads up to it; a quarter of a second without hindrances.

        Args:
            seed: Of arrivals.
            hindrances: What is in the way, and when.
            period_s: After which everything comes again; a multiple of `CYCLE_S`.
            offset_s: When the main road's first green begins.
            density: Vehicles against an ordinary day's.
        """
        if period_s <= 0 or period_s % CYCLE_S:
            raise ValueError(f"the period must be a multiple of {CYCLE_S:g} s, got {period_s:g}")
        cycles = round(period_s / CYCLE_S)
        short_s = CYCLE_S * max(n for n in range(1, 6) if cycles % n == 0)
        self._offset_s = offset_s % CYCLE_S
        files: dict[float, list[_Track]] = {}
        for number, lane in enumerate(LANES):
            random = np.random.default_rng((seed, 3, number))
            own = [hindrance for hindrance in hindrances if hindrance.lane == number]
            length_s = period_s if own else short_s
            # The lane's own time begins with a green.
            moved = [_moved(hindrance, -self._offset_s) for hindrance in own]
            files.setdefault(length_s, []).extend(_drive(lane, random, length_s, moved, density))
        self._files = [_Files.of(length_s, tracks) for length_s, tracks in files.items() if tracks]

    def at(self, elapsed_s: float) -> list[Vehicle]:
        """The vehicles at a time."""
        own_s = elapsed_s - self._offset_s
        return [vehicle for files in self._files for vehicle in files.at(own_s)]

    def may_walk(self, elapsed_s: float) -> float | None:
        """Seconds since the main road's crossings were given to those on foot; None at red."""
        phase = (elapsed_s - self._offset_s) % CYCLE_S
        since = phase - _WALK_FROM_S
        return since if 0 <= since < CYCLE_S - _WALK_FROM_S else None


_WALK_FROM_S = 32.0


def _moved(hindrance: Hindrance, by_s: float) -> Hindrance:
    rear = hindrance.rear_at
    return replace(
        hindrance,
        from_s=hindrance.from_s + by_s,
        to_s=hindrance.to_s + by_s,
        empty_from_s=hindrance.empty_from_s + by_s,
        rear_at=None if rear is None else lambda now: rear(now - by_s),
    )


def _green(is_main: bool, time_s: float) -> bool:
    phase = time_s % CYCLE_S
    return phase < GREEN_S if is_main else 34 <= phase < 55


@dataclass(slots=True, eq=False)
class _Driver:
    kind: Kind
    half_m: float
    paint: int
    wish_m_s: float
    aside_m: float
    along_m: float
    speed_m_s: float
    first_step: int
    kept: list[float]


_Arrival = tuple[float, Kind, int, float, float]
"""When, what, its paint, the speed it wants (m/s), and how far it keeps to its left (m)."""


def _drive(
    lane: Lane,
    random: np.random.Generator,
    period_s: float,
    hindrances: list[Hindrance],
    density: float,
) -> list[_Track]:
    arrivals: list[_Arrival] = []
    gap_s = lane.mean_gap_s / density
    at = float(random.exponential(gap_s))
    while at < period_s:
        kind = Kind.MOTORCYCLE if lane.for_motorcycles else _any_kind(random)
        wish = float(random.uniform(9, 13.5) if kind is not Kind.BUS else 9.0)
        aside = float(random.uniform(-0.55, 0.4)) if lane.for_motorcycles else 0.0
        if not any(h.empty_from_s <= at < h.from_s for h in hindrances):
            arrivals.append((at, kind, int(random.integers(1_000)), wish, aside))
        at += max(1.2, float(random.exponential(gap_s)))
    # Before the period comes the end of the one before, which is the same.
    early: list[_Arrival] = [
        (arrival[0] - period_s, *arrival[1:])
        for arrival in arrivals
        if arrival[0] > period_s - _LEAD_S
    ]
    queue = deque(early + arrivals)
    steps = round((period_s + _LEAD_S) / _STEP_S)
    second = round(_LEAD_S / _STEP_S)
    row: list[_Driver] = []
    done: list[_Driver] = []
    for step in range(steps):
        now = (step - second) * _STEP_S
        while queue and queue[0][0] <= now and (not row or row[-1].along_m > 9 - EXTENT_M):
            _, kind, paint, wish, aside = queue.popleft()
            row.append(
                _Driver(kind, kind.value / 2, paint, wish, aside, -EXTENT_M, wish * 0.8, -1, [])
            )
        _advance(row, lane, now, [h for h in hindrances if h.from_s <= now < h.to_s])
        for driver in row:
            if step >= second and (step - second) % _KEEP_EVERY == 0:
                if driver.first_step < 0:
                    driver.first_step = (step - second) // _KEEP_EVERY
                driver.kept.append(driver.along_m)
        if row and row[0].along_m > EXTENT_M:
            done.append(row.pop(0))
    return [
        _Track(d.kind, d.paint, lane, d.aside_m, d.first_step, np.array(d.kept, np.float32))
        for d in done + row
        if len(d.kept) > 1
    ]


def _any_kind(random: np.random.Generator) -> Kind:
    kinds = (Kind.CAR, Kind.MINIBUS, Kind.TRUCK, Kind.BUS)
    return kinds[int(random.choice(4, p=(0.68, 0.18, 0.10, 0.04)))]


def _advance(row: list[_Driver], lane: Lane, now: float, hindrances: list[Hindrance]) -> None:
    ahead_end, ahead_speed = math.inf, 0.0
    rears = [h.rear_at(now) for h in hindrances if h.rear_at is not None]
    for driver in row:
        half = driver.half_m
        gap, leader_speed = ahead_end - driver.along_m - half, ahead_speed
        to_line = lane.stop_at_m - driver.along_m - half
        # Who couldn't stop any more at a comfortable 3.5 m/s2 goes on.
        if (
            to_line > -0.5
            and not _green(lane.is_main, now)
            and to_line > driver.speed_m_s**2 / 7.0 - 0.5
            and to_line < gap
        ):
            gap, leader_speed = to_line + 1.0, 0.0
        for rear, rear_speed in rears:
            # Whoever's middle is past it has got by.
            if driver.along_m < rear and rear - driver.along_m - half < gap:
                gap, leader_speed = rear - driver.along_m - half, rear_speed
        wish = driver.wish_m_s
        for hindrance in hindrances:
            low, high = hindrance.stretch_m
            if low - 6 < driver.along_m < high:
                wish = min(wish, hindrance.slow_m_s)
        speed = driver.speed_m_s
        wanted = 1.6 + max(
            0.0, speed * 1.1 + speed * (speed - leader_speed) / (2 * math.sqrt(1.6 * 2.2))
        )
        pull = 1.6 * (1 - min((speed / wish) ** 4, 6.0) - (wanted / max(gap, 0.3)) ** 2)
        driver.speed_m_s = max(0.0, speed + max(pull, -7.0) * _STEP_S)
        driver.along_m += driver.speed_m_s * _STEP_S
        ahead_end, ahead_speed = driver.along_m - half, driver.speed_m_s
