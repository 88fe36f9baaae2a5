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

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from contracts.cameras import RoadRegion
from contracts.detections import Box, Detection
from contracts.hazards import Sighting
from contracts.ids import CameraId, ReportId, TrackId
from detection.appearance import Shares, flicker, small_copy
from detection.boxes import Boxes
from detection.clutter import LONGEST_STEP_S, ClutterMap
from detection.model_card import ModelCard
from detection.road_region import default_region_px
from detection.rules import RULES, Rule, confirms, joint_llr
from detection.standing import StandingWatch
from detection.track_book import (
    Affinity,
    TrackBook,
    joined_pieces,
    overlap,
    shared_or_near,
)
from detection.tracks import Track

if TYPE_CHECKING:
    # Only its name: the rules need no network.
    from detection.crash_model import CrashVerdict

CAME_UP_S = 1.5
"""What is seen so soon after the camera's first picture stood there before: a parked car,
mostly.
"""
LOST_AFTER_S = 15.0
"""A track unseen for so long is over; what comes later at its place is another one."""
RESEND_S = 10.0
"""A confirmed track is sent again at least so often while it is seen."""
RESEND_LLR = 1.0
"""Evidence that has grown by this much is sent at once ..."""
LEAST_GAP_S = 1.0
"""... but no track is sent more often than this."""
CUED_LLR = 1.5
"""How much less evidence suffices while a call or an incident speaks of what the camera sees. What
is sent says honestly how much there is; fusion weighs it with the call's."""
JOIN_GATE = 0.12
FLOOD_CLASS = -1
CLIP_CLASS = -2
"""The classes in this room of tracks that aren't made of the detector's boxes: the flood's, and
those of crashes that the crash model saw in clips."""
FLAMES_MOVE_LLR = 3.0
"""What signs of fire take from a crash in the same place: flames and smoke move by themselves, and
are told of as what they are."""
UNUSUAL_LLR = 0.7
"""A spot where things have stood for less than ten minutes of all that was seen is unusual."""
STANDS_FOR_S = 20.0
"""How long something that came to stand is taken to stand there: a red light."""


@dataclass(slots=True)
class _Sent:
    at_s: float
    llr: float
    count: int


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
        self._detector, self._flood = detector, flood
        self._clutter = clutter or ClutterMap()
        self._habit_llr: dict[tuple[int, int], float] = {}
        """By track, from when it began: what burns for an hour must not talk itself down."""
        self._small: NDArray[np.uint8] | None = None
        self.cued_until_s = float("-inf")
        """Until then somebody expects something here, and less is enough to be told."""
        self.road_region: RoadRegion | None = None
        """Where the road lies, if somebody has drawn it: the place of what is found flooded."""
        self._rules = rules
        self._exercise = exercise
        self._cards: dict[Sighting, ModelCard] = {Sighting(c): detector for c in detector.classes}
        if flood is not None:
            self._cards[Sighting.FLOOD] = flood
        self._crash = crash
        self._crash_track: Track | None = None
        self._crash_count = 0
        self._standing = StandingWatch() if crash is not None else None
        self._sightings = {i: Sighting(c) for i, c in enumerate(detector.classes)}
        self._sightings[FLOOD_CLASS] = Sighting.FLOOD
        self._in_pieces = frozenset(
            i for i, s in self._sightings.items() if s in (Sighting.FIRE, Sighting.SMOKE)
        )
        self._book = TrackBook(self._affinity, JOIN_GATE, LOST_AFTER_S)
        self._flood_track: Track | None = None
        self._flood_count = 0
        self._sent: dict[tuple[int, int], _Sent] = {}
        self._last_s = float("-inf")
        self._first_s: float | None = None

    @property
    def has_confirmed(self) -> bool:
        """Whether a hazard that the detector finds has been told of and is still there."""
        return any(class_id >= 0 for class_id, _ in self._sent)

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
        past._crash_track, past._crash_count = self._crash_track, self._crash_count
        # What has come to stand is known already; it is the reason for looking back.
        past._standing = None
        past.cued_until_s = self.cued_until_s
        past._book.begin_at(self._book.next_number)
        return past

    def succeed(self, present: CameraVerifier) -> None:
        """Go on in the place of the one this was rewound from: floods are as that one saw them."""
        self._book.begin_at(present._book.next_number)
        self.cued_until_s = present.cued_until_s
        self._flood_track, self._flood_count = present._flood_track, present._flood_count
        self._standing = present._standing
        self._sent |= {key: sent for key, sent in present._sent.items() if key[0] < 0}

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
        at_s = captured_at.timestamp()
        if at_s < self._last_s:
            return []
        lasted_s = min(at_s - self._last_s, LONGEST_STEP_S)
        self._last_s = at_s
        self._first_s = at_s if self._first_s is None else self._first_s
        worth = [s >= self._rules[self._sightings[c]].least_score for _, s, c in boxes]
        boxes = joined_pieces(boxes.where(np.array(worth, dtype=np.bool_)), self._in_pieces)
        before, self._small = self._small, None
        if picture is not None and (len(boxes) or self._book.tracks or self._standing):
            self._small = small_copy(picture)
        seen, unseen, lost = self._book.update(at_s, boxes)
        gone = self._book.join_split(
            [track for track, _ in seen], unseen, self._in_pieces, self._sent
        )
        for track in [*lost, *gone]:
            self._sent.pop((track.class_id, track.number), None)
            self._habit_llr.pop((track.class_id, track.number), None)
        for track, index in seen:
            sighting = self._sightings[track.class_id]
            score, xyxy = float(boxes.scores[index]), boxes.xyxy[index]
            llr = self._cards[sighting].curves[sighting].llr(score)
            place = _shares(xyxy, frame_size)
            self._habit_llr.setdefault(
                (track.class_id, track.number),
                self._clutter.habits.discount(sighting, place, at_s),
            )
            if llr > 0.0:
                self._clutter.habits.note(sighting, place, at_s, lasted_s)
            changed = self._flicker_since(before, place)
            track.record(at_s, llr, score, xyxy, changed)
        for track in unseen:
            if track in gone:
                continue
            sighting = self._sightings[track.class_id]
            track.record(at_s, self._cards[sighting].curves[sighting].miss_llr, 0.0, None)
        live = [track for track, _ in seen]
        if flood_probability is not None:
            live.extend(self._look_for_flood(at_s, flood_probability, frame_size))
        out: list[Detection] = []
        self.weak_cue = self._has_come_to_stand(at_s, lasted_s)
        for track in live:
            detection = self._judge(track, at_s, captured_at, received_at, frame_size)
            if detection is not None:
                out.append(detection)
        return out

    def _flicker_since(self, before: NDArray[np.uint8] | None, place: Shares) -> float | None:
        if before is None or self._small is None:
            return None
        return flicker(before, self._small, place)

    def _look_for_flood(
        self, at_s: float, probability: float, frame_size: tuple[int, int]
    ) -> list[Track]:
        """The one flood track a camera can have: every look at the road speaks for it or against
        it.
        """
        curve = self._cards[Sighting.FLOOD].curves[Sighting.FLOOD]
        llr = curve.llr(probability)
        drawn = self.road_region
        box = default_region_px(*frame_size) if drawn is None else drawn.pixels(*frame_size)
        region = np.array(box, dtype=np.float32)
        track = self._flood_track
        if track is not None and at_s - track.seen_s > self._rules[Sighting.FLOOD].window_s:
            self._sent.pop((FLOOD_CLASS, track.number), None)
            track = None
        wet = llr >= self._rules[Sighting.FLOOD].look_llr
        if track is None:
            if not wet:
                self._flood_track = None
                return []
            self._flood_count += 1
            track = Track(self._flood_count, FLOOD_CLASS, at_s, region, at_s, probability)
        track.record(at_s, llr, probability, region if wet else None)
        self._flood_track = track
        return [track] if wet else []

    def judge_clip(
        self,
        clip: CrashVerdict,
        captured_at: datetime,
        received_at: datetime,
        frame_size: tuple[int, int],
    ) -> list[Detection]:
        """Take the crash model's judgement of the last seconds; returns what is now to be sent.

        Clips overlap, so that one crash is judged many times: the strongest judgement of it
        counts. Raises ValueError without the model's card.
        """
        if self._crash is None:
            raise ValueError("a clip was judged without the card of the model that judged it")
        at_s = captured_at.timestamp()
        track = self._crash_track
        if track is not None and clip.at_s - track.seen_s > LOST_AFTER_S:
            self._sent.pop((CLIP_CLASS, track.number), None)
            track = self._crash_track = None
        curve, point = self._crash.curves[Sighting.CRASH], self._crash.operating_points
        less = self._clutter.rejected_llr(Sighting.CRASH, clip.box, at_s, self._small)
        if self._burns_at(clip.box, at_s, frame_size):
            less = max(less, FLAMES_MOVE_LLR)
        is_cued = at_s < self.cued_until_s
        llr = clip.llr - less
        if llr < curve.llr(point[Sighting.CRASH]) - (CUED_LLR if is_cued else 0.0) or not (
            is_cued or clip.score >= point[Sighting.CRASH]
        ):
            self.weak_cue |= track is None and llr >= 0.0
            return []
        width, height = frame_size
        xyxy = np.array(clip.box, np.float32) * np.array([width, height] * 2, np.float32)
        if track is None:
            self._crash_count += 1
            track = Track(self._crash_count, CLIP_CLASS, clip.at_s, xyxy, clip.at_s, clip.score)
            self._crash_track = track
        sent = self._sent.get((CLIP_CLASS, track.number))
        if sent is not None and llr < sent.llr + RESEND_LLR:
            return []
        track.record(clip.at_s, llr, clip.score, xyxy)
        count = sent.count + 1 if sent else 1
        self._sent[CLIP_CLASS, track.number] = _Sent(at_s, llr, count)
        return [
            self._detection(track, Sighting.CRASH, llr, count, captured_at, received_at, frame_size)
        ]

    def _burns_at(self, place: Shares, at_s: float, frame_size: tuple[int, int]) -> bool:
        """Whether there are signs of flames or smoke where something moves."""
        width, height = frame_size
        box = np.array(place, np.float32) * np.array([width, height] * 2, np.float32)
        for track in self._book.tracks:
            if track.class_id not in self._in_pieces or not len(track.looks):
                continue
            rule = self._rules[self._sightings[track.class_id]]
            looks = track.looks_since(at_s - rule.window_s)
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

    def _judge(
        self,
        track: Track,
        at_s: float,
        captured_at: datetime,
        received_at: datetime,
        frame_size: tuple[int, int],
    ) -> Detection | None:
        sighting = self._sightings[track.class_id]
        rule = self._rules[sighting]
        looks = track.looks_since(at_s - rule.window_s)
        key = (track.class_id, track.number)
        came_up_with_it = track.started_s - (self._first_s or at_s) < CAME_UP_S
        rejected_llr = self._clutter.rejected_llr(
            sighting, _shares(track.xyxy, frame_size), at_s, self._small
        )
        less = max(self._habit_llr.get(key, 0.0), rejected_llr)
        less += rule.was_there_llr if came_up_with_it else 0.0
        llr = joint_llr(rule, looks) - less
        enough = rule.confirm_llr + less - (CUED_LLR if at_s < self.cued_until_s else 0.0)
        sent = self._sent.get(key)
        if sent is None:
            judged = sighting is Sighting.CRASH and self._crash is not None
            if judged or not confirms(rule, looks, enough):
                self.weak_cue |= looks[-1].llr - less >= rule.weak_llr
                return None
        elif rejected_llr > 0.0 and llr < rule.confirm_llr:
            # People have said since what it is.
            return None
        else:
            llr = max(llr, sent.llr)
            waited_s = at_s - sent.at_s
            if waited_s < LEAST_GAP_S or (llr - sent.llr < RESEND_LLR and waited_s < RESEND_S):
                return None
        count = sent.count + 1 if sent else 1
        self._sent[key] = _Sent(at_s, llr, count)
        return self._detection(track, sighting, llr, count, captured_at, received_at, frame_size)

    def _card_of(self, track: Track) -> ModelCard:
        if track.class_id == CLIP_CLASS and self._crash is not None:
            return self._crash
        return self._cards[self._sightings[track.class_id]]

    def _detection(
        self,
        track: Track,
        sighting: Sighting,
        llr: float,
        count: int,
        captured_at: datetime,
        received_at: datetime,
        frame_size: tuple[int, int],
    ) -> Detection:
        started_at = datetime.fromtimestamp(track.started_s, UTC)
        # The start's time keeps ids apart across restarts of the process; the same pictures give
        # the same ids again.
        track_id = TrackId(f"{sighting.value}-{started_at:%Y%m%dT%H%M%S%f}-{track.number}")
        x0, y0, x1, y1 = (float(v) for v in track.xyxy)
        return Detection(
            id=ReportId(f"{self.camera_id}-{track_id}-{count}"[-120:]),
            camera_id=self.camera_id,
            track_id=track_id,
            sighting=sighting,
            box=Box(x0, y0, x1, y1),
            frame_width_px=frame_size[0],
            frame_height_px=frame_size[1],
            score=min(1.0, max(0.0, track.score)),
            llr=llr,
            captured_at=captured_at,
            received_at=received_at,
            started_at=started_at,
            model_version=self._card_of(track).version,
            exercise=self._exercise,
        )


def _shares(xyxy: NDArray[np.float32], frame_size: tuple[int, int]) -> Shares:
    left, top, right, bottom = (float(v) for v in xyxy)
    width, height = frame_size
    return left / width, top / height, right / width, bottom / height
