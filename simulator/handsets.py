"""What callers' phones send by themselves when they call 112: Advanced Mobile Location.

Android's Emergency Location Service posts a form over HTTPS, an iPhone sends an SMS; both as ETSI
TS 103 625 describes them. What only the network knows, a cell's sector or a mast's disc, reaches
the desk with the call.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode

import numpy as np

from contracts import FixMethod

_ANDROID_SHARE = 0.7
_SOURCES = {
    FixMethod.GNSS: ("gps", "G"),
    FixMethod.WIFI: ("wifi", "W"),
    FixMethod.CELL: ("cell", "C"),
    FixMethod.FUSED: ("fused", "F"),
}
_UNKNOWN = ("unknown", "U")


class Way(StrEnum):
    """How a position comes to the desk."""

    NETWORK = "network"
    """With the call itself."""
    HTTPS = "https"
    SMS = "sms"


def way_of(method: FixMethod, random: np.random.Generator) -> Way:
    """How a phone with such a position sends it."""
    is_android = random.random() < _ANDROID_SHARE
    if method is FixMethod.CELL:
        return Way.NETWORK
    return Way.HTTPS if is_android else Way.SMS


def number_of(random: np.random.Generator) -> str:
    """A caller's number; of a prefix that no subscriber has."""
    return f"+62800{int(random.integers(1_000_000, 10_000_000))}"


def aml_form(
    lon: float,
    lat: float,
    radius_m: float,
    confidence: float,
    method: FixMethod,
    number: str,
    positioned_at: datetime,
) -> bytes:
    """What an Android phone posts: ``application/x-www-form-urlencoded``."""
    milliseconds = round(positioned_at.timestamp() * 1000)
    fields = {
        "v": "1",
        "device_number": number,
        "emergency_number": "112",
        "source": "CALL",
        "time": str(milliseconds),
        "location_latitude": f"{lat:.7f}",
        "location_longitude": f"{lon:.7f}",
        "location_time": str(milliseconds),
        "location_accuracy": f"{radius_m:.1f}",
        "location_confidence": f"{100 * confidence:.0f}",
        "location_source": _SOURCES.get(method, _UNKNOWN)[0],
    }
    return urlencode(fields).encode()


def aml_sms(
    lon: float,
    lat: float,
    radius_m: float,
    confidence: float,
    method: FixMethod,
    positioned_at: datetime,
) -> str:
    """What an iPhone sends: the first version's message, with its own length at its end."""
    # Rounded up: a circle that says too little would promise too much.
    fields = (
        f'A"ML=1;lt={lat:+.5f};lg={lon:+.5f};rd={math.ceil(radius_m)};'
        f"top={positioned_at + timedelta(milliseconds=500):%Y%m%d%H%M%S};"
        f"lc={100 * confidence:.0f};pm={_SOURCES.get(method, _UNKNOWN)[1]};"
        "mcc=510;mnc=10;ml="
    )
    length = len(fields) + 2
    return f"{fields}{length if length < 100 else length + 1}"
