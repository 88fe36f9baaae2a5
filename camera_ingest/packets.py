"""What a stream gives before decoding: packets, and where they come from.

A `PacketSource` is one open connection to one stream. Everything that follows (sampling, decoding,
health; clips and live view, which copy packets) knows only this, whatever protocol lies beneath.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Protocol, cast

import av
from av.video.codeccontext import VideoCodecContext


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What is known of a stream once it is open. Unknown numbers are none."""

    codec: str
    width_px: int | None
    height_px: int | None
    frames_per_s: float | None
    extradata: bytes = b""
    """The decoder's parameters as the stream announces them: parameter sets in Annex B, or an
    ``avcC``/``hvcC`` box's content; empty where they come with the keyframes alone."""
    are_snapshots: bool = False
    """Single pictures, asked for one by one; the camera renews them at its own pace."""


class CodedBytes(Protocol):
    """A coded picture's bytes, perhaps still in the pieces in which they came.

    Pieces are put together only for whoever wants the bytes: a cold camera's few keyframes, a clip.
    """

    @property
    def size(self) -> int:
        """How many bytes it holds in memory."""
        ...

    def __bytes__(self) -> bytes:
        """The whole picture, as the stream's decoder takes it."""
        ...


DECODE_ALONE = {"skip_loop_filter": "all"}
"""FFmpeg's options of a decoder for keyframes alone."""
STREAM_TICKS = Fraction(1, 90_000)
"""Time base of the packets that are made here; RTP's for video."""


@dataclass(frozen=True, slots=True)
class VideoPacket:
    """One coded picture as it came. May be kept, and read by several threads."""

    body: CodedBytes
    """A PyAV packet, or pieces; ask for `data` or `packet`."""
    stream_s: float | None
    """Presentation time in the stream's own seconds; none where it tells none."""
    is_keyframe: bool
    received_at: datetime
    camera_at: datetime | None = None
    """The camera's wall clock at this picture, where the stream tells it."""
    is_damaged: bool = False
    """Parts of it are known to be missing."""

    @property
    def size(self) -> int:
        """What it takes in memory, bytes."""
        return self.body.size

    @property
    def data(self) -> bytes:
        """The coded picture: Annex B for RTSP, else as its container has it."""
        return bytes(self.body)

    @property
    def packet(self) -> av.Packet[av.VideoStream]:
        """For a decoder; made anew at each look where the body is none already."""
        if isinstance(self.body, av.Packet):
            return self.body
        made = cast("av.Packet[av.VideoStream]", av.Packet(bytes(self.body)))
        if self.stream_s is not None:
            made.pts = round(self.stream_s / STREAM_TICKS)
            made.time_base = STREAM_TICKS
        made.is_keyframe = self.is_keyframe
        return made


@dataclass(frozen=True, slots=True)
class CodedPicture:
    """One coded picture and when it was taken: all it takes to store it, send it on, or decode it
    later. May be kept, and read by several threads."""

    body: CodedBytes
    is_keyframe: bool
    stream_s: float | None
    """Presentation time in the stream's own seconds; none where it tells none."""
    captured_at: datetime
    received_at: datetime

    @property
    def size(self) -> int:
        """What it takes in memory, bytes."""
        return self.body.size

    @property
    def data(self) -> bytes:
        """See `VideoPacket.data`."""
        return bytes(self.body)


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

    def hurry(self, hurried: bool) -> None:
        """Whether every packet is wanted at once; otherwise some may wait a little for others."""
        ...

    def new_decoder(self, *, keyframes_alone: bool = False) -> VideoCodecContext:
        """A one-thread decoder for these packets.

        For keyframes alone it leaves the smoothing of block edges out, a sixth of the work: shrunk,
        the pictures differ by a tenth of a grey level, and no other picture stands on them.
        """
        ...

    def close(self) -> None:
        """Drop the connection."""
        ...
