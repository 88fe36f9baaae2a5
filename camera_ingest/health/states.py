"""How a camera is, judged from what its stream does. No I/O: the clock comes in, messages go out.

Hysteresis (`HealthLimits`): a short drop that heals is no message; a camera that failed is live
again only after a while of pictures; black and frozen must last. A failed camera keeps its state
while it is tried again, instead of flickering through "connecting".
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import timedelta

from camera_ingest.errors import IngestError, clock_is_off, fell_silent
from camera_ingest.health.limits import HealthLimits
from camera_ingest.health.signs import ClockSign, RateMeter, StillSign
from camera_ingest.health.view_watch import MovedView
from camera_ingest.packets import StreamInfo, VideoPacket
from camera_ingest.pictures import PictureFacts
from contracts import CameraHealth, CameraId, CameraState, Frame, ViewShift
from plumbing.clock import Clock

_DARK_BRIGHTNESS = 45.0
_DARK_CONTRAST = 6.0
_UNIFORM_CONTRAST = 2.0
"""Grey levels, 0-255 (16 is black in most streams). A street at night with one lamp has a contrast
above 10; a covered lens, a dead sensor and a test card of one colour have 0 to 2."""

_WINDOW = 12
"""Pictures by which a stream is called corrupt or mended."""
_CORRUPT_BELOW = 0.5
_MENDED_FROM = 0.75
"""Shares of sound pictures; once corrupt, most must be sound before it counts as mended."""

_WATCHED = (
    CameraState.LIVE,
    CameraState.BLACK,
    CameraState.FROZEN,
    CameraState.MOVED,
    CameraState.WRONG_CLOCK,
    CameraState.LOW_RATE,
)
"""States of cameras that delivered pictures."""

_BLACK = "the picture is evenly dark or of one colour: the lens is covered, or the sensor is broken"
_FROZEN = "the same picture comes again and again: restart the camera"
_CORRUPT = "most pictures arrive damaged: check the camera's network, or lower its bit rate"
_LOW_RATE = "{:.1f} pictures a second come where {:.0f} came before: check the network's load"
_NO_PICTURE = "connected, but no whole picture comes: set the camera's keyframe interval to 1-4 s"


NORMAL = HealthLimits()
_DEAD_LINE = (CameraState.STALLED, CameraState.UNREACHABLE, CameraState.REFUSED)


@dataclass(frozen=True, slots=True)
class _Verdict:
    state: CameraState
    detail: str
    since_s: float
    shift: ViewShift | None = None


class HealthTracker:
    """One camera's health. Its reader's thread tells it (it is a `ReaderObserver`), another asks.

    Args:
        camera_id: Whose.
        clock: All durations are taken on its monotonic side.
        stalled_after_s: Silence that counts as a stall.
        worker: Who watches, for the message.
        limits: How long signs must last.
    """

    def __init__(
        self,
        camera_id: CameraId,
        clock: Clock,
        stalled_after_s: float,
        worker: str = "",
        limits: HealthLimits = NORMAL,
    ) -> None:
        self._limits = limits
        self._camera_id = camera_id
        self._clock = clock
        self._stalled_after_s = stalled_after_s
        self._worker = worker
        self._lock = threading.Lock()
        self._told: CameraHealth | None = None
        self._told_s = 0.0
        self._begun_s = clock.monotonic_s()
        self._info: StreamInfo | None = None
        self._size: tuple[int, int] | None = None
        self._failure: _Verdict | None = None
        """How the last attempt ended; none once pictures flow again."""
        self._open_s: float | None = None
        self._packet_s = 0.0
        self._first_picture_s: float | None = None
        """Of this connection."""
        self._picture_s: float | None = None
        self._dark_s: float | None = None
        self._still = StillSign(limits)
        self._rate = RateMeter(limits)
        self._camera_clock = ClockSign()
        self._corrupt_s = 0.0
        self._sound: deque[bool] = deque(maxlen=_WINDOW)
        self._moved: MovedView | None = None

    def opened(self, info: StreamInfo) -> None:
        """See `ReaderObserver`."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            if self._info is None:
                self._still = StillSign(self._limits, snapshots=info.are_snapshots)
            self._info = info
            self._open_s = self._packet_s = now_s
            self._rate.restart(now_s)
            self._first_picture_s = None
            self._sound.clear()

    def received(self, packet: VideoPacket) -> None:
        """See `ReaderObserver`."""
        now_s = self._packet_s = self._clock.monotonic_s()
        self._rate.note(now_s)
        if packet.camera_at is not None:
            error_s = (packet.camera_at - packet.received_at).total_seconds()
            self._camera_clock.note(now_s, error_s)

    def pictured(self, frame: Frame, facts: PictureFacts) -> None:
        """See `ReaderObserver`."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            self._picture_s = now_s
            if self._first_picture_s is None:
                self._first_picture_s = now_s
            self._size = (frame.source_width_px, frame.source_height_px)
            self._sound.append(True)
            if not _is_dark(facts):
                self._dark_s = None
            elif self._dark_s is None:
                self._dark_s = now_s
            self._still.note(now_s, facts)

    def viewed(self, moved: MovedView | None) -> None:
        """How the camera's view stands to the known one."""
        with self._lock:
            self._moved = moved

    def broken(self, count: int) -> None:
        """See `ReaderObserver`."""
        with self._lock:
            if all(self._sound):
                self._corrupt_s = self._clock.monotonic_s()
            self._sound.extend([False] * min(count, _WINDOW))

    def failed(self, error: IngestError) -> None:
        """An attempt at the stream ended with this error."""
        with self._lock:
            lasting = self._failure is not None and self._failure.state is error.state
            since_s = self._clock.monotonic_s()
            if lasting and self._failure is not None:
                since_s = self._failure.since_s
            elif self._open_s is not None and error.state is CameraState.STALLED:
                since_s = self._packet_s
            self._failure = _Verdict(error.state, error.detail, since_s)
            self._open_s = self._first_picture_s = None

    def change(self) -> CameraHealth | None:
        """The message that is due: the state, where it is another than the last one `told`."""
        with self._lock:
            told = self._told.state if self._told is not None else None
            verdict = self._judge(self._clock.monotonic_s(), told)
            return None if verdict is None or verdict.state is told else self._message(verdict)

    def told(self, health: CameraHealth) -> None:
        """The message was delivered and need not be given again."""
        with self._lock:
            self._told = health
            self._told_s = self._clock.monotonic_s()

    def _judge(self, now_s: float, told: CameraState | None) -> _Verdict | None:
        """What holds now; none while it is too early to say anything new."""
        if self._failure is not None and self._has_recovered(told):
            self._failure = None
        if self._failure is not None:
            seen_lately = (
                self._picture_s is not None and now_s - self._picture_s < self._limits.grace_s
            )
            was_watched = told in _WATCHED
            if (was_watched and seen_lately) or self._is_same_trouble(now_s, told):
                return None
            return self._failure
        if self._open_s is None:
            return _Verdict(CameraState.CONNECTING, "", self._begun_s)
        if now_s - self._packet_s > self._stalled_after_s:
            detail = fell_silent(self._stalled_after_s)
            return _Verdict(CameraState.STALLED, detail, self._packet_s)
        if self._is_corrupt(told):
            return _Verdict(CameraState.CORRUPT, _CORRUPT, self._corrupt_s)
        last_s = max(self._open_s, self._picture_s or 0.0)
        if now_s - last_s > self._limits.no_keyframe_s:
            return _Verdict(CameraState.STALLED, _NO_PICTURE, last_s)
        if self._first_picture_s is None or self._picture_s is None:
            return None if told else _Verdict(CameraState.CONNECTING, "", self._begun_s)
        if self._dark_s is not None and (
            told is CameraState.BLACK or self._picture_s - self._dark_s >= self._limits.dark_s
        ):
            return _Verdict(CameraState.BLACK, _BLACK, self._dark_s)
        frozen_since_s = self._still.frozen_since_s(self._picture_s)
        if frozen_since_s is not None:
            return _Verdict(CameraState.FROZEN, _FROZEN, frozen_since_s)
        if self._moved is not None:
            moved = self._moved
            return _Verdict(CameraState.MOVED, moved.detail, moved.since_s, moved.shift)
        return self._judge_slow_signs(now_s) or _Verdict(
            CameraState.LIVE, "", self._first_picture_s
        )

    def _judge_slow_signs(self, now_s: float) -> _Verdict | None:
        """What leaves a camera of use, and yet should be mended."""
        off_since_s = self._camera_clock.off_since_s
        if off_since_s is not None and now_s - off_since_s >= self._limits.clock_s:
            detail = clock_is_off(self._camera_clock.error_s)
            return _Verdict(CameraState.WRONG_CLOCK, detail, off_since_s)
        rate = self._rate
        if rate.low_since_s is not None and now_s - rate.low_since_s >= self._limits.rate_window_s:
            detail = _LOW_RATE.format(rate.measured_fps or 0.0, rate.usual_fps or 0.0)
            return _Verdict(CameraState.LOW_RATE, detail, rate.low_since_s)
        return None

    def _is_same_trouble(self, now_s: float, told: CameraState | None) -> bool:
        recent = now_s - self._told_s < self._limits.same_failure_s
        failure = self._failure
        return recent and told in _DEAD_LINE and failure is not None and failure.state in _DEAD_LINE

    def _has_recovered(self, told: CameraState | None) -> bool:
        if self._first_picture_s is None or self._picture_s is None:
            return False
        never_reported = told in (
            None,
            CameraState.CONNECTING,
            CameraState.LIVE,
            CameraState.MOVED,
            CameraState.WRONG_CLOCK,
            CameraState.LOW_RATE,
        )
        return never_reported or self._picture_s - self._first_picture_s >= self._limits.recovery_s

    def _is_corrupt(self, told: CameraState | None) -> bool:
        if len(self._sound) < _WINDOW // 2:
            return False
        least = _MENDED_FROM if told is CameraState.CORRUPT else _CORRUPT_BELOW
        return sum(self._sound) / len(self._sound) < least

    def _message(self, verdict: _Verdict) -> CameraHealth:
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        info = self._info
        width_px, height_px = self._size or (
            (info.width_px, info.height_px) if info is not None else (None, None)
        )
        return CameraHealth(
            camera_id=self._camera_id,
            state=verdict.state,
            since=now - timedelta(seconds=now_s - verdict.since_s),
            detail=verdict.detail,
            last_frame_at=None
            if self._picture_s is None
            else now - timedelta(seconds=now_s - self._picture_s),
            frames_per_s=self._rate.measured_fps or (info.frames_per_s if info else None),
            width_px=width_px,
            height_px=height_px,
            codec=info.codec if info is not None else None,
            worker=self._worker,
            view_shift=verdict.shift,
        )


def _is_dark(facts: PictureFacts) -> bool:
    if facts.contrast < _UNIFORM_CONTRAST:
        return True
    return facts.contrast < _DARK_CONTRAST and facts.brightness < _DARK_BRIGHTNESS
