"""People who see something and call 112: how many, when, from where, and what they say."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from contracts import FixMethod, Hazard, LonLat
from geo.callers import STANDOFFS
from geo.projection import LocalProjection


@dataclass(frozen=True, slots=True)
class SimulatedFix:
    """A position as a phone sends it: the disc holds the caller with ``confidence``."""

    place: LonLat
    radius_m: float
    confidence: float
    method: FixMethod
    age_s: float
    """How long before the call it was taken."""


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

_NOTES: dict[Hazard, tuple[str, ...]] = {
    Hazard.FIRE: (
        "Ada api besar di pinggir jalan dekat {place}, asapnya hitam",
        "Kebakaran! Tumpukan barang terbakar di {place}, tolong damkar",
        "Api makin besar dekat ruko {place}, takut merembet",
        "Saya lihat asap tebal dari arah {place}",
        "There is a fire by the road at {place}, it is getting bigger",
        "Bak sampah terbakar di {place}, apinya sudah tinggi",
    ),
    Hazard.CRASH: (
        "Tabrakan motor sama mobil di {place}, ada yang luka",
        "Kecelakaan beruntun dekat {place}, jalan macet",
        "Two cars crashed at {place}, someone is hurt",
    ),
    Hazard.FLOOD: (
        "Banjir sudah selutut di {place}, motor mogok",
        "Air masuk ke rumah dekat {place}, tolong",
        "The street is flooded at {place}, cars are stuck",
    ),
    Hazard.DISASTER: (
        "Pohon tumbang menutup jalan di {place}",
        "A tree fell across the road near {place}",
    ),
    Hazard.MEDICAL: (
        "Bapak saya pingsan, sesak napas, dekat {place}",
        "Ibu mau melahirkan, butuh ambulans ke {place}",
        "An old man collapsed near {place}, he needs an ambulance",
    ),
    Hazard.CRIME: (
        "Ada jambret di {place}, pelakunya lari naik motor",
        "Tawuran dekat {place}, bawa senjata tajam",
    ),
    Hazard.OTHER: ("Ada ular masuk rumah dekat {place}", "Kabel listrik putus di {place}"),
}


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
    """
    random = np.random.default_rng(seed)
    count = 1 + int(random.poisson(max(0.0, mean_callers - 1)))
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
) -> SimulatedCall:
    mixture = STANDOFFS[hazard]
    weights = np.array([weight for weight, _ in mixture])
    sigma = mixture[int(random.choice(len(mixture), p=weights / weights.sum()))][1]
    east, north = np.array(at) + random.normal(0, sigma * scale, 2)
    phone = _PHONES[int(random.choice(len(_PHONES), p=[phone.share for phone in _PHONES]))]
    fix_sigma = float(random.uniform(phone.sigma_low_m, phone.sigma_high_m))
    seen_east, seen_north = random.normal((east, north), fix_sigma)
    radius_m = fix_sigma * math.sqrt(-2 * math.log(1 - phone.confidence))
    notes = _NOTES[hazard]
    return SimulatedCall(
        after_s=after_s,
        # One caller in twelve can't say what it is.
        hazard=None if random.random() < 1 / 12 else hazard,
        note=notes[int(random.integers(len(notes)))].format(place=place_name),
        fix=SimulatedFix(
            place=projection.place(float(seen_east), float(seen_north)),
            radius_m=round(radius_m, 1),
            confidence=phone.confidence,
            method=phone.method,
            age_s=round(float(random.uniform(0, 12)), 1),
        ),
        event_id=event_id,
        caller=projection.place(float(east), float(north)),
    )
