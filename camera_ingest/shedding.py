"""What is done when there is more to look at than time to look: fewer pictures, from all alike.

The sign is pictures that were replaced before anybody took them. Decoding what nobody looks at
costs the very time that is missing, so beyond a tenth of them all cameras' rates are lowered
together, by a quarter each time, and raised again as slowly when there is room.
"""

from __future__ import annotations

from plumbing.logs import get_logger
from plumbing.settings import IngestSettings

_log = get_logger("camera_ingest")

LOOK_EVERY_S = 10.0
_TOO_MANY = 0.1
_FEW = 0.02
_STEP = 0.75
LEAST_SHARE = 0.1


class Pace:
    """How many pictures a second each camera hands on; one object for all of a worker's readers."""

    def __init__(self, settings: IngestSettings) -> None:
        self.cold_fps = settings.max_fps
        self.hot_fps = settings.hot_fps
        self.share = 1.0
        """1 where nothing is shed."""
        self._settings = settings
        self._usual_fps = settings.max_fps
        self._looked_s: float | None = None
        self._put = self._lost = 0

    def look(self, now_s: float, put: int, lost: int, cameras: int) -> None:
        """Adapt, where it is time to.

        Args:
            now_s: On the monotonic clock.
            put: Pictures that the cameras laid down so far, all together.
            lost: Those of them that were replaced before they were taken.
            cameras: How many share the time.
        """
        if self._looked_s is None:
            self._looked_s, self._put, self._lost = now_s, put, lost
            return
        elapsed_s = now_s - self._looked_s
        if elapsed_s < LOOK_EVERY_S:
            return
        came, wasted = put - self._put, lost - self._lost
        self._looked_s, self._put, self._lost = now_s, put, lost
        if came <= 0 or wasted < 0 or not cameras:  # cameras left, and took their counts along
            return
        before = self.share
        if wasted > _TOO_MANY * came:
            if before == 1.0:
                # Keyframes come more seldom than the limit: lowering that alone would do nothing.
                self._usual_fps = min(self._settings.max_fps, came / elapsed_s / cameras)
            self.share = max(LEAST_SHARE, before * _STEP)
        elif wasted < _FEW * came:
            self.share = min(1.0, before / _STEP)
        if self.share != before:
            self._apply(cameras)

    def _apply(self, cameras: int) -> None:
        settings, share = self._settings, self.share
        self.hot_fps = settings.hot_fps * share
        self.cold_fps = settings.max_fps if share == 1.0 else self._usual_fps * share
        if share < 1.0:
            _log.warning("overloaded_rates_lowered", share=round(share, 2), cameras=cameras)
        else:
            _log.info("rates_restored", cameras=cameras)
