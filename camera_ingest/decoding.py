"""Which packets are decoded: keyframes alone while a camera is cold, everything while it is hot.

The switch needs no reconnection. Turning hot takes effect at the next keyframe, for a picture in
between can't be decoded without those before it; turning cold at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import av
from av.video.codeccontext import VideoCodecContext

from camera_ingest.packets import VideoPacket


class PictureDecoder:
    """Decodes one stream; for one thread.

    Args:
        context: A decoder that was not used yet.
        is_due: Told a keyframe's stream time, says whether a cold camera's picture is wanted: an
            unwanted one isn't even decoded. Asked for hot pictures only by the caller, after
            decoding, since all later pictures stand on them.
    """

    def __init__(self, context: VideoCodecContext, is_due: Callable[[float | None], bool]) -> None:
        self._context = context
        self._is_due = is_due
        self._in_sequence = False
        """The decoder has seen everything since a keyframe."""
        self.broken_pictures = 0
        """Packets that the decoder refused, and pictures with lost parts."""

    def decode(
        self, packet: VideoPacket, *, hot: bool
    ) -> Iterator[tuple[av.VideoFrame, float | None]]:
        """The sound pictures that this packet brings, each with its stream time in seconds.

        None or one while cold; hot ones may lag behind their packets.
        """
        if hot:
            self._in_sequence = self._in_sequence or packet.is_keyframe
            if not self._in_sequence:
                return
            frames = self._feed(packet.packet)
        else:
            self._in_sequence = False
            if not packet.is_keyframe or not self._is_due(packet.stream_s):
                return
            frames = self._feed_alone(packet.packet)
        for frame in frames:
            if frame.is_corrupt:
                self.broken_pictures += 1
            elif not hot:
                # A picture that had to be pressed out of the decoder has lost its own time.
                yield frame, packet.stream_s
            else:
                yield frame, _stream_time(frame, packet)

    def _feed(self, packet: av.Packet[av.VideoStream]) -> list[av.VideoFrame]:
        try:
            return self._context.decode(packet)
        except av.FFmpegError:
            # A damaged packet. The decoder goes on; the pictures after it come out marked corrupt.
            self.broken_pictures += 1
            return []

    def _feed_alone(self, packet: av.Packet[av.VideoStream]) -> list[av.VideoFrame]:
        frames = self._feed(packet)
        if not frames:
            # With B-frames a decoder holds a picture back until the next; there is no next for it.
            try:
                frames = self._context.decode(None)
            except av.FFmpegError:
                self.broken_pictures += 1
        self._context.flush_buffers()
        return frames


def _stream_time(frame: av.VideoFrame, packet: VideoPacket) -> float | None:
    if frame.pts is None or packet.stream_s is None:
        return None
    return float(frame.pts * packet.packet.time_base)
