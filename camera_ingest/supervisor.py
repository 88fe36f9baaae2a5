"""All cameras of one worker: who is watched, who is hot, who is sick, and the frames of all.

Life cycle: make it, `set_sources` as often as the register changes, take frames with `next_frames`,
`stop` it. It owns one thread a camera and one that judges health and ends hot times. It is the only
place where streams are tried again (`camera_ingest.watch`, `camera_ingest.retry`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime

from camera_ingest.frame_slots import FrameSlot, FrameSlots
from camera_ingest.health.limits import HealthLimits
from camera_ingest.health.quarantine import Quarantine
from camera_ingest.health.references import References, ReferencesInMemory
from camera_ingest.health.sites import Sites
from camera_ingest.health.states import NORMAL, HealthTracker
from camera_ingest.health.view_watch import ViewWatch
from camera_ingest.keeping.preroll import PreRoll
from camera_ingest.shedding import Pace, PicturesSoFar
from camera_ingest.streams.opening import StreamOpener
from camera_ingest.watch import CameraWatch
from contracts import CameraHealth, CameraId, Frame, StreamSource
from contracts.sites import site_of
from plumbing.address_guard import AddressGuard
from plumbing.clock import Clock
from plumbing.logs import get_logger
from plumbing.sealing import Sealer
from plumbing.settings import IngestSettings

_log = get_logger("camera_ingest")

_TICK_S = 0.25
"""How often health is judged: adds at most this to the seconds in which a fault is noticed."""
_STOP_WITHIN_S = 3.0


@dataclass(frozen=True, slots=True)
class FrameCounts:
    """Of one camera since it is watched."""

    put: int
    overwritten: int
    """Not taken in time: the detector is too slow for its cameras."""


def _so_far(slots: Sequence[FrameSlot]) -> PicturesSoFar:
    return PicturesSoFar(
        put=sum(slot.frames_put for slot in slots),
        lost=sum(slot.frames_overwritten for slot in slots),
        put_hot=sum(slot.frames_put_hot for slot in slots),
        cameras=len(slots),
        hot=sum(slot.is_hot for slot in slots),
    )


class IngestSupervisor:
    """Watches cameras until stopped. All methods may be called from any thread.

    Args:
        settings: How to open and sample.
        clock: Time.
        guard: Says which addresses may be opened.
        sealer: Opens the cameras' sealed passwords.
        on_health: Called with one message a change of a camera's state, in order, from one thread
            of ours. Where it raises, the message is given again at the next look.
        worker: The worker's name, for the health messages.
        references: Where the cameras' known views are kept; in memory where it isn't given.
        limits: How long signs of trouble must last before they are told.
        quarantine: Knows which cameras crashed the decoder; those are named and not opened.
    """

    def __init__(
        self,
        settings: IngestSettings,
        clock: Clock,
        guard: AddressGuard,
        sealer: Sealer,
        on_health: Callable[[CameraHealth], None],
        worker: str = "",
        references: References | None = None,
        quarantine: Quarantine | None = None,
        limits: HealthLimits = NORMAL,
    ) -> None:
        self._quarantine = quarantine
        self._limits = limits
        self.pace = Pace(settings)
        """How fast the cameras are looked at; less than usual while overloaded."""
        self._sites = Sites(limits.site_s)
        self._references = references or ReferencesInMemory()
        self._settings = settings
        self._clock = clock
        self._opener = StreamOpener(settings, clock, guard, sealer)
        self._on_health = on_health
        self._worker = worker
        self._slots = FrameSlots()
        self._lock = threading.Lock()
        self._watches: dict[CameraId, CameraWatch] = {}
        self._leaving: list[CameraWatch] = []
        self._hot_until_s: dict[CameraId, float] = {}
        """On the monotonic clock; of cameras that aren't watched here too, for they may be soon."""
        self._stopped = threading.Event()
        self._monitor = threading.Thread(target=self._look_after, name="camera-health", daemon=True)
        self._monitor.start()

    @property
    def opener(self) -> StreamOpener:
        """For `probe`: what it opens passes the same gate as the watched streams."""
        return self._opener

    def set_sources(self, sources: Sequence[StreamSource]) -> None:
        """Watch exactly these cameras. Returns at once.

        New ones are started, missing ones stopped, and those whose entry changed are opened anew.
        """
        wanted = {source.camera_id: source for source in sources}
        with self._lock:
            if self._stopped.is_set():
                return
            for camera_id, watch in list(self._watches.items()):
                if wanted.get(camera_id) != watch.source:
                    watch.stop()
                    self._leaving.append(self._watches.pop(camera_id))
            for camera_id, source in wanted.items():
                if camera_id not in self._watches:
                    self._watches[camera_id] = self._new_watch(source)
            share = self._preroll_share(len(self._watches))
            for watch in self._watches.values():
                watch.preroll.most_bytes = share

    def next_frames(self, max_count: int, timeout_s: float) -> list[Frame]:
        """The newest untaken frames, at most one a camera, every camera in its turn.

        Waits for at least one; empty after ``timeout_s`` or `stop`.
        """
        return self._slots.take(max_count, timeout_s)

    def watch_closely(self, camera_ids: Collection[CameraId], until: datetime) -> None:
        """Read these cameras at full rate until a time; of several times the latest holds.

        It holds for cameras too that come to be watched, or are opened anew, before that time.
        """
        now_s = self._clock.monotonic_s()
        until_s = now_s + (until - self._clock.now()).total_seconds()
        with self._lock:
            for camera_id in camera_ids:
                if until_s > self._hot_until_s.get(camera_id, now_s):
                    self._hot_until_s[camera_id] = until_s
                if (watch := self._watches.get(camera_id)) is not None:
                    watch.set_hot(self._is_hot(camera_id, now_s))

    def preroll(self, camera_id: CameraId) -> PreRoll | None:
        """The last seconds of a camera's packets; none where it isn't watched here."""
        with self._lock:
            watch = self._watches.get(camera_id)
            return None if watch is None else watch.preroll

    def decoding(self, camera_id: CameraId) -> AbstractContextManager[None]:
        """For a block in which the calling thread decodes that camera's packets: should that crash
        the process, it is the camera that is named (`camera_ingest.health.quarantine`)."""
        with self._lock:
            watch = self._watches.get(camera_id)
        if watch is None or self._quarantine is None:
            return nullcontext()
        return self._quarantine.decoding(watch.source)

    def costs(self) -> dict[CameraId, float]:
        """CPU-milliseconds a second of the cameras that were watched long enough to know."""
        with self._lock:
            measured = {camera: watch.cost.cost_ms_per_s for camera, watch in self._watches.items()}
        return {camera: cost for camera, cost in measured.items() if cost is not None}

    def has_pictures(self, camera_id: CameraId) -> bool:
        """Whether a picture of the camera has come since it is watched here."""
        with self._lock:
            watch = self._watches.get(camera_id)
            return watch is not None and watch.slot.frames_put > 0

    def frame_counts(self) -> Mapping[CameraId, FrameCounts]:
        """What every camera's slot has seen."""
        with self._lock:
            return {
                camera_id: FrameCounts(watch.slot.frames_put, watch.slot.frames_overwritten)
                for camera_id, watch in self._watches.items()
            }

    def stop(self) -> None:
        """Stop watching and wait until all threads have ended (3 s at most)."""
        with self._lock:
            self._stopped.set()
            leaving = [*self._leaving, *self._watches.values()]
            self._watches.clear()
            self._leaving.clear()
        self._slots.close()
        for watch in leaving:
            watch.stop()
        deadline_s = self._clock.monotonic_s() + _STOP_WITHIN_S
        if threading.current_thread() is not self._monitor:
            self._monitor.join(_STOP_WITHIN_S)
        for watch in leaving:
            if not watch.join(max(0.0, deadline_s - self._clock.monotonic_s())):
                _log.warning("reader_does_not_end", camera_id=watch.source.camera_id)

    def _new_watch(self, source: StreamSource) -> CameraWatch:
        tracker = HealthTracker(
            source.camera_id,
            self._clock,
            self._settings.stalled_after_s,
            self._worker,
            self._limits,
        )
        view = None
        if not source.turns:
            view = ViewWatch(source.camera_id, source.view_key, self._references, self._clock)
        slot = self._slots.slot(source.camera_id)
        preroll = PreRoll(self._settings.preroll_s, self._preroll_share(len(self._watches) + 1))
        watch = CameraWatch(
            source, self._opener, slot, tracker, view, preroll, self.pace, self._quarantine
        )
        watch.set_hot(self._is_hot(source.camera_id, self._clock.monotonic_s()))
        watch.start()
        return watch

    def _is_hot(self, camera_id: CameraId, now_s: float) -> bool:
        return self._hot_until_s.get(camera_id, now_s) > now_s

    def _preroll_share(self, cameras: int) -> int:
        """Bytes for one camera's pre-roll: its own bound, or its share of the worker's."""
        settings = self._settings
        return min(settings.preroll_camera_bytes, settings.preroll_total_bytes // max(1, cameras))

    def _look_after(self) -> None:
        while not self._stopped.wait(_TICK_S):
            with self._lock:
                watches = list(self._watches.values())
                self._leaving = [watch for watch in self._leaving if not watch.join(0)]
                now_s = self._clock.monotonic_s()
                for camera_id in [one for one, at in self._hot_until_s.items() if at <= now_s]:
                    del self._hot_until_s[camera_id]
                    if camera_id in self._watches:
                        self._watches[camera_id].set_hot(False)
            self._tell_all(watches, now_s)
            self.pace.look(now_s, _so_far([watch.slot for watch in watches]))

    def _tell_all(self, watches: list[CameraWatch], now_s: float) -> None:
        """Each camera's change, once it is clear whether it fails alone or with its site."""
        changes = [
            (watch, health) for watch in watches if (health := watch.tracker.change()) is not None
        ]
        for camera_id in self._sites.known - {watch.source.camera_id for watch in watches}:
            self._sites.forget(camera_id)
        for watch, health in changes:
            self._sites.note(health.camera_id, site_of(watch.source.url), health.state, now_s)
        for watch, health in changes:
            if self._sites.is_settled(health.camera_id, now_s):
                self._tell(watch, self._sites.named(health))
        went, returned = self._sites.changes()
        for site in went:
            _log.warning("site_down", site=site, cameras=self._sites.outage(site))
        for site in returned:
            _log.info("site_back", site=site)

    def _tell(self, watch: CameraWatch, health: CameraHealth) -> None:
        if self._stopped.is_set():
            return
        try:
            self._on_health(health)
        except Exception:  # noqa: BLE001
            # The listener's trouble (a bus that is away) must not end the watching.
            _log.exception("health_not_told", camera_id=health.camera_id, state=health.state.value)
            return
        watch.tracker.told(health)
