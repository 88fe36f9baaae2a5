"""How reports follow an event: when they come, and how many."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contracts import Hazard
from geo.fusion.parameters import FusionParameters

Floats = NDArray[np.float64]

DAY_S = 86_400.0

QUICK_SHARE, SLOW_TIMES = 0.88, 6.0
"""Most reports follow at their hazard's pace; the rest are this many times slower."""


def log_delays(started_s: Floats, scale_days: float) -> Floats:
    """Log density (1/day) of each source's delay after the first, and 0 for the first itself.

    A heavy tail: `QUICK_SHARE` of the delays are exponential with the scale, the others with
    `SLOW_TIMES` of it.
    """
    first = int(np.argmin(started_s))
    waited = (started_s - started_s[first]) / DAY_S / scale_days
    slow = (1 - QUICK_SHARE) / SLOW_TIMES * np.exp(-waited / SLOW_TIMES)
    found = np.log(QUICK_SHARE * np.exp(-waited) + slow + 1e-300) - math.log(scale_days)
    # The event began before the first: over that wait, n exponential delays integrate to 1 / n.
    found[first] = -math.log(len(started_s))
    return np.asarray(found)


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
