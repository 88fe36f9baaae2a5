"""A video file in an endless loop, its packets passed on as they are."""

from __future__ import annotations

import bisect
import itertools
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer

from simulator.rtsp.nal import (
    Codec,
    Picture,
    has_all_parameter_sets,
    parameter_sets,
    split_annex_b,
)
from simulator.rtsp.timeline import Timeline

_log = logging.getLogger(__name__)

_CODECS = {"h264": Codec.H264, "hevc": Codec.H265}

# A file is held in memory so that many readers cost no disk; longer ones loop their beginning.
_MOST_BYTES = 256_000_000


class UnplayableVideoError(Exception):
    """A file that can't be served.

    Attributes:
        path: the file.
        why: what is wrong and what would help.
    """

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


@dataclass(frozen=True, slots=True)
class _Stored:
    due_s: float
    shown_s: float
    nals: tuple[bytes, ...]
    is_keyframe: bool


class FileSource:
    """A file's packets over and over, not decoded, on timestamps that run on through the loop.

    ``phase_s`` shifts where in the file the timeline starts, so that cameras which loop the same
    file don't send their keyframes in step.
    """

    def __init__(self, path: Path, *, phase_s: float = 0.0) -> None:
        """Read the file.

        Raises:
            UnplayableVideoError: no video, another codec than H.264 and H.265, or no timestamps.
        """
        self._phase_s = phase_s
        self.codec, stored, self.loop_s = _read(path)
        self._stored = stored
        self.parameter_sets = _parameter_sets_of(path, self.codec, stored)
        self._keys = [index for index, picture in enumerate(stored) if picture.is_keyframe]
        self._key_due_s = [stored[index].due_s for index in self._keys]

    async def pictures(self, timeline: Timeline) -> AsyncIterator[Picture]:
        """See `Source.pictures`: starts with the keyframe that was due last."""
        turn, position_s = divmod(timeline.elapsed_s() + self._phase_s, self.loop_s)
        place = bisect.bisect_right(self._key_due_s, position_s) - 1
        if place < 0:
            turn, place = turn - 1, len(self._keys) - 1
        first = self._keys[place]
        while True:
            shift_s = turn * self.loop_s - self._phase_s
            for stored in itertools.islice(self._stored, first, None):
                yield Picture(
                    due_s=stored.due_s + shift_s,
                    shown_s=stored.shown_s + shift_s,
                    nals=stored.nals,
                    is_keyframe=stored.is_keyframe,
                )
            turn, first = turn + 1, 0


def _read(path: Path) -> tuple[Codec, list[_Stored], float]:
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise UnplayableVideoError(path, "holds no video")
            stream = container.streams.video[0]
            name = stream.codec_context.name
            codec = _CODECS.get(name)
            if codec is None:
                raise UnplayableVideoError(
                    path, f"is {name}, not H.264 or H.265: ffmpeg -i IN -c:v libx264 OUT.mp4"
                )
            # Turns MP4's length-prefixed units into a byte stream with parameter sets in it;
            # what is one already passes unchanged.
            filter_name = f"{'h264' if codec is Codec.H264 else 'hevc'}_mp4toannexb"
            to_annex_b = BitStreamFilterContext(filter_name, in_stream=stream)
            packets = _demux(container, stream, to_annex_b)
    except av.FFmpegError as error:
        raise UnplayableVideoError(
            path, f"is no video that can be read ({error.strerror})"
        ) from error
    while packets and not packets[0].is_keyframe:
        packets.pop(0)
    if len(packets) < 2:
        raise UnplayableVideoError(path, "holds fewer than two pictures from its first keyframe on")
    return codec, *_timed(path, codec, packets)


def _demux(
    container: InputContainer, stream: av.VideoStream, to_annex_b: BitStreamFilterContext
) -> list[av.Packet[av.VideoStream]]:
    packets: list[av.Packet[av.VideoStream]] = []
    held_bytes = 0
    for packet in container.demux(stream):
        if packet.size == 0:
            break
        for passed in to_annex_b.filter(packet):
            packets.append(passed)
            held_bytes += passed.size
        if held_bytes > _MOST_BYTES:
            _log.warning("%s is long; its first %d MB loop", stream, held_bytes // 1_000_000)
            break
    return packets


def _timed(
    path: Path, codec: Codec, packets: list[av.Packet[av.VideoStream]]
) -> tuple[list[_Stored], float]:
    """The pictures on a loop's own time, and how long the loop is."""
    times = [(packet.dts, packet.pts, packet.time_base) for packet in packets]
    shown, coded = [], []
    for dts, pts, base in times:
        if dts is None or pts is None or base is None:
            raise UnplayableVideoError(
                path, "has no timestamps; put it into MP4: ffmpeg -i IN -c copy OUT.mp4"
            )
        shown.append(float(pts * base))
        coded.append(float(dts * base))
    first_shown, first_coded = min(shown), coded[0]
    # With B frames a picture is coded before it is shown, and a camera can't send what it hasn't
    # seen: everything is sent later by the longest such lead.
    lead = max(s - first_shown - (c - first_coded) for s, c in zip(shown, coded, strict=True))
    span = max(shown) - first_shown
    loop_s = span + span / (len(packets) - 1)
    stored = [
        _Stored(
            due_s=c - first_coded + lead,
            shown_s=s - first_shown,
            nals=split_annex_b(codec, bytes(packet)),
            is_keyframe=bool(packet.is_keyframe),
        )
        for s, c, packet in zip(shown, coded, packets, strict=True)
    ]
    return stored, loop_s


def _parameter_sets_of(path: Path, codec: Codec, stored: list[_Stored]) -> tuple[bytes, ...]:
    sets = parameter_sets(codec, (nal for picture in stored for nal in picture.nals))
    if not has_all_parameter_sets(codec, sets):
        raise UnplayableVideoError(path, "lacks the parameter sets that a decoder needs")
    return sets
