"""How reports follow an event: when they come, and how many; and how events follow one another."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from contracts import Hazard
from geo.fusion.parameters import FusionParameters
from geo.mixture import log_sum

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

DAY_S = 86_400.0

QUICK_SHARE, SLOW_TIMES = 0.88, 6.0
"""Most reports follow at their hazard's pace; the rest are this many times slower."""
_STEP = 0.5
_ONSETS_DAYS = np.exp(np.arange(math.log(0.3), math.log(3 * DAY_S), _STEP)) / DAY_S
"""How long before the first report the event may have begun, evenly in its logarithm."""
_LOG_WEIGHTS = np.log(_ONSETS_DAYS * _STEP)

LEAST_RATE = 1e-9
"""Of a second event at the first one's very place, in usual rates: none, but for rounding."""


def log_delays(started_s: Floats, prompt: Bools, scale_days: float, prompt_days: float) -> Floats:
    """Log of what each source's time adds (1/day, but for the first) to a set's, in their order.

    The event began at an unknown time before the first report, over which the delays' densities are
    integrated. A heavy tail: `QUICK_SHARE` of the delays are exponential with the scale, the others
    with `SLOW_TIMES` of it. A prompt source, a camera that was looking, mostly speaks within
    ``prompt_days``, else at the others' pace.

    Args:
        started_s: ``(N,)`` seconds.
        prompt: ``(N,)``.
        scale_days: The hazard's pace.
        prompt_days: The cameras'.
    """
    waited = (started_s - started_s.min())[:, None] / DAY_S + _ONSETS_DAYS
    quick = np.where(prompt, min(prompt_days, scale_days), scale_days)[:, None]
    slow = np.where(prompt, scale_days, SLOW_TIMES * scale_days)[:, None]
    density = QUICK_SHARE / quick * np.exp(-waited / quick)
    density += (1 - QUICK_SHARE) / slow * np.exp(-waited / slow)
    whole = log_sum(np.cumsum(np.log(density + 1e-300), axis=0) + _LOG_WEIGHTS, axis=1)
    return np.diff(whole, prepend=0.0)


def log_delay(waited_s: float, scale_days: float) -> float:
    """Log density (1/day) of a report's delay after the event's start."""
    waited = waited_s / DAY_S / scale_days
    slow = (1 - QUICK_SHARE) / SLOW_TIMES * math.exp(-waited / SLOW_TIMES)
    return math.log((QUICK_SHARE * math.exp(-waited) + slow + 1e-300) / scale_days)


def arrived(waited_s: float, scale_days: float) -> float:
    """Share of an event's reports that have come by a time after the first; see `log_delays`."""
    waited = max(0.0, waited_s) / DAY_S / scale_days
    return 1 - QUICK_SHARE * math.exp(-waited) - (1 - QUICK_SHARE) * math.exp(-waited / SLOW_TIMES)


def log_call_count(
    calls: int, mean: float, parameters: FusionParameters, share: float = 1.0
) -> float:
    """Log of what this number of calls says of an event that brings ``mean``, over ``mean**calls``,
    when this share of them should have come.

    The rate of calls is gamma-distributed over events (some are seen by a whole street), so that
    ``E[rate**n exp(-s rate)] = G(r + n) / G(r) (mean / r)**n (1 + s mean / r)**-(r + n)``.
    """
    r = parameters.call_rate_shape
    return (
        math.lgamma(r + calls)
        - math.lgamma(r)
        - calls * math.log(r)
        - (r + calls) * math.log1p(share * mean / r)
    )


def weighed(
    hazards: Sequence[Hazard], log_z: Sequence[float]
) -> tuple[tuple[tuple[Hazard, float], ...], float]:
    """Of log odds a hazard: the hazards' shares, most probable first, and the probability that
    there is an event.
    """
    whole = float(np.logaddexp.reduce(log_z))
    shares = np.exp(np.array(log_z) - whole)
    ranked = sorted(zip(hazards, shares.tolist(), strict=True), key=lambda pair: -pair[1])
    return tuple(ranked), math.exp(whole - float(np.logaddexp(0.0, whole)))


def rate_beside(
    near: Callable[[float], float],
    apart_days: float,
    one: Mapping[Hazard, float],
    other: Mapping[Hazard, float],
    parameters: FusionParameters,
) -> float:
    """How many times its usual rate an event's is as another one beside a first, above 0.

    It is raised around an event, in place by a Gaussian and in time by an exponential, by the odds
    of ``sibling_share`` in all: to have one, against being alone. But nearer than ``one_event_m``
    (a Gaussian, too) to an event there is no other of its kind: what burns there is a part of the
    same fire, however far apart two cameras place its foot.

    Args:
        near: The density (1/km2) of the two being where they are, if they lie apart by a Gaussian
            of this variance (m2, a coordinate).
        apart_days: Between them.
        one, other: Their hazards' probabilities.
        parameters: Rates and sizes.
    """
    p = parameters
    alike = sum(share * other.get(hazard, 0.0) for hazard, share in one.items())
    same = sum(share * other.get(hazard, 0.0) / p.rate(hazard) for hazard, share in one.items())
    soon = math.exp(-apart_days / p.sibling_scale_days) / p.sibling_scale_days
    around2, within2 = p.sibling_sigma_m**2, p.one_event_m**2
    # A Gaussian from which one about the same middle is cut out lacks a narrower one.
    share = within2 / (around2 + within2)
    around, hole = near(around2), share * near(share * around2)
    bred = p.sibling_same * same * (around - hole)
    bred += (1 - p.sibling_same) / p.rate_of_all * (around - alike * hole)
    by_chance = 1.0 - alike * 2 * math.pi * within2 / 1e6 * near(within2)
    odds = p.sibling_share / (1 - p.sibling_share)
    return max(by_chance + odds * soon * bred, LEAST_RATE)
