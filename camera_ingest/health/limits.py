"""How long a sign must last before it is told of, and before it is taken back."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthLimits:
    """All in seconds."""

    grace_s: float = 4.0
    """A live camera may be without pictures this long, reconnecting, before it is reported."""
    recovery_s: float = 2.0
    """Pictures must have come for this long before a reported camera is called live again."""
    same_failure_s: float = 60.0
    """A line that is dead may show as a stall, a refusal and no answer by turns; for this long
    after one of them was reported the others are the same trouble."""
    no_keyframe_s: float = 30.0
    """Packets without a picture for this long: no keyframe comes, or none can be decoded."""
    dark_s: float = 10.0
    frozen_s: float = 60.0
    """A sensor's noise makes even an empty street by day differ from picture to picture; an encoder
    that repeats its buffer doesn't. A minute spares scenes that a strong encoder smooths."""
    frozen_by_night_s: float = 600.0
    """In the dark, noise reduction leaves nothing that moves: the same picture proves little."""
    frozen_alike_s: float = 3_600.0
    """Pictures that differ, but in no part by more than a coder's quality: in an hour the light, a
    leaf or a cat would have changed some part of any scene, even an empty tunnel's."""
    frozen_snapshots_s: float = 1_800.0
    """Portals renew their pictures every few minutes; until it is known how often, this long."""
    rate_window_s: float = 20.0
    """A rate is measured over this long, and a low one must be found twice."""
    clock_s: float = 20.0
    """A camera's clock must be off for this long."""
    site_s: float = 3.0
    """A failing camera's message waits this long for the site's other cameras."""

    def scaled(self, factor: float) -> Self:
        """All of them so many times as long."""
        return replace(
            self, **{each.name: factor * getattr(self, each.name) for each in fields(self)}
        )
