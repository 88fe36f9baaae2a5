"""The crashes that the crash model saw in a camera's clips. Pure.

Clips overlap, so that one crash is judged many times: the strongest judgement of it counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from contracts.detections import Detection
from contracts.hazards import Sighting
from contracts.ids import CameraId
from detection.clutter import Habits
from detection.model_card import ModelCard
from detection.outbox import RESEND_LLR, Moment, Outbox
from detection.rules import CUED_LLR
from detection.tracks import LOST_AFTER_S, Track

if TYPE_CHECKING:
    # Only its name: the rules need no network.
    from detection.crash_model import CrashVerdict

CLIP_CLASS = -2
"""The class of tracks that are made of clips."""
ALARM_S = 300.0
"""A crash alarm makes its spot as much a habit as if something had fired there for so long: the
second one in a week must be worth 0.4 nats more than the first. What people confirm is forgiven."""


class CrashAlarms:
    """One camera's crash track, by the model whose `card` is given."""

    def __init__(self, camera_id: CameraId, exercise: bool, card: ModelCard) -> None:
        self.outbox = Outbox(camera_id, exercise)
        self._card = card
        self._track: Track | None = None
        self._habit_llr = 0.0
        """From when the track began: a crash must not talk itself down."""
        self._count = 0

    @property
    def is_known(self) -> bool:
        """Whether a crash was told of that the last clip was still near to."""
        return self._track is not None

    def take(
        self, clip: CrashVerdict, less_llr: float, cued: bool, habits: Habits, moment: Moment
    ) -> Detection | None:
        """What one more judgement comes to, of which `less_llr` is taken: a Detection to be sent,
        or none. `habits` are of alarms at each spot, and learn from this one.
        """
        track = self._track
        if track is not None and clip.at_s - track.seen_s > LOST_AFTER_S:
            self.outbox.forget(track)
            track = self._track = None
        if track is None:
            self._habit_llr = habits.discount(Sighting.CRASH, clip.box, clip.at_s)
        point = self._card.operating_points[Sighting.CRASH]
        llr = clip.llr - max(less_llr, self._habit_llr)
        least = self._card.curves[Sighting.CRASH].llr(point) - (CUED_LLR if cued else 0.0)
        if llr < least or not (cued or clip.score >= point):
            return None
        width, height = moment.frame_size
        xyxy = np.array(clip.box, np.float32) * np.array([width, height] * 2, np.float32)
        if track is None:
            self._count += 1
            track = Track(self._count, CLIP_CLASS, clip.at_s, xyxy, clip.at_s, clip.score)
            self._track = track
            habits.note(Sighting.CRASH, clip.box, clip.at_s, ALARM_S)
        sent_llr = self.outbox.llr_of(track)
        if sent_llr is not None and llr < sent_llr + RESEND_LLR:
            return None
        track.record(clip.at_s, llr, clip.score, xyxy)
        return self.outbox.send(track, Sighting.CRASH, llr, self._card, moment)
