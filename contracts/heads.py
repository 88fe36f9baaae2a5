"""Cameras that turn: what their heads report, and what is known of a head."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from contracts.errors import ContractError, require_between, require_utc

BIASES = (
    "pan_zero",
    "pan_scale",
    "tilt_zero",
    "tilt_scale",
    "lean_x",
    "lean_y",
    "zoom_zero",
    "zoom_scale",
    "zoom_bend",
)
"""Names of what is learnt of a head (`geo.ptz`), in the order of `LearntHead`; radians, shares, and
logs of the focal length."""
MOST_HEAD_REPORTS = 8
"""Those around one picture: more say nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadReport:
    """What a head says of itself at a time. ``None`` for what it doesn't tell.

    ``pan_deg`` grows clockwise, ``tilt_deg`` upwards from the level; ``zoom`` goes from 0 (wide) to
    1 (tele).
    """

    at: datetime
    pan_deg: float | None
    tilt_deg: float | None
    zoom: float | None

    def __post_init__(self) -> None:
        require_utc("at", self.at)
        for name, value, low, high in (
            ("pan_deg", self.pan_deg, -720, 720),
            ("tilt_deg", self.tilt_deg, -180, 180),
            ("zoom", self.zoom, -0.01, 1.01),
        ):
            if value is not None:
                require_between(name, value, low, high)


@dataclass(frozen=True, slots=True, kw_only=True)
class LearntHead:
    """What calibrated poses told of a head's mounting.

    Attributes:
        bias: nine means, in the order of `BIASES`.
        covariance: ``(9, 9)``, of the same.
        pairs: how many poses it was learnt from.
    """

    bias: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    pairs: int

    def __post_init__(self) -> None:
        size = len(BIASES)
        if len(self.bias) != size or not np.all(np.isfinite(self.bias)):
            raise ContractError("bias", f"must be {size} finite numbers")
        if [len(row) for row in self.covariance] != [size] * size:
            raise ContractError("covariance", f"must have {size} rows of {size} numbers")
        if not np.all(np.isfinite(self.covariance)):
            raise ContractError("covariance", "must be finite")
        require_between("pairs", self.pairs, 1, 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnvifHead:
    """How the camera itself is asked where its head points: over ONVIF, at the host of its stream,
    with the stream's user and password.

    Attributes:
        port: of its HTTP service.
        profile: token of the media profile to ask by; empty for the first that turns.
        pan_deg: what its scale's ends mean, the least first, growing clockwise; by the data sheet.
            A camera that tells degrees needs none of it.
        tilt_deg: the same, growing upwards from the level.
    """

    port: int = 80
    profile: str = ""
    pan_deg: tuple[float, float] = (-180.0, 180.0)
    tilt_deg: tuple[float, float] = (-90.0, 90.0)

    def __post_init__(self) -> None:
        require_between("port", self.port, 1, 65_535)
        if len(self.profile) > 100:
            raise ContractError("profile", "must have at most 100 characters")
        for name, ends, most in (("pan_deg", self.pan_deg, 360), ("tilt_deg", self.tilt_deg, 180)):
            for end in ends:
                require_between(name, end, -most, most)
            if ends[0] >= ends[1]:
                raise ContractError(name, "must name the lower end first")


@dataclass(frozen=True, slots=True, kw_only=True)
class PtzHead:
    """A camera's head: horizontal fields of view at both ends of its zoom, by the data sheet, how
    it is asked where it points (else its video system tells), and what was learnt of its
    mounting."""

    wide_hfov_deg: float
    tele_hfov_deg: float
    onvif: OnvifHead | None = None
    learnt: LearntHead | None = None

    def __post_init__(self) -> None:
        require_between("wide_hfov_deg", self.wide_hfov_deg, 1, 175)
        require_between("tele_hfov_deg", self.tele_hfov_deg, 1, self.wide_hfov_deg)
