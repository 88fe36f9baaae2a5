"""Two sets of evidence side by side: siblings, or one thing that a camera lost and found again."""

from __future__ import annotations

import math

import numpy as np

from geo.fusion.evidence import TrackEvidence
from geo.fusion.laws import DAY_S
from geo.fusion.scoring import Score


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


def sibling_bonus(one: Score, other: Score) -> float:
    """What two sets gain as two events, over two that know nothing of one another.

    Events breed events nearby: given one, the rate of another is raised around it, in place by a
    Gaussian and in time by an exponential, so by a factor ``1 + s``. Only where both exist: of the
    odds ``1 + Z1 + Z2 + Z1 Z2 (1 + s)`` over ``(1 + Z1)(1 + Z2)`` remains ``1 + p1 p2 s``.
    """
    p = one.parameters
    off = one.place.mean - other.place.mean
    spread = one.place.covariance + other.place.covariance + p.sibling_sigma_m**2 * np.eye(2)
    (a, b), (_, d) = spread.tolist()
    det = a * d - b * b
    x, y = off.tolist()
    distance2 = (d * x * x - 2 * b * x * y + a * y * y) / det
    near = math.exp(-0.5 * distance2) / (2 * math.pi * math.sqrt(det)) * 1e6
    apart_days = abs(one.started_s - other.started_s) / DAY_S
    soon = math.exp(-apart_days / p.sibling_scale_days) / p.sibling_scale_days
    theirs = dict(other.hazard_probabilities)
    same = sum(share * theirs.get(h, 0.0) / p.rate(h) for h, share in one.hazard_probabilities)
    raised = p.sibling_same * same + (1 - p.sibling_same) / p.rate_of_all
    both = one.probability * other.probability
    return math.log1p(both * p.sibling_share * near * soon * raised)
