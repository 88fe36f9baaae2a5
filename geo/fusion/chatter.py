"""How much a camera's own chatter takes from what one of its tracks says.

Harmless things come in runs: a wet evening, a flag before the lens, headlights at a crossing. A
camera that has just told of nothing real tells of the next nothing soon, however rarely it does so
over a fortnight. How often it does just then is gamma-Poisson: with a mean of ``r0`` tracks a day
(`FusionParameters.clutter`) and the shape ``a``, which is about the share of the time in which a
camera chatters, ``n`` other tracks within ``T`` make the rate ``(a + n) / (a / r0 + T)``. The ``T``
is the one in which they are densest (a scan statistic), so that a burst of minutes counts as what
it is, and so does an evening. In nats, a track loses ::

    max over T of log (a + n) / (a + r0 T)

A track is among the ``n``

- by how probably it is clutter itself: by ``1 / (1 + exp(llr - DOUBTED_NATS))``;
- by ``exp`` of how far it stays below the one that is judged, but for `ALIKE_NATS`: clutter's
  honest ratios thin out by a factor of e a nat, so that many faint sightings say little of how
  often strong ones come;
- by how near to it it stands: half of what is harmless is anywhere in view, half is where it was
  before, within `AROUND_M`: traffic is on the road.

What burns or lies under water is lost and found again: its tracks at one spot have one cause
(`pairs.repeats`), and are no chatter of one another; but a crash is over at once, and what looks
like one there again is what traffic does there. What came later counts as what came before: of ten
tracks within three minutes, the first was no better than the tenth.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from contracts import CameraId, Sighting
from geo.fusion.evidence import TrackEvidence
from geo.fusion.laws import DAY_S
from geo.fusion.parameters import FusionParameters
from geo.mixture import density

MEMORY_S = 6 * 3600.0
"""Tracks that began this far apart say nothing of one another."""
MOST_TRACKS = 32
"""Of one camera and kind, the newest; more than so many make a track no less credible."""
DOUBTED_NATS = 2.0
"""A track that says so much by itself is as likely clutter as not, amid others."""
ALIKE_NATS = 1.0
"""Spread of one camera's clutter: of tracks no farther below than this, each counts wholly."""
AROUND_M = 10.0
"""How far a camera's clutter strays from where it has been."""


@dataclass(frozen=True, slots=True)
class Other:
    """Another track of the same camera and kind, of another cause."""

    apart_s: float
    """Between the two beginnings."""
    llr: float
    denser: float = 1.0
    """How many times likelier clutter like it is at the judged one's place than anywhere."""


def log_chatter(llr: float, others: Iterable[Other], usual_per_day: float, shape: float) -> float:
    """The nats that a track loses, 0 or more; see the module.

    Args:
        llr: The track's own.
        others: Those about it.
        usual_per_day: The camera's ``r0``.
        shape: Of the gamma distribution about it, ``a``.
    """
    count, rate = shape, 1.0
    for other in sorted(others, key=lambda each: each.apart_s):
        alike = math.exp(min(0.0, other.llr + ALIKE_NATS - llr))
        doubted = 1 / (1 + math.exp(min(other.llr - DOUBTED_NATS, 700.0)))
        count += other.denser * alike * doubted
        rate = max(rate, count / (shape + usual_per_day * other.apart_s / DAY_S))
    return math.log(rate)


class Chatter:
    """What each camera has lately told of each kind of sighting."""

    def __init__(self, parameters: FusionParameters) -> None:
        self._parameters = parameters
        self._tracks: dict[tuple[CameraId, Sighting], dict[str, TrackEvidence]] = {}
        self._others: dict[str, dict[str, Other]] = {}

    def note(self, track: TrackEvidence) -> dict[str, float]:
        """Take in a track as it stands now; the nats that it loses by chatter, and those that
        others of its camera and kind lose since, by their keys.
        """
        known = self._tracks.setdefault((track.camera_id, track.sighting), {})
        known[track.key] = track
        mine = self._others[track.key] = {}
        for other in known.values():
            if other is track:
                continue
            theirs = self._others[other.key]
            apart_s = abs(track.started_s - other.started_s)
            if apart_s > MEMORY_S or self._of_one_cause(track, other):
                theirs.pop(track.key, None)
                continue
            denser = _denser(track, other)
            mine[other.key] = Other(apart_s, other.llr, denser)
            theirs[track.key] = Other(apart_s, track.llr, denser)
        if len(known) > MOST_TRACKS:
            others = (other for other in known.values() if other is not track)
            self._drop(min(others, key=lambda one: (one.started_s, one.order)))
        return {key: self._lost(known[key]) for key in (*mine, track.key)}

    def forget(self, key: str) -> None:
        """Drop a track."""
        for known in self._tracks.values():
            if key in known:
                self._drop(known[key])
                break

    def _drop(self, track: TrackEvidence) -> None:
        del self._tracks[track.camera_id, track.sighting][track.key]
        for key in self._others.pop(track.key):
            self._others[key].pop(track.key, None)

    def _of_one_cause(self, one: TrackEvidence, other: TrackEvidence) -> bool:
        if one.sighting is Sighting.CRASH:
            return False
        if one.fix is None or other.fix is None:
            return True
        extent_m = self._parameters.extent_m(one.sighting.hazard)
        return one.fix.apart_from(other.fix, extent_m) < self._parameters.same_spot_gate

    def _lost(self, track: TrackEvidence) -> float:
        return log_chatter(
            track.llr,
            self._others[track.key].values(),
            self._parameters.clutter(track.camera_id, track.sighting),
            self._parameters.chatter_shape,
        )


def _denser(one: TrackEvidence, other: TrackEvidence) -> float:
    """How many times denser than evenly over the view clutter like one track is about the other."""
    mine, theirs = one.place(None), other.place(None)
    around = mine.covariance + theirs.covariance + AROUND_M**2 * np.eye(2)
    there_km2 = 1e6 * density(mine.mean - theirs.mean, around)
    return 0.5 + 0.5 * there_km2 * min(one.view_km2, other.view_km2)
