"""Crashes: vehicles that approach, hit one another, slide to a standstill and stay.

Who crashes drives on a script of closed formulas, so that impact and place are exact truth; the
other traffic meets them as a `Hindrance`, brakes and queues behind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from simulator.scene.lanes import LANES, Hindrance, Kind, lane_at
from simulator.scene.place import EXTENT_M
from simulator.scene.traffic import Vehicle

APPROACH_S = 9.0
"""So long before the impact the first of them comes into the scene."""
_SETTLES_S = 0.45
"""The time in which a slide loses 63 % of its speed."""
_ROOM_S = 7.0
"""The lane before them stays empty for so long, or they would drive through slower vehicles."""
_OTHERS_BRAKE_S = 3.5


class CrashShape(StrEnum):
    """How they hit one another."""

    REAR_END = "rear_end"
    CHAIN = "chain"
    SIDE = "side"
    MOTORCYCLE = "motorcycle"


@dataclass(frozen=True, slots=True)
class _Actor:
    """One of them; lengths in metres, speeds in m/s, times against the crash's impact."""

    kind: Kind
    paint: int
    lane: int
    rests_along_m: float
    """Where its middle stands at its own impact, along its lane."""
    hit_s: float
    hit_m_s: float
    """Its speed at its impact."""
    brakes_s: float
    """Before its impact it has braked for so long."""
    braking_m_s2: float
    slides_m: float
    drifts_m: float
    """To the left, after the impact."""
    turns_rad: float
    aside_m: float = 0.0
    """To the left of its lane's middle at the impact, 0 long before."""
    falls: bool = False
    crushed_m: tuple[float, float] = (0.0, 0.0)
    """What the impact takes off its front and its back."""

    def along(self, since_s: float) -> tuple[float, float]:
        """Place along the lane and speed, at a time since the crash's impact."""
        before = self.hit_s - since_s
        if before <= 0:
            rest = 1 - math.exp(before / _SETTLES_S)
            return self.rests_along_m + self.slides_m * rest, 0.0
        braked = min(before, self.brakes_s)
        speed = self.hit_m_s + self.braking_m_s2 * braked
        way = self.hit_m_s * braked + self.braking_m_s2 * braked**2 / 2
        return self.rests_along_m - way - speed * (before - braked), speed

    def vehicle(self, since_s: float, event_id: str) -> Vehicle:
        lane = LANES[self.lane]
        along, speed = self.along(since_s)
        after = since_s - self.hit_s
        rest = 1 - math.exp(-after / _SETTLES_S) if after > 0 else 0.0
        swerve = self.aside_m * min(1.0, max(0.0, 1 + after / 1.2))
        left = lane.offset_m + swerve + self.drifts_m * rest
        cos, sin = math.cos(lane.turn_rad), math.sin(lane.turn_rad)
        return Vehicle(
            self.kind,
            self.paint,
            along * cos - left * sin,
            along * sin + left * cos,
            lane.turn_rad + self.turns_rad * rest,
            is_braking=-self.brakes_s < after < 40 or speed < 2,
            event_id=event_id if after >= 0 else "",
            has_fallen=self.falls and after > 0.25,
            crushed_m=self.crushed_m if after > 0 else (0.0, 0.0),
        )


@dataclass(frozen=True)
class Crash:
    """A crash in a place, in its frame; times are seconds of the city's own time."""

    id: str
    a: float
    b: float
    impact_s: float
    lasts_s: float
    shape: CrashShape = CrashShape.REAR_END
    seed: int = 0

    @property
    def lane(self) -> int:
        """The lane that it happens in."""
        return lane_at(self.a, self.b)

    def _along(self) -> float:
        return self.a * math.cos(LANES[self.lane].turn_rad)

    def _actors(self) -> list[_Actor]:
        at, lane, paint = self._along(), self.lane, self.seed * 5
        match self.shape:
            case CrashShape.REAR_END:
                return _row(at, lane, paint, (Kind.CAR, Kind.MINIBUS))
            case CrashShape.CHAIN:
                return _row(at, lane, paint, (Kind.MINIBUS, Kind.CAR, Kind.CAR, Kind.TRUCK))
            case CrashShape.SIDE:
                # Somebody comes out of the minor road at red, from the right of the main's lane.
                minor = 6 if math.cos(LANES[lane].turn_rad) > 0 else 8
                turn, offset = LANES[minor].turn_rad, LANES[minor].offset_m
                a = -offset * math.sin(turn)
                across = LANES[lane].offset_m * math.cos(LANES[lane].turn_rad) * math.sin(turn)
                ahead = a * math.cos(LANES[lane].turn_rad)
                hit = _Actor(
                    Kind.CAR, paint, lane, ahead - 3.2, 0, 10.5, 0.35, 5, 2.2, -0.5, -0.35,
                    crushed_m=(0.55, 0.0),
                )  # fmt: skip
                runs = _Actor(Kind.CAR, paint + 7, minor, across, 0, 9.0, 0.2, 3, 1.2, 1.6, 0.75)
                return [hit, runs]
            case CrashShape.MOTORCYCLE:
                rider = _Actor(
                    Kind.MOTORCYCLE, paint, lane, at, 0, 9.0, 0.4, 3, 4.5, 1.4, 0.9, 0.6, True
                )
                car = _Actor(
                    Kind.CAR, paint + 2, lane, at - 3.0, 0.05, 11, 0.5, 5, 1.4, 0.2, 0.12,
                    crushed_m=(0.18, 0.0),
                )  # fmt: skip
                return [rider, car]

    def vehicles(self, elapsed_s: float) -> list[Vehicle]:
        """Those in it, from their approach until they are cleared away."""
        since = elapsed_s - self.impact_s
        if not -APPROACH_S - 2 <= since < self.lasts_s:
            return []
        found = [actor.vehicle(since, self.id) for actor in self._actors()]
        return [v for v in found if max(abs(v.a), abs(v.b)) < EXTENT_M - 2]

    def hindrances(self) -> list[Hindrance]:
        """What they are for the lanes that they use."""
        actors = self._actors()
        found = []
        for lane in {actor.lane for actor in actors}:
            own = [actor for actor in actors if actor.lane == lane]

            def rear(now: float, own: list[_Actor] = own) -> tuple[float, float]:
                at = [(actor, *actor.along(now - self.impact_s)) for actor in own]
                actor, along, speed = min(at, key=lambda row: row[1] - row[0].kind.value / 2)
                return along - actor.kind.value / 2, speed

            start = self.impact_s - APPROACH_S
            end = self.impact_s + self.lasts_s
            found.append(Hindrance(lane, start, end, rear, empty_from_s=start - _ROOM_S))
        found += self._crossed(actors)
        return found

    def _crossed(self, actors: list[_Actor]) -> list[Hindrance]:
        """Lanes that none of them drives in and some of them block: from the side, or sliding."""
        final = [actor.vehicle(60.0, self.id) for actor in actors]
        found = []
        for number, lane in enumerate(LANES):
            if number in {actor.lane for actor in actors}:
                continue
            cos, sin = math.cos(lane.turn_rad), math.sin(lane.turn_rad)
            blocks = [
                v.a * cos + v.b * sin - v.kind.value / 2
                for v in final
                if abs(-v.a * sin + v.b * cos - lane.offset_m)
                < (0.9 if lane.for_motorcycles else 2)
            ]
            swept = self.shape is CrashShape.SIDE and lane.is_main
            if not blocks and not swept:
                continue
            # Where somebody shoots across, the others brake at the junction's edge for a moment.
            rear_m = min(blocks) - 0.6 if blocks else -9.0
            end = self.impact_s + (self.lasts_s if blocks else 6.0)
            start = self.impact_s - _OTHERS_BRAKE_S
            found.append(Hindrance(number, start, end, lambda _, m=rear_m: (m, 0.0)))  # type: ignore[misc]
        return found

    def middle(self) -> tuple[float, float]:
        """Where it happened: the middle of those in it at rest, (a, b)."""
        final = [actor.vehicle(60.0, self.id) for actor in self._actors()]
        return sum(v.a for v in final) / len(final), sum(v.b for v in final) / len(final)


def _row(at: float, lane: int, paint: int, kinds: tuple[Kind, ...]) -> list[_Actor]:
    """The first brakes hard, and each behind it comes too late."""
    row, end = [], at
    for number, kind in enumerate(kinds):
        middle = end if number == 0 else end - kind.value / 2 + 0.25
        is_first = number == 0
        swing = 0.10 * (-1) ** number * number
        row.append(
            _Actor(
                kind,
                paint + 7 * number,
                lane,
                middle,
                0.0 if is_first else 1.1 * (number - 1),
                2.5 if is_first else 10.0 - 1.2 * number,
                1.7 if is_first else 0.45 + 0.3 * number,
                4.6,
                1.3 if is_first else max(0.4, 1.0 - 0.25 * number),
                0.0 if is_first else swing * 2.0,
                0.06 if is_first else swing,
                crushed_m=(
                    0.0 if is_first else 0.5,
                    0.0 if number == len(kinds) - 1 else 0.4,
                ),
            )
        )
        end = middle - kind.value / 2
    return row
