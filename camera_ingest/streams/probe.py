"""One look at a stream: what is there and how it looks, or why it can't be seen."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from camera_ingest.decoding import PictureDecoder
from camera_ingest.errors import IngestError, Stopped, no_answer
from camera_ingest.packets import PacketSource, VideoPacket
from camera_ingest.pictures import PictureShrinker
from camera_ingest.stopping import StopSignal
from camera_ingest.streams.opening import StreamOpener
from contracts import CameraState, Rgb, StreamSource


@dataclass(frozen=True, slots=True, eq=False)
class ProbeResult:
    """What a stream is. Unknown numbers are none."""

    codec: str
    width_px: int
    height_px: int
    frames_per_s: float | None
    keyframe_interval_s: float | None
    """None where no second keyframe came in time."""
    picture: Rgb
    """The first whole picture, H x W x 3, at most as wide as the detector's."""


def probe(source: StreamSource, opener: StreamOpener, timeout_s: float = 10.0) -> ProbeResult:
    """Open a stream, take a picture, and wait for a second keyframe while there is time.

    Blocks for at most ``timeout_s``, and a moment to close the stream.

    Raises:
        IngestError: why there is nothing to see.
    """
    look = _Look(opener.settings.frame_width_px)
    stop = StopSignal()
    alarm = threading.Timer(timeout_s, stop.set)
    alarm.daemon = True
    alarm.start()
    try:
        packets = opener.open(source, stop)
        try:
            look.at(packets)
        finally:
            packets.close()
    except IngestError:
        # With a picture in hand the stream has shown what it is, however it went on.
        if look.result is None:
            raise
    except Stopped:
        pass  # the time is over; what was seen until then counts
    finally:
        alarm.cancel()
    if look.result is None:
        raise IngestError(source.camera_id, *look.why_nothing(timeout_s))
    return look.result


class _Look:
    def __init__(self, max_width_px: int) -> None:
        self.result: ProbeResult | None = None
        self._shrinker = PictureShrinker(max_width_px)
        self._opened = False

    def at(self, packets: PacketSource) -> None:
        """Fill ``result``; returns after two keyframes, or when the stream ends."""
        self._opened = True
        info = packets.info
        decoder = PictureDecoder(packets.new_decoder(), lambda _: True)
        before: VideoPacket | None = None
        pictures = 0
        for packet in packets.packets():
            pictures += 1
            if not packet.is_keyframe:
                continue
            interval_s = None if before is None else _between(before, packet)
            before, counted, pictures = packet, pictures, 0
            if self.result is not None and interval_s is not None:
                announced = info.frames_per_s
                self.result = replace(
                    self.result,
                    keyframe_interval_s=interval_s,
                    frames_per_s=announced or (counted / interval_s if interval_s else None),
                )
                return
            for picture, _ in decoder.decode(packet, hot=False):
                image, _ = self._shrinker.shrink(picture)
                self.result = ProbeResult(
                    codec=info.codec,
                    width_px=picture.width,
                    height_px=picture.height,
                    frames_per_s=info.frames_per_s,
                    keyframe_interval_s=None,
                    picture=image,
                )

    def why_nothing(self, timeout_s: float) -> tuple[CameraState, str]:
        """What a look that ran out of time without a picture means."""
        if not self._opened:
            return CameraState.UNREACHABLE, no_answer(timeout_s)
        return CameraState.STALLED, (
            f"the stream opens, but no whole picture came within {timeout_s:g} s: "
            "check the camera's keyframe interval"
        )


def _between(before: VideoPacket, after: VideoPacket) -> float | None:
    """Seconds between two keyframes; none where the stream tells the time of one of them only."""
    if before.stream_s is None and after.stream_s is None:
        return (after.received_at - before.received_at).total_seconds()
    if before.stream_s is None or after.stream_s is None or after.stream_s <= before.stream_s:
        return None
    return after.stream_s - before.stream_s
