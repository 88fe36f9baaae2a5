"""Slow signs of a sick camera: a rate that fell, a clock that is off, a picture that stands still.

Pure; times are monotonic seconds that come in.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from camera_ingest.health.limits import HealthLimits
from camera_ingest.pictures import PictureFacts
from camera_ingest.timing import CLOCK_TRUST_S

_LOW_BELOW = 0.5
_MENDED_FROM = 0.75
"""Shares of the usual rate."""
_LEAST_USUAL_FPS = 2.0
"""Cameras that are as slow as that anyway are left to the other rules."""

_CLOCK_MENDED_S = 0.8 * CLOCK_TRUST_S

_MISSED_RENEWALS = 5
_DARK_SCENE = 60.0

_ALIKE_WITHIN = 1.5
"""Grey levels by which no part's mean differs. Stills coded anew with quantisers of 20 to 36 stay
within 0.7 of each other, and under an encoder's rate control within 1.0 once it has settled; the
quietest live scene of our footage, a lamp at night, leaves it within 7 s, all others within 2
(`python -m bench.frozen`)."""
_MOST = 0.5
_MOST_KNOWN = 1_000
"""Fingerprints; a drifting quality makes a few dozen of a picture."""


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

    The same to the last bit is soon suspicious: a sensor's noise alone would change it. A hung
    picture that is coded anew with a drifting quality differs from itself in many pixels, but in a
    few ways only, and by next to nothing in the mean of a larger part. So pictures that merely look
    alike are as suspicious where most of them were there before, bit for bit; and otherwise after
    a time in which something would have changed in any scene.

    Args:
        limits: For how long it may.
        snapshots: The camera gives single pictures, renewed at its own pace.
    """

    def __init__(self, limits: HealthLimits, *, snapshots: bool = False) -> None:
        self._limits = limits
        self._snapshots = snapshots
        self._same_since_s = 0.0
        self._alike_since_s = 0.0
        self._last: PictureFacts | None = None
        self._first_alike: PictureFacts | None = None
        self._known: set[int] = set()
        self._pictures = self._known_pictures = 0
        self._renewals_s: deque[float] = deque(maxlen=8)

    def note(self, now_s: float, facts: PictureFacts) -> None:
        """A picture."""
        if self._last is None or facts.fingerprint != self._last.fingerprint:
            if self._last is not None:
                self._renewals_s.append(now_s - self._same_since_s)
            self._same_since_s = now_s
        self._last = facts
        if self._first_alike is None or _differ(facts, self._first_alike):
            self._first_alike = facts
            self._alike_since_s = now_s
            self._known.clear()
            self._pictures = self._known_pictures = 0
        self._pictures += 1
        self._known_pictures += facts.fingerprint in self._known
        if len(self._known) < _MOST_KNOWN:
            self._known.add(facts.fingerprint)

    def frozen_since_s(self, picture_s: float) -> float | None:
        """Since when it stands still, judged at the latest picture's time; none where it moves."""
        if picture_s - self._same_since_s >= self.allowed_s:
            return self._same_since_s
        alike_s = self._limits.frozen_alike_s
        if not self._snapshots and self._known_pictures > _MOST * self._pictures:
            alike_s = self.allowed_s
        return self._alike_since_s if picture_s - self._alike_since_s >= alike_s else None

    @property
    def allowed_s(self) -> float:
        """How long one picture may stand."""
        limits = self._limits
        if self._snapshots:
            if len(self._renewals_s) < 2:
                return limits.frozen_snapshots_s
            usual_s = _MISSED_RENEWALS * max(self._renewals_s)
            return min(limits.frozen_snapshots_s, max(limits.frozen_s, usual_s))
        is_dark = self._last is not None and self._last.brightness < _DARK_SCENE
        return limits.frozen_by_night_s if is_dark else limits.frozen_s


def _differ(one: PictureFacts, other: PictureFacts) -> bool:
    return float(np.abs(one.cells - other.cells).max()) > _ALIKE_WITHIN
