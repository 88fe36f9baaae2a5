"""Slow signs of a sick camera: a rate that fell, a clock that is off, a picture that stands still.

Pure; times are monotonic seconds that come in.
"""

from __future__ import annotations

from collections import deque

from camera_ingest.health.limits import HealthLimits
from camera_ingest.timing import CLOCK_TRUST_S

_LOW_BELOW = 0.5
_MENDED_FROM = 0.75
"""Shares of the usual rate."""
_LEAST_USUAL_FPS = 2.0
"""Cameras that are as slow as that anyway are left to the other rules."""

_CLOCK_MENDED_S = 0.8 * CLOCK_TRUST_S

_MISSED_RENEWALS = 5
_DARK_SCENE = 60.0


class RateMeter:
    """Pictures a second as they arrive, against the usual rate: the best that lasted."""

    def __init__(self, limits: HealthLimits) -> None:
        self._long_s = limits.rate_window_s
        self.measured_fps: float | None = None
        self.usual_fps: float | None = None
        self.low_since_s: float | None = None
        self._window_s = 0.0
        self._count = 0
        self._is_full = False

    def restart(self, now_s: float) -> None:
        """A new connection: what it brings first says nothing of its rate."""
        self._window_s, self._count = now_s, 0
        self._is_full = False

    def note(self, now_s: float) -> None:
        """A picture came, decoded or not."""
        self._count += 1
        lasted_s = now_s - self._window_s
        if lasted_s < self._long_s:
            return
        fps = self._count / lasted_s
        self._window_s, self._count = now_s, 0
        if not self._is_full:  # the first window holds the burst with which streams begin
            self._is_full = True
            return
        self.measured_fps = fps
        usual = self.usual_fps = max(fps, self.usual_fps or 0.0)
        if usual < _LEAST_USUAL_FPS or fps >= _MENDED_FROM * usual:
            self.low_since_s = None
        elif fps < _LOW_BELOW * usual and self.low_since_s is None:
            self.low_since_s = now_s


class ClockSign:
    """Whether the camera's wall clock is off, and since when."""

    def __init__(self) -> None:
        self.error_s = 0.0
        self.off_since_s: float | None = None

    def note(self, now_s: float, error_s: float) -> None:
        """The camera's clock minus ours, at a picture."""
        self.error_s = error_s
        if abs(error_s) > CLOCK_TRUST_S:
            if self.off_since_s is None:
                self.off_since_s = now_s
        elif abs(error_s) < _CLOCK_MENDED_S:
            self.off_since_s = None


class StillSign:
    """For how long the same picture has come, and for how long it may.

    Args:
        limits: For how long it may.
        snapshots: The camera gives single pictures, renewed at its own pace.
    """

    def __init__(self, limits: HealthLimits, *, snapshots: bool = False) -> None:
        self.since_s = 0.0
        self._limits = limits
        self._snapshots = snapshots
        self._fingerprint: int | None = None
        self._brightness = 255.0
        self._renewals_s: deque[float] = deque(maxlen=8)

    def note(self, now_s: float, fingerprint: int, brightness: float) -> None:
        """A picture; equal ones have equal fingerprints."""
        self._brightness = brightness
        if fingerprint != self._fingerprint:
            if self._fingerprint is not None:
                self._renewals_s.append(now_s - self.since_s)
            self._fingerprint = fingerprint
            self.since_s = now_s

    def is_frozen(self, picture_s: float) -> bool:
        """Judged at the latest picture's time."""
        return picture_s - self.since_s >= self.allowed_s

    @property
    def allowed_s(self) -> float:
        """How long one picture may stand."""
        limits = self._limits
        if self._snapshots:
            if len(self._renewals_s) < 2:
                return limits.frozen_snapshots_s
            usual_s = _MISSED_RENEWALS * max(self._renewals_s)
            return min(limits.frozen_snapshots_s, max(limits.frozen_s, usual_s))
        return limits.frozen_by_night_s if self._brightness < _DARK_SCENE else limits.frozen_s
