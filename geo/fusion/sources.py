"""All that one camera, or one call, says in a set: one source, however many tracks it makes of what
it sees."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations

import numpy as np

from contracts import Hazard
from geo.fusion.evidence import Evidence, TrackEvidence
from geo.fusion.parameters import FusionParameters

TELLS_WHEN_NATS = 2.0
"""Beside a surer track of its camera, one that says less doesn't tell when it began: what stood at
the spot before, and was hardly a fire, need not have been this one."""


class Source:
    """All that one camera, or one call, says in a set."""

    def __init__(self, pieces: Sequence[Evidence]) -> None:
        self.pieces = tuple(sorted(pieces, key=lambda piece: piece.order))
        self.order = self.pieces[0].order
        tracks = [piece for piece in self.pieces if isinstance(piece, TrackEvidence)]
        first = min(_telling(tracks) or self.pieces, key=lambda piece: piece.started_s)
        self.started_s = first.started_s
        self.is_prompt = isinstance(first, TrackEvidence) and first.is_on_time
        self.best: Evidence = (
            min(tracks, key=lambda track: track.precision) if tracks else self.pieces[0]
        )

    @cached_property
    def spread_m2(self) -> float:
        """How widely it places what it is about."""
        return float(np.trace(self.best.place(None).covariance))

    def own_log_odds(self, hazard: Hazard) -> float:
        """What its words and pictures say by themselves. Of several tracks that saw the same kind,
        the strongest counts.
        """
        if len(self.pieces) == 1:
            return self.best.own_log_odds(hazard)
        return sum(self._strongest(hazard, amid_chatter=False).values())

    def log_odds(self, hazard: Hazard) -> float:
        """See `Evidence.log_odds`. Of several tracks, the strongest in spite of the chatter."""
        if len(self.pieces) == 1:
            return self.best.log_odds(hazard)
        best = self.best
        single = best.log_odds(hazard) - best.own_log_odds(hazard) + best.chatter
        return single + sum(self._strongest(hazard, amid_chatter=True).values())

    def restlessness(self, hazard: Hazard) -> float:
        """Log of how many times more than assumed it says such things for nothing, 0 or more."""
        usual = max(0.0, self.best.usual)
        if len(self.pieces) == 1:
            return usual + self.best.chatter
        amid = sum(self._strongest(hazard, amid_chatter=True).values())
        return usual + self.own_log_odds(hazard) - amid

    def _strongest(self, hazard: Hazard, *, amid_chatter: bool) -> dict[str, float]:
        """What the strongest track of each kind says."""
        strongest: dict[str, float] = {}
        for piece in self.pieces:
            kind = piece.sighting if isinstance(piece, TrackEvidence) else piece.key
            own = piece.own_log_odds(hazard) - (piece.chatter if amid_chatter else 0.0)
            strongest[kind] = max(own, strongest.get(kind, own))
        return strongest

    def splits(self, parameters: FusionParameters) -> bool:
        """Whether two of its tracks can't be of one event."""
        return any(_two_events(a, b, parameters) for a, b in combinations(self.pieces, 2))


def source_key(piece: Evidence) -> str:
    """A camera is one source, a call another."""
    return piece.camera_id if isinstance(piece, TrackEvidence) else piece.key


def _telling(tracks: Sequence[TrackEvidence]) -> list[TrackEvidence]:
    """Those of a camera's tracks that may say when it began."""
    most = max((track.llr for track in tracks), default=0.0)
    return [track for track in tracks if track.llr >= min(TELLS_WHEN_NATS, most)]


def _two_events(a: Evidence, b: Evidence, parameters: FusionParameters) -> bool:
    if not isinstance(a, TrackEvidence) or not isinstance(b, TrackEvidence):
        return False
    if a.fix is None or b.fix is None or a.stated is None or b.stated is None:
        return False
    if a.stated is Hazard.FLOOD or b.stated is Hazard.FLOOD:
        return False
    concurrent = a.started_s <= b.ended_s and b.started_s <= a.ended_s
    extent_m = max(parameters.extent_m(a.stated), parameters.extent_m(b.stated))
    return concurrent and a.fix.apart_from(b.fix, extent_m) > parameters.same_camera_gate
