"""What one latent cause says: a camera's track, or a call with its positions.

A kind of source is a class with the methods of `Evidence`; scoring and partition know no other
thing about it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from functools import cached_property

import numpy as np

from contracts import (
    CallChannel,
    CallerFix,
    CallReport,
    CameraId,
    Detection,
    Hazard,
    ReportId,
    Sighting,
    SourceKind,
)
from geo.callers import stood_off
from geo.fusion.parameters import FusionParameters
from geo.ground import GroundFix
from geo.mixture import Mixture
from geo.movement import place_of_fixes
from geo.projection import LocalProjection

CLOCK_S = 30.0
"""A camera's time that is farther than this from when we got the picture is not believed; our own
stands in its place."""


class Evidence(ABC):
    """One piece of evidence; a later piece of one key replaces it.

    Attributes:
        key: the latent cause (`contracts.evidence_key`).
        order: sequence number of the first report of the key.
        source_id: a camera's or a call's id.
        stated: the hazard it speaks for; None where a caller named none.
        started_s, ended_s: seconds since 1970 that it speaks of.
        report_ids: what it is made of, oldest first.
        usual: log of how many times more than assumed its source says such things for nothing.
        chatter: nats that it loses besides, because just now it says them all the time.
    """

    source: SourceKind
    usual: float = 0.0
    chatter: float = 0.0

    def __init__(
        self,
        key: str,
        order: int,
        source_id: str,
        stated: Hazard | None,
        started_s: float,
        ended_s: float,
        report_ids: tuple[ReportId, ...],
        parameters: FusionParameters,
    ) -> None:
        self.key = key
        self.order = order
        self.source_id = source_id
        self.stated = stated
        self.started_s = started_s
        self.ended_s = ended_s
        self.report_ids = report_ids
        self.parameters = parameters
        self._places: dict[Hazard | None, Mixture] = {}

    def place(self, hazard: Hazard | None) -> Mixture:
        """Where the event is, if it is of this hazard; made when first asked for."""
        found = self._places.get(hazard)
        if found is None:
            found = self._places[hazard] = self._place(hazard)
        return found

    @abstractmethod
    def _place(self, hazard: Hazard | None) -> Mixture: ...

    @abstractmethod
    def own_log_odds(self, hazard: Hazard) -> float:
        """What the evidence says by itself, in nats: the picture's llr, the caller's words."""

    @abstractmethod
    def log_odds(self, hazard: Hazard) -> float:
        """Log odds of an event against clutter, less the log of the event's rate (km2 day)."""

    @property
    @abstractmethod
    def own_xy(self) -> tuple[float, float]:
        """The source's own estimate of a place, metres."""


class TrackEvidence(Evidence):
    """A camera's track. Of several reports the newest counts: each sums up the ones before."""

    source = SourceKind.CAMERA

    def __init__(
        self,
        key: str,
        order: int,
        report_ids: tuple[ReportId, ...],
        newest: Detection,
        fix: GroundFix | Mixture,
        view_km2: float,
        parameters: FusionParameters,
    ) -> None:
        lag_s = (newest.received_at - newest.captured_at).total_seconds()
        self.is_on_time = abs(lag_s) <= CLOCK_S
        """Whether its camera's clock agrees with ours."""
        late_s = 0.0 if self.is_on_time else lag_s
        super().__init__(
            key,
            order,
            newest.camera_id,
            newest.sighting.hazard,
            min(newest.started_at, newest.captured_at).timestamp() + late_s,
            newest.captured_at.timestamp() + late_s,
            report_ids,
            parameters,
        )
        self.camera_id: CameraId = newest.camera_id
        self.sighting: Sighting = newest.sighting
        self.llr = newest.llr
        self.fix = fix if isinstance(fix, GroundFix) else None
        self._seen = fix.mixture() if isinstance(fix, GroundFix) else fix
        clutter = parameters.clutter(newest.camera_id, newest.sighting)
        self.view_km2 = view_km2
        self.usual = math.log(clutter / parameters.clutter_tracks_per_camera_day)
        self._base = math.log(view_km2 / clutter)

    def amid(self, chatter: float) -> TrackEvidence:
        """The same where its camera's chatter takes so many nats from it."""
        if chatter == self.chatter:
            return self
        other = copy(self)
        other.chatter = chatter
        return other

    def _place(self, hazard: Hazard | None) -> Mixture:
        extent = 8.0 if hazard is None else self.parameters.extent_m(hazard)
        return self._seen.blurred([extent], [1.0])

    def own_log_odds(self, hazard: Hazard) -> float:
        """See `Evidence.own_log_odds`."""
        return self.llr + (
            0.0 if hazard is self.stated else math.log(self.parameters.wrong_sighting)
        )

    def log_odds(self, hazard: Hazard) -> float:
        """See `Evidence.log_odds`."""
        found = math.log(self.parameters.detection_probability)
        return self._base + found + self.own_log_odds(hazard) - self.chatter

    @cached_property
    def own_xy(self) -> tuple[float, float]:
        """See `Evidence.own_xy`."""
        xy = self.fix.xy if self.fix is not None else None
        return xy if xy is not None else medoid(self._seen)

    @property
    def precision(self) -> tuple[bool, float, str]:
        """Sorts a camera's tracks by how well they tell a place, best first."""
        no_range = self.fix is None or self.fix.range_unknown
        return no_range, float(np.trace(self._seen.covariance)), self.key


class CallEvidence(Evidence):
    """A call, where all its positions together place the caller (`geo.movement`)."""

    source = SourceKind.CALLER

    def __init__(
        self,
        key: str,
        order: int,
        report_ids: tuple[ReportId, ...],
        call: CallReport | None,
        fixes: Sequence[CallerFix],
        projection: LocalProjection,
        parameters: FusionParameters,
    ) -> None:
        self._caller = place_of_fixes(fixes, projection)
        at_s = (call or fixes[0]).received_at.timestamp()
        super().__init__(
            key,
            order,
            fixes[0].call_id,
            call.hazard if call is not None else None,
            at_s,
            at_s,
            report_ids,
            parameters,
        )
        from_app = call is not None and call.channel is CallChannel.APP
        self._false_per_km2_day = (
            parameters.false_app_reports_per_km2_day
            if from_app
            else parameters.false_calls_per_km2_day
        )
        self._named_falsely = math.log(parameters.naming_false(self.stated))

    def _place(self, hazard: Hazard | None) -> Mixture:
        return stood_off(self._caller, hazard, self.parameters.standoff_factor)

    def own_log_odds(self, hazard: Hazard) -> float:
        """See `Evidence.own_log_odds`."""
        return math.log(self.parameters.naming(self.stated, hazard)) - self._named_falsely

    def log_odds(self, hazard: Hazard) -> float:
        """See `Evidence.log_odds`."""
        p = self.parameters
        rates = p.calls_per_event(hazard) / self._false_per_km2_day
        return math.log(rates) + self.own_log_odds(hazard)

    @cached_property
    def own_xy(self) -> tuple[float, float]:
        """See `Evidence.own_xy`."""
        # Between two positions that contradict each other there is nobody.
        return medoid(self._caller)


def medoid(mixture: Mixture) -> tuple[float, float]:
    """The component mean that is nearest to the others, by weight: it lies where mass is."""
    apart = np.linalg.norm(mixture.means[:, None] - mixture.means[None], axis=2)
    x, y = mixture.means[int(np.argmin(apart @ mixture.weights))].tolist()
    return x, y
