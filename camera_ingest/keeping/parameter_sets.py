"""What H.264 and H.265 streams say of themselves, and their packets as MP4 wants them.

Streams come in Annex B (start codes, ITU-T H.264 and H.265) from RTSP and MPEG-TS, and with length
prefixes from MP4 segments. MP4 holds length prefixes and a decoder configuration record (ISO/IEC
14496-15), which is put together here from the parameter sets.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

H264 = "h264"
H265 = "hevc"
JPEG = "mjpeg"
SELF_DESCRIBING = frozenset({H264, H265})
"""Codecs whose keyframes bring their parameters along."""

MOST_PX = 16_384
"""A side of a picture; no camera's is half as long."""
_H264_SETS = {7: "sps", 8: "pps"}
_H265_SETS = {32: "vps", 33: "sps", 34: "pps"}
_H264_IDLE = {7, 8, 9, 12}
_H265_IDLE = {32, 33, 34, 35, 38}
"""Units that a sample of MP4 goes without: parameter sets, delimiters, filling."""
_PARTLY_WEIGHTED = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)
"""H.264 profiles whose parameter sets tell the chroma format (7.3.2.1.1)."""


class UnsupportedCodec(Exception):
    """This stream can't be put into MP4; the message says why."""


@dataclass(frozen=True, slots=True)
class TrackFormat:
    """How a stream is described in MP4."""

    sample_entry: bytes
    """Four letters: ``avc1``, ``hvc1`` or ``mp4v``."""
    configuration: tuple[bytes, bytes]
    """The configuration box's four letters and content."""
    codecs: str
    """For a media type's ``codecs`` parameter (RFC 6381)."""
    width_px: int
    height_px: int


def split_annex_b(data: bytes) -> Iterator[bytes]:
    """The NAL units between start codes; whatever stands before the first is left out."""
    start = data.find(b"\0\0\1")
    while start >= 0:
        following = data.find(b"\0\0\1", start + 3)
        unit = data[start + 3 : following if following >= 0 else len(data)]
        # A fourth zero belongs to the next start code; units themselves end in a set bit.
        unit = unit.rstrip(b"\0")
        if unit:
            yield unit
        start = following


def parameter_sets(codec: str, data: bytes) -> tuple[bytes, ...]:
    """The parameter sets among the NAL units of ``data`` (Annex B), in their order."""
    names = _sets_of(codec)
    if not names or data[:1] == b"\1":  # a configuration record, not Annex B
        return ()
    return tuple(unit for unit in split_annex_b(data) if _kind(codec, unit) in names)


def renewed_parameters(codec: str, known: bytes, data: bytes) -> bytes | None:
    """The parameter sets of a keyframe where they aren't those known; none where nothing is new.

    Args:
        codec: ``h264`` or ``hevc``; any other has none.
        known: Annex B, or a configuration record (then the packets carry none).
        data: The keyframe.
    """
    if not _sets_of(codec) or known[:1] == b"\1":
        return None
    fresh = parameter_sets(codec, data)
    before = parameter_sets(codec, known)
    if all(unit in before for unit in fresh):
        return None
    kinds = {_kind(codec, unit) for unit in fresh}
    kept = [unit for unit in before if _kind(codec, unit) not in kinds]
    units = sorted((*kept, *fresh), key=lambda unit: _kind(codec, unit))
    return b"".join(b"\0\0\0\1" + unit for unit in units)


def track_format(codec: str, extradata: bytes, size: tuple[int, int] | None) -> TrackFormat:
    """The stream's description.

    Args:
        codec: FFmpeg's name.
        extradata: Parameter sets in Annex B, or a configuration record.
        size: Width and height where the stream tells them otherwise; needed for JPEG.

    Raises:
        UnsupportedCodec: another codec, or parameters are missing.
    """
    if codec == JPEG:
        width, height = size or (0, 0)
        return TrackFormat(b"mp4v", (b"esds", _jpeg_esds()), "mp4v.6C", width, height)
    if codec not in (H264, H265):
        raise UnsupportedCodec(f"{codec} can't be stored as MP4 without re-encoding")
    damaged = f"the stream's {codec} parameter sets are damaged"
    try:
        described = (_h264 if codec == H264 else _h265)(extradata)
    except (IndexError, StopIteration, ValueError, struct.error) as error:
        raise UnsupportedCodec(damaged) from error
    if not (0 < described.width_px <= MOST_PX and 0 < described.height_px <= MOST_PX):
        raise UnsupportedCodec(damaged)
    return described


def sample(codec: str, extradata: bytes, data: bytes) -> bytes:
    """A packet as MP4 stores it."""
    if codec not in (H264, H265) or extradata[:1] == b"\1":
        return data
    idle = _H264_IDLE if codec == H264 else _H265_IDLE
    return b"".join(
        struct.pack(">I", len(unit)) + unit
        for unit in split_annex_b(data)
        if _kind(codec, unit) not in idle
    )


def _sets_of(codec: str) -> dict[int, str]:
    return {H264: _H264_SETS, H265: _H265_SETS}.get(codec, {})


def _kind(codec: str, unit: bytes) -> int:
    return unit[0] & 0x1F if codec == H264 else unit[0] >> 1 & 0x3F


def _h264(extradata: bytes) -> TrackFormat:
    if extradata[:1] == b"\1":
        length = struct.unpack_from(">H", extradata, 6)[0]
        sps, record = extradata[8 : 8 + length], extradata
    else:
        units = parameter_sets(H264, extradata)
        sets = [unit for unit in units if _kind(H264, unit) == 7]
        pps = [unit for unit in units if _kind(H264, unit) == 8]
        if not sets or not pps:
            raise UnsupportedCodec("the stream has not told its H.264 parameter sets yet")
        sps = sets[0]
        record = b"".join(
            (
                bytes((1, sps[1], sps[2], sps[3], 0xFF, 0xE0 | len(sets))),
                *_with_length(sets),
                bytes((len(pps),)),
                *_with_length(pps),
            )
        )
    width, height = _h264_size(sps)
    return TrackFormat(b"avc1", (b"avcC", record), f"avc1.{sps[1:4].hex()}", width, height)


def _h264_size(sps: bytes) -> tuple[int, int]:
    bits = _Bits(_unescaped(sps)[4:])
    bits.ue()
    chroma = 1
    separate = 0
    if sps[1] in _PARTLY_WEIGHTED:
        chroma = bits.ue()
        separate = bits.u(1) if chroma == 3 else 0
        bits.ue()
        bits.ue()
        bits.u(1)
        if bits.u(1):
            for index in range(8 if chroma != 3 else 12):
                if bits.u(1):
                    _skip_scaling_list(bits, 16 if index < 6 else 64)
    bits.ue()
    order = bits.ue()
    if order == 0:
        bits.ue()
    elif order == 1:
        bits.u(1)
        bits.ue()
        bits.ue()
        for _ in range(bits.ue()):
            bits.ue()
    bits.ue()
    bits.u(1)
    width = (bits.ue() + 1) * 16
    rows = bits.ue() + 1
    frames_only = bits.u(1)
    height = rows * 16 * (2 - frames_only)
    if not frames_only:
        bits.u(1)
    bits.u(1)
    if bits.u(1):
        left, right, top, bottom = (bits.ue() for _ in range(4))
        across = 2 if chroma in (1, 2) and not separate else 1
        down = (2 if chroma == 1 and not separate else 1) * (2 - frames_only)
        width -= across * (left + right)
        height -= down * (top + bottom)
    return width, height


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            code = bits.ue()
            following = (last + (code + 1) // 2 * (1 if code & 1 else -1)) % 256
        last = following or last


def _h265(extradata: bytes) -> TrackFormat:
    if extradata[:1] == b"\1":
        sps = next(unit for unit in _record_units(extradata) if _kind(H265, unit) == 33)
    else:
        units = parameter_sets(H265, extradata)
        if {_kind(H265, unit) for unit in units} != set(_H265_SETS):
            raise UnsupportedCodec("the stream has not told its H.265 parameter sets yet")
        sps = next(unit for unit in units if _kind(H265, unit) == 33)
    plain = _unescaped(sps)
    general, layers = plain[3:15], plain[2] >> 1 & 7
    bits = _Bits(plain[15:])
    flags = [(bits.u(1), bits.u(1)) for _ in range(layers)]
    if layers:
        bits.u(2 * (8 - layers))
    for profile, level in flags:
        bits.u(88 * profile + 8 * level)
    bits.ue()
    chroma = bits.ue()
    if chroma == 3:
        bits.u(1)
    width, height = bits.ue(), bits.ue()
    if bits.u(1):
        left, right, top, bottom = (bits.ue() for _ in range(4))
        width -= (2 if chroma in (1, 2) else 1) * (left + right)
        height -= (2 if chroma == 1 else 1) * (top + bottom)
    depths = bits.ue(), bits.ue()
    if extradata[:1] == b"\1":
        record = extradata
    else:
        record = b"".join(
            (
                b"\1",
                general,
                struct.pack(">HB", 0xF000, 0xFC),
                bytes((0xFC | chroma, 0xF8 | depths[0], 0xF8 | depths[1], 0, 0)),
                bytes(((layers + 1) << 3 | (plain[2] & 1) << 2 | 3, len(_H265_SETS))),
                *_h265_arrays(parameter_sets(H265, extradata)),
            )
        )
    return TrackFormat(b"hvc1", (b"hvcC", record), _h265_codecs(general), width, height)


def _h265_arrays(units: Iterable[bytes]) -> Iterator[bytes]:
    listed = list(units)
    for kind in _H265_SETS:
        ours = [unit for unit in listed if _kind(H265, unit) == kind]
        yield struct.pack(">BH", 0x80 | kind, len(ours))
        yield from _with_length(ours)


def _record_units(record: bytes) -> Iterator[bytes]:
    place = 23
    for _ in range(record[22]):
        (count,) = struct.unpack_from(">H", record, place + 1)
        place += 3
        for _ in range(count):
            (length,) = struct.unpack_from(">H", record, place)
            yield record[place + 2 : place + 2 + length]
            place += 2 + length


def _h265_codecs(general: bytes) -> str:
    """ISO/IEC 14496-15, annex E.3."""
    space = ("", "A", "B", "C")[general[0] >> 6]
    compatible = int(f"{int.from_bytes(general[1:5], 'big'):032b}"[::-1], 2)
    tier = "H" if general[0] & 0x20 else "L"
    constraints = "".join(f".{byte:X}" for byte in general[5:11].rstrip(b"\0"))
    return f"hvc1.{space}{general[0] & 0x1F}.{compatible:X}.{tier}{general[11]}{constraints}"


def _with_length(units: Iterable[bytes]) -> Iterator[bytes]:
    for unit in units:
        yield struct.pack(">H", len(unit)) + unit


def _jpeg_esds() -> bytes:
    """Object type 0x6C: JPEG pictures (ISO/IEC 14496-1)."""
    decoder = bytes((4, 13, 0x6C, 0x11)) + b"\0" * 11
    stream = bytes((3, 3 + len(decoder) + 3)) + b"\0\1\0" + decoder + bytes((6, 1, 2))
    return b"\0\0\0\0" + stream


def _unescaped(unit: bytes) -> bytes:
    """Without the bytes that keep start codes out of a unit."""
    return unit.replace(b"\0\0\3", b"\0\0")


class _Bits:
    """Reads an unescaped parameter set bit by bit.

    Raises:
        IndexError: it ends early.
    """

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def u(self, count: int) -> int:
        """An unsigned number of so many bits."""
        if count > self._left:
            raise IndexError("the parameter set ends early")
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def ue(self) -> int:
        """An unsigned Exp-Golomb number."""
        zeros = 0
        while not self.u(1):
            zeros += 1
        return (1 << zeros) - 1 + self.u(zeros)
