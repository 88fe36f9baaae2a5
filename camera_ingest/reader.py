"""One attempt at one stream, from opening to the error that ends it.

Life cycle: a `StreamReader` is made, iterated once by one thread, and done. Another thread may turn
it hot or cold, or stop it, at any time. Whether and when to try again is not its business (see
`camera_ingest.supervisor`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Protocol

import av

from camera_ingest.decoding import PictureDecoder
from camera_ingest.errors import Stopped
from camera_ingest.keeping.preroll import PreRoll
from camera_ingest.packets import PacketSource, StreamInfo, VideoPacket
from camera_ingest.pictures import PictureFacts, PictureShrinker
from camera_ingest.shedding import Pace
from camera_ingest.stopping import StopSignal
from camera_ingest.streams.opening import StreamOpener
from camera_ingest.timing import CaptureClock, PictureRate
from contracts import Frame, StreamSource

LATE_S = 1.0
"""A hot camera whose packets wait for longer than this is not decoded in full: what it shows must
be fresh first, and fluent second. Packets that come in batches wait for half as long."""


class ReaderObserver(Protocol):
    """Who wants to know how a stream does. Called in the reader's thread; must be quick."""

    def opened(self, info: StreamInfo) -> None:
        """The stream is open; nothing was read yet."""
        ...

    def received(self, packet: VideoPacket) -> None:
        """A packet came, decoded or not."""
        ...

    def pictured(self, frame: Frame, facts: PictureFacts) -> None:
        """A sound picture was decoded and is handed on next."""
        ...

    def broken(self, count: int) -> None:
        """So many pictures were broken and were not handed on."""
        ...


class StreamReader:
    """Reads one stream: ``for frame in reader.frames(): ...``.

    Cold, it decodes keyframes, at most ``max_fps``; hot, everything, and hands on ``hot_fps``; less
    of both where ``pace`` says so. A
    cold camera with too rare keyframes is decoded in full too (see `camera_ingest.decoding`).
    One that isn't ``hopeful`` lets others be opened first.
    """

    def __init__(
        self,
        source: StreamSource,
        opener: StreamOpener,
        observer: ReaderObserver | None = None,
        *,
        hot: bool = False,
        preroll: PreRoll | None = None,
        pace: Pace | None = None,
        hopeful: bool = True,
    ) -> None:
        self.source = source
        self._hopeful = hopeful
        self._opener = opener
        self._settings = opener.settings
        self._observer = observer
        self._preroll = preroll
        self._pace = pace or Pace(opener.settings)
        self._stop = StopSignal()
        self._hot = threading.Event()
        self._packets: PacketSource | None = None
        self.capture_clock = CaptureClock()
        self._rate = PictureRate(self._pace.cold_fps)
        self._shrinker = PictureShrinker(self._settings.frame_width_px)
        self.set_hot(hot)

    def set_hot(self, hot: bool) -> None:
        """Switch between full rate and keyframes, without reconnecting."""
        if hot:
            self._hot.set()
        else:
            self._hot.clear()
        if (packets := self._packets) is not None:
            packets.hurry(hot)

    def stop(self) -> None:
        """End the iteration soon, wherever it waits. Returns at once; any thread."""
        self._stop.set()

    def frames(self) -> Iterator[Frame]:
        """The stream's pictures; ends quietly only after `stop`.

        Raises:
            IngestError: the stream couldn't be opened or has ended, in which state and why.
        """
        try:
            packets = self._opener.open(self.source, self._stop, hopeful=self._hopeful)
            try:
                self._packets = packets
                packets.hurry(self._hot.is_set())
                if self._observer is not None:
                    self._observer.opened(packets.info)
                if self._preroll is not None:
                    self._preroll.opened(packets.info)
                yield from self._read(packets)
            finally:
                packets.close()
        except Stopped:
            return

    def _read(self, packets: PacketSource) -> Iterator[Frame]:
        decoder = PictureDecoder(
            packets.new_decoder(), self._is_due, packets.new_decoder(keyframes_alone=True)
        )
        broken_before = 0
        for packet in packets.packets():
            if self._observer is not None:
                self._observer.received(packet)
            if self._preroll is not None:
                self._preroll.add(packet)
            if packet.camera_at is not None and packet.stream_s is not None:
                self.capture_clock.note_camera_time(packet.stream_s, packet.camera_at)
            hot = self._hot.is_set()
            is_late = hot and self._is_late(packet)
            self._rate.set_fps(self._pace.hot_fps if hot else self._pace.cold_fps)
            for picture, stream_s in decoder.decode(packet, hot=hot, is_late=is_late):
                yield self._frame(picture, stream_s, packet)
            if decoder.broken_pictures > broken_before and self._observer is not None:
                self._observer.broken(decoder.broken_pictures - broken_before)
            broken_before = decoder.broken_pictures

    def _is_late(self, packet: VideoPacket) -> bool:
        """Whether decoding everything has fallen behind."""
        waited = self._opener.clock.now() - packet.received_at
        return waited.total_seconds() > LATE_S

    def _is_due(self, stream_s: float | None) -> bool:
        now_s = self._opener.clock.monotonic_s()
        # Where it tells no time, arrival is the only one there is.
        return self._rate.is_due(now_s if stream_s is None else stream_s, now_s)

    def _frame(self, picture: av.VideoFrame, stream_s: float | None, packet: VideoPacket) -> Frame:
        image, facts = self._shrinker.shrink(picture)
        frame = Frame(
            camera_id=self.source.camera_id,
            image=image,
            captured_at=self.capture_clock.place(
                stream_s, packet.received_at, packet.camera_at if stream_s is None else None
            ),
            received_at=packet.received_at,
            source_width_px=picture.width,
            source_height_px=picture.height,
            is_keyframe=bool(picture.key_frame),
        )
        if self._observer is not None:
            self._observer.pictured(frame, facts)
        return frame
