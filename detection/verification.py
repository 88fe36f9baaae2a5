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

import numpy as np

from contracts.detections import Box, Detection
from contracts.hazards import Sighting
from contracts.ids import CameraId, ReportId, TrackId
from detection.boxes import Boxes
from detection.model_card import ModelCard
from detection.road_region import default_region_px
from detection.tracks import (
    Affinity,
    Look,
    Track,
    TrackBook,
    drift,
    evidence_llr,
    jitter,
    joined_pieces,
    overlap,
    shared_or_near,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """When a track of one sighting is believed."""

    looks_needed: int
    looks_considered: int
    least_duration_s: float
    """From the first to the last of the looks that count."""
    window_s: float
    """Looks older than this count no more."""
    look_llr: float
    """A look counts from this log-likelihood ratio on."""
    confirm_llr: float
    """The joint evidence must reach this."""
    least_score: float = 0.0
    """Boxes below this are not looked at: for a class whose low scores say nothing."""
    most_drift: float | None = None
    """Farthest the box may stray, in diagonals: a wreck stands, traffic doesn't."""
    still_jitter: float | None = None
    """Below this jitter the thing is held for a lamp or a sign, the more the stiller it stands."""
    was_there_llr: float = 0.0
    """What it takes from the evidence that the thing stood there when the camera came up."""
    weak_llr: float = 0.0
    """A single look from this on is a weak cue."""


RULES: Mapping[Sighting, Rule] = {
    Sighting.FIRE: Rule(3, 4, 1.5, 12.0, 0.5, 1.5, still_jitter=0.015),
    Sighting.SMOKE: Rule(3, 4, 1.5, 12.0, 1.0, 2.0, still_jitter=0.008),
    Sighting.CRASH: Rule(
        4, 6, 3.0, 15.0, 0.7, 1.2, least_score=0.25, most_drift=0.5, was_there_llr=3.0
    ),
    # A street that looks flooded from the first picture on is nearly always one that shines.
    Sighting.FLOOD: Rule(3, 4, 8.0, 120.0, 1.0, 2.0, was_there_llr=6.0),
}

CORRELATION = 0.5
"""Between looks at the same thing a second apart: joint evidence never exceeds two independent
looks.
"""
STILLNESS_LLR = 3.0
"""What perfect stillness takes from the evidence for fire and smoke: flames are twenty times as
often restless. Strong evidence outlives it.
"""
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
JOIN_GATE = 0.12
FLOOD_CLASS = -1
"""The flood track's class in this room: it has no box of the detector's."""


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
    ) -> None:
        """`detector` and `flood` are the cards of the models whose results will be handed in."""
        self.camera_id = camera_id
        self.weak_cue = False
        """Whether the last picture gave a reason to look closer without a confirmed track to
        explain it.
        """
        self._rules = rules
        self._exercise = exercise
        self._cards: dict[Sighting, ModelCard] = {Sighting(c): detector for c in detector.classes}
        if flood is not None:
            self._cards[Sighting.FLOOD] = flood
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

    def _affinity(self, class_id: int) -> Affinity:
        return overlap if self._sightings[class_id] is Sighting.CRASH else shared_or_near

    def update(
        self,
        captured_at: datetime,
        received_at: datetime,
        boxes: Boxes,
        flood_probability: float | None,
        frame_size: tuple[int, int],
    ) -> list[Detection]:
        """Take one picture's results; returns what is now to be sent, often nothing.

        `boxes` are in pixels of the picture of `frame_size` (width, height), the size that
        Detections report in. `flood_probability` is None where the classifier did not look.
        Pictures captured earlier than one already taken are ignored (a reconnect can replay some).
        """
        at_s = captured_at.timestamp()
        if at_s < self._last_s:
            return []
        self._last_s = at_s
        self._first_s = at_s if self._first_s is None else self._first_s
        worth = [s >= self._rules[self._sightings[c]].least_score for _, s, c in boxes]
        boxes = joined_pieces(boxes.where(np.array(worth, dtype=np.bool_)), self._in_pieces)
        seen, unseen, lost = self._book.update(at_s, boxes)
        for track in lost:
            self._sent.pop((track.class_id, track.number), None)
        for track, index in seen:
            curve = self._cards[self._sightings[track.class_id]].curves[
                self._sightings[track.class_id]
            ]
            score = float(boxes.scores[index])
            track.record(at_s, curve.llr(score), score, boxes.xyxy[index])
        for track in unseen:
            curve = self._cards[self._sightings[track.class_id]].curves[
                self._sightings[track.class_id]
            ]
            track.record(at_s, curve.miss_llr, 0.0, None)
        live = [track for track, _ in seen]
        if flood_probability is not None:
            live.extend(self._look_for_flood(at_s, flood_probability, frame_size))
        out: list[Detection] = []
        self.weak_cue = False
        for track in live:
            detection = self._judge(track, at_s, captured_at, received_at, frame_size)
            if detection is not None:
                out.append(detection)
        return out

    def _look_for_flood(
        self, at_s: float, probability: float, frame_size: tuple[int, int]
    ) -> list[Track]:
        """The one flood track a camera can have: every look at the road speaks for it or against
        it.
        """
        curve = self._cards[Sighting.FLOOD].curves[Sighting.FLOOD]
        llr = curve.llr(probability)
        region = np.array(default_region_px(*frame_size), dtype=np.float32)
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
        came_up_with_it = track.started_s - (self._first_s or at_s) < CAME_UP_S
        less = rule.was_there_llr if came_up_with_it else 0.0
        llr = joint_llr(rule, looks) - less
        key = (track.class_id, track.number)
        sent = self._sent.get(key)
        if sent is None:
            if not confirms(rule, looks, rule.confirm_llr + less):
                self.weak_cue |= looks[-1].llr >= rule.weak_llr
                return None
        else:
            llr = max(llr, sent.llr)
            waited_s = at_s - sent.at_s
            if waited_s < LEAST_GAP_S or (llr - sent.llr < RESEND_LLR and waited_s < RESEND_S):
                return None
        count = sent.count + 1 if sent else 1
        self._sent[key] = _Sent(at_s, llr, count)
        return self._detection(track, sighting, llr, count, captured_at, received_at, frame_size)

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
            model_version=self._cards[sighting].version,
            exercise=self._exercise,
        )


def confirms(rule: Rule, looks: list[Look], least_llr: float) -> bool:
    """Whether looks (oldest first, within the window) meet a rule and are worth `least_llr`."""
    considered = looks[-rule.looks_considered :]
    counting = [look for look in considered if look.llr >= rule.look_llr]
    if len(counting) < rule.looks_needed:
        return False
    if counting[-1].at_s - counting[0].at_s < rule.least_duration_s:
        return False
    if rule.most_drift is not None and drift(counting) > rule.most_drift:
        return False
    return joint_llr(rule, looks) >= least_llr


def joint_llr(rule: Rule, looks: list[Look]) -> float:
    """The natural-log likelihood ratio of the looks together, less what stillness takes away.

    Nobody knows when it began, so the onset that explains the looks best is taken (Page's CUSUM, in
    the form of a generalised likelihood ratio), among those that leave as many looks as are needed.
    """
    latest_onset = max(0, len(looks) - rule.looks_needed)
    llr = max(evidence_llr(looks[k:], CORRELATION) for k in range(latest_onset + 1))
    restless = jitter(looks) if rule.still_jitter else None
    if rule.still_jitter and restless is not None:
        llr -= STILLNESS_LLR * max(0.0, 1.0 - restless / rule.still_jitter)
    return llr
