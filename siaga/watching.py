"""Pictures to detections: the one place where ingest and detection meet.

`Watch` is the pipeline itself, without threads, for a worker and for `siaga watch` alike: a batch
of frames goes through the detector, every few seconds a camera's road through the flood
classifier, and the results through that camera's verification. `WatchThread` runs it in a worker:
it takes the newest frames from ingest, keeps the picture that proves a detection, and puts the
detection into the spool before anything else happens to it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

import numpy as np

from camera_ingest import IngestSupervisor
from contracts import CameraId, Detection, EvidenceId, Frame, StreamSource, TrackId
from detection.boxes import Boxes
from detection.clutter import Learnt
from detection.runtime import Detector, FloodClassifier
from detection.verification import CameraVerifier
from plumbing.clock import Clock
from plumbing.evidence import EvidenceError, EvidenceStore
from plumbing.logs import get_logger
from plumbing.spool import Spool, SpoolError
from siaga.clutter_maps import ClutterMaps
from siaga.heads import HeadWatch
from siaga.probing import jpeg

_log = get_logger(__name__)

FLOOD_EVERY_S = 5.0
"""Water rises in minutes; looking at every picture would only cost."""
LOOK_CLOSER_S = 10.0
"""How long a weak cue raises its camera's rate: time for the looks that confirm or drop it."""
SAVE_EVERY_S = 300.0
"""What a crash may cost of the habits that cameras are learnt by."""
NO_SOURCES: Mapping[CameraId, StreamSource] = MappingProxyType({})
PICTURES_REMEMBERED = 4096
"""Tracks whose best picture is known; the oldest is forgotten beyond that."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What one frame led to."""

    frame: Frame
    detections: tuple[Detection, ...]
    weak_cue: bool


class Watch:
    """Detector, flood classifier and one verification a camera. One thread at a time."""

    def __init__(
        self,
        detector: Detector,
        flood: FloodClassifier | None,
        clutter: ClutterMaps | None = None,
    ) -> None:
        self.clutter = clutter or ClutterMaps()
        self._detector = detector
        self._flood = flood
        self._verifiers: dict[CameraId, CameraVerifier] = {}
        self._flood_due_at: dict[CameraId, datetime] = {}

    def forget(self, camera_id: CameraId) -> None:
        """Drop what is known of a camera: it has left, or its source has changed."""
        self._verifiers.pop(camera_id, None)
        self._flood_due_at.pop(camera_id, None)
        self.clutter.forget(camera_id)

    def look(
        self, frames: Sequence[Frame], sources: Mapping[CameraId, StreamSource] = NO_SOURCES
    ) -> list[Watched]:
        """Analyse a batch; frames of one camera must come in the order of capture.

        `sources` tells of cameras whether they are part of an exercise, and which view they have.
        """
        boxes = self._detector.detect([frame.image for frame in frames])
        floods = self._flood_probabilities(frames)
        return [
            self._verify(frame, found, flood, sources.get(frame.camera_id))
            for frame, found, flood in zip(frames, boxes, floods, strict=True)
        ]

    def _flood_probabilities(self, frames: Sequence[Frame]) -> list[float | None]:
        probabilities: list[float | None] = [None] * len(frames)
        if self._flood is None:
            return probabilities
        due = [index for index, frame in enumerate(frames) if self._flood_is_due(frame)]
        if due:
            values = self._flood.classify([frames[index].image for index in due])
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
            )
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


class WatchThread(threading.Thread):
    """A worker's pipeline: runs until `stop`, and reports its own death to ``on_failure``."""

    def __init__(
        self,
        watch: Watch,
        ingest: IngestSupervisor,
        evidence: EvidenceStore,
        spool: Spool,
        clock: Clock,
        *,
        batch: int,
        heads: HeadWatch,
        on_detection: Callable[[], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        super().__init__(name="watch", daemon=True)
        self._watch = watch
        self._ingest = ingest
        self._evidence = evidence
        self._spool = spool
        self._clock = clock
        self._batch = batch
        self._heads = heads
        self._on_detection = on_detection
        self._on_failure = on_failure
        self._stopping = threading.Event()
        self._sources: Mapping[CameraId, StreamSource] = {}
        self._changed: set[CameraId] = set()
        self._lock = threading.Lock()
        self._learnt: dict[CameraId, Learnt] = {}
        self._saved_at_s = clock.monotonic_s()
        self._best_pictures: dict[tuple[CameraId, TrackId], tuple[float, EvidenceId]] = {}

    def set_sources(self, sources: Sequence[StreamSource]) -> None:
        """Which cameras are watched now; what is known of those that left or changed is dropped."""
        fresh = {source.camera_id: source for source in sources}
        with self._lock:
            for camera_id, source in self._sources.items():
                if fresh.get(camera_id) != source:
                    self._changed.add(camera_id)
            self._sources = fresh

    def learn(self, learnt: Mapping[CameraId, Learnt]) -> None:
        """What people decided about cameras' sightings; holds from the next batch on."""
        with self._lock:
            self._learnt.update(learnt)

    def stop(self) -> None:
        """End after the batch at hand."""
        self._stopping.set()

    def run(self) -> None:
        """See the class."""
        try:
            while not self._stopping.is_set():
                self._step()
            self._watch.clutter.save()
        except BaseException as error:  # noqa: BLE001 -- handed on: the worker ends and is restarted
            self._on_failure(error)

    def _step(self) -> None:
        frames = self._ingest.next_frames(self._batch, 0.5)
        with self._lock:
            sources = self._sources
            changed, self._changed = self._changed, set()
            learnt, self._learnt = self._learnt, {}
        self._watch.clutter.learn(learnt)
        self._save_now_and_then()
        for camera_id in changed:
            self._watch.forget(camera_id)
            for key in [key for key in self._best_pictures if key[0] == camera_id]:
                del self._best_pictures[key]
        frames = [frame for frame in frames if frame.camera_id in sources]
        if not frames:
            return
        for watched in self._watch.look(frames, sources):
            for detection in watched.detections:
                self._keep(detection, watched.frame)
            if watched.weak_cue:
                self._ingest.watch_closely(
                    [watched.frame.camera_id],
                    self._clock.now() + timedelta(seconds=LOOK_CLOSER_S),
                )

    def _save_now_and_then(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._saved_at_s >= SAVE_EVERY_S:
            self._saved_at_s = now_s
            self._watch.clutter.save()

    def _keep(self, detection: Detection, frame: Frame) -> None:
        picture_id = self._picture_of(detection, frame)
        try:
            self._spool.append(
                replace(
                    detection,
                    picture_id=picture_id,
                    head_reports=self._heads.around(detection.camera_id, detection.captured_at),
                )
            )
        except SpoolError as error:
            # Nothing was promised for it yet. Watching goes on, and the next look sends it again.
            _log.error("a detection could not be kept", camera=frame.camera_id, why=str(error))
            return
        _log.info(
            "detection",
            camera=detection.camera_id,
            track=detection.track_id,
            sighting=detection.sighting.value,
            llr=round(detection.llr, 2),
        )
        self._on_detection()

    def _picture_of(self, detection: Detection, frame: Frame) -> EvidenceId | None:
        """The track's best picture so far, kept in the evidence store."""
        key = (detection.camera_id, detection.track_id)
        best = self._best_pictures.get(key)
        if best is not None and best[0] >= detection.score:
            return best[1]
        try:
            picture_id = self._evidence.put(jpeg(frame.image), "image/jpeg")
        except EvidenceError as error:
            # The alarm matters more than its picture.
            _log.error("a key picture could not be kept", camera=frame.camera_id, why=str(error))
            return best[1] if best else None
        self._best_pictures[key] = (detection.score, picture_id)
        if len(self._best_pictures) > PICTURES_REMEMBERED:
            del self._best_pictures[next(iter(self._best_pictures))]
        return picture_id
