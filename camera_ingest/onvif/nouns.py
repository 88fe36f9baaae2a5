"""What a camera tells over ONVIF, and which of its streams to watch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One of the streams that a camera offers. Unknown numbers are none."""

    token: str
    name: str
    codec: str
    width_px: int | None
    height_px: int | None
    frames_per_s: float | None
    gop_frames: float | None
    stream_url: str
    """At the host that was asked; without user and password."""
    snapshot_url: str
    turns: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OnvifCamera:
    """What a camera says of itself."""

    maker: str
    model: str
    firmware: str
    clock_error_s: float | None
    """Its clock minus ours."""
    profiles: tuple[Profile, ...]


@dataclass(frozen=True, slots=True)
class PtzPosition:
    """Where a turning camera points, in the camera's own scale: -1 to 1 across its reach, the zoom
    from 0 to 1; where `in_degrees`, pan and tilt are degrees."""

    pan: float | None
    tilt: float | None
    zoom: float | None
    is_moving: bool | None
    in_degrees: bool = False


def best_profile(profiles: Sequence[Profile], width_px: int) -> Profile | None:
    """The stream to watch: the smallest that is decoded here and at least so wide, else the widest.

    A sub-stream costs a fifth of the main one, and the detector sees no more of the latter.
    """
    fit = [one for one in profiles if one.codec in ("h264", "hevc") and one.stream_url]
    if not fit:
        return next((one for one in profiles if one.stream_url), None)
    wide = [one for one in fit if (one.width_px or 0) >= width_px]
    if wide:
        return min(wide, key=lambda one: (one.width_px or 0) * (one.height_px or 0))
    return max(fit, key=lambda one: one.width_px or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What one look at a camera over ONVIF brings."""

    camera: OnvifCamera
    best_token: str | None
    """The profile to register; none where none has a stream."""
    position: PtzPosition | None
