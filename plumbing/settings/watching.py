"""Streams in, and the models that look at them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from plumbing.settings.section import Section, network


class IngestSettings(Section):
    """How streams are opened and sampled."""

    open_timeout_s: float = Field(
        10.0, ge=1, le=120, description="Longest wait for a stream to open"
    )
    read_timeout_s: float = Field(8.0, ge=1, le=120, description="Longest wait for a packet")
    stalled_after_s: float = Field(
        8.0, ge=2, le=300, description="No picture for this long: the camera is stalled"
    )
    frame_width_px: int = Field(
        640, ge=160, le=1920, description="Pictures wider than this are shrunk while decoding"
    )
    max_fps: float = Field(
        2.0, ge=0.05, le=30, description="Pictures a second handed to the detector, cold camera"
    )
    hot_fps: float = Field(
        5.0, ge=0.5, le=30, description="Pictures a second handed to the detector, hot camera"
    )
    retry_first_s: float = Field(1.0, ge=0.1, le=60, description="First wait before opening again")
    retry_longest_s: float = Field(
        60.0, ge=1, le=3600, description="Longest wait before opening again"
    )
    preroll_s: float = Field(
        30.0, ge=5, le=600, description="Seconds of every camera's packets kept in memory"
    )
    preroll_camera_bytes: int = Field(
        24_000_000,
        ge=1_000_000,
        le=2_000_000_000,
        description="Memory that one camera's packets may take; older ones leave earlier then",
    )
    preroll_total_bytes: int = Field(
        800_000_000,
        ge=10_000_000,
        le=200_000_000_000,
        description="Memory that all packets of one worker may take, shared evenly by its cameras",
    )
    simultaneous_opens: int = Field(4, ge=1, le=64, description="Streams a worker opens at once")
    own_rtsp: bool = Field(
        True, description="Receive RTSP with our own receiver; FFmpeg where it can't, or if false"
    )
    ffmpeg_fallback: bool = Field(
        True,
        description="Leave RTSP cameras that send neither H.264 nor H.265 over TCP to FFmpeg, "
        "behind a relay that lets it reach nothing but that camera",
    )
    check_certificates: bool = Field(
        True,
        description="Refuse rtsps and https cameras whose certificate no known authority vouches "
        "for; of a single camera its entry in the register can say so (any_certificate)",
    )
    allow_private: tuple[Annotated[str, AfterValidator(network)], ...] = Field(
        (), description="Networks (CIDR) whose private or loopback addresses cameras may have"
    )

    @model_validator(mode="after")
    def _waits_grow(self) -> Self:
        if self.retry_longest_s < self.retry_first_s:
            raise ValueError("retry_longest_s must not be below retry_first_s")
        return self


class DetectionSettings(Section):
    """Models and when they speak."""

    backend: Literal["openvino", "ultralytics"] = Field(
        "openvino",
        description="openvino (CPU, small install) or ultralytics (needs the train extra)",
    )
    detector: str = Field(
        "hazards", description="Model folder in detection/models, or a path to one"
    )
    flood: str | None = Field(
        "flood", description="Flood model folder in detection/models, or a path; none turns it off"
    )
    streams: int = Field(2, ge=1, le=64, description="One-thread inference streams a worker")
    crash: str | None = Field(
        "crash",
        description="Crash model folder in detection/models, or a path; none turns it off",
    )
    shadow: str | None = Field(
        None,
        description="A second detector's folder: compared with the live one, and never heard",
    )
    shadow_share: float = Field(
        0.1, gt=0, le=1, description="Share of the cameras that the shadow watches at any time"
    )
    look_back_share: float = Field(
        0.15,
        ge=0,
        le=4,
        description="Of one core, what a worker may spend on cameras' last seconds; 0: none",
    )
