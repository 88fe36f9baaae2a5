"""Packets from anything that FFmpeg demultiplexes: RTSP by itself, files and HLS from memory."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from fractions import Fraction
from typing import NoReturn, cast

import av
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext

from camera_ingest.errors import ENDED, NO_VIDEO, IngestError, judge_reading
from camera_ingest.packets import DECODE_ALONE, StreamInfo, VideoPacket
from camera_ingest.stopping import StopSignal
from contracts import CameraId, CameraState
from plumbing.clock import Clock

_PRODUCER_TIME = struct.Struct("<qi")
"""AVProducerReferenceTime: wall clock in microseconds, flags."""


def is_decodable(stream: av.VideoStream) -> bool:
    """Whether FFmpeg has a decoder for it."""
    # Annotated otherwise, the context is none where there is no decoder.
    context: VideoCodecContext | None = stream.codec_context
    return context is not None


class ContainerSource:
    """The video packets of an open PyAV container.

    Args:
        camera_id: For errors.
        container: Open; closed by `close`.
        clock: For arrival times.
        stop: Ends a wait for the next packet.
        read_timeout_s: The container's, for the words of errors.
        why_ended: Asked when the data ends; an error it returns is the true reason.

    Raises:
        IngestError: INVALID where there is no video in it, or none that can be decoded.
    """

    def __init__(
        self,
        camera_id: CameraId,
        container: InputContainer,
        clock: Clock,
        stop: StopSignal,
        read_timeout_s: float,
        why_ended: Callable[[], Exception | None] = lambda: None,
    ) -> None:
        self._camera_id = camera_id
        self._container = container
        self._clock = clock
        self._stop = stop
        self._read_timeout_s = read_timeout_s
        self._why_ended = why_ended
        streams = [stream for stream in container.streams.video if is_decodable(stream)]
        if not streams:
            raise IngestError(camera_id, CameraState.INVALID, NO_VIDEO)
        self._stream = streams[0]

    @property
    def info(self) -> StreamInfo:
        """See `PacketSource`."""
        context = self._stream.codec_context
        rate = self._stream.average_rate or self._stream.guessed_rate
        return StreamInfo(
            codec=context.name,
            width_px=context.width or None,
            height_px=context.height or None,
            frames_per_s=float(rate) if rate else None,
            extradata=bytes(context.extradata or b""),
        )

    def hurry(self, hurried: bool) -> None:
        """See `PacketSource`; every packet is given as it comes."""

    def new_decoder(self, *, keyframes_alone: bool = False) -> VideoCodecContext:
        """See `PacketSource`."""
        context = self._stream.codec_context
        if keyframes_alone:
            own = cast("VideoCodecContext", av.CodecContext.create(context.name, "r"))
            own.extradata = context.extradata
            own.options = DECODE_ALONE
            context = own
        # FFmpeg would start a thread a core for every camera.
        context.thread_count = 1
        return context

    def packets(self) -> Iterator[VideoPacket]:
        """See `PacketSource`."""
        time_base = float(self._stream.time_base or Fraction(1, 90_000))
        try:
            with self._stop.reaching_ffmpeg():
                for packet in self._container.demux(self._stream):
                    self._stop.check()
                    if packet.size == 0:
                        break  # PyAV ends with an empty packet, a dropped connection included
                    yield VideoPacket(
                        body=packet,
                        stream_s=None if packet.pts is None else packet.pts * time_base,
                        is_keyframe=packet.is_keyframe,
                        received_at=self._clock.now(),
                        camera_at=_camera_time(packet),
                    )
        except av.FFmpegError as error:
            self._stop.check()
            self._end(*judge_reading(error, timeout_s=self._read_timeout_s))
        self._stop.check()
        self._end(CameraState.STALLED, ENDED)

    def close(self) -> None:
        """See `PacketSource`."""
        self._container.close()

    def _end(self, state: CameraState, detail: str) -> NoReturn:
        if (reason := self._why_ended()) is not None:
            raise reason
        # `from None`: FFmpeg's message can hold the URL with its password.
        raise IngestError(self._camera_id, state, detail) from None


def _camera_time(packet: av.Packet[av.VideoStream]) -> datetime | None:
    if not packet.has_sidedata("prft"):
        return None
    wall_us, _ = _PRODUCER_TIME.unpack_from(bytes(packet.get_sidedata("prft")))
    try:
        return datetime.fromtimestamp(wall_us / 1e6, UTC)
    except (OverflowError, ValueError, OSError):
        return None  # a camera whose clock says the year 30,000 tells no time
