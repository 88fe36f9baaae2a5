"""Where an event is, given that what restless cameras saw of it may have been something else.

A product of places takes for granted that all of them are of one event. A camera that tells of its
traffic all the time, too, while people call, was probably counted in; its sharp place must not
stand for theirs.
"""

from __future__ import annotations

import math

import numpy as np

from geo.fusion.evidence import TrackEvidence
from geo.fusion.scoring import Score
from geo.mixture import Mixture

LEAST_SHARE = 0.01
"""Of a doubt that is told."""


def believed_place(score: Score) -> Mixture:
    """A set's place, and, by the odds that the tracks of its restless cameras are clutter, what the
    others make of it.
    """
    hazard = score.hazard_probabilities[0][0]
    sure = tuple(
        source
        for source in score.sources
        if not isinstance(source.best, TrackEvidence) or source.restlessness(hazard) <= 0.0
    )
    if not sure or len(sure) == len(score.sources):
        return score.place
    others = Score(sure, score.parameters)
    share = 1 / (1 + math.exp(min(score.log_z - others.log_z, 700.0)))
    if share < LEAST_SHARE:
        return score.place
    with_them, without = score.place, others.place
    log_weights = np.concatenate(
        (with_them.log_weights + math.log1p(-share), without.log_weights + math.log(share))
    )
    return Mixture(
        log_weights - np.logaddexp.reduce(log_weights),
        np.concatenate((with_them.means, without.means)),
        np.concatenate((with_them.covariances, without.covariances)),
    )
