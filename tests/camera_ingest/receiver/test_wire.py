from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_ingest.keeping.parameter_sets import split_annex_b
from camera_ingest.packets import VideoPacket
from camera_ingest.receiver.nal import Codec
from camera_ingest.receiver.pieces import Channel
from camera_ingest.receiver.wire import RubbishError, WireCutter
from simulator.rtsp.nal import Codec as SentCodec
from simulator.rtsp.rtp import interleave, packetise, sender_report

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SENT = {Codec.H264: SentCodec.H264, Codec.H265: SentCodec.H265}
UNITS = {
    # Parameter sets, an IDR slice, another slice; each slice begins its picture.
    Codec.H264: ([b"\x67ab", b"\x68c"], b"\x65\x88", b"\x41\x9a"),
    Codec.H265: ([b"\x40\x01a", b"\x42\x01b", b"\x44\x01c"], b"\x26\x01\xaf", b"\x02\x01\xd0"),
}


def body(seed: int, length: int) -> bytes:
    """Bytes that hold no start code."""
    return bytes(random.Random(seed).choices(range(1, 256), k=length))  # noqa: S311


def pictures_of(codec: Codec, count: int = 6, size: int = 4000) -> list[list[bytes]]:
    sets, key, other = UNITS[codec]
    return [
        [*sets, key + body(n, size)] if n % 3 == 0 else [other + body(n, size // 5)]
        for n in range(count)
    ]


def wire_of(
    codec: Codec, pictures: list[list[bytes]], *, first_timestamp: int = 0xFFFFF000
) -> list[bytes]:
    """The packets of each picture, interleaved; time stamps and numbers wrap."""
    sequence, wires = 65_530, []
    for number, units in enumerate(pictures):
        packets = packetise(
            SENT[codec],
            units,
            sequence=sequence,
            timestamp=first_timestamp + number * 3_600,
            ssrc=7,
        )
        sequence += len(packets)
        wires.append(interleave(0, packets))
    return wires


def cutter(codec: Codec) -> WireCutter:
    return WireCutter(Channel(0, 96, codec), 1, 90_000, NOW)


def cut(codec: Codec, chunks: list[bytes]) -> list[VideoPacket]:
    wire = cutter(codec)
    return [picture for chunk in chunks for picture in wire.feed(chunk, NOW)]


both = pytest.mark.parametrize("codec", list(Codec))


@both
@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 20_000), max_size=8))
def test_what_was_sent_is_received_however_it_was_cut(codec: Codec, cuts: list[int]) -> None:
    pictures = pictures_of(codec)
    sent = b"".join(wire_of(codec, pictures))
    edges = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    received = cut(codec, [sent[a:b] for a, b in pairwise(edges)])
    assert [list(split_annex_b(packet.data)) for packet in received] == pictures
    assert [packet.is_keyframe for packet in received] == [n % 3 == 0 for n in range(6)]
    assert [packet.stream_s for packet in received] == pytest.approx([n / 25 for n in range(6)])
    assert not any(packet.is_damaged for packet in received)


@both
def test_a_lost_packet_damages_its_picture_alone(codec: Codec) -> None:
    packets = packetise(
        SENT[codec],
        [unit for units in pictures_of(codec, 1) for unit in units],
        sequence=1,
        timestamp=0,
        ssrc=7,
    )
    for lost in range(1, len(packets)):
        wire = cutter(codec)
        kept = [packet for number, packet in enumerate(packets) if number != lost]
        found = wire.feed(interleave(0, kept), NOW)
        following = packetise(
            SENT[codec],
            pictures_of(codec, 2)[1],
            sequence=1 + len(packets),
            timestamp=3_600,
            ssrc=7,
        )
        found += wire.feed(interleave(0, following), NOW)
        assert [packet.is_damaged for packet in found] == [True, False], f"packet {lost}"
        assert found[0].is_keyframe
        assert wire.lost_packets == 1
        for packet in found:
            assert packet.data  # what is there can be put together


@both
def test_a_time_stamp_ends_a_picture_whose_marker_is_missing(codec: Codec) -> None:
    sent = bytearray(b"".join(wire_of(codec, pictures_of(codec))))
    at = 0
    while at < len(sent):
        sent[at + 5] &= 0x7F
        at += 4 + int.from_bytes(sent[at + 2 : at + 4], "big")
    received = cut(codec, [bytes(sent)])
    assert [list(split_annex_b(packet.data)) for packet in received] == pictures_of(codec)[:-1]


def test_parameter_sets_sent_as_a_picture_of_their_own_go_with_the_next() -> None:
    sets, key, _ = UNITS[Codec.H264]
    early = packetise(SentCodec.H264, sets, sequence=1, timestamp=0, ssrc=7)
    picture = packetise(
        SentCodec.H264, [key + body(1, 90)], sequence=1 + len(early), timestamp=3_600, ssrc=7
    )
    (received,) = cut(Codec.H264, [interleave(0, [*early, *picture])])
    assert list(split_annex_b(received.data)) == [*sets, key + body(1, 90)]
    assert received.is_keyframe


def test_a_marker_on_every_slice_is_seen_through() -> None:
    slices = [b"\x41\x9a" + body(1, 50), b"\x41\x22" + body(2, 50), b"\x41\x11" + body(3, 50)]
    packets = []
    for picture in range(5):
        for number, unit in enumerate(slices):
            packets += packetise(
                SentCodec.H264,
                [unit],
                sequence=picture * 3 + number,
                timestamp=picture * 3_600,
                ssrc=7,
            )
    received = cut(Codec.H264, [interleave(0, packets)])
    whole = [p for p in received if list(split_annex_b(p.data)) == slices and not p.is_damaged]
    assert len(whole) == 3, "all but the first, by which it is learnt, and the last, still open"


def test_aggregates_are_taken_apart() -> None:
    sets, key, _ = UNITS[Codec.H264]
    units = [*sets, key + body(1, 60)]
    payload = b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)
    packet = b"\x80\xe0\x00\x01" + bytes(4) + b"\x00\x00\x00\x07" + payload
    (received,) = cut(Codec.H264, [interleave(0, [packet])])
    assert list(split_annex_b(received.data)) == units
    assert received.is_keyframe


def test_padding_extensions_and_sources_are_no_payload() -> None:
    unit = b"\x65\x88" + body(1, 60)
    head = b"\xb1\xe0\x00\x01" + bytes(4) + b"\x00\x00\x00\x07"
    contributing, extension = b"\x00\x00\x00\x09", b"\xbe\xde\x00\x01abcd"
    packet = head + contributing + extension + unit + b"\x00\x00\x03"
    (received,) = cut(Codec.H264, [interleave(0, [packet])])
    assert list(split_annex_b(received.data)) == [unit]


def test_the_cameras_clock_comes_from_its_reports() -> None:
    wall = datetime(2026, 11, 22, 6, 30, 0, 250_000, tzinfo=UTC)
    report = sender_report(ssrc=7, wall=wall, timestamp=0xFFFFF000, packets=0, octets=0)
    first, second = wire_of(Codec.H264, pictures_of(Codec.H264, 2))
    received = cut(Codec.H264, [interleave(1, [report]), first, second])
    times = [packet.camera_at for packet in received]
    assert times[0] is not None
    assert times[1] is not None
    assert abs(times[0] - wall) < timedelta(microseconds=2)
    assert abs(times[1] - wall - timedelta(seconds=0.04)) < timedelta(microseconds=2)


def test_answers_and_rubbish_between_pictures_are_passed_over() -> None:
    first, second, third = wire_of(Codec.H264, pictures_of(Codec.H264, 3))
    wire = cutter(Codec.H264)
    sent = first + b"RTSP/1.0 200 OK\r\nCSeq: 9\r\n\r\n" + second + b"\x00\xffnoise" + third
    received = [picture for byte in sent for picture in wire.feed(bytes([byte]), NOW)]
    assert [list(split_annex_b(p.data)) for p in received] == pictures_of(Codec.H264, 3)
    assert [answer.status for answer in wire.answers] == [200]


def test_nothing_but_rubbish_is_given_up() -> None:
    wire = cutter(Codec.H264)
    with pytest.raises(RubbishError):
        for _ in range(40):
            wire.feed(b"\x00" * 65_536, NOW)


def test_a_picture_without_end_is_given_up() -> None:
    wire = cutter(Codec.H264)
    packet = b"\x80\x60%b" + bytes(4) + b"\x00\x00\x00\x07" + b"\x41\x9a" + bytes(60_000)
    with pytest.raises(RubbishError):
        for number in range(400):
            sent = interleave(0, [packet.replace(b"%b", number.to_bytes(2, "big"), 1)])
            wire.feed(sent, NOW)


@both
@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32), changes=st.integers(1, 30))
def test_no_damage_on_the_wire_does_more_than_harm_pictures(
    codec: Codec, seed: int, changes: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    sent = bytearray(b"".join(wire_of(codec, pictures_of(codec))))
    for _ in range(changes):
        sent[chance.randrange(len(sent))] = chance.randrange(256)
    wire = cutter(codec)
    try:
        for start in range(0, len(sent), 977):
            for picture in wire.feed(bytes(sent[start : start + 977]), NOW):
                assert len(picture.data) <= 2 * len(sent)
    except RubbishError:
        return
