"""What a message says, in one form for all kinds of messages; and the figures they share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from contracts import ContractError, Disc, FixMethod, FixShape, LonLat

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_PROBLEMS = 20

UNSTATED_RADIUS_M: dict[FixMethod, float] = {
    FixMethod.GNSS: 30.0,
    FixMethod.WIFI: 60.0,
    FixMethod.FUSED: 60.0,
    FixMethod.MANUAL: 30.0,
    FixMethod.CELL: 2_000.0,
    FixMethod.UNKNOWN: 100.0,
}
"""Taken where a position comes without a radius: what the method can be relied on for. None at all
would be drawn, and fused, as certainty."""

# As many decimals as a program may print of a double: -6.2368999999999994 has sixteen.
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]{1,12}(?:\.[0-9]{0,60})?|\.[0-9]{1,60})(?:[eE][+-]?[0-9]{1,2})?"
)
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_DEVICE = re.compile(r"[0-9]{14,17}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One place that a message states; ``positioned_at`` is none where it says no time."""

    shape: FixShape
    confidence: float
    method: FixMethod
    positioned_at: datetime | None = None
    altitude_m: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says.

    Attributes:
        positions: none where it states no usable one.
        known_by: what the caller is known by, kind and value, the surest first; never logged and
            stored as salted hashes only.
        problems: what is wrong or was assumed, in sentences.
        is_damaged: whether the message can't have left its sender like this; its positions are
            not to be used.
    """

    positions: tuple[Position, ...] = ()
    known_by: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()
    is_damaged: bool = False


@dataclass(slots=True)
class Notes:
    """Collects what is wrong with a message."""

    problems: list[str] = field(default_factory=list)

    def add(self, name: str, why: str) -> None:
        """One sentence about one field."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(f"{name}: {why}")

    def number(self, name: str, text: str | None) -> float | None:
        """A finite number; none where the field is absent, blank or no number."""
        # What is left of separators of old alphabets is a blank to `strip`, and none to `float`.
        bare = (text or "").strip()
        if not bare:
            return None
        if not _NUMBER.fullmatch(bare):
            self.add(name, f"is no number: {shown(bare)}")
            return None
        return float(bare)

    def place(self, names: tuple[str, str], lat: float | None, lon: float | None) -> LonLat | None:
        """A place, from latitude and longitude under these names (in this order)."""
        if lat is None or lon is None:
            if lat is not lon:
                self.add(names[0] if lat is None else names[1], "is missing; there is no position")
            return None
        try:
            return LonLat(lon, lat)
        except ContractError as error:
            self.add(names[0] if error.field == "lat" else names[1], error.why)
            return None

    def disc(self, name: str, centre: LonLat, radius_m: float | None, method: FixMethod) -> Disc:
        """A disc; where the radius is missing, or can't be, the method's usual one."""
        usual_m = UNSTATED_RADIUS_M[method]
        if radius_m is None:
            self.add(name, f"is not stated; {usual_m:g} m taken, which is usual for {method}")
            return Disc(centre=centre, radius_m=usual_m)
        try:
            return Disc(centre=centre, radius_m=radius_m)
        except ContractError as error:
            self.add(name, f"{error.why}; {usual_m:g} m taken")
            return Disc(centre=centre, radius_m=usual_m)

    def confidence(self, name: str, percent: float | None, otherwise: float) -> float:
        """A probability from a percentage; ``otherwise`` where it is missing or can't be."""
        if percent is None:
            return otherwise
        if not 0 < percent <= 100:
            self.add(
                name, f"must lie above 0 and up to 100 %, got {percent:g}; {otherwise:g} taken"
            )
            return otherwise
        return min(max(percent / 100, 0.01), 0.9999)

    def since_epoch(self, name: str, text: str | None, *, per_second: int) -> datetime | None:
        """A time from whole units since 1970."""
        bare = (text or "").strip()
        if not bare:
            return None
        if not _WHOLE.fullmatch(bare):
            self.add(name, f"is no time: {shown(bare)}")
            return None
        return self.moment(name, lambda: EPOCH + timedelta(seconds=int(bare) / per_second))

    def moment(self, name: str, make: Callable[[], datetime]) -> datetime | None:
        """A time in UTC, or none where the calendar has no such time."""
        try:
            return make().astimezone(UTC)
        except (ValueError, OverflowError):
            self.add(name, "is a time that no calendar has")
            return None


def shown(text: str) -> str:
    """A field's text as a message may quote it: short, and with nothing a database chokes on."""
    return ascii(text[:40])


def device_keys(imsi: str | None, imei: str | None) -> list[tuple[str, str]]:
    """What a device is known by; an IMSI whose end is blanked with zeros is nobody's."""
    found = []
    for kind, text in (("imsi", imsi), ("imei", imei)):
        text = (text or "").strip()
        if _DEVICE.fullmatch(text) and not text.endswith("000000"):
            found.append((kind, text))
    return found


def number_key(text: str | None, country_code: str) -> list[tuple[str, str]]:
    """A telephone number as it is compared: digits with the country's code."""
    compact = re.sub(r"[\s().\-/]", "", text or "").removeprefix("tel:").partition(";")[0]
    if compact.startswith("+"):
        digits = compact[1:]
    elif compact.startswith("00"):
        digits = compact[2:]
    elif compact.startswith("0"):
        digits = country_code + compact[1:]
    else:
        digits = compact
    if not re.fullmatch(r"[0-9]{5,15}", digits):
        return []
    return [("number", digits)]
