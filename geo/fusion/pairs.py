"""Two sets of evidence side by side: siblings, or one thing that a camera lost and found again."""

from __future__ import annotations

import math

import numpy as np

from geo.fusion.evidence import CallEvidence, TrackEvidence
from geo.fusion.laws import DAY_S, log_call_count, rate_beside
from geo.fusion.scoring import Score
from geo.mixture import density

LEAST_BOTH = 0.01
"""Probability that both of two sets are events, below which nobody asks who is of which."""


def repeats(one: Score, other: Score) -> bool:
    """Whether a camera saw one thing in both sets: its tracks stand at one spot, one soon after
    the other. A lost track that is found again has the cause it had, be it a fire or a lamp.
    """
    p = one.parameters
    for a in one.pieces:
        for b in other.pieces:
            if (
                isinstance(a, TrackEvidence)
                and isinstance(b, TrackEvidence)
                and a.camera_id == b.camera_id
                and a.sighting is b.sighting
                and a.fix is not None
                and b.fix is not None
                and max(a.started_s, b.started_s) - min(a.ended_s, b.ended_s) < p.same_spot_s
                and a.fix.apart_from(b.fix, p.extent_m(a.sighting.hazard)) < p.same_spot_gate
            ):
                return True
    return False


def apart_bonus(one: Score, other: Score) -> float:
    """What two sets gain as two events, over two that know nothing of one another and of which each
    source is surely of the one that it is in.

    Events breed events nearby: given one, the rate of another is ``r`` times what it is elsewhere
    (`laws.rate_beside`). And a caller who might as well be of the other one is no reason against
    there being two: two events are as probable as all the ways together in which such callers could
    be shared out between them, ``w = prod (1 + exp(-d))`` of the way at hand, where going over
    costs a caller ``d``. Both count only where both exist: of the odds
    ``1 + Z1 + Z2 + Z1 Z2 r w`` over ``(1 + Z1)(1 + Z2)`` remains ``1 + p1 p2 (r w - 1)``, with the
    ``p = Z / (1 + Z)`` of what the two gain alone, in hindsight. What is shown of a lone caller is
    more, and would make siblings of people who call about one thing.
    """
    both = math.expm1(-one.gain) * math.expm1(-other.gain)
    ways = 0.0 if both < LEAST_BOTH else undecided(one, other) + undecided(other, one)
    return math.log(1 - both + both * _rate_beside(one, other) * math.exp(ways))


def undecided(one: Score, other: Score) -> float:
    """Log of in how many ways a set's callers might be shared out between it and another set, each
    weighed by how probable it is beside the way at hand. Who is placed best stays.
    """
    callers = [source for source in one.sources if isinstance(source.best, CallEvidence)]
    if len(one.sources) < 2 or not callers:
        return 0.0
    p = one.parameters
    mine, theirs = (each.hazard_probabilities[0][0] for each in (one, other))
    counted = log_call_count(one.calls, p.calls_per_event(mine), p) - log_call_count(
        one.calls - 1, p.calls_per_event(mine), p
    )
    counted -= log_call_count(other.calls + 1, p.calls_per_event(theirs), p) - log_call_count(
        other.calls, p.calls_per_event(theirs), p
    )
    costs = sorted(
        counted + one.fit(source, mine) - other.fit(source, theirs) for source in callers
    )
    if len(callers) == len(one.sources):
        costs.pop()
    return sum(math.log1p(math.exp(-max(0.0, cost))) for cost in costs)


def _rate_beside(one: Score, other: Score) -> float:
    off = one.place.mean - other.place.mean
    spread = one.place.covariance + other.place.covariance
    return rate_beside(
        lambda variance_m2: 1e6 * density(off, spread + variance_m2 * np.eye(2)),
        abs(one.started_s - other.started_s) / DAY_S,
        dict(one.hazard_probabilities),
        dict(other.hazard_probabilities),
        one.parameters,
    )
