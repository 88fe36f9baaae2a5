"""Which packets are decoded: keyframes alone while a camera is cold, everything while it is hot.

The packets since the latest keyframe are held, undecoded, for `HOLD_S` at most. So a camera that
turns hot in the middle of a group of pictures is decoded from its keyframe on at once, without
reconnecting and without waiting for the next. And one whose keyframes are rarer than that (many
cameras ship with ten seconds, files with one for all) is decoded in full while cold too, for
keyframes alone would leave it unwatched.

Where a hot camera's decoding falls behind, the rest of its group of pictures is left out: what
can't be decoded in time would only make everything later. So each group shows as long a beginning
as there is time for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import av
from av.video.codeccontext import VideoCodecContext

from camera_ingest.packets import VideoPacket

HOLD_S = 4.0
"""A cold camera is seen at least this often."""
_HOLD_BYTES = 8_000_000
"""16 Mbit/s for `HOLD_S`; beyond this nothing is held until the next keyframe."""
_SPACINGS = 4
"""So many keyframes in a row must be near before one that had rare ones counts as regular."""

Decoded = tuple[av.VideoFrame, float | None]
"""A picture and its stream time in seconds."""


class PictureDecoder:
    """Decodes one stream; for one thread.

    Args:
        context: A decoder that was not used yet.
        alone: Another, for keyframes that are decoded alone; by default the same.
        is_due: Told a picture's stream time, says whether it is wanted. A cold camera's keyframe is
            asked for before it is decoded; in full decoding all pictures stand on one another, so
            they are asked for afterwards.
    """

    def __init__(
        self,
        context: VideoCodecContext,
        is_due: Callable[[float | None], bool],
        alone: VideoCodecContext | None = None,
    ) -> None:
        self._context = context
        self._alone = alone or context
        self._is_due = is_due
        self._in_sequence = False
        """The decoder has seen everything since a keyframe."""
        self._left_out = False
        """The rest of this group of pictures is: decoding had fallen behind."""
        self._held: list[VideoPacket] = []
        self._held_bytes = 0
        self._spacings_s: deque[float] = deque(maxlen=_SPACINGS)
        self._keyframe_s: float | None = None
        self._shown_s: float | None = None
        self._caught_up_in = 0
        """Pictures still to come that may have been shown before; beyond them none is doubted,
        for time stamps stand still, and run in circles."""
        self.broken_pictures = 0
        """Packets that the decoder refused, and pictures with lost parts."""

    @property
    def keyframes_are_rare(self) -> bool:
        """Whether the camera is decoded in full although cold, at ten times the cost."""
        return any(spacing_s > HOLD_S for spacing_s in self._spacings_s)

    def decode(self, packet: VideoPacket, *, hot: bool, is_late: bool = False) -> Iterator[Decoded]:
        """The sound pictures that are due with this packet, oldest first.

        Args:
            packet: The stream's next.
            hot: Whether all are wanted, not keyframes alone.
            is_late: Whether it waited for too long to be decoded.
        """
        self._hold(packet)
        self._left_out = hot and (is_late or (self._left_out and not packet.is_keyframe))
        if (not hot or self._left_out) and not self.keyframes_are_rare:
            self._in_sequence = False
            if packet.is_keyframe and self._is_due(packet.stream_s):
                self._shown_s = packet.stream_s
                if packet.is_damaged:
                    self.broken_pictures += 1
                else:
                    yield from self._sound(self._feed_alone(packet))
            return
        if self._in_sequence:
            waiting = [packet]
        else:
            waiting = self._held
            self._in_sequence = bool(waiting)
            self._caught_up_in = len(waiting)
            if waiting and self._context.is_open:
                self._context.flush_buffers()  # what it saw when the camera was hot last is over
        for each in waiting:
            for frame, stream_s in self._sound(self._feed(each), each.is_damaged):
                if self._is_new(stream_s) and self._is_due(stream_s):
                    self._shown_s = stream_s
                    yield frame, stream_s

    def _hold(self, packet: VideoPacket) -> None:
        """Keep the packet while it may be wanted with those after it; note keyframes' spacing."""
        at_s = packet.stream_s
        if packet.is_keyframe:
            if at_s is not None and self._keyframe_s is not None and at_s > self._keyframe_s:
                self._spacings_s.append(at_s - self._keyframe_s)
            self._keyframe_s = at_s
            self._held = [packet]
            self._held_bytes = packet.size
            return
        if not self._held:
            return
        self._held.append(packet)
        self._held_bytes += packet.size
        began_s = self._keyframe_s
        if began_s is None and at_s is not None:
            self._keyframe_s = began_s = at_s  # RTSP tells the first picture no time
        if self._held_bytes > _HOLD_BYTES:
            self._held = []
        elif at_s is not None and began_s is not None and at_s - began_s > HOLD_S:
            if not self.keyframes_are_rare:
                self._spacings_s.append(at_s - began_s)  # at least so far apart
            if self._in_sequence:
                self._held = []  # decoded already, and never needed again

    def _is_new(self, stream_s: float | None) -> bool:
        """Whether this is no held picture that was shown before, when it was the newest."""
        doubted, self._caught_up_in = self._caught_up_in > 0, max(0, self._caught_up_in - 1)
        if not doubted or stream_s is None or self._shown_s is None:
            return True
        return not self._shown_s - 2 * HOLD_S <= stream_s <= self._shown_s

    def _feed(self, packet: VideoPacket) -> list[Decoded]:
        coded = packet.packet
        return [
            (frame, _stream_time(frame, coded)) for frame in self._pictures(coded, self._context)
        ]

    def _feed_alone(self, packet: VideoPacket) -> list[Decoded]:
        frames = self._pictures(packet.packet, self._alone)
        if not frames:
            # With B-frames a decoder holds a picture back until the next; there is no next for it.
            frames = self._pictures(None, self._alone)
        self._alone.flush_buffers()
        # A picture that had to be pressed out of the decoder has lost its own time.
        return [(frame, packet.stream_s) for frame in frames]

    def _pictures(
        self, packet: av.Packet[av.VideoStream] | None, context: VideoCodecContext
    ) -> list[av.VideoFrame]:
        try:
            return context.decode(packet)
        except av.FFmpegError:
            # A damaged packet. The decoder goes on; the pictures after it come out marked corrupt.
            self.broken_pictures += 1
            return []

    def _sound(self, decoded: list[Decoded], is_damaged: bool = False) -> Iterator[Decoded]:
        for frame, stream_s in decoded:
            if is_damaged or frame.is_corrupt:
                self.broken_pictures += 1
            else:
                yield frame, stream_s


def _stream_time(frame: av.VideoFrame, coded: av.Packet[av.VideoStream]) -> float | None:
    if frame.pts is None or coded.pts is None:
        return None
    return float(frame.pts * coded.time_base)
