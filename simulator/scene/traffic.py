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
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.scene.lanes import CYCLE_S, LANES, Hindrance, Kind, Lane
from simulator.scene.place import EXTENT_M

PERIOD_S = 180.0
_LEAD_S = 2 * CYCLE_S
_STEP_S = 0.1
_KEEP_EVERY = 2
_BRAKES_BELOW_M_S = 2.0


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


@dataclass(frozen=True, eq=False)
class _Track:
    kind: Kind
    paint: int
    lane: Lane
    aside_m: float
    first: int
    along_m: NDArray[np.float32]
    """Place of the vehicle's middle, a sample each ``_KEEP_EVERY`` steps from ``first``."""


class _Files:
    """Lanes with one period. Their vehicles' places are one array: a time is one look into it."""

    def __init__(self, period_s: float, tracks: list[_Track]) -> None:
        """``tracks`` has one at least."""
        self._period_s = period_s
        self._tracks = tracks
        lengths = np.array([len(track.along_m) for track in tracks])
        self._along_m = np.concatenate([track.along_m for track in tracks]).astype(np.float64)
        self._firsts = np.array([track.first for track in tracks])
        self._lasts = self._firsts + lengths - 1
        # Where the sample at the period's beginning would lie, of each track.
        self._origins = np.concatenate(([0], np.cumsum(lengths)[:-1])) - self._firsts
        turns = np.array([track.lane.turn_rad for track in tracks])
        self._ahead = np.stack((np.cos(turns), np.sin(turns)), axis=1)
        left = np.array([track.lane.offset_m + track.aside_m for track in tracks])
        self._aside = np.stack((-left * self._ahead[:, 1], left * self._ahead[:, 0]), axis=1)

    def at(self, elapsed_s: float) -> list[Vehicle]:
        position = elapsed_s % self._period_s / (_STEP_S * _KEEP_EVERY)
        index, share = int(position), position % 1
        there = np.flatnonzero((self._firsts <= index) & (index < self._lasts))
        here = self._origins[there] + index
        along = self._along_m[here]
        steps = self._along_m[here + 1] - along
        spots = (along + share * steps)[:, None] * self._ahead[there] + self._aside[there]
        brakes = steps < _BRAKES_BELOW_M_S * _STEP_S * _KEEP_EVERY
        return [
            Vehicle(track.kind, track.paint, a, b, track.lane.turn_rad, is_braking)
            for track, (a, b), is_braking in zip(
                [self._tracks[number] for number in there.tolist()],
                spots.tolist(),
                brakes.tolist(),
                strict=True,
            )
        ]


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
            moved = [hindrance.moved(-self._offset_s) for hindrance in own]
            files.setdefault(length_s, []).extend(_drive(lane, random, length_s, moved, density))
        self._files = [_Files(length_s, tracks) for length_s, tracks in files.items() if tracks]

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
            and not lane.has_green(now)
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
