from __future__ import annotations

import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.rtsp.nal import Codec, nal_type, parameter_sets, split_annex_b
from simulator.rtsp.rtp import interleave, packetise, payloads, sender_report

# A unit holds no start code and doesn't end in a zero: emulation prevention sees to that.
NALS = st.lists(
    st.binary(min_size=3, max_size=5_000).map(
        lambda data: b"\x65" + data.replace(b"\x00", b"\x01") + b"\x80"
    ),
    min_size=1,
    max_size=5,
)


@given(NALS, st.lists(st.sampled_from([b"\x00\x00\x01", b"\x00\x00\x00\x01"]), min_size=5))
def test_units_come_back_from_a_byte_stream(nals: list[bytes], codes: list[bytes]) -> None:
    stream = b"".join(code + nal for code, nal in zip(codes, nals, strict=False))
    assert split_annex_b(Codec.H264, stream) == tuple(nals)


def reassemble(codec: Codec, bodies: list[bytes]) -> list[bytes]:
    head_size, fragment = (1, 28) if codec is Codec.H264 else (2, 49)
    nals: list[bytes] = []
    for body in bodies:
        if nal_type(codec, body) != fragment:
            nals.append(body)
            continue
        kind = body[head_size] & (0x1F if codec is Codec.H264 else 0x3F)
        if body[head_size] & 0x80:
            if codec is Codec.H264:
                nals.append(bytes([body[0] & 0xE0 | kind]))
            else:
                nals.append(bytes([body[0] & 0x81 | kind << 1, body[1]]))
        nals[-1] += body[head_size + 1 :]
    return nals


@given(st.sampled_from(list(Codec)), NALS, st.integers(50, 1_400))
def test_fragments_make_the_unit_again(codec: Codec, nals: list[bytes], limit: int) -> None:
    bodies = [body for nal in nals for body in payloads(codec, nal, limit)]
    assert all(len(body) <= limit for body in bodies)
    assert reassemble(codec, bodies) == nals


@given(NALS, st.integers(0, 2**16), st.integers(0, 2**33))
def test_packets_count_on_and_the_last_is_marked(
    nals: list[bytes], sequence: int, timestamp: int
) -> None:
    packets = packetise(Codec.H264, nals, sequence=sequence, timestamp=timestamp, ssrc=7)
    heads = [struct.unpack("!BBHII", packet[:12]) for packet in packets]
    assert [head[2] for head in heads] == [(sequence + i) % 2**16 for i in range(len(heads))]
    assert {head[3] for head in heads} == {timestamp % 2**32}
    assert [bool(head[1] & 0x80) for head in heads] == [False] * (len(heads) - 1) + [True]


def test_a_sender_report_tells_the_wall_clock_to_the_microsecond() -> None:
    wall = datetime(2026, 11, 22, 3, 4, 5, 678_901, tzinfo=UTC)
    report = sender_report(ssrc=1, wall=wall, timestamp=90_000, packets=3, octets=4)
    _, kind, _, _, seconds, fraction = struct.unpack("!BBHIII", report[:16])
    assert kind == 200
    assert seconds - 2_208_988_800 + fraction / 2**32 == pytest.approx(wall.timestamp(), abs=1e-6)
    assert len(report) % 4 == 0


def test_interleaved_packets_carry_channel_and_length() -> None:
    assert interleave(3, [b"ab", b"c"]) == b"$\x03\x00\x02ab$\x03\x00\x01c"


def test_parameter_sets_come_once_and_in_order() -> None:
    sps, pps, picture = b"\x67\x01", b"\x68\x02", b"\x65\x03"
    assert parameter_sets(Codec.H264, [pps, sps, picture, sps]) == (sps, pps)
