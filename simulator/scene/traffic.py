"""Vehicles on the junction's lanes: they follow one another, stop at red, and the period repeats.

Every lane is one file of the intelligent driver model (M. Treiber, A. Hennecke, D. Helbing, Phys.
Rev. E 62, 2000). It is run once, for a lead and a period of arrivals and signals; the period, by
then settled, is played in a loop, so that a time always gives the same picture.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from simulator.scene.place import EXTENT_M, MAIN_HALF_M, MINOR_HALF_M, STOP_LINE_M

PERIOD_S = 180.0
_CYCLE_S = 60.0
_LEAD_S = 2 * _CYCLE_S
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


@dataclass(frozen=True, slots=True)
class _Lane:
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
    lane: _Lane
    aside_m: float
    first: int
    along_m: NDArray[np.float32]
    """Place of the vehicle's middle, a sample each ``_KEEP_EVERY`` steps from ``first``."""


def _lanes() -> list[_Lane]:
    lanes = []
    for turn in (0.0, math.pi):
        for offset, gap in ((1.9, 13.0), (5.1, 9.0)):
            stop = -(MINOR_HALF_M + STOP_LINE_M)
            lanes.append(_Lane(turn, offset, stop, True, False, gap))
        lanes.append(_Lane(turn, 6.4, -(MINOR_HALF_M + STOP_LINE_M - 1.2), True, True, 5.0))
    for turn in (math.pi / 2, -math.pi / 2):
        stop = -(MAIN_HALF_M + STOP_LINE_M)
        lanes.append(_Lane(turn, 2.0, stop, False, False, 14.0))
        lanes.append(_Lane(turn, 3.9, stop + 1.2, False, True, 8.0))
    return lanes


class Traffic:
    """All vehicles of one junction."""

    def __init__(self, seed: int) -> None:
        """Runs a period and what leads up to it; a quarter of a second."""
        random = np.random.default_rng(seed + 3)
        self._tracks = [track for lane in _lanes() for track in _drive(lane, random)]
        self._firsts = np.array([track.first for track in self._tracks])
        self._lasts = self._firsts + [len(track.along_m) - 1 for track in self._tracks]

    def at(self, elapsed_s: float) -> list[Vehicle]:
        """The vehicles at a time."""
        position = elapsed_s % PERIOD_S / (_STEP_S * _KEEP_EVERY)
        index, share = int(position), position % 1
        found = []
        for number in np.flatnonzero((self._firsts <= index) & (index < self._lasts)).tolist():
            track = self._tracks[number]
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


def _green(is_main: bool, time_s: float) -> bool:
    phase = time_s % _CYCLE_S
    return phase < 29 if is_main else 34 <= phase < 55


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


def _drive(lane: _Lane, random: np.random.Generator) -> list[_Track]:
    arrivals: list[_Arrival] = []
    at = float(random.exponential(lane.mean_gap_s))
    while at < PERIOD_S:
        kind = Kind.MOTORCYCLE if lane.for_motorcycles else _any_kind(random)
        wish = float(random.uniform(9, 13.5) if kind is not Kind.BUS else 9.0)
        aside = float(random.uniform(-0.55, 0.4)) if lane.for_motorcycles else 0.0
        arrivals.append((at, kind, int(random.integers(1_000)), wish, aside))
        at += max(1.2, float(random.exponential(lane.mean_gap_s)))
    # Before the period comes the end of the one before, which is the same.
    early: list[_Arrival] = [
        (arrival[0] - PERIOD_S, *arrival[1:])
        for arrival in arrivals
        if arrival[0] > PERIOD_S - _LEAD_S
    ]
    queue = deque(early + arrivals)
    steps = round((PERIOD_S + _LEAD_S) / _STEP_S)
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
        _advance(row, lane, now)
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


def _advance(row: list[_Driver], lane: _Lane, now: float) -> None:
    ahead_end, ahead_speed = math.inf, 0.0
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
        speed = driver.speed_m_s
        wanted = 1.6 + max(
            0.0, speed * 1.1 + speed * (speed - leader_speed) / (2 * math.sqrt(1.6 * 2.2))
        )
        pull = 1.6 * (1 - (speed / driver.wish_m_s) ** 4 - (wanted / max(gap, 0.3)) ** 2)
        driver.speed_m_s = max(0.0, speed + max(pull, -7.0) * _STEP_S)
        driver.along_m += driver.speed_m_s * _STEP_S
        ahead_end, ahead_speed = driver.along_m - half, driver.speed_m_s
