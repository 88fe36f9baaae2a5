"""Light, weather and lens: what a camera's pictures suffer, as one value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a camera sees through. The same conditions and times give the same pictures."""

    name: str
    light: Colour
    """What is left of a bright day's red, green and blue."""
    lamps: float = 0.0
    """Street lamps and lit windows: 0 is off, 1 a city at night."""
    headlights: float = 0.0
    """Vehicles': 0 is off, 1 the only light there is."""
    fog_m: float = math.inf
    """The distance at which fog has taken 63 % of what is seen."""
    wet: float = 0.0
    """How much a wet road mirrors, 0 to 1."""
    rain: float = 0.0
    """Streaks in the air, 0 to 1."""
    noise_sigma: float = 2.2
    """The sensor's, in 8-bit levels."""
    dirt: float = 0.0
    """Dried drops and dust on the dome, 0 to 1."""
    shake_px: float = 0.0
    """How far gusts move the picture."""

    def __post_init__(self) -> None:
        for what in ("lamps", "headlights", "wet", "rain", "dirt"):
            if not 0 <= getattr(self, what) <= 1:
                raise ValueError(f"{what} is between 0 and 1, got {getattr(self, what)}")
        if not self.fog_m > 0 or not self.noise_sigma >= 0 or not self.shake_px >= 0:
            raise ValueError(
                "fog_m is a distance in metres, noise_sigma a number of levels, shake_px of pixels"
            )

    def towards(self, other: Conditions, share: float) -> Conditions:
        """On the way to others: 0 is these, 1 the others. Fog thickens by its extinction."""

        def between(one: float, two: float) -> float:
            return one + (two - one) * share

        extinction = between(1 / self.fog_m, 1 / other.fog_m)
        red, green, blue = (between(*pair) for pair in zip(self.light, other.light, strict=True))
        return Conditions(
            name=f"{self.name} to {other.name}",
            light=(red, green, blue),
            lamps=between(self.lamps, other.lamps),
            headlights=between(self.headlights, other.headlights),
            fog_m=1 / extinction if extinction else math.inf,
            wet=between(self.wet, other.wet),
            # In steps: sheets of noise and rain are made for each and kept.
            rain=round(between(self.rain, other.rain), 1),
            noise_sigma=round(2 * between(self.noise_sigma, other.noise_sigma)) / 2,
            dirt=self.dirt if share < 0.5 else other.dirt,
            shake_px=between(self.shake_px, other.shake_px),
        )


@dataclass(frozen=True, slots=True)
class Change:
    """Other conditions come, from ``at_s`` on and fully ``over_s`` later."""

    at_s: float
    over_s: float
    to: Conditions


@dataclass(frozen=True, slots=True)
class Phase:
    """What there is at a time: on the way from one to another by ``share``, or ``one`` alone."""

    one: Conditions
    other: Conditions
    share: float

    @property
    def under(self) -> Conditions:
        """The conditions themselves."""
        return self.one.towards(self.other, self.share) if self.share else self.one


_STEPS = 40
"""A change goes in so many steps; between them a camera keeps what it has drawn."""


def phase_at(first: Conditions, changes: Sequence[Change], elapsed_s: float) -> Phase:
    """Which conditions there are at a time; ``changes`` in order of time, one after the other."""
    now = first
    for change in changes:
        if elapsed_s < change.at_s:
            break
        share = (elapsed_s - change.at_s) / change.over_s
        if share < 1:
            step = math.floor(share * _STEPS) / _STEPS
            return Phase(now, change.to, step)
        now = change.to
    return Phase(now, now, 0.0)


GREY_AFTERNOON = Conditions(name="grey afternoon", light=(0.80, 0.81, 0.86))
"""Late, under rain clouds; a camera opens its iris until a street is of a middle grey."""
BRIGHT_DAY = Conditions(name="bright day", light=(1.0, 1.0, 1.0), noise_sigma=1.6)
DUSK = Conditions(
    name="dusk", light=(0.52, 0.47, 0.57), lamps=0.55, headlights=0.55, noise_sigma=3.0
)
NIGHT = Conditions(
    name="night", light=(0.13, 0.135, 0.17), lamps=1.0, headlights=1.0, noise_sigma=4.5
)
RAIN = Conditions(
    name="rain", light=(0.74, 0.76, 0.81), fog_m=320.0, wet=0.8, rain=0.6, headlights=0.25
)
NIGHT_RAIN = Conditions(
    name="rain at night",
    light=(0.11, 0.115, 0.145),
    lamps=1.0,
    headlights=1.0,
    fog_m=260.0,
    wet=1.0,
    rain=0.5,
    noise_sigma=5.0,
)
FOG = Conditions(name="fog", light=(0.80, 0.82, 0.85), fog_m=55.0)
SMOG_AT_NIGHT = Conditions(
    name="haze at night",
    light=(0.11, 0.11, 0.125),
    lamps=1.0,
    headlights=1.0,
    fog_m=110.0,
    noise_sigma=4.5,
)
DIRTY_LENS = Conditions(name="dirty lens", light=(0.84, 0.84, 0.87), dirt=0.8)
WINDY = Conditions(name="windy", light=(0.90, 0.91, 0.94), shake_px=3.0)

ALL = (
    GREY_AFTERNOON,
    BRIGHT_DAY,
    DUSK,
    NIGHT,
    RAIN,
    NIGHT_RAIN,
    FOG,
    SMOG_AT_NIGHT,
    DIRTY_LENS,
    WINDY,
)
BY_NAME = {under.name: under for under in ALL}
