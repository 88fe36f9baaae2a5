"""One camera's pictures over time to the Detections worth sending. Pure: pictures' results and
times come in, no I/O.

A track is confirmed when k of its last n looks speak for the hazard, for long enough, and its joint
evidence is positive enough; a first Detection goes out then, and later ones of the same track
replace it when the evidence has grown or time has passed. What is seen and not confirmed is a
weak cue: a reason to look closer, not to tell anybody.

A confirmed track's evidence never shrinks: flames that a passing bus hides have burnt all the same,
and an alarm must not vanish from the map while somebody reads it. That a camera sees nothing any
more is evidence of another kind, and whether the alarm was true is for people to say.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from contracts.cameras import RoadRegion
from contracts.detections import Detection
from contracts.hazards import Sighting
from contracts.ids import CameraId
from detection.appearance import Shares, lasting_flicker, small_copy
from detection.boxes import Boxes
from detection.clutter import LONGEST_STEP_S, ClutterMap
from detection.crash_alarms import CrashAlarms
from detection.flood_watch import FLOOD_CLASS, FloodWatch
from detection.model_card import ModelCard
from detection.outbox import Moment, Outbox
from detection.rules import CUED_LLR, RULES, Rule, confirms, joint_llr
from detection.standing import StandingWatch
from detection.track_book import (
    Affinity,
    TrackBook,
    joined_pieces,
    overlap,
    shared_or_near,
)
from detection.tracks import LOST_AFTER_S, Track

if TYPE_CHECKING:
    # Only its name: the rules need no network.
    from detection.crash_model import CrashVerdict

CAME_UP_S = 1.5
"""What is seen so soon after the camera's first picture stood there before: a parked car,
mostly.
"""
JOIN_GATE = 0.12
FLAMES_MOVE_LLR = 3.0
"""What signs of fire take from a crash in the same place: flames and smoke move by themselves, and
are told of as what they are."""
UNUSUAL_LLR = 0.7
"""A spot where things have stood for less than ten minutes of all that was seen is unusual."""
STANDS_FOR_S = 20.0
"""How long something that came to stand is taken to stand there: a red light."""
PICTURES_COMPARED = 6
"""So many pictures back, what is seen is compared with: a lamp that blinks is as it was in one of
them, flames are as they never were."""


class CameraVerifier:
    """The verification of one camera; feed it every analysed picture in the order of capture."""

    def __init__(
        self,
        camera_id: CameraId,
        detector: ModelCard,
        flood: ModelCard | None = None,
        rules: Mapping[Sighting, Rule] = RULES,
        exercise: bool = False,
        clutter: ClutterMap | None = None,
        crash: ModelCard | None = None,
    ) -> None:
        """`detector`, `flood` and `crash` are the cards of the models whose results will be handed
        in; `clutter` is what is known of the camera, and learns on. With a `crash` model its
        judgement of clips decides, and the detector's crash boxes are mere reasons to ask it.
        """
        self.camera_id = camera_id
        self.weak_cue = False
        """Whether the last picture gave a reason to look closer without a confirmed track to
        explain it.
        """
        self.cued_until_s = float("-inf")
        """Until then somebody expects something here, and less is enough to be told."""
        self._detector, self._flood, self._crash = detector, flood, crash
        self._rules, self._exercise = rules, exercise
        self._clutter = clutter or ClutterMap()
        self._sightings = {i: Sighting(c) for i, c in enumerate(detector.classes)}
        self._sightings[FLOOD_CLASS] = Sighting.FLOOD
        self._in_pieces = frozenset(
            i for i, s in self._sightings.items() if s in (Sighting.FIRE, Sighting.SMOKE)
        )
        self._book = TrackBook(self._affinity, JOIN_GATE, LOST_AFTER_S)
        self._habit_llr: dict[tuple[int, int], float] = {}
        """By track, from when it began: what burns for an hour must not talk itself down."""
        self._outbox = Outbox(camera_id, exercise)
        self._floods = FloodWatch(camera_id, exercise, rules[Sighting.FLOOD])
        self._crashes = CrashAlarms(camera_id, exercise, crash) if crash is not None else None
        self._standing = StandingWatch() if crash is not None else None
        self._small: NDArray[np.uint8] | None = None
        self._earlier: deque[NDArray[np.uint8]] = deque(maxlen=PICTURES_COMPARED)
        self._first_s: float | None = None
        self._last_s = float("-inf")

    @property
    def has_confirmed(self) -> bool:
        """Whether a hazard that the detector finds has been told of and is still there."""
        return len(self._outbox) > 0

    @property
    def road_region(self) -> RoadRegion | None:
        """Where the road lies, if somebody has drawn it."""
        return self._floods.region

    @road_region.setter
    def road_region(self, region: RoadRegion | None) -> None:
        self._floods.region = region

    def rewound(self) -> CameraVerifier:
        """A verification of the same camera that begins anew, for pictures of a moment ago.

        What stands in the first of them counts as having stood there before. Once it has caught up
        with this one it can go on in its place, by `succeed`.
        """
        past = CameraVerifier(
            self.camera_id,
            self._detector,
            self._flood,
            self._rules,
            self._exercise,
            self._clutter,
            self._crash,
        )
        # A crash is one crash, whether live pictures tell of it or those of a moment ago.
        past._crashes = self._crashes
        # What has come to stand is known already; it is the reason for looking back.
        past._standing = None
        past.cued_until_s = self.cued_until_s
        past._book.begin_at(self._book.next_number)
        return past

    def succeed(self, present: CameraVerifier) -> None:
        """Go on in the place of the one this was rewound from: floods are as that one saw them."""
        self._book.begin_at(present._book.next_number)
        self.cued_until_s = present.cued_until_s
        self._floods = present._floods
        self._standing = present._standing

    def _affinity(self, class_id: int) -> Affinity:
        return overlap if self._sightings[class_id] is Sighting.CRASH else shared_or_near

    def update(
        self,
        captured_at: datetime,
        received_at: datetime,
        boxes: Boxes,
        flood_probability: float | None,
        frame_size: tuple[int, int],
        picture: NDArray[np.uint8] | None = None,
    ) -> list[Detection]:
        """Take one picture's results; returns what is now to be sent, often nothing.

        `boxes` are in pixels of the picture of `frame_size` (width, height), the size that
        Detections report in. `flood_probability` is None where the classifier did not look.
        `picture`, of any size, is what they were found in: with it flicker is seen, and what people
        rejected is known again. Pictures captured earlier than one already taken are ignored (a
        reconnect can replay some).
        """
        moment = Moment(captured_at, received_at, frame_size)
        at_s = moment.at_s
        if at_s < self._last_s:
            return []
        lasted_s = min(at_s - self._last_s, LONGEST_STEP_S)
        self._last_s = at_s
        self._first_s = at_s if self._first_s is None else self._first_s
        worth = [s >= self._rules[self._sightings[c]].least_score for _, s, c in boxes]
        boxes = joined_pieces(boxes.where(np.array(worth, dtype=np.bool_)), self._in_pieces)
        self._small = None
        if picture is not None and (len(boxes) or self._book.tracks or self._standing):
            self._small = small_copy(picture)
        judged = [(track, self._outbox) for track in self._tracks_seen(boxes, moment, lasted_s)]
        if self._small is not None:
            self._earlier.append(self._small)
        if flood_probability is not None and self._flood is not None:
            wet = self._floods.look(flood_probability, self._flood, self._clutter.road, moment)
            judged += [(wet, self._floods.outbox)] if wet is not None else []
        self.weak_cue = self._has_come_to_stand(at_s, lasted_s)
        sent = [self._judge(track, outbox, moment) for track, outbox in judged]
        return [detection for detection in sent if detection is not None]

    def _tracks_seen(self, boxes: Boxes, moment: Moment, lasted_s: float) -> list[Track]:
        """The tracks that a picture's boxes belong to, with what it says of each; tracks that it
        does not show are told that as well.
        """
        at_s = moment.at_s
        seen, unseen, lost = self._book.update(at_s, boxes)
        gone = self._book.join_split(
            [track for track, _ in seen], unseen, self._in_pieces, self._outbox
        )
        for track in [*lost, *gone]:
            self._outbox.forget(track)
            self._habit_llr.pop(track.key, None)
        for track, index in seen:
            sighting = self._sightings[track.class_id]
            score, xyxy = float(boxes.scores[index]), boxes.xyxy[index]
            llr = self._detector.curves[sighting].llr(score)
            track.record(at_s, llr, score, xyxy)
            place = moment.shares(track)
            self._habit_llr.setdefault(
                track.key, self._clutter.habits.discount(sighting, place, at_s)
            )
            if llr > 0.0:
                self._clutter.habits.note(sighting, place, at_s, lasted_s)
            if self._small is not None and self._earlier:
                track.note_flicker(lasting_flicker(self._earlier, self._small, place))
        for track in unseen:
            if track not in gone:
                sighting = self._sightings[track.class_id]
                track.record(at_s, self._detector.curves[sighting].miss_llr, 0.0, None)
        return [track for track, _ in seen]

    def judge_clip(
        self,
        clip: CrashVerdict,
        captured_at: datetime,
        received_at: datetime,
        frame_size: tuple[int, int],
    ) -> list[Detection]:
        """Take the crash model's judgement of the last seconds; returns what is now to be sent.

        Raises ValueError without the model's card.
        """
        if self._crashes is None:
            raise ValueError("a clip was judged without the card of the model that judged it")
        moment = Moment(captured_at, received_at, frame_size)
        less = self._clutter.rejected_llr(Sighting.CRASH, clip.box, moment.at_s, self._small)
        if self._burns_at(clip.box, moment):
            less = max(less, FLAMES_MOVE_LLR)
        cued = moment.at_s < self.cued_until_s
        restless_llr = self._clutter.restlessness.llr(moment.at_s)
        detection = self._crashes.take(clip, less, cued, self._clutter, moment)
        self.weak_cue |= not self._crashes.is_known and clip.llr - less >= restless_llr
        return [detection] if detection is not None else []

    def _burns_at(self, place: Shares, moment: Moment) -> bool:
        """Whether there are signs of flames or smoke where something moves."""
        width, height = moment.frame_size
        box = np.array(place, np.float32) * np.array([width, height] * 2, np.float32)
        for track in self._book.tracks:
            if track.class_id not in self._in_pieces or not len(track.looks):
                continue
            rule = self._rules[self._sightings[track.class_id]]
            looks = track.looks_since(moment.at_s - rule.window_s)
            is_near = shared_or_near(track.xyxy[None], box[None])[0, 0] >= JOIN_GATE
            if is_near and looks and max(look.llr for look in looks) >= rule.look_llr:
                return True
        return False

    def _has_come_to_stand(self, at_s: float, lasted_s: float) -> bool:
        """Whether something stands now where things move and where nothing usually stands."""
        if self._standing is None or self._small is None:
            return False
        found = False
        for place in self._standing.see(at_s, self._small):
            found |= self._clutter.habits.discount(Sighting.CRASH, place, at_s) < UNUSUAL_LLR
            self._clutter.habits.note(Sighting.CRASH, place, at_s, max(lasted_s, STANDS_FOR_S))
        return found

    def _judge(self, track: Track, outbox: Outbox, moment: Moment) -> Detection | None:
        sighting = self._sightings[track.class_id]
        rule, at_s = self._rules[sighting], moment.at_s
        looks = track.looks_since(at_s - rule.window_s)
        came_up_with_it = track.started_s - (self._first_s or at_s) < CAME_UP_S
        rejected_llr = self._clutter.rejected_llr(sighting, moment.shares(track), at_s, self._small)
        less = max(self._habit_llr.get(track.key, 0.0), rejected_llr)
        less += rule.was_there_llr if came_up_with_it else 0.0
        llr = joint_llr(rule, looks) - less
        sent_llr = outbox.llr_of(track)
        if sent_llr is None:
            enough = rule.confirm_llr + less - (CUED_LLR if at_s < self.cued_until_s else 0.0)
            clips_decide = sighting is Sighting.CRASH and self._crashes is not None
            if clips_decide or not confirms(rule, looks, enough):
                self.weak_cue |= looks[-1].llr - less >= rule.weak_llr
                return None
        elif rejected_llr > 0.0 and llr < rule.confirm_llr:
            # People have said since what it is.
            return None
        else:
            llr = max(llr, sent_llr)
            if not outbox.is_due(track, at_s, llr):
                return None
        card = self._flood if sighting is Sighting.FLOOD and self._flood else self._detector
        return outbox.send(track, sighting, llr, card, moment)
