"""Sites: hosts (a recorder, a gateway, a portal) with several cameras behind them, and when one is
down as a whole: one trouble, however many cameras."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from contracts.cameras import CameraState
from contracts.errors import ContractError, require_text, require_utc
from contracts.ids import CameraId

LEAST_CAMERAS = 3
"""Fewer behind one host fail together by chance too often."""
MOST_OF_THEM = 0.8
DEAD_LINE = frozenset({CameraState.STALLED, CameraState.UNREACHABLE, CameraState.REFUSED})
"""What a dead line shows; other troubles are a camera's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOutage:
    """A site that is down.

    Attributes:
        site: its host.
        since: when so many of its cameras had failed that it counts as down.
        cameras: those that have failed, by id.
        of: how many cameras the site has.
    """

    site: str
    since: datetime
    cameras: tuple[CameraId, ...]
    of: int

    def __post_init__(self) -> None:
        require_text("site", self.site, 300)
        require_utc("since", self.since)
        if not LEAST_CAMERAS <= len(self.cameras) <= self.of:
            raise ContractError("cameras", f"must be {LEAST_CAMERAS} to {self.of}")


def site_of(url: str) -> str:
    """The host, in small letters; empty where the URL names none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def is_down(site: str, failed: int, cameras: int) -> bool:
    """Whether a site is down as a whole, where so many of its cameras have failed."""
    return bool(site) and cameras >= LEAST_CAMERAS and failed >= MOST_OF_THEM * cameras
