"""Light, weather and lens: what a camera's pictures suffer, as one value."""

from __future__ import annotations

import math
from dataclasses import dataclass

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a camera sees through. The same conditions and times give the same pictures."""

    name: str
    light: Colour
    """What is left of a bright day's red, green and blue."""
    lamps: float = 0.0
    """Street lamps and headlights: 0 is off, 1 a city at night."""
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
        for what in ("lamps", "wet", "rain", "dirt"):
            if not 0 <= getattr(self, what) <= 1:
                raise ValueError(f"{what} is between 0 and 1, got {getattr(self, what)}")
        if not self.fog_m > 0 or not self.noise_sigma >= 0 or not self.shake_px >= 0:
            raise ValueError(
                "fog_m is a distance in metres, noise_sigma a number of levels, shake_px of pixels"
            )


GREY_AFTERNOON = Conditions(name="grey afternoon", light=(0.52, 0.52, 0.56))
"""Late, under rain clouds."""
BRIGHT_DAY = Conditions(name="bright day", light=(1.0, 1.0, 1.0), noise_sigma=1.6)
DUSK = Conditions(name="dusk", light=(0.30, 0.27, 0.34), lamps=0.55, noise_sigma=3.0)
NIGHT = Conditions(name="night", light=(0.06, 0.065, 0.09), lamps=1.0, noise_sigma=4.5)
RAIN = Conditions(name="rain", light=(0.50, 0.52, 0.56), fog_m=320.0, wet=0.8, rain=0.6, lamps=0.15)
NIGHT_RAIN = Conditions(
    name="rain at night",
    light=(0.05, 0.055, 0.075),
    lamps=1.0,
    fog_m=260.0,
    wet=1.0,
    rain=0.5,
    noise_sigma=5.0,
)
FOG = Conditions(name="fog", light=(0.72, 0.74, 0.77), fog_m=55.0)
SMOG_AT_NIGHT = Conditions(
    name="haze at night", light=(0.07, 0.07, 0.085), lamps=1.0, fog_m=110.0, noise_sigma=4.5
)
DIRTY_LENS = Conditions(name="dirty lens", light=(0.62, 0.62, 0.64), dirt=0.8)
WINDY = Conditions(name="windy", light=(0.74, 0.75, 0.78), shake_px=3.0)

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
