"""What a stream gives before decoding: packets, and where they come from.

A `PacketSource` is one open connection to one stream. Everything that follows (sampling, decoding,
health; clips and live view, which copy packets) knows only this, whatever protocol lies beneath.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import av
from av.video.codeccontext import VideoCodecContext


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What is known of a stream once it is open. Unknown numbers are none."""

    codec: str
    width_px: int | None
    height_px: int | None
    frames_per_s: float | None


@dataclass(frozen=True, slots=True)
class VideoPacket:
    """One coded picture as it came."""

    packet: av.Packet[av.VideoStream]
    stream_s: float | None
    """Presentation time in the stream's own seconds; none where it tells none."""
    is_keyframe: bool
    received_at: datetime
    camera_at: datetime | None = None
    """The camera's wall clock at this picture, where the stream tells it."""


class PacketSource(Protocol):
    """An open stream; for one thread."""

    @property
    def info(self) -> StreamInfo:
        """Codec, size and rate as the stream announces them."""
        ...

    def packets(self) -> Iterator[VideoPacket]:
        """The packets as they come.

        Raises:
            IngestError: always, in the end: a camera's stream has no natural end.
            Stopped: the reader was told to stop.
        """
        ...

    def new_decoder(self) -> VideoCodecContext:
        """A one-thread decoder for these packets."""
        ...

    def close(self) -> None:
        """Drop the connection."""
        ...
