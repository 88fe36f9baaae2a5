"""What a city in numbers is made of; every figure can be turned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from contracts import Hazard
from geo.callers import STANDOFFS, Standoff

SEEN_BY_CAMERAS = frozenset({Hazard.FIRE, Hazard.CRASH, Hazard.FLOOD})

_EVENTS = MappingProxyType(
    {
        Hazard.FIRE: 0.022,
        Hazard.CRASH: 0.034,
        Hazard.FLOOD: 0.010,
        Hazard.DISASTER: 0.005,
        Hazard.MEDICAL: 0.019,
        Hazard.CRIME: 0.013,
        Hazard.OTHER: 0.014,
    }
)
_CALLS = MappingProxyType(
    {
        Hazard.FIRE: 5.0,
        Hazard.CRASH: 4.0,
        Hazard.FLOOD: 4.0,
        Hazard.DISASTER: 3.0,
        Hazard.MEDICAL: 2.0,
        Hazard.CRIME: 2.5,
        Hazard.OTHER: 2.0,
    }
)
_WAIT_MIN = MappingProxyType({Hazard.FIRE: 9.0, Hazard.FLOOD: 35.0, Hazard.DISASTER: 15.0})


@dataclass(frozen=True, slots=True, kw_only=True)
class CityAssumptions:
    """Sizes in metres, rates a day, shares of one."""

    side_m: float = 10_000.0
    cameras: int = 2_000
    hours: float = 24.0
    events_per_km2_day: Mapping[Hazard, float] = field(default_factory=lambda: _EVENTS)
    sibling_share: float = 0.25
    """Of the events, those with another one at ``sibling_m`` within ``sibling_min``."""
    sibling_same: float = 0.5
    sibling_m: tuple[float, float] = (120.0, 500.0)
    sibling_min: float = 20.0

    calls_per_event: Mapping[Hazard, float] = field(default_factory=lambda: _CALLS)
    """At least one person calls; further ones are Poisson."""
    heard_share: float = 0.95
    """Events that anybody calls about."""
    kept_calls: float = 1.0
    """Of all calls, those that come through."""
    standoffs: Mapping[Hazard | None, Standoff] = field(
        default_factory=lambda: MappingProxyType(STANDOFFS)
    )
    far_factor: float = 1.0
    """Callers stand so many times farther off."""
    standoff_ring: bool = False
    """Distances are log-normal about 0.8 sigma in a random direction, not Gaussian: nobody stands
    in the fire."""
    call_wait_min: Mapping[Hazard, float] = field(default_factory=lambda: _WAIT_MIN)
    """Mean wait of a call after the onset; 5 min where none is given."""
    slow_call_share: float = 0.1
    """Calls that come six times later."""
    cell_share: float = 0.35
    cell_sigma_m: tuple[float, float] = (400.0, 1_100.0)
    sector_share: float = 0.5
    """Of the cells, those given as a sector's polygon; the others are a disc."""
    late_aml_share: float = 0.1
    """Calls that start with a cell and get a phone's own position within a minute."""
    phone_sigma_m: tuple[float, float] = (4.0, 25.0)
    lying_phone_share: float = 0.03
    """Positions that are five times worse than they state."""
    unnamed_share: float = 0.08
    misnamed_share: float = 0.06
    nonsense_calls_per_km2_day: float = 0.02

    detection_probability: float = 0.7
    found_after_s: float = 60.0
    """Mean time from the onset to a camera's first report."""
    llr_true: tuple[float, float] = (6.0, 2.5)
    llr_clutter: tuple[float, float] = (-2.0, 2.5)
    """Mean and deviation; normal, cut to +-20."""
    clutter_per_camera_day: float = 0.5
    clutter_shape: float = 0.7
    """Of the gamma distribution of cameras' clutter rates: the smaller, the more a few make it."""
    clutter_at_spots: float = 0.5
    """Clutter that comes at the same spot of the picture again and again: a lamp, a sign."""
    foot_sigma_px: float = 4.0
    camera_noise: float = 1.0
    """Pixels' and calibration's errors are so many times what is stated."""
    outage_share: float = 0.05
    """Cameras that are away for some hours."""
    skewed_share: float = 0.03
    """Cameras whose clock is off, by up to ``skew_s``."""
    skew_s: float = 240.0


STRESS = CityAssumptions(far_factor=1.7, kept_calls=0.5, camera_noise=2.0)
"""Callers stand 1.7 times farther off, half of them call, and cameras err twice as much."""

_NEAR_AND_FAR: Standoff = ((0.5, 25.0), (0.3, 90.0), (0.2, 260.0))
VARIATIONS: Mapping[str, CityAssumptions] = MappingProxyType(
    {
        "ring": CityAssumptions(standoff_ring=True),
        "one standoff": CityAssumptions(standoffs=dict.fromkeys((*Hazard, None), _NEAR_AND_FAR)),
        "quick calls": CityAssumptions(call_wait_min=dict.fromkeys(Hazard, 2.0)),
        "slow calls": CityAssumptions(call_wait_min=dict.fromkeys(Hazard, 20.0)),
        "weak pictures": CityAssumptions(llr_true=(3.0, 2.5), llr_clutter=(-3.0, 2.5)),
        "loud clutter": CityAssumptions(llr_clutter=(0.0, 2.0), clutter_per_camera_day=1.0),
        "little clutter": CityAssumptions(clutter_per_camera_day=0.05),
        "many calls": CityAssumptions(
            calls_per_event={hazard: 2.0 * mean for hazard, mean in _CALLS.items()}
        ),
        "few calls": CityAssumptions(
            calls_per_event={hazard: 0.5 * mean for hazard, mean in _CALLS.items()}
        ),
        "few cameras": CityAssumptions(cameras=300),
        "nonsense": CityAssumptions(nonsense_calls_per_km2_day=0.1),
    }
)
"""Cities that break one of fusion's assumptions each."""


def sized(base: CityAssumptions, *, side_m: float, cameras: int, hours: float) -> CityAssumptions:
    """The same city at another size."""
    return replace(base, side_m=side_m, cameras=cameras, hours=hours)
