"""NAL units of H.264 and H.265: split from Annex B, told apart, parameter sets found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_START_CODE = b"\x00\x00\x01"


class Codec(StrEnum):
    """What the server can packetise; the value is the name in SDP's ``rtpmap``."""

    H264 = "H264"
    H265 = "H265"


_PARAMETER_SET_TYPES = {Codec.H264: (7, 8), Codec.H265: (32, 33, 34)}
_ACCESS_UNIT_DELIMITER = {Codec.H264: 9, Codec.H265: 35}


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One access unit on a stream's timeline, in decoding order.

    Times are seconds of the server's own timeline: ``due_s`` is when it is sent, ``shown_s`` when
    the picture was taken (its presentation time). They differ where there are B frames.
    """

    due_s: float
    shown_s: float
    nals: tuple[bytes, ...]
    is_keyframe: bool


def nal_type(codec: Codec, nal: bytes) -> int:
    """The unit's type (H.264 table 7-1, H.265 table 7-1)."""
    return nal[0] & 0x1F if codec is Codec.H264 else nal[0] >> 1 & 0x3F


def split_annex_b(codec: Codec, data: bytes) -> tuple[bytes, ...]:
    """The NAL units of an Annex B byte stream, without start codes and delimiters.

    Access unit delimiters are left out: RTP's marker bit says the same.
    """
    found: list[bytes] = []
    start = data.find(_START_CODE)
    while start != -1:
        start += len(_START_CODE)
        end = data.find(_START_CODE, start)
        # A unit never ends in a zero byte, so zeros here belong to the next start code.
        nal = data[start : end if end != -1 else len(data)].rstrip(b"\x00")
        if nal and nal_type(codec, nal) != _ACCESS_UNIT_DELIMITER[codec]:
            found.append(nal)
        start = end
    return tuple(found)


def parameter_sets(codec: Codec, nals: Iterable[bytes]) -> tuple[bytes, ...]:
    """The distinct parameter sets among the units: VPS (H.265), SPS, PPS, in that order."""
    wanted = _PARAMETER_SET_TYPES[codec]
    distinct = dict.fromkeys(nal for nal in nals if nal_type(codec, nal) in wanted)
    return tuple(sorted(distinct, key=lambda nal: nal_type(codec, nal)))


def has_all_parameter_sets(codec: Codec, sets: Iterable[bytes]) -> bool:
    """Whether a decoder could start with these."""
    return {nal_type(codec, nal) for nal in sets} >= set(_PARAMETER_SET_TYPES[codec])
