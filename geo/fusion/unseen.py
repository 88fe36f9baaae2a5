"""What it says that a camera looks and sees nothing.

Of the cameras that are known to be live, each that looks where an event may be, and is not among
its sources, speaks against the event being there. What it misses once it mostly misses again (a
tree before it, a fire behind a truck), so that it counts once a correlation time, and no more than
a few times at all. It moves the place away from what is in view, and what probability is left over
nowhere lowers the odds that there is an event.

An approximation, stated: the view is sampled at five points a component of the place's mixture, and
a place wider than `WIDEST_M` is left as it is, since no camera sees a share of it worth counting.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from contracts import CameraId, Hazard
from geo.fusion.doubt import believed_place
from geo.fusion.evidence import TrackEvidence
from geo.fusion.parameters import FusionParameters
from geo.fusion.scoring import Score
from geo.mixture import Floats, Mixture

WIDEST_M = 300.0
"""Standard deviation (a coordinate) of a place that cameras can say something of."""
LEAST_LOG_ODDS = 0.02
"""A camera that says less isn't told of."""
_ASIDE = 1.75
"""Sigmas from a component's mean to its four outer points."""
_OUTER = 1 / (2 * _ASIDE**2)
"""Weight of each, so that the five points spread as the component does."""
SEEN = frozenset({Hazard.FIRE, Hazard.CRASH, Hazard.FLOOD})


class Watch(Protocol):
    """Which cameras look at some points."""

    def finding(self, xy: Floats) -> Sequence[tuple[CameraId, Floats]]:
        """Cameras with, for ``(N, 2)`` points in metres, ``(N,)`` chances that each would find a
        hazard there if its detector found all that have pixels enough.
        """
        ...


@dataclass(frozen=True, slots=True)
class Unseen:
    """What cameras that see nothing do to a set: the place that is left, and each one's log odds
    under a hazard that they could see.
    """

    place: Mixture
    cameras: tuple[tuple[CameraId, float], ...]
    """Camera and nats, best view first."""

    @property
    def log_odds(self) -> float:
        """All of them together."""
        return sum(log_odds for _, log_odds in self.cameras)


def unseen_by(
    score: Score,
    watch: Watch,
    live: Mapping[CameraId, float],
    at_s: float,
    parameters: FusionParameters,
) -> Unseen | None:
    """None where nobody looks, or the time since the start is too short to have seen anything.

    Args:
        score: The set.
        watch: Fields of view.
        live: Cameras that are known to look, and what share of the time.
        at_s: Now, seconds since 1970.
        parameters: Chances and times.
    """
    looks = 1 + int((at_s - score.started_s - parameters.found_within_s) // parameters.look_s)
    looks = min(looks, parameters.most_looks)
    if looks <= 0 or not SEEN.intersection(score.hazards):
        return None
    sources = {piece.camera_id for piece in score.pieces if isinstance(piece, TrackEvidence)}
    place = believed_place(score)
    if float(np.trace(place.covariance)) > 2 * WIDEST_M**2:
        return None
    points, weights = _points(place)
    components = len(place.log_weights)
    left = weights
    cameras = []
    for camera_id, chance in watch.finding(points):
        if camera_id in sources or camera_id not in live:
            continue
        finds = parameters.detection_probability * live[camera_id] * chance
        missed = (1.0 - finds) ** looks
        log_odds = float(math.log(np.sum(left * missed) / np.sum(left)))
        if log_odds > -LEAST_LOG_ODDS:
            continue
        left = left * missed
        cameras.append((camera_id, log_odds))
    if not cameras:
        return None
    by_component = left.reshape(components, 5).sum(axis=1)
    return Unseen(
        Mixture(
            np.log(by_component / by_component.sum()),
            # Within a component the mass moves as well, away from what is in view.
            _means(left, points, components),
            place.covariances,
        ),
        tuple(cameras),
    )


def _points(place: Mixture) -> tuple[Floats, Floats]:
    """Five points a component, ``(5 K, 2)``, and their weights."""
    values, axes = np.linalg.eigh(place.covariances)
    aside = _ASIDE * np.sqrt(values)[:, None, :] * axes
    offsets = np.concatenate(
        (np.zeros((len(values), 1, 2)), np.swapaxes(aside, 1, 2), -np.swapaxes(aside, 1, 2)), axis=1
    )
    share = np.array([1 - 4 * _OUTER, _OUTER, _OUTER, _OUTER, _OUTER])
    points = (place.means[:, None, :] + offsets).reshape(-1, 2)
    return points, (place.weights[:, None] * share[None, :]).ravel()


def _means(left: Floats, points: Floats, components: int) -> Floats:
    share = left.reshape(components, 5, 1)
    moved = (share * points.reshape(components, 5, 2)).sum(axis=1)
    return np.asarray(moved / share.sum(axis=1))
