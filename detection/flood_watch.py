"""The one flood track that a camera can have. Pure.

Every look at the road speaks for it or against it, by how much the road has changed
(`detection.road_reference`).
"""

from __future__ import annotations

import numpy as np

from contracts.cameras import RoadRegion
from contracts.hazards import Sighting
from contracts.ids import CameraId
from detection.model_card import ModelCard
from detection.outbox import Moment, Outbox
from detection.road_reference import RoadReference
from detection.road_region import default_region_px
from detection.rules import Rule
from detection.tracks import Track

FLOOD_CLASS = -1
"""The class of tracks that aren't made of the detector's boxes."""


class FloodWatch:
    """A camera's looks at its road, joined to a track while they are wet."""

    def __init__(self, camera_id: CameraId, exercise: bool, rule: Rule) -> None:
        self.outbox = Outbox(camera_id, exercise)
        self.region: RoadRegion | None = None
        """Where the road lies, if somebody has drawn it: the place of what is found flooded."""
        self._rule = rule
        self._track: Track | None = None
        self._count = 0

    def look(
        self, probability: float, card: ModelCard, road: RoadReference, moment: Moment
    ) -> Track | None:
        """Take one look at the road; the track where it is wet. `road` learns from it."""
        at_s = moment.at_s
        llr = road.worth(card.curves[Sighting.FLOOD].llr(probability), at_s)
        size = moment.frame_size
        box = default_region_px(*size) if self.region is None else self.region.pixels(*size)
        place = np.array(box, dtype=np.float32)
        track = self._track
        if track is not None and at_s - track.seen_s > self._rule.window_s:
            self.outbox.forget(track)
            track = self._track = None
        wet = llr >= self._rule.look_llr
        if track is None:
            if not wet:
                return None
            self._count += 1
            track = Track(self._count, FLOOD_CLASS, at_s, place, at_s, probability)
        track.record(at_s, llr, probability, place if wet else None)
        self._track = track
        return track if wet else None
