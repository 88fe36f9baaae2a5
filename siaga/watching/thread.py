"""A worker's thread: newest frames from ingest, through `siaga.watching.pipeline`, to the spool.

It keeps the picture that proves a detection, and puts the detection into the spool before anything
else happens to it. Between batches it looks back at cameras that gave a weak cue or that a call is
about (`siaga.watching.looking_back`), a few pictures at a time, so that no live camera waits.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from camera_ingest import IngestSupervisor, pictures_of
from contracts import CameraId, Detection, EvidenceId, Frame, StreamSource, TrackId
from detection.clutter import Learnt
from plumbing.clock import Clock
from plumbing.evidence import EvidenceError, EvidenceStore
from plumbing.logs import get_logger
from plumbing.spool import Spool, SpoolError
from plumbing.tracing import Stage, trace
from siaga.watching.heads import HeadWatch
from siaga.watching.key_pictures import KeyPictures
from siaga.watching.looking_back import LOOK_BACK, LOOK_BACK_FPS, LookBackCounts, LookBackQueue
from siaga.watching.pipeline import Watch
from siaga.watching.probing import jpeg

_log = get_logger(__name__)

LOOK_CLOSER_S = 10.0
"""How long a weak cue raises its camera's rate: time for the looks that confirm or drop it."""
SAVE_EVERY_S = 300.0
"""What a crash may cost of the habits that cameras are learnt by."""
PICTURES_REMEMBERED = 4096
"""Tracks whose best picture is known; the oldest is forgotten beyond that."""


@dataclass(frozen=True, slots=True)
class _Past:
    """The camera that is being looked back at, and its pictures still to come."""

    camera_id: CameraId
    frames: Iterator[Frame]


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
        look_back_share: float,
        frame_width_px: int,
        heads: HeadWatch,
        on_detection: Callable[[], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        super().__init__(name="watch", daemon=True)
        self._watch = watch
        self._ingest = ingest
        self._pictures = KeyPictures(evidence)
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
        self._cues: list[tuple[tuple[CameraId, ...], datetime]] = []
        self._queue = LookBackQueue(look_back_share, clock.monotonic_s())
        self._past: _Past | None = None
        self._frame_width_px = frame_width_px
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

    def cue(self, camera_ids: Collection[CameraId], until: datetime) -> None:
        """Somebody speaks of what these cameras see: look at what they saw, and expect more."""
        with self._lock:
            self._cues.append((tuple(camera_ids), until))

    @property
    def look_backs(self) -> LookBackCounts:
        """What became of the looks back so far."""
        return self._queue.counts

    def figures(self) -> dict[str, float]:
        """What has been counted since the process started, by the metric's name."""
        counts = asdict(self._queue.counts)
        figures = {f"look_backs_{name}_total": float(counts[name]) for name in counts}
        figures["look_back_cpu_seconds_total"] = figures.pop("look_backs_cpu_s_total")
        shadow = self._watch.shadow
        if shadow is not None:
            figures["shadow_pictures"] = float(shadow.figures.pictures)
            for name, compared in list(shadow.figures.by_sighting.items()):
                figures[f"shadow_{name}_live_alarms"] = float(compared.live_alarms)
                figures[f"shadow_{name}_shadow_alarms"] = float(compared.shadow_alarms)
                differ = compared.live_only + compared.shadow_only
                figures[f"shadow_{name}_differing_pictures"] = float(differ)
        return figures

    def stop(self) -> None:
        """End after the batch at hand."""
        self._stopping.set()

    def run(self) -> None:
        """See the class."""
        try:
            while not self._stopping.is_set():
                self._step()
            self._save()
        except BaseException as error:  # noqa: BLE001 -- handed on: the worker ends and is restarted
            self._on_failure(error)

    def _step(self) -> None:
        # Whoever is in the middle of a look back goes on with it where nobody live waits.
        frames = self._ingest.next_frames(self._batch, 0.0 if self._past else 0.5)
        with self._lock:
            sources = self._sources
            changed, self._changed = self._changed, set()
            learnt, self._learnt = self._learnt, {}
            cues, self._cues = self._cues, []
        self._watch.clutter.learn(learnt)
        self._save_now_and_then()
        for camera_id in changed:
            self._forget(camera_id)
        for camera_ids, until in cues:
            self._watch.expect(camera_ids, until)
            for camera_id in camera_ids:
                if camera_id in sources:  # the others are other workers'
                    self._ask(camera_id, self._clock.now(), is_urgent=True)
        frames = [frame for frame in frames if frame.camera_id in sources]
        if frames:
            self._look(frames, sources)
        self._look_back()

    def _forget(self, camera_id: CameraId) -> None:
        self._watch.forget(camera_id)
        self._queue.forget(camera_id)
        if self._past is not None and self._past.camera_id == camera_id:
            self._past = None
        for key in [key for key in self._best_pictures if key[0] == camera_id]:
            del self._best_pictures[key]

    def _look(self, frames: Sequence[Frame], sources: Mapping[CameraId, StreamSource]) -> None:
        for watched in self._watch.look(frames, sources):
            for detection in watched.detections:
                self._keep(detection, watched.frame)
            if watched.weak_cue:
                camera_id = watched.frame.camera_id
                self._ask(camera_id, watched.frame.captured_at)
                self._ingest.watch_closely(
                    [camera_id], self._clock.now() + timedelta(seconds=LOOK_CLOSER_S)
                )

    def _ask(self, camera_id: CameraId, until: datetime, *, is_urgent: bool = False) -> None:
        self._queue.ask(camera_id, until, self._clock.monotonic_s(), is_urgent=is_urgent)

    def _look_back(self) -> None:
        """Begin a look back, or go on with the one at hand for a batch."""
        if self._past is None:
            self._past = self._next_past()
        past = self._past
        if past is None:
            return
        began_s = time.thread_time()
        with self._ingest.decoding(past.camera_id):
            frames = list(itertools.islice(past.frames, self._batch))
        watched = self._watch.look_back(frames)
        is_over = len(frames) < self._batch
        if is_over:
            watched += self._watch.end_look_back(past.camera_id)
            self._past = None
            self._queue.counts.done += 1
        # Inference runs in threads of its own; what it takes there is what it takes here to wait.
        self._queue.spent(time.thread_time() - began_s)
        for one in watched:
            for detection in one.detections:
                self._queue.counts.alarms += detection.id.endswith("-1")
                self._keep(detection, one.frame)

    def _next_past(self) -> _Past | None:
        request = self._queue.next(self._clock.monotonic_s())
        if request is None:
            return None
        since = request.until - LOOK_BACK
        preroll = self._ingest.preroll(request.camera_id)
        runs = preroll.between(since, request.until) if preroll is not None else []
        if not runs or not self._watch.begin_look_back(request.camera_id):
            return None
        frames = pictures_of(
            runs[-1],
            request.camera_id,
            since,
            fps=LOOK_BACK_FPS,
            max_width_px=self._frame_width_px,
        )
        return _Past(request.camera_id, frames)

    def _save_now_and_then(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._saved_at_s >= SAVE_EVERY_S:
            self._saved_at_s = now_s
            self._save()

    def _save(self) -> None:
        self._watch.clutter.save()
        if self._watch.shadow is not None:
            self._watch.shadow.save()

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
        trace(
            detection.id,
            Stage.FRAME,
            detection.captured_at,
            self._clock.now(),
            camera_id=detection.camera_id,
        )
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
            picture_id = self._pictures.put(jpeg(frame.image))
        except EvidenceError as error:
            # The alarm matters more than its picture.
            _log.error("a key picture could not be kept", camera=frame.camera_id, why=str(error))
            return best[1] if best else None
        self._best_pictures[key] = (detection.score, picture_id)
        if len(self._best_pictures) > PICTURES_REMEMBERED:
            del self._best_pictures[next(iter(self._best_pictures))]
        return picture_id
