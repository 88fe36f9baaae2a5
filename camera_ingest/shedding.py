"""What is done when there is more to look at than time to look: fewer pictures, cold ones first.

The sign is pictures that were replaced before anybody took them. Decoding what nobody looks at
costs the very time that is missing, so beyond a tenth of them all cold cameras' rates are lowered
together, by a quarter each time, and raised again as slowly when there is room. Hot cameras are
what somebody looks at or calls about: theirs are lowered, together with all others, only where the
cold ones are down to `COLD_ALONE`, and raised first.
"""

from __future__ import annotations

from dataclasses import dataclass

from plumbing.logs import get_logger
from plumbing.settings import IngestSettings

_log = get_logger("camera_ingest")

LOOK_EVERY_S = 10.0
_TOO_MANY = 0.1
_FEW = 0.02
_STEP = 0.75
LEAST_SHARE = 0.1
COLD_ALONE = 0.5
"""So far the cold cameras' rates fall before the hot ones' do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturesSoFar:
    """Of all cameras that are watched now, since each is."""

    put: int
    lost: int
    """Those of them that were replaced before they were taken."""
    put_hot: int
    """Those of them that came while their camera was hot."""
    cameras: int
    hot: int
    """Of the cameras, those that are hot now."""


class Pace:
    """How many pictures a second each camera hands on; one object for all of a worker's readers."""

    def __init__(self, settings: IngestSettings) -> None:
        self.cold_fps = settings.max_fps
        self.hot_fps = settings.hot_fps
        self.share = 1.0
        """Of the cold cameras' rates; 1 where nothing is shed."""
        self.hot_share = 1.0
        self._settings = settings
        self._usual_fps = settings.max_fps
        self._looked_s: float | None = None
        self._before = PicturesSoFar(put=0, lost=0, put_hot=0, cameras=0, hot=0)

    def look(self, now_s: float, so_far: PicturesSoFar) -> None:
        """Adapt, where it is time to (on the monotonic clock)."""
        if self._looked_s is None:
            self._looked_s, self._before = now_s, so_far
            return
        elapsed_s = now_s - self._looked_s
        if elapsed_s < LOOK_EVERY_S:
            return
        before, self._looked_s, self._before = self._before, now_s, so_far
        came, wasted = so_far.put - before.put, so_far.lost - before.lost
        came_cold = came - (so_far.put_hot - before.put_hot)
        # Cameras that left took their counts along.
        if came <= 0 or wasted < 0 or came_cold < 0 or not so_far.cameras:
            return
        shares = self.share, self.hot_share
        if wasted > _TOO_MANY * came:
            if self.share == 1.0:
                # Keyframes come more seldom than the limit: lowering that alone would do nothing.
                cold = max(1, so_far.cameras - so_far.hot)
                usual_fps = came_cold / elapsed_s / cold
                self._usual_fps = min(self._settings.max_fps, usual_fps or self._settings.max_fps)
            if self.share <= COLD_ALONE or so_far.hot == so_far.cameras:
                self.hot_share = max(LEAST_SHARE, self.hot_share * _STEP)
            self.share = max(LEAST_SHARE, self.share * _STEP)
        elif wasted < _FEW * came:
            if self.hot_share < 1.0:
                self.hot_share = min(1.0, self.hot_share / _STEP)
            else:
                self.share = min(1.0, self.share / _STEP)
        if (self.share, self.hot_share) != shares:
            self._apply(so_far.cameras)

    def _apply(self, cameras: int) -> None:
        settings, share = self._settings, self.share
        self.hot_fps = settings.hot_fps * self.hot_share
        self.cold_fps = settings.max_fps if share == 1.0 else self._usual_fps * share
        if share < 1.0:
            _log.warning(
                "overloaded_rates_lowered",
                share=round(share, 2),
                hot_share=round(self.hot_share, 2),
                cameras=cameras,
            )
        else:
            _log.info("rates_restored", cameras=cameras)
