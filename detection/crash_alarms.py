"""The crashes that the crash model saw in a camera's clips. Pure.

Clips overlap, so that one crash is judged many times, at last with what stands there afterwards:
the strongest judgement of it counts. What moves again where a crash was told of is that crash, with
people and vehicles about it, and no second one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from contracts.detections import Detection
from contracts.hazards import Sighting
from contracts.ids import CameraId
from detection.clutter import ClutterMap
from detection.model_card import ModelCard
from detection.outbox import Moment, Outbox
from detection.rules import CUED_LLR
from detection.track_book import shared_or_near
from detection.tracks import LOST_AFTER_S, Track

if TYPE_CHECKING:
    # Only its name: the rules need no network.
    from detection.crash_model import CrashVerdict

CLIP_CLASS = -2
"""The class of tracks that are made of clips."""
ALARM_S = 300.0
"""A crash alarm makes its spot as much a habit as if something had fired there for so long: the
second one in a week must be worth 0.4 nats more than the first. What people confirm is forgiven."""
REMEMBERED_S = 300.0
"""For so long what moves at the place of a crash is that crash."""
GROWN_LLR = 0.4
"""Evidence that has grown by this much is sent again: a clip is judged for eight seconds after an
impact, and what has come to stand by then is worth little more."""
SAME_PLACE = 0.3
"""Affinity of two places from which they are one: a third of the smaller lies in the larger."""


class CrashAlarms:
    """One camera's crash tracks, by the model whose `card` is given."""

    def __init__(self, camera_id: CameraId, exercise: bool, card: ModelCard) -> None:
        self.outbox = Outbox(camera_id, exercise)
        self._card = card
        self._tracks: list[Track] = []
        self._habit_llr: dict[int, float] = {}
        """By track, from when it began: a crash must not talk itself down."""
        self._count = 0
        self._spoke_s = float("-inf")
        self._restless_llr = 0.0
        """When the camera last began to speak of a crash, and how restless it was then."""
        self._judged_s = float("-inf")

    @property
    def is_known(self) -> bool:
        """Whether a crash was told of that the last clip was still near to."""
        return any(self._judged_s - track.seen_s <= LOST_AFTER_S for track in self._tracks)

    def take(
        self, clip: CrashVerdict, less_llr: float, cued: bool, clutter: ClutterMap, moment: Moment
    ) -> Detection | None:
        """What one more judgement comes to, of which `less_llr` is taken: a Detection to be sent,
        or none. `clutter` is what is known of the camera, and learns from this one.
        """
        self._judged_s = moment.at_s
        for old in [t for t in self._tracks if clip.at_s - t.seen_s > REMEMBERED_S]:
            self._tracks.remove(old)
            self.outbox.forget(old)
            del self._habit_llr[old.number]
        width, height = moment.frame_size
        xyxy = np.array(clip.box, np.float32) * np.array([width, height] * 2, np.float32)
        track = self._track_of(clip, xyxy)
        habit_llr = (
            clutter.crashes.discount(Sighting.CRASH, clip.box, clip.at_s)
            if track is None
            else self._habit_llr[track.number]
        )
        point = self._card.operating_points[Sighting.CRASH]
        point_llr = self._card.curves[Sighting.CRASH].llr(point)
        restless_llr = self._heard(clip.score >= point, clutter, moment.at_s)
        llr = clip.llr - max(less_llr, habit_llr)
        with_aftermath = llr + clip.stays_llr
        # What speaks against a crash is no sighting of one, whoever expects it.
        least = max(0.0, point_llr - CUED_LLR) if cued else point_llr
        if track is None:
            # The habit of a place and that of its camera have one cause: the greater counts.
            least += max(0.0, restless_llr - habit_llr)
        # What stands afterwards makes a sighting surer, and is no condition of one.
        if max(llr, with_aftermath) < least or not (cued or clip.score >= point):
            return None
        if track is None:
            self._count += 1
            track = Track(self._count, CLIP_CLASS, clip.at_s, xyxy, clip.at_s, clip.score)
            self._tracks.append(track)
            self._habit_llr[track.number] = habit_llr
            clutter.crashes.note(Sighting.CRASH, clip.box, clip.at_s, ALARM_S)
        sent_llr = self.outbox.llr_of(track)
        if sent_llr is not None and with_aftermath < sent_llr + GROWN_LLR:
            return None
        track.record(clip.at_s, with_aftermath, clip.score, xyxy)
        return self.outbox.send(track, Sighting.CRASH, with_aftermath, self._card, moment)

    def _heard(self, spoke: bool, clutter: ClutterMap, at_s: float) -> float:
        """How restless the camera was before it spoke, in nats; this judgement is counted."""
        if abs(at_s - self._spoke_s) <= LOST_AFTER_S:
            # One crash is judged many times: it must not talk itself down.
            clutter.restlessness.note(at_s, spoke=False)
            return self._restless_llr
        self._restless_llr = clutter.restlessness.llr(at_s)
        self._spoke_s = at_s if spoke else self._spoke_s
        clutter.restlessness.note(at_s, spoke=spoke)
        return self._restless_llr

    def _track_of(self, clip: CrashVerdict, xyxy: NDArray[np.float32]) -> Track | None:
        """The crash that a judgement is about, if it was told of: what crashes slides on and others
        brake about it, so that for some seconds it is anywhere, and later where it was.
        """
        for track in reversed(self._tracks):
            near = shared_or_near(track.xyxy[None], xyxy[None])[0, 0] >= SAME_PLACE
            if near or clip.at_s - track.seen_s <= LOST_AFTER_S:
                return track
        return None
