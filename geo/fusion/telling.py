"""What is thought of an incident, and whether time alone has something new to tell of it: of what
cameras could have seen, and of who could have called."""

from __future__ import annotations

import math
from collections.abc import Mapping

from contracts import CameraId, Estimate
from geo.fusion.estimates import estimate_of
from geo.fusion.hearing import Hearing
from geo.fusion.moves import TOLD_FROM
from geo.fusion.parameters import FusionParameters
from geo.fusion.standing import Standing
from geo.fusion.unseen import Unseen, Watch, unseen_by
from geo.projection import LocalProjection

NEWS_NATS = 0.1
"""By how much what isn't reported must change the log odds to be told."""


class Telling:
    """Estimates of incidents, at a time.

    Attributes:
        watch: where cameras look, if that is known.
        live: the cameras that are known to look, and what share of the time.
    """

    def __init__(
        self, parameters: FusionParameters, projection: LocalProjection, hearing: Hearing
    ) -> None:
        self._parameters = parameters
        self._projection = projection
        self._hearing = hearing
        self.watch: Watch | None = None
        self.live: Mapping[CameraId, float] = {}

    def estimate(self, incident: Standing, at_s: float) -> Estimate:
        """What is thought of an incident at a time, seconds since 1970."""
        score = incident.score
        best = score.hazards.index(score.hazard_probabilities[0][0])
        incident.counted = score.call_count(at_s)[best]
        return estimate_of(
            score,
            [self._hearing.of(piece) for piece in score.pieces],
            self._projection,
            at_s=at_s,
            exercise=incident.exercise,
            unseen=self._unseen(incident, at_s),
        )

    def has_news(self, incident: Standing, at_s: float) -> bool:
        """Whether time has told something since the incident was last thought of."""
        return self._is_watched(incident, at_s) or self._is_awaited(incident, at_s)

    def has_changed(self, incident: Standing, before: float) -> bool:
        """Whether what its sources say has changed by enough to be told, of an incident that
        anybody is shown; ``before`` were its log odds.

        It has where they went over a line of a scale of `NEWS_NATS`: then small steps add up, and
        nothing needs to be known of what was told last, which a restart forgets.
        """
        log_z = incident.score.log_z
        if incident.ended or max(log_z, before) < math.log(TOLD_FROM):
            return False
        return _line(log_z) != _line(before)

    def _is_watched(self, incident: Standing, at_s: float) -> bool:
        p = self._parameters
        earliest_s = at_s - p.found_within_s - (p.most_looks + 1) * p.look_s
        return incident.score.started_s > earliest_s and self._unseen(incident, at_s) is not None

    def _is_awaited(self, incident: Standing, at_s: float) -> bool:
        score = incident.score
        if score.probability < TOLD_FROM:
            return False
        best = score.hazards.index(score.hazard_probabilities[0][0])
        return abs(score.call_count(at_s)[best] - incident.counted) > NEWS_NATS

    def _unseen(self, incident: Standing, at_s: float) -> Unseen | None:
        if self.watch is None or not self.live:
            return None
        return unseen_by(incident.score, self.watch, self.live, at_s, self._parameters)


def _line(log_z: float) -> float:
    """The line of the scale of `NEWS_NATS` below log odds, which may be minus infinity."""
    return log_z // NEWS_NATS if math.isfinite(log_z) else log_z
