"""Coded pictures as MP4 (ISO/IEC 14496-12): whole files for evidence, fragments for live view.

Pictures are copied, never re-encoded, and their presentation times are their capture times: a
picture's time in the file, added to the file's start, is when it was taken. The start stands in the
file's metadata (`CAPTURE_START`), fragments also carry it as producer reference times.
"""

from __future__ import annotations

import heapq
import itertools
import struct
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import av

from camera_ingest.keeping.mp4_boxes import (
    TICKS_PER_S,
    box,
    full_box,
    movie_header,
    named_values,
    runs_box,
    sample_description,
    track,
)
from camera_ingest.keeping.parameter_sets import (
    JPEG,
    TrackFormat,
    UnsupportedCodec,
    sample,
    track_format,
)
from camera_ingest.keeping.preroll import PacketRun
from camera_ingest.packets import CodedPicture, StreamInfo

CAPTURE_START = "siaga.capture_start"
"""Metadata key: ISO 8601 time at which the file's time is 0."""

_NTP_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)
_KEYFRAME = 0x02000000
_OTHER = 0x01010000
"""Sample flags: depends on no other; depends on others and is no sync sample (8.8.3.1)."""
_LONGEST_GUESS = 10 * TICKS_PER_S


def write_clip(run: PacketRun, metadata: Mapping[str, str]) -> bytes:
    """The run as an MP4 file whose index comes first, so that it plays while it loads.

    Raises:
        UnsupportedCodec: it can't be stored without re-encoding.
    """
    described = format_of(run)
    start = run.began_at
    shown = [_ticks(picture.captured_at - start) for picture in run.pictures]
    decoded = _strictly_growing(sorted(shown))
    samples = [sample(run.info.codec, run.info.extradata, picture.data) for picture in run.pictures]
    steps = [after - before for before, after in itertools.pairwise(decoded)]
    steps.append(steps[-1] if steps else TICKS_PER_S // 10)
    keyframes = [n for n, picture in enumerate(run.pictures, 1) if picture.is_keyframe]
    offsets = [at - place for at, place in zip(shown, decoded, strict=True)]
    brand = box(b"ftyp", b"isom", struct.pack(">I", 0x200), b"isomiso2mp41")

    def index(first_byte: int) -> bytes:
        table = box(
            b"stbl",
            sample_description(described),
            runs_box(b"stts", ">II", _counted(steps)),
            runs_box(b"ctts", ">Ii", _counted(offsets), version=1) if any(offsets) else b"",
            full_box(
                b"stss", 0, 0, struct.pack(f">I{len(keyframes)}I", len(keyframes), *keyframes)
            ),
            full_box(b"stsc", 0, 0, struct.pack(">IIII", 1, 1, len(samples), 1)),
            full_box(
                b"stsz",
                0,
                0,
                struct.pack(f">II{len(samples)}I", 0, len(samples), *map(len, samples)),
            ),
            full_box(b"co64", 0, 0, struct.pack(">IQ", 1, first_byte)),
        )
        everything = {CAPTURE_START: start.isoformat(), **metadata}
        return box(
            b"moov",
            movie_header(start, sum(steps)),
            track(described, start, sum(steps), table),
            named_values(everything),
        )

    body_head = struct.pack(">I4sQ", 1, b"mdat", 16 + sum(map(len, samples)))
    first_byte = len(brand) + len(index(0)) + len(body_head)
    return b"".join((brand, index(first_byte), body_head, *samples))


def format_of(run: PacketRun) -> TrackFormat:
    """How the run is described in MP4.

    Raises:
        UnsupportedCodec: it can't be stored without re-encoding.
    """
    return track_format(run.info.codec, run.info.extradata, _size(run.info) or _look(run))


class Fragmenter:
    """One run's pictures as fragmented MP4, a fragment a picture, as they come.

    Args:
        info: The run's parameters.
        start: Capture time at which the stream's time is 0.
        reorder_depth: How many pictures may be decoded before one that is shown earlier; see
            `reorder_depth`. Learnt on the way where it turns out to be more.

    Raises:
        UnsupportedCodec: when made: it can't be put into MP4.
    """

    def __init__(self, info: StreamInfo, start: datetime, reorder_depth: int = 0) -> None:
        self.format = track_format(info.codec, info.extradata, _size(info))
        self.start = start
        self._info = info
        self._number = 0
        self._last_decode: int | None = None
        self._step = round(TICKS_PER_S / (info.frames_per_s or 25.0))
        self._held: list[int] = []
        self._depth = reorder_depth
        self._newest_shown = -1

    @property
    def mime(self) -> str:
        """What a browser is asked whether it can play it."""
        return f'video/mp4; codecs="{self.format.codecs}"'

    def head(self) -> bytes:
        """What every reader needs before the first fragment."""
        table = box(
            b"stbl",
            sample_description(self.format),
            *(
                full_box(kind, 0, 0, bytes(4 if kind != b"stsz" else 8))
                for kind in (b"stts", b"stsc", b"stsz", b"stco")
            ),
        )
        return b"".join(
            (
                box(b"ftyp", b"iso6", struct.pack(">I", 0), b"iso6mp41"),
                box(
                    b"moov",
                    movie_header(self.start, 0),
                    track(self.format, self.start, 0, table),
                    box(b"mvex", full_box(b"trex", 0, 0, struct.pack(">5I", 1, 1, 0, 0, 0))),
                    named_values({CAPTURE_START: self.start.isoformat()}),
                ),
            )
        )

    def fragment(self, picture: CodedPicture) -> bytes:
        """The next picture, in the order of decoding; keyframes tell their capture time too."""
        shown = _ticks(picture.captured_at - self.start)
        decoded = self._decode_time(shown)
        data = sample(self._info.codec, self._info.extradata, picture.data)
        self._number += 1
        flags = _KEYFRAME if picture.is_keyframe else _OTHER

        def head(data_offset: int) -> bytes:
            return box(
                b"moof",
                full_box(b"mfhd", 0, 0, struct.pack(">I", self._number)),
                box(
                    b"traf",
                    full_box(b"tfhd", 0, 0x020000, struct.pack(">I", 1)),
                    full_box(b"tfdt", 1, 0, struct.pack(">Q", decoded)),
                    full_box(
                        b"trun",
                        1,
                        0xF01,
                        struct.pack(
                            ">IiIIIi", 1, data_offset, self._step, len(data), flags, shown - decoded
                        ),
                    ),
                ),
            )

        reference = b""
        if picture.is_keyframe:
            since_1900 = picture.captured_at - _NTP_EPOCH
            ntp = round(since_1900 / timedelta(microseconds=1) * 2**32 / 1e6)
            reference = full_box(b"prft", 1, 0, struct.pack(">IQQ", 1, ntp, max(0, shown)))
        offset = len(head(0)) + 8
        return b"".join((reference, head(offset), box(b"mdat", data)))

    def _decode_time(self, shown: int) -> int:
        """A decoding time that grows: the times of show in order, as late as B-frames need."""
        if shown < self._newest_shown:
            self._depth = max(self._depth, 1 + sum(at > shown for at in self._held))
        self._newest_shown = max(self._newest_shown, shown)
        heapq.heappush(self._held, shown)
        while len(self._held) > self._depth + 1:
            heapq.heappop(self._held)
        place = max(0, self._held[0])
        if self._last_decode is not None:
            place = max(place, self._last_decode + 1)
            self._step = min(place - self._last_decode, _LONGEST_GUESS)
        self._last_decode = place
        return place


def reorder_depth(pictures: Sequence[CodedPicture]) -> int:
    """By how many pictures a stream's order of decoding runs ahead of that of show (B-frames)."""
    depth = 0
    for n, picture in enumerate(pictures):
        before = pictures[max(0, n - 16) : n]
        depth = max(depth, sum(one.captured_at > picture.captured_at for one in before))
    return depth


def _size(info: StreamInfo) -> tuple[int, int] | None:
    if info.width_px is None or info.height_px is None:
        return None
    return info.width_px, info.height_px


def _look(run: PacketRun) -> tuple[int, int] | None:
    """The first picture's size, where nothing but the picture tells it."""
    if run.info.codec != JPEG:
        return None
    try:
        frame = run.new_decoder().decode(av.Packet(run.pictures[0].data))[0]
    except (av.FFmpegError, IndexError) as error:
        raise UnsupportedCodec("the first picture is damaged") from error
    return frame.width, frame.height


def _ticks(span: timedelta) -> int:
    return round(span / timedelta(microseconds=1) * TICKS_PER_S / 1e6)


def _strictly_growing(times: Iterable[int]) -> list[int]:
    grown: list[int] = []
    for at in times:
        grown.append(max(at, grown[-1] + 1) if grown else at)
    return grown


def _counted(values: Iterable[int]) -> list[tuple[int, int]]:
    return [(len(list(same)), value) for value, same in itertools.groupby(values)]
