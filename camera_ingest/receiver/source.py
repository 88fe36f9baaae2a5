"""One camera's pictures on their way from the loop's thread to the camera's own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import cast

import av
from av.video.codeccontext import VideoCodecContext

from camera_ingest.errors import IngestError
from camera_ingest.keeping.parameter_sets import UnsupportedCodec, track_format
from camera_ingest.packets import DECODE_ALONE, StreamInfo, VideoPacket
from camera_ingest.receiver.description import Track
from camera_ingest.stopping import StopSignal

BATCH_S = 0.5
"""A cold camera's thread is woken for every keyframe, and otherwise only this often: waking costs
more than what there is to do for a packet."""
MOST_WAITING_BYTES = 16_000_000
"""Beyond this the socket is read no more until the thread has caught up; the camera feels it as it
would with any slow client, and leaves pictures out."""


class Mailbox:
    """Bounded: the loop asks `is_full` before it reads on. One thread puts, another takes."""

    def __init__(self) -> None:
        self.hurried = False
        """Wake the reader for every packet: the camera is hot."""
        self._changed = threading.Condition()
        self._waiting: deque[VideoPacket] = deque()
        self._n_bytes = 0
        self._woken_s = 0.0
        self._wake = False
        self._end: IngestError | None = None

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be put for now."""
        return self._n_bytes > MOST_WAITING_BYTES

    def put(self, packets: list[VideoPacket], now_s: float) -> None:
        """Lay packets down; wakes the reader where they are worth it."""
        with self._changed:
            self._waiting.extend(packets)
            self._n_bytes += sum(packet.size for packet in packets)
            if (
                self.hurried
                or now_s - self._woken_s > BATCH_S
                or any(packet.is_keyframe for packet in packets)
            ):
                self._woken_s = now_s
                self._wake = True
                self._changed.notify()

    def end(self, error: IngestError) -> None:
        """Nothing comes any more, and why; what lies here is still taken first."""
        with self._changed:
            if self._end is None:
                self._end = error
            self.nudge()

    def nudge(self) -> None:
        """Wake the reader to look around."""
        with self._changed:
            self._wake = True
            self._changed.notify()

    def take(self, stop: StopSignal) -> list[VideoPacket]:
        """All that lies here, waiting for it.

        Raises:
            IngestError: the stream has ended.
            Stopped: on order.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._wake)
            self._wake = False
            stop.check()
            packets = list(self._waiting)
            self._waiting.clear()
            self._n_bytes = 0
            if not packets and self._end is not None:
                raise self._end
            if self._end is not None:
                self._wake = True
            return packets


class ReceivedSource:
    """An open stream; see `camera_ingest.packets.PacketSource`.

    Args:
        track: What the camera described.
        mailbox: Where the loop puts its packets.
        stop: Ends a wait for the next packet.
        hurry: Asks the loop to read the camera more often, or no more so.
        leave: Asks it to say goodbye to the camera and forget it.
    """

    def __init__(
        self,
        track: Track,
        mailbox: Mailbox,
        stop: StopSignal,
        hurry: Callable[[bool], None],
        leave: Callable[[], None],
    ) -> None:
        self._track = track
        self._mailbox = mailbox
        self._stop = stop
        self._hurry = hurry
        self._leave = leave
        self._info = _described(track)

    @property
    def info(self) -> StreamInfo:
        """See `PacketSource`."""
        return self._info

    def packets(self) -> Iterator[VideoPacket]:
        """See `PacketSource`."""
        with self._stop.calling(self._mailbox.nudge):
            while True:
                for packet in self._mailbox.take(self._stop):
                    self._stop.check()
                    yield packet

    def hurry(self, hurried: bool) -> None:
        """See `PacketSource`."""
        if self._mailbox.hurried != hurried:
            self._mailbox.hurried = hurried
            self._hurry(hurried)

    def new_decoder(self, *, keyframes_alone: bool = False) -> VideoCodecContext:
        """See `PacketSource`."""
        context = cast("VideoCodecContext", av.CodecContext.create(self._track.codec.value, "r"))
        if self._info.extradata:
            context.extradata = self._info.extradata
        context.thread_count = 1
        if keyframes_alone:
            context.options = DECODE_ALONE
        return context

    def close(self) -> None:
        """See `PacketSource`."""
        self._leave()


def _described(track: Track) -> StreamInfo:
    """As the description has it; where it has no parameter sets, the keyframes bring them."""
    size: tuple[int, int] | None = None
    if track.parameter_sets:
        try:
            told = track_format(track.codec.value, track.parameter_sets, None)
        except UnsupportedCodec:
            pass  # incomplete: the keyframes are not
        else:
            size = told.width_px, told.height_px
    return StreamInfo(
        codec=track.codec.value,
        width_px=size[0] if size else None,
        height_px=size[1] if size else None,
        frames_per_s=track.frames_per_s,
        extradata=track.parameter_sets,
    )
