"""People who see something and call 112: how many, when, from where, and what they say."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, replace

import numpy as np

from contracts import FixMethod, Hazard, LonLat, Sector
from geo.callers import STANDOFFS
from geo.projection import LocalProjection
from simulator.handsets import Way, number_of, way_of
from simulator.words import NOTES, UNSURE


@dataclass(frozen=True, slots=True)
class SimulatedFix:
    """A position as a phone sends it: the disc holds the caller with ``confidence``."""

    place: LonLat
    radius_m: float
    confidence: float
    method: FixMethod
    age_s: float
    """How long before it was sent it was taken."""
    sector: Sector | None = None
    """Where the network tells the cell instead of a disc."""
    after_s: float = 0.0
    """So long after the call it comes."""
    way: Way = Way.NETWORK


@dataclass(frozen=True, slots=True)
class SimulatedCall:
    """One call and the truth behind it."""

    after_s: float
    """When it comes, in seconds of the city's own time."""
    hazard: Hazard | None
    note: str
    fix: SimulatedFix
    event_id: str
    """The event that it is about."""
    caller: LonLat
    """Where the caller truly stands."""
    later: tuple[SimulatedFix, ...] = ()
    """What the phone sends once it knows better."""
    number: str = ""
    """Ties the call to what the phone sends by itself."""


@dataclass(frozen=True, slots=True)
class _Phone:
    share: float
    method: FixMethod
    sigma_low_m: float
    sigma_high_m: float
    confidence: float


# AML as the field reports tell: nine calls in ten are placed within 50 m; most states of a phone
# give 68 %, some 90 or 95.
_PHONES = (
    _Phone(0.62, FixMethod.GNSS, 4, 14, 0.68),
    _Phone(0.18, FixMethod.FUSED, 8, 25, 0.90),
    _Phone(0.12, FixMethod.WIFI, 12, 35, 0.68),
    _Phone(0.08, FixMethod.CELL, 250, 700, 0.95),
)

_TAKEN_FOR: dict[Hazard, tuple[Hazard, ...]] = {
    Hazard.FIRE: (Hazard.OTHER, Hazard.CRASH),
    Hazard.CRASH: (Hazard.MEDICAL, Hazard.CRIME),
    Hazard.FLOOD: (Hazard.DISASTER, Hazard.OTHER),
    Hazard.DISASTER: (Hazard.OTHER, Hazard.CRASH),
    Hazard.MEDICAL: (Hazard.CRASH, Hazard.OTHER),
    Hazard.CRIME: (Hazard.OTHER, Hazard.MEDICAL),
    Hazard.OTHER: (Hazard.DISASTER, Hazard.CRIME),
}
"""What a call is put down as by mistake."""

PUBLISHED_A_DAY = 25.0
"""Reports to the city's emergency number, all kinds."""
PUBLISHED_SHARES: dict[Hazard, float] = {
    Hazard.CRASH: 0.29,
    Hazard.FIRE: 0.19,
    Hazard.MEDICAL: 0.16,
    Hazard.DISASTER: 0.13,
    Hazard.OTHER: 0.12,
    Hazard.CRIME: 0.11,
}
"""Of these reports, by kind."""


def calls_about(
    event_id: str,
    hazard: Hazard,
    at: tuple[float, float],
    place_name: str,
    onset_s: float,
    projection: LocalProjection,
    seed: int,
    *,
    mean_callers: float = 3.0,
    mean_delay_s: float = 22.0,
    standoff_scale: float = 1.0,
    count: int | None = None,
    wrong_kind: float = 0.0,
    later_fixes: float = 0.0,
) -> list[SimulatedCall]:
    """The calls that an event causes, in order of time; the same for the same seed.

    Args:
        event_id: The event's identifier.
        hazard: What it is.
        at: Where, in metres of the city's plane.
        place_name: What callers call the place.
        onset_s: When it begins, in the city's own time.
        projection: The city's plane.
        seed: Of this event.
        mean_callers: At least one calls; further ones are Poisson.
        mean_delay_s: From the onset to a call, beyond the ten seconds it takes to see and dial.
        standoff_scale: Stretches how far off callers stand against what fusion assumes.
        count: So many call, in place of a random number.
        wrong_kind: The share of calls put down as another kind.
        later_fixes: The share of phones that find themselves anew while the call lasts.
    """
    random = np.random.default_rng(seed)
    drawn = 1 + int(random.poisson(max(0.0, mean_callers - 1)))
    count = drawn if count is None else count
    delays = np.sort(10 + random.gamma(1.6, mean_delay_s / 1.6, count))
    return [
        _call(
            event_id,
            hazard,
            at,
            place_name,
            onset_s + wait,
            projection,
            random,
            standoff_scale,
            wrong_kind,
            later_fixes,
        )
        for wait in delays.tolist()
    ]


def _call(
    event_id: str,
    hazard: Hazard,
    at: tuple[float, float],
    place_name: str,
    after_s: float,
    projection: LocalProjection,
    random: np.random.Generator,
    scale: float,
    wrong_kind: float,
    later_fixes: float,
) -> SimulatedCall:
    mixture = STANDOFFS[hazard]
    weights = np.array([weight for weight, _ in mixture])
    sigma = mixture[int(random.choice(len(mixture), p=weights / weights.sum()))][1]
    east, north = np.array(at) + random.normal(0, sigma * scale, 2)
    phone = _PHONES[int(random.choice(len(_PHONES), p=[phone.share for phone in _PHONES]))]
    fix = _fix(phone, float(east), float(north), projection, random)
    said: Hazard | None = hazard
    notes = NOTES[hazard]
    chance = float(random.random())
    # One caller in twelve can't say what it is.
    if chance < 1 / 12:
        said, notes = None, UNSURE
    elif chance < 1 / 12 + wrong_kind:
        others = _TAKEN_FOR[hazard]
        said = others[int(random.integers(len(others)))]
    later: tuple[SimulatedFix, ...] = ()
    if random.random() < later_fixes:
        # The first position came from the network; satellites take a while.
        better = _fix(_PHONES[0], float(east), float(north), projection, random)
        later = (replace(better, after_s=round(float(random.uniform(6, 25)), 1), age_s=0.5),)
    # Of its own randomness: what the phone is doesn't change what its owner sees and says.
    handset = np.random.default_rng(zlib.crc32(f"{event_id}/{after_s:.3f}".encode()))
    way = way_of(fix.method, handset)
    own = way if way is not Way.NETWORK else way_of(FixMethod.GNSS, handset)
    delay_s = 0.0 if way is Way.NETWORK else round(float(handset.uniform(0.5, 3.5)), 1)
    return SimulatedCall(
        after_s=after_s,
        hazard=said,
        note=notes[int(random.integers(len(notes)))].format(place=place_name),
        fix=replace(fix, way=way, after_s=delay_s),
        event_id=event_id,
        caller=projection.place(float(east), float(north)),
        later=tuple(replace(better, way=own) for better in later),
        number=number_of(handset),
    )


def _fix(
    phone: _Phone,
    east: float,
    north: float,
    projection: LocalProjection,
    random: np.random.Generator,
) -> SimulatedFix:
    sigma = float(random.uniform(phone.sigma_low_m, phone.sigma_high_m))
    seen_east, seen_north = random.normal((east, north), sigma)
    radius_m = sigma * math.sqrt(-2 * math.log(1 - phone.confidence))
    sector = None
    if phone.method is FixMethod.CELL and random.random() < 0.5:
        sector = _sector(east, north, projection, random)
    return SimulatedFix(
        place=projection.place(float(seen_east), float(seen_north)),
        radius_m=round(radius_m, 1),
        confidence=phone.confidence,
        method=phone.method,
        age_s=round(float(random.uniform(0, 12)), 1),
        sector=sector,
    )


def _sector(
    east: float, north: float, projection: LocalProjection, random: np.random.Generator
) -> Sector:
    """The cell of a mast with three of them, 120 degrees each, that the caller is in."""
    away_m, bearing = float(random.uniform(120, 700)), float(random.uniform(0, 360))
    antenna = projection.place(
        east - away_m * math.sin(math.radians(bearing)),
        north - away_m * math.cos(math.radians(bearing)),
    )
    off = float(random.uniform(-55, 55))
    return Sector(
        antenna=antenna,
        azimuth_deg=round((bearing + off) % 360, 1),
        opening_deg=120.0,
        range_m=900.0,
    )
