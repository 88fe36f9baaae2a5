"""What fusion assumes of the city, its callers and its cameras."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from contracts import CameraId, ContractError, Hazard, Sighting
from contracts.errors import require_between, require_positive
from geo.fusion.localities import AreaRates

# Kota Bekasi's 112 service, January to October 2025: 7,500 reports of six kinds over 210 km2.
_EVENTS_PER_KM2_DAY = {
    Hazard.FIRE: 0.022,
    Hazard.CRASH: 0.034,
    Hazard.FLOOD: 0.010,
    Hazard.DISASTER: 0.005,
    Hazard.MEDICAL: 0.019,
    Hazard.CRIME: 0.013,
    Hazard.OTHER: 0.014,
}
_CALLS_PER_EVENT = {
    Hazard.FIRE: 3.5,
    Hazard.CRASH: 3.0,
    Hazard.FLOOD: 3.0,
    Hazard.DISASTER: 2.2,
    Hazard.MEDICAL: 1.5,
    Hazard.CRIME: 1.8,
    Hazard.OTHER: 1.5,
}
"""Assumed; events differ by `call_rate_shape`."""
# How long after the first report of an event the others come: half within about this.
_DELAY_MIN = {Hazard.FIRE: 9.0, Hazard.CRASH: 5.0, Hazard.FLOOD: 35.0, Hazard.DISASTER: 15.0}
_EXTENT_M = {Hazard.FIRE: 6.0, Hazard.CRASH: 4.0, Hazard.FLOOD: 40.0, Hazard.DISASTER: 15.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionParameters:
    """Rates, chances and times; every figure can be configured or learnt.

    A hazard that ``events_per_km2_day`` leaves out has the default's rate.
    """

    events_per_km2_day: Mapping[Hazard, float] = field(
        default_factory=lambda: MappingProxyType(_EVENTS_PER_KM2_DAY)
    )
    events_by_hour: Mapping[Hazard, tuple[float, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """How the events of a day fall on its 24 hours, local time, in any unit; evenly where a hazard
    is left out."""
    events_by_month: Mapping[Hazard, tuple[float, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """The same of a year's twelve months: floods come with the rain."""
    timezone: str = "UTC"
    """Of the hours and months."""
    events_by_area: AreaRates | None = None
    false_calls_per_km2_day: float = 0.02
    false_app_reports_per_km2_day: float = 0.2
    """The same of reports by citizens' apps, where nobody asks back."""
    clutter_tracks_per_camera_day: float = 0.5
    clutter_by_sighting: Mapping[Sighting, float] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """The same of kinds of which every camera reports more."""
    look_alikes_per_km2_day: float = 3.0
    """Harmless things on the ground that several cameras take for a hazard: a tenth of what they
    report falsely, where each shows a few hundredths of a km2. Where all of them report more than
    ``clutter_tracks_per_camera_day``, there are as many times more of these."""
    clutter_by_camera: Mapping[tuple[CameraId, Sighting], float] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """The clutter tracks a day of single cameras, a kind at a time, learnt: whose traffic passes
    for crashes may be trusted about fires."""
    chatter_shape: float = 0.001
    """Of the gamma distribution of how often one camera reports a kind falsely just now, about the
    share of the time in which it chatters; see `geo.fusion.chatter`."""
    calls_by_hazard: Mapping[Hazard, float] = field(default_factory=lambda: MappingProxyType({}))
    """Mean number of calls that one event brings, learnt; as assumed where a hazard is left out."""
    detection_probability: float = 0.7
    """That a camera looking at a hazard reports it."""
    wrong_hazard: float = 0.05
    """That a caller names another hazard than the true one."""
    wrong_sighting: float = 0.02
    """That a detector's track of one hazard is truly of another."""
    sibling_share: float = 0.25
    """That an event has another one nearby: a pile-up, a flooded quarter, a fire that jumps a
    road. Without it two calls 300 m apart would always be one event, since two independent ones
    that near are so rare."""
    sibling_same: float = 0.5
    """That the other one is of the same hazard; else hazards come as they always do."""
    sibling_sigma_m: float = 220.0
    sibling_scale_days: float = 15 / (24 * 60)
    one_event_m: float = 40.0
    """About so near to an event there is no other of its kind: a block's breadth, or that of a
    junction. What is seen there is a part of it."""
    two_as_one_costs: float = 1.0
    """How many times worse it is to take two events for one than one for two. Nobody is sent to the
    second fire, and two dots for one are only a nuisance; but above 1 more than one event in fifty
    is shown twice."""
    standoff_factor: float = 1.2
    """Callers stand this many times farther off than `geo.callers.STANDOFFS` says. Not knowing, it
    is better to believe them farther than nearer: one too near is taken for another event."""
    call_rate_shape: float = 3.0
    """Of the gamma distribution of how many people call about an event: the smaller, the more
    events differ."""
    found_within_s: float = 90.0
    """From an event's start to when a camera that looks there would have reported it."""
    look_s: float = 300.0
    """What a camera missed it mostly misses again for about this long."""
    most_looks: int = 3
    """A camera that sees nothing counts no more often than this."""
    same_camera_gate: float = 18.4
    """Squared statistical distance beyond which two concurrent tracks of one camera are two
    events: one pair in 10,000 of one event lies beyond it (chi-squared, 2 degrees)."""
    same_spot_gate: float = 9.2
    """Squared statistical distance within which a camera's tracks stand at one spot (99 %)."""
    same_spot_s: float = 1800.0
    """Time after a track's end in which a new one at its spot has the same cause."""
    forget_after: timedelta = timedelta(hours=24)
    """Evidence this much older than the newest report is dropped from memory."""
    most_candidates: int = 8
    """Incidents near a report that are scored in full, the likeliest first: a bound on its cost."""

    def __post_init__(self) -> None:
        for hazard, rate in self.events_per_km2_day.items():
            require_between(f"events_per_km2_day.{hazard}", rate, 1e-9, 1e4)
        for sighting, rate in self.clutter_by_sighting.items():
            require_between(f"clutter_by_sighting.{sighting}", rate, 1e-6, 1e6)
        for name, parts in (("events_by_hour", 24), ("events_by_month", 12)):
            for hazard, shares in getattr(self, name).items():
                if len(shares) != parts or min(shares) <= 0:
                    raise ContractError(f"{name}.{hazard}", f"must be {parts} figures above 0")
        require_positive("false_calls_per_km2_day", self.false_calls_per_km2_day)
        require_positive("false_app_reports_per_km2_day", self.false_app_reports_per_km2_day)
        require_positive("clutter_tracks_per_camera_day", self.clutter_tracks_per_camera_day)
        require_positive("look_alikes_per_km2_day", self.look_alikes_per_km2_day)
        require_positive("two_as_one_costs", self.two_as_one_costs)
        for name in (
            "detection_probability",
            "wrong_hazard",
            "wrong_sighting",
            "sibling_share",
            "chatter_shape",
        ):
            require_between(name, getattr(self, name), 1e-6, 1 - 1e-6)
        if self.forget_after < timedelta(hours=1):
            raise ContractError("forget_after", "must be an hour or more")

    def rate(self, hazard: Hazard) -> float:
        """Events per km2 and day."""
        return self.events_per_km2_day.get(hazard, _EVENTS_PER_KM2_DAY[hazard])

    def log_season(self, hazard: Hazard, at_s: float) -> float:
        """Log of how many times its mean rate the hazard's is at a time (seconds since 1970), by
        the hour and the month.
        """
        by_hour, by_month = self.events_by_hour.get(hazard), self.events_by_month.get(hazard)
        if by_hour is None and by_month is None:
            return 0.0
        at = datetime.fromtimestamp(at_s, ZoneInfo(self.timezone))
        found = 0.0
        if by_hour is not None:
            found += math.log(24 * by_hour[at.hour] / sum(by_hour))
        if by_month is not None:
            found += math.log(12 * by_month[at.month - 1] / sum(by_month))
        return found

    def clutter(self, camera_id: CameraId, sighting: Sighting) -> float:
        """Tracks of a kind a day that a camera usually reports of nothing real."""
        learnt = self.clutter_by_camera.get((camera_id, sighting))
        return self.assumed_clutter(sighting) if learnt is None else learnt

    def assumed_clutter(self, sighting: Sighting) -> float:
        """The same of a camera of which nothing has been learnt."""
        every = self.clutter_by_sighting.get(sighting, 0.0)
        return max(self.clutter_tracks_per_camera_day, every)

    @property
    def rate_of_all(self) -> float:
        """Events of all hazards per km2 and day."""
        return sum(self.rate(hazard) for hazard in Hazard)

    def calls_per_event(self, hazard: Hazard) -> float:
        """Mean number of calls that one event brings."""
        return self.calls_by_hazard.get(hazard, _CALLS_PER_EVENT[hazard])

    def delay_days(self, hazard: Hazard) -> float:
        """Time scale of the reports after the first."""
        return _DELAY_MIN.get(hazard, 5.0) / (24 * 60)

    def extent_m(self, hazard: Hazard) -> float:
        """Size of an event on the ground: two sources may see different ends of it."""
        return _EXTENT_M.get(hazard, 8.0)

    def naming(self, stated: Hazard | None, true: Hazard) -> float:
        """Probability that a caller about ``true`` states ``stated``."""
        silent = 0.5 if true is Hazard.OTHER else 0.08
        if stated is None:
            return silent
        if stated is true:
            return (1 - silent) * (1 - self.wrong_hazard)
        return (1 - silent) * self.wrong_hazard / (len(Hazard) - 1)

    @property
    def true_calls_per_km2_day(self) -> float:
        """Calls about events, of all hazards."""
        return sum(self.rate(hazard) * self.calls_per_event(hazard) for hazard in Hazard)

    def naming_false(self, stated: Hazard | None) -> float:
        """Probability that a call about nothing states ``stated``: as the true ones do."""
        return (
            sum(
                self.rate(hazard) * self.calls_per_event(hazard) * self.naming(stated, hazard)
                for hazard in Hazard
            )
            / self.true_calls_per_km2_day
        )
