"""Pictures to detections: detector, flood classifier and one verification a camera, no threads.

A batch of frames goes through the detector, every few seconds a camera's road through the flood
classifier, and the results through that camera's verification; for a worker
(`siaga.watching.thread`) and for `siaga watch` alike.

**Looking back:** the verification of a camera is rewound, and pictures of its last seconds go
through the detector into it, while live ones go on into the present one and are noted. At the end
what was noted follows, and the rewound one takes the present one's place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

import numpy as np

from contracts import CameraId, Detection, Frame, StreamSource
from detection.boxes import Boxes
from detection.crash_model import CrashJudge
from detection.crash_watch import CrashWatch
from detection.road_reference import REPLAYED_S
from detection.runtime import Detector, FloodClassifier
from detection.verification import CameraVerifier
from plumbing.logs import get_logger
from siaga.watching.clutter_maps import ClutterMaps
from siaga.watching.shadow import Shadow

_log = get_logger(__name__)

FLOOD_EVERY_S = 5.0
"""Water rises in minutes; looking at every picture would only cost."""
SET_BACK = timedelta(seconds=REPLAYED_S)
"""A picture that is older than one before it by more than this is no replay: the clock was set."""
NO_SOURCES: Mapping[CameraId, StreamSource] = MappingProxyType({})
_MOST_NOTED = 64
"""Live pictures of a camera that is being looked back at; after so many it is given up."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What one frame led to."""

    frame: Frame
    detections: tuple[Detection, ...]
    weak_cue: bool


@dataclass(slots=True)
class _Past:
    """A camera that is being looked back at."""

    verifier: CameraVerifier
    clip: CrashWatch | None
    newest: Frame | None = None
    noted: list[tuple[Frame, Boxes]] = field(default_factory=list)
    """What came in meanwhile."""


class Watch:
    """Detector, flood classifier and one verification a camera. One thread at a time."""

    def __init__(
        self,
        detector: Detector,
        flood: FloodClassifier | None,
        clutter: ClutterMaps | None = None,
        crash: CrashJudge | None = None,
        shadow: Shadow | None = None,
    ) -> None:
        self.shadow = shadow
        self._crash = crash
        self._clips: dict[CameraId, CrashWatch] = {}
        self.clutter = clutter or ClutterMaps()
        self._detector = detector
        self._flood = flood
        self._verifiers: dict[CameraId, CameraVerifier] = {}
        self._flood_due_at: dict[CameraId, datetime] = {}
        self._cued_until: dict[CameraId, datetime] = {}
        self._past: dict[CameraId, _Past] = {}
        self._newest_at: dict[CameraId, datetime] = {}

    def forget(self, camera_id: CameraId) -> None:
        """Drop what is known of a camera: it has left, or its source has changed."""
        self._begin_anew(camera_id)
        self.clutter.forget(camera_id)

    def look(
        self, frames: Sequence[Frame], sources: Mapping[CameraId, StreamSource] = NO_SOURCES
    ) -> list[Watched]:
        """Analyse a batch; frames of one camera must come in the order of capture.

        `sources` tells of cameras whether they are part of an exercise, and which view they have.
        """
        for frame in frames:
            self._follow_clock(frame)
        boxes = self._detector.detect([frame.image for frame in frames])
        if self.shadow is not None:
            self.shadow.look(frames, boxes)
        floods = self._flood_probabilities(frames, sources)
        return [
            self._verify(frame, found, flood, sources.get(frame.camera_id))
            for frame, found, flood in zip(frames, boxes, floods, strict=True)
        ]

    def expect(self, camera_ids: Collection[CameraId], until: datetime) -> None:
        """Somebody speaks of what these cameras see: less evidence is enough until a time."""
        for camera_id in camera_ids:
            self._cued_until[camera_id] = max(until, self._cued_until.get(camera_id, until))

    def begin_look_back(self, camera_id: CameraId) -> bool:
        """Be ready for pictures of a camera's last seconds; false where they could add nothing.

        They couldn't where the camera was never seen, or has told of a hazard that is still there.
        """
        present = self._verifiers.get(camera_id)
        if present is None or present.has_confirmed:
            return False
        clip = CrashWatch(self._crash) if self._crash is not None else None
        self._past[camera_id] = _Past(present.rewound(), clip)
        return True

    def look_back(self, frames: Sequence[Frame]) -> list[Watched]:
        """Analyse pictures of cameras' last seconds, in the order of capture.

        Floods aren't looked for: they don't hurry. Nothing comes of a camera that has told of a
        hazard meanwhile.
        """
        frames = [frame for frame in frames if self._is_open(frame.camera_id)]
        boxes = self._detector.detect([frame.image for frame in frames])
        looked: list[Watched] = []
        for frame, found in zip(frames, boxes, strict=True):
            past = self._past[frame.camera_id]
            if past.clip is not None:
                past.clip.see(frame.captured_at.timestamp(), frame.image)
            past.newest = frame
            looked.append(_update(past.verifier, frame, found, None))
        return looked

    def end_look_back(self, camera_id: CameraId) -> list[Watched]:
        """Let the camera's past catch up with its present, and take its place."""
        past = self._past.pop(camera_id, None)
        present = self._verifiers.get(camera_id)
        if past is None or present is None or present.has_confirmed:
            return []
        past.verifier.succeed(present)
        self._verifiers[camera_id] = past.verifier
        looked = [_update(past.verifier, frame, boxes, None) for frame, boxes in past.noted]
        newest = past.noted[-1][0] if past.noted else past.newest
        if past.clip is not None and newest is not None:
            self._clips[camera_id] = past.clip
            for frame, _ in past.noted:
                past.clip.see(frame.captured_at.timestamp(), frame.image)
            crash = _judge_clip(past.verifier, past.clip, newest, at_once=True)
            looked.append(Watched(newest, crash, weak_cue=False))
        return looked

    def _follow_clock(self, frame: Frame) -> None:
        """Begin a camera anew where the time of its pictures was set back: all that is known of it
        goes by that time, and would be deaf until it has come again.
        """
        newest_at = self._newest_at.get(frame.camera_id, frame.captured_at)
        if frame.captured_at < newest_at - SET_BACK:
            _log.warning(
                "the clock was set back: the camera is watched as if it were new",
                camera=frame.camera_id,
                by_s=round((newest_at - frame.captured_at).total_seconds()),
            )
            self._begin_anew(frame.camera_id)
            newest_at = frame.captured_at
        self._newest_at[frame.camera_id] = max(newest_at, frame.captured_at)

    def _begin_anew(self, camera_id: CameraId) -> None:
        self._verifiers.pop(camera_id, None)
        self._flood_due_at.pop(camera_id, None)
        self._past.pop(camera_id, None)
        self._clips.pop(camera_id, None)
        self._newest_at.pop(camera_id, None)

    def _is_open(self, camera_id: CameraId) -> bool:
        past, present = self._past.get(camera_id), self._verifiers.get(camera_id)
        return past is not None and present is not None and not present.has_confirmed

    def _flood_probabilities(
        self, frames: Sequence[Frame], sources: Mapping[CameraId, StreamSource]
    ) -> list[float | None]:
        probabilities: list[float | None] = [None] * len(frames)
        if self._flood is None:
            return probabilities
        due = [index for index, frame in enumerate(frames) if self._flood_is_due(frame)]
        if due:
            values = self._flood.classify(
                [frames[index].image for index in due],
                [_road_px(frames[index], sources) for index in due],
            )
            for index, value in zip(due, values, strict=True):
                probabilities[index] = value
        return probabilities

    def _flood_is_due(self, frame: Frame) -> bool:
        due_at = self._flood_due_at.get(frame.camera_id)
        if due_at is not None and frame.captured_at < due_at:
            return False
        self._flood_due_at[frame.camera_id] = frame.captured_at + timedelta(seconds=FLOOD_EVERY_S)
        return True

    def _verify(
        self, frame: Frame, boxes: Boxes, flood: float | None, source: StreamSource | None
    ) -> Watched:
        verifier = self._verifiers.get(frame.camera_id)
        if verifier is None:
            verifier = self._verifiers[frame.camera_id] = CameraVerifier(
                frame.camera_id,
                self._detector.card,
                self._flood.card if self._flood else None,
                exercise=source is not None and source.exercise,
                clutter=self.clutter.of(frame.camera_id, source.view_key if source else ""),
                crash=self._crash.card if self._crash else None,
            )
        verifier.road_region = None if source is None else source.road_region
        if (until := self._cued_until.get(frame.camera_id)) is not None:
            verifier.cued_until_s = until.timestamp()
        past = self._past.get(frame.camera_id)
        if past is not None:
            past.noted.append((frame, boxes))
            if len(past.noted) > _MOST_NOTED:
                del self._past[frame.camera_id]
        watched = _update(verifier, frame, boxes, flood)
        if self._crash is None:
            return watched
        clip = self._clips.get(frame.camera_id)
        if clip is None:
            clip = self._clips[frame.camera_id] = CrashWatch(self._crash)
        clip.see(frame.captured_at.timestamp(), frame.image)
        crash = _judge_clip(verifier, clip, frame)
        return Watched(frame, (*watched.detections, *crash), verifier.weak_cue)


def _road_px(
    frame: Frame, sources: Mapping[CameraId, StreamSource]
) -> tuple[int, int, int, int] | None:
    """The drawn road in a picture as it is judged; none where nobody has drawn one."""
    source = sources.get(frame.camera_id)
    if source is None or source.road_region is None:
        return None
    height_px, width_px = frame.image.shape[:2]
    return source.road_region.pixels(width_px, height_px)


def _judge_clip(
    verifier: CameraVerifier, clip: CrashWatch, newest: Frame, *, at_once: bool = False
) -> tuple[Detection, ...]:
    """What the last seconds' pictures say of a crash, where they are enough to say anything."""
    verdict = clip.verdict(at_once=at_once)
    if verdict is None:
        return ()
    size = (newest.source_width_px, newest.source_height_px)
    return tuple(verifier.judge_clip(verdict, newest.captured_at, newest.received_at, size))


def _update(verifier: CameraVerifier, frame: Frame, boxes: Boxes, flood: float | None) -> Watched:
    # The picture was shrunk on its way; detections speak in pixels of what the camera sent.
    height_px, width_px = frame.image.shape[:2]
    scale = np.array(
        [frame.source_width_px / width_px, frame.source_height_px / height_px] * 2, np.float32
    )
    detections = verifier.update(
        frame.captured_at,
        frame.received_at,
        Boxes(boxes.xyxy * scale, boxes.scores, boxes.class_ids),
        flood,
        (frame.source_width_px, frame.source_height_px),
        frame.image,
    )
    return Watched(frame, tuple(detections), verifier.weak_cue)
