"""What cameras make of a city's events by how they are watched: seldom, or closely.

`city.make_city` says what cameras report that are all watched alike. Here a camera's report depends
on whether somebody had it watched closely, and when. Each pair of an event and a camera that shows
it has its own luck, drawn from the city's seed and the pair alone: what differs between two runs
over one day is the watching and nothing else.

How much evidence a camera comes to is normal, and cut at the bar of what is confirmed: with the
figures below 0.7 of the pairs pass it when watched at full rate, with 6.0 +- 2.6 nats, which is
what `CityAssumptions` says of cameras.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from contracts import CameraId, Hazard
from geo.visibility import VisibilityIndex
from simulator.reports.assumptions import SEEN_BY_CAMERAS
from simulator.reports.city import HEIGHT_PX, WIDTH_PX, NumericCity
from simulator.reports.truth import TrueEvent

REPORTS_APART_S = 5.0
REPORT_TAKES_S = 0.7
"""Mean, from the picture to the report."""
SHOWS_FOR_MIN = MappingProxyType({Hazard.FIRE: 45.0, Hazard.CRASH: 25.0, Hazard.FLOOD: 240.0})


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """How cameras are watched; evidence in nats."""

    cold_every_s: float = 2.0
    """Between two looks of a camera that nobody asked for: its keyframes, or fewer of them where
    there are more cameras than the machine can look at."""
    hot_every_s: float = 0.2
    look_back_s: float = 8.0
    """What a camera that is asked for shows of the time before."""
    look_back_takes_s: float = 3.0
    bar: float = 1.8
    """Evidence that is reported."""
    bar_lowered_by: float = 1.5
    """While somebody has the camera watched closely."""
    strength: tuple[float, float] = (4.0, 4.0)
    """Of a camera's evidence of what it shows, watched at full rate: mean and deviation."""
    wreck_says_less: float = 3.0
    """A crash whose impact wasn't seen has only its wreck to tell of it."""
    noticed_at_once: float = 0.5
    """Chance that one look at a fresh wreck makes the camera look back: something has come to
    stand."""
    looks_needed: int = 3


@dataclass(frozen=True, slots=True)
class Told:
    """What a camera tells of a thing it shows; ``llr`` is all its evidence."""

    at_s: float
    llr: float
    hazard: Hazard


@dataclass(frozen=True, slots=True)
class Sight:
    """An event that a camera shows, where, and from when to when; with this pair's luck."""

    event: TrueEvent
    camera_id: CameraId
    foot: tuple[float, float]
    shown_s: tuple[float, float]
    strength: float
    noticed: bool
    looks_missed: int
    """Seldom looks that don't speak before one does."""
    delay_s: float

    @property
    def track_id(self) -> str:
        """One thing is one track, however it was found."""
        return f"{self.camera_id}-e{self.event.number}"

    def seldom(self, looking: Looking) -> Told | None:
        """What the camera reports by itself: a look that speaks makes it look closer."""
        start_s, end_s = self.shown_s
        strength = self.strength
        if self.event.hazard is Hazard.CRASH:
            in_time = min(1.0, looking.look_back_s / looking.cold_every_s)
            if not (self.noticed and self.delay_s < in_time):
                strength -= looking.wreck_says_less
        if strength < looking.bar:
            return None
        found_s = start_s + looking.cold_every_s * (self.looks_missed + self.delay_s)
        found_s += looking.look_back_takes_s
        return Told(found_s, strength, self.event.hazard) if found_s < end_s else None

    def closely(self, looking: Looking, from_s: float, until_s: float) -> Told | None:
        """What it reports while it is watched closely, with a look back at the beginning."""
        start_s, end_s = self.shown_s
        back_s = from_s - looking.look_back_s
        if end_s < back_s or start_s > until_s:
            return None
        strength = self.strength
        if self.event.hazard is Hazard.CRASH and not back_s <= self.event.onset_s <= until_s:
            strength -= looking.wreck_says_less
        if strength < looking.bar - looking.bar_lowered_by:
            return None
        looks_s = looking.hot_every_s * (looking.looks_needed + self.looks_missed)
        seen_s = max(start_s, back_s) + looks_s
        found_s = max(seen_s, from_s + looking.look_back_takes_s)
        return Told(found_s, strength, self.event.hazard) if found_s < until_s else None


class Eyes:
    """What all cameras of a city show of its events."""

    def __init__(self, city: NumericCity, seed: int, looking: Looking) -> None:
        self._city = city
        self._seed = seed
        self._looking = looking
        index = VisibilityIndex.build(city.poses, city.projection)
        self.sights: list[Sight] = [
            sight
            for event in city.events
            if event.hazard in SEEN_BY_CAMERAS
            for sight in self._sights_of(event, index)
        ]

    def _luck(self, *of: object) -> np.random.Generator:
        return np.random.default_rng([self._seed, zlib.crc32(repr(of).encode())])

    def _sights_of(self, event: TrueEvent, index: VisibilityIndex) -> Iterator[Sight]:
        assumed = self._city.assumptions
        lon, lat = self._city.projection.to_lonlat(*event.xy)
        for one in index.cameras_seeing(float(lon), float(lat)):
            luck = self._luck(event.number, one.camera_id)
            grows_s = 0.0
            if event.hazard is not Hazard.CRASH:
                grows_s = float(luck.exponential(assumed.found_after_s))
            shown_s = (
                event.onset_s + grows_s,
                event.onset_s + 60 * SHOWS_FOR_MIN[event.hazard],
            )
            away_s = self._city.outages.get(one.camera_id, (math.inf, math.inf))
            if away_s[0] <= shown_s[0] <= away_s[1]:
                continue
            pixels, seen = self._city.true_cameras[one.camera_id].project(
                np.array([[*event.xy, 0.0]])
            )
            u, v = pixels[0] + luck.normal(0, assumed.foot_sigma_px * assumed.camera_noise, 2)
            if not seen[0] or not (0 <= u <= WIDTH_PX and 40 <= v <= HEIGHT_PX):
                continue
            strength = float(luck.normal(*self._looking.strength))
            # One look is worth half of all that a track can come to, and it errs.
            speaks = 0.5 * (1 + math.erf(max(strength, 0.2) / 4 / math.sqrt(2)))
            yield Sight(
                event=event,
                camera_id=one.camera_id,
                foot=(float(u), float(v)),
                shown_s=shown_s,
                strength=strength,
                noticed=bool(luck.random() < self._looking.noticed_at_once),
                looks_missed=int(luck.geometric(speaks)) - 1,
                delay_s=float(luck.random()),
            )

    def clutter(self, camera_id: CameraId, from_s: float, until_s: float) -> list[Told]:
        """What is no hazard and is reported all the same, in a time that a camera is watched
        closely and in addition to what it would report anyway: the evidence that clutter comes to
        falls off as honest log-likelihood ratios do, so that a bar ``d`` lower lets ``exp(d)``
        times as much through.
        """
        assumed, lowered = self._city.assumptions, self._looking.bar_lowered_by
        luck = self._luck("clutter", camera_id, round(from_s, 3))
        more = assumed.clutter_per_camera_day * math.expm1(lowered) * (until_s - from_s) / 86_400
        mean, deviation = assumed.llr_clutter
        kinds = sorted(SEEN_BY_CAMERAS)
        return [
            Told(
                at_s=float(luck.uniform(from_s, until_s)),
                llr=float(luck.normal(mean, deviation)),
                hazard=kinds[int(luck.integers(len(kinds)))],
            )
            for _ in range(luck.poisson(more))
        ]

    def foot_of_clutter(self, camera_id: CameraId, at_s: float) -> tuple[float, float]:
        """Where in the picture it stands."""
        luck = self._luck("foot", camera_id, round(at_s, 3))
        u, v = luck.uniform((60, 0.3 * HEIGHT_PX), (WIDTH_PX - 60, HEIGHT_PX)).tolist()
        return u, v


__all__ = ["REPORTS_APART_S", "REPORT_TAKES_S", "Eyes", "Looking", "Sight", "Told"]
