"""What happens at one place, and what of it there is at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from simulator.scene.crashes import Crash
from simulator.scene.fires import Fire
from simulator.scene.floods import Flood
from simulator.scene.lanes import CYCLE_S, LANES, Hindrance, lane_at
from simulator.scene.lookalikes import Decoy, LookAlike
from simulator.scene.people import Gathering, Person, Walkers
from simulator.scene.traffic import Traffic, Vehicle

_GREEN_BEFORE_IMPACT_S = 17.0
"""The lanes' signals are set so that a crash comes when the queue before it has driven off."""


@dataclass(frozen=True, slots=True)
class Jam:
    """Slow traffic for a while: brake lights, a queue, and nothing to report."""

    id: str
    a: float
    b: float
    starts_s: float
    lasts_s: float

    def hindrances(self) -> list[Hindrance]:
        """In the nearest lane and the one beside it that runs the same way."""
        lane = LANES[lane_at(self.a, self.b)]
        along = self.a if lane.turn_rad == 0 else -self.a
        return [
            Hindrance(
                number,
                self.starts_s,
                self.starts_s + self.lasts_s,
                stretch_m=(along - 50, along + 12),
                slow_m_s=1.3,
            )
            for number, other in enumerate(LANES)
            if other.is_main and other.turn_rad == lane.turn_rad and not other.for_motorcycles
        ]


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything that moves or shines at a place at a time."""

    vehicles: list[Vehicle]
    people: list[Person]
    fires: list[Fire]
    floods: list[Flood]
    decoys: list[Decoy]


@dataclass(frozen=True, eq=False)
class Script:
    """A place's events; its traffic and its people know of them."""

    seed: int
    fires: Sequence[Fire] = ()
    crashes: Sequence[Crash] = ()
    floods: Sequence[Flood] = ()
    decoys: Sequence[Decoy] = ()
    jams: Sequence[Jam] = ()
    gatherings: Sequence[Gathering] = ()
    period_s: float | None = None
    """After which everything comes again; None: it doesn't."""
    density: float = 1.0
    """Vehicles against an ordinary day's."""
    walkers: int = 14
    _traffic: Traffic = field(init=False, repr=False)
    _walkers: Walkers = field(init=False, repr=False)

    def __post_init__(self) -> None:
        things: list[Crash | Flood | Jam | _Works] = [*self.crashes, *self.floods, *self.jams]
        things += [_Works(decoy) for decoy in self.decoys]
        hindrances = [hindrance for thing in things for hindrance in thing.hindrances()]
        offset = 0.0
        if self.crashes:
            offset = self.crashes[0].impact_s - _GREEN_BEFORE_IMPACT_S
        last = max((h.to_s for h in hindrances), default=0.0)
        period = self.period_s or CYCLE_S * (int((last + 30) // CYCLE_S) + 1)
        period = CYCLE_S * -(-period // CYCLE_S)
        if not hindrances and self.period_s is None:
            period = 3 * CYCLE_S
        traffic = Traffic(
            self.seed, hindrances, period_s=period, offset_s=offset, density=self.density
        )
        object.__setattr__(self, "_traffic", traffic)
        object.__setattr__(self, "_walkers", Walkers(self.seed, self.walkers))

    def at(self, elapsed_s: float) -> Moment:
        """What there is at a time of the city (not negative)."""
        now = elapsed_s if self.period_s is None else elapsed_s % self.period_s
        vehicles = self._traffic.at(now)
        for crash in self.crashes:
            vehicles += crash.vehicles(now)
        people = self._walkers.at(now, self._traffic.may_walk)
        for gathering in self.gatherings:
            people += gathering.at(now)
        return Moment(
            vehicles,
            people,
            [fire for fire in self.fires if fire.size_at(now) > 0],
            [flood for flood in self.floods if flood.fullness(now) > 0],
            [decoy for decoy in self.decoys if decoy.strength(now) > 0],
        )

    def own_time(self, elapsed_s: float) -> float:
        """The time within the period."""
        return elapsed_s if self.period_s is None else elapsed_s % self.period_s


@dataclass(frozen=True, slots=True)
class _Works:
    decoy: Decoy

    def hindrances(self) -> list[Hindrance]:
        if self.decoy.kind is not LookAlike.ROADWORKS:
            return []
        lane = lane_at(self.decoy.a, self.decoy.b)
        along = self.decoy.a if LANES[lane].turn_rad == 0 else -self.decoy.a
        ends = self.decoy.starts_s + self.decoy.lasts_s
        return [Hindrance(lane, self.decoy.starts_s, ends, lambda _: (along - 9.0, 0.0))]
