"""Sites that are down as a whole: one trouble, not one a camera.

A site is a host: a recorder or a gateway with many cameras behind it. Where most of a site's
cameras fail within a moment, in ways that a dead line shows, each one's message names the outage,
so that whoever shows or sounds them can do so once. A camera that fails beside others waits a
moment for company before it is told, in which a short trouble heals anyway.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from contracts import CameraHealth, CameraId, CameraState
from contracts.sites import DEAD_LINE, LEAST_CAMERAS, is_down


@dataclass(frozen=True, slots=True)
class _Line:
    site: str
    since_s: float | None
    """Since when it fails as on a dead line; none where it doesn't."""


class Sites:
    """One worker's cameras by site. For one thread.

    Args:
        settle_s: How long a failing camera's message waits for the site's others.
    """

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._lines: dict[CameraId, _Line] = {}
        self._members: dict[str, set[CameraId]] = defaultdict(set)
        self._down: set[str] = set()

    @property
    def known(self) -> set[CameraId]:
        """The cameras that were noted."""
        return set(self._lines)

    def named(self, health: CameraHealth) -> CameraHealth:
        """The message, with the outage that it is a part of."""
        line = self._lines.get(health.camera_id)
        if line is None or line.since_s is None:
            return health
        cameras = self.outage(line.site)
        if not cameras:
            return health
        detail = f"the site {line.site} is down, {cameras} cameras with it: {health.detail}"
        return replace(health, outage=line.site, detail=detail)

    def note(self, camera_id: CameraId, site: str, state: CameraState, now_s: float) -> None:
        """A camera of a site is in this state now."""
        before = self._lines.get(camera_id)
        if before is not None and before.site != site:
            self.forget(camera_id)
            before = None
        since_s = now_s if state in DEAD_LINE else None
        if since_s is not None and before is not None and before.since_s is not None:
            since_s = before.since_s
        self._lines[camera_id] = _Line(site, since_s)
        self._members[site].add(camera_id)

    def forget(self, camera_id: CameraId) -> None:
        """It is watched no more."""
        line = self._lines.pop(camera_id, None)
        if line is not None:
            self._members[line.site].discard(camera_id)
            if not self._members[line.site]:
                del self._members[line.site]
                self._down.discard(line.site)

    def outage(self, site: str) -> int:
        """How many cameras are down with the site as a whole; 0 where it isn't down."""
        members = self._members.get(site, set())
        dead = sum(self._lines[camera_id].since_s is not None for camera_id in members)
        return dead if is_down(site, dead, len(members)) else 0

    def is_settled(self, camera_id: CameraId, now_s: float) -> bool:
        """Whether a failing camera's message needn't wait any more for its site's other cameras."""
        line = self._lines.get(camera_id)
        if line is None or line.since_s is None:
            return True
        alone = len(self._members[line.site]) < LEAST_CAMERAS
        return alone or self.outage(line.site) > 0 or now_s - line.since_s >= self._settle_s

    def changes(self) -> tuple[list[str], list[str]]:
        """The sites that went down since the last look, and those that came back."""
        down = {site for site in self._members if self.outage(site)}
        went, returned = sorted(down - self._down), sorted(self._down - down)
        self._down = down
        return went, returned
