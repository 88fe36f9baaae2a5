"""One registered camera's thread: try, read, wait, try again, until told to stop."""

from __future__ import annotations

import threading

from camera_ingest.costs import CostMeter
from camera_ingest.errors import IngestError, Stopped
from camera_ingest.frame_slots import FrameSlot
from camera_ingest.health.quarantine import Quarantine
from camera_ingest.health.states import HealthTracker
from camera_ingest.health.view_watch import ViewWatch
from camera_ingest.keeping.preroll import PreRoll
from camera_ingest.reader import StreamReader
from camera_ingest.retry import RetryWaits
from camera_ingest.shedding import Pace
from camera_ingest.stopping import StopSignal
from camera_ingest.streams.opening import StreamOpener
from contracts import CameraState, StreamSource
from plumbing.logs import get_logger

_log = get_logger("camera_ingest")


class CameraWatch:
    """Keeps one camera's newest frame in its slot and its health in the tracker.

    Life cycle: made, started once, stopped once; after `stop` and `join` nothing of it is left.
    """

    def __init__(
        self,
        source: StreamSource,
        opener: StreamOpener,
        slot: FrameSlot,
        tracker: HealthTracker,
        view: ViewWatch | None,
        preroll: PreRoll,
        pace: Pace,
        quarantine: Quarantine | None,
    ) -> None:
        self.source = source
        self._pace = pace
        self._quarantine = quarantine
        self.preroll = preroll
        self.cost = CostMeter()
        self.slot = slot
        self.tracker = tracker
        self._view = view
        self._opener = opener
        settings = opener.settings
        self._waits = RetryWaits(settings.retry_first_s, settings.retry_longest_s)
        self._stop = StopSignal()
        self._lock = threading.Lock()
        self._hot = False
        self._reader: StreamReader | None = None
        self._hopeful = True
        """It has not been tried yet, or gave pictures the last time."""
        # A daemon, so that a hang inside a driver or decoder can't keep the process from ending.
        self._thread = threading.Thread(
            target=self._run, name=f"camera-{source.camera_id}", daemon=True
        )

    def start(self) -> None:
        """Begin; the first opening goes through the same gate and waits as every later one."""
        self._thread.start()

    def stop(self) -> None:
        """End soon; returns at once."""
        self._stop.set()
        self.slot.close()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; false where it did not come in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def set_hot(self, hot: bool) -> None:
        """Full rate or keyframes, now and after reconnecting."""
        with self._lock:
            self._hot = self.slot.is_hot = hot
            if self._reader is not None:
                self._reader.set_hot(hot)

    def _run(self) -> None:
        if self._quarantine is not None:
            self._quarantine.note_thread(self.source)
        try:
            while True:
                state, uptime_s = self._attempt()
                self._hopeful = uptime_s > 0.0
                self._stop.sleep(self._waits.after(state, uptime_s))
        except Stopped:
            return

    def _check_quarantine(self) -> None:
        verdict = None if self._quarantine is None else self._quarantine.verdict(self.source)
        if verdict is not None:
            raise IngestError(self.source.camera_id, CameraState.QUARANTINED, verdict)

    def _attempt(self) -> tuple[CameraState, float]:
        """One attempt; how it ended, and for how long it delivered."""
        clock = self._opener.clock
        first_s: float | None = None
        with self._lock:
            reader = StreamReader(
                self.source,
                self._opener,
                self.tracker,
                hot=self._hot,
                preroll=self.preroll,
                pace=self._pace,
                hopeful=self._hopeful,
            )
            self._reader = reader
        try:
            self._check_quarantine()
            with self._stop.calling(reader.stop):
                for frame in reader.frames():
                    if first_s is None:
                        first_s = clock.monotonic_s()
                    self.slot.put(frame)
                    self.cost.note(clock.monotonic_s())
                    if self._view is not None:
                        self._view.see(frame)
                        self.tracker.viewed(self._view.moved)
            raise Stopped
        except IngestError as error:
            ended = error
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001
            # A fault of ours, on this camera's data: it must not end the watching in silence.
            _log.exception("reader_failed", camera_id=self.source.camera_id)
            detail = f"the stream could not be processed ({type(error).__name__}); see the log"
            ended = IngestError(self.source.camera_id, CameraState.CORRUPT, detail)
        self.cost.restart()
        self.tracker.failed(ended)
        _log.info(
            "stream_ended",
            camera_id=self.source.camera_id,
            state=ended.state.value,
            detail=ended.detail,
        )
        return ended.state, 0.0 if first_s is None else clock.monotonic_s() - first_s
