"""RTP packets and RTCP sender reports (RFC 3550, 6184, 7798), framed for RTSP over TCP."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from simulator.rtsp.nal import Codec, nal_type

CLOCK_HZ = 90_000
PAYLOAD_TYPE = 96

# 1,400 bytes pass any path unfragmented; over TCP it only sets how coarse a lost packet is.
_PAYLOAD_BYTES = 1_400
_NTP_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)


def payloads(codec: Codec, nal: bytes, limit: int = _PAYLOAD_BYTES) -> Iterator[bytes]:
    """The RTP payloads of one NAL unit: itself, or its fragments (FU-A, H.265: FU)."""
    if len(nal) <= limit:
        yield nal
        return
    if codec is Codec.H264:
        head = bytes([nal[0] & 0xE0 | 28])
    else:
        head = bytes([nal[0] & 0x81 | 49 << 1, nal[1]])
    kind, body = nal_type(codec, nal), memoryview(nal)[len(head) :]
    room = limit - len(head) - 1
    for offset in range(0, len(body), room):
        piece = body[offset : offset + room]
        is_first, is_last = offset == 0, offset + room >= len(body)
        yield head + bytes([is_first << 7 | is_last << 6 | kind]) + piece


def packetise(
    codec: Codec, nals: Sequence[bytes], *, sequence: int, timestamp: int, ssrc: int
) -> list[bytes]:
    """The RTP packets of one access unit; the last one carries the marker.

    Args:
        codec: How to fragment.
        nals: The units, without start codes.
        sequence: The first packet's sequence number; taken modulo 2^16.
        timestamp: In ticks of 90 kHz; taken modulo 2^32.
        ssrc: The stream's identifier.
    """
    bodies = [body for nal in nals for body in payloads(codec, nal)]
    last = len(bodies) - 1
    return [
        struct.pack(
            "!BBHII",
            0x80,
            (index == last) << 7 | PAYLOAD_TYPE,
            sequence + index & 0xFFFF,
            timestamp & 0xFFFFFFFF,
            ssrc,
        )
        + body
        for index, body in enumerate(bodies)
    ]


def sender_report(*, ssrc: int, wall: datetime, timestamp: int, packets: int, octets: int) -> bytes:
    """A compound RTCP packet that ties the RTP clock to the wall clock (RFC 3550, 6.4.1)."""
    since = wall - _NTP_EPOCH
    seconds = since.days * 86_400 + since.seconds
    fraction = (since.microseconds << 32) // 1_000_000
    report = struct.pack(
        "!BBHIIIIII",
        0x80,
        200,
        6,
        ssrc,
        seconds & 0xFFFFFFFF,
        fraction,
        timestamp & 0xFFFFFFFF,
        packets & 0xFFFFFFFF,
        octets & 0xFFFFFFFF,
    )
    # A sender report must come with a source description (RFC 3550, 6.1): CNAME, padded to 32 bit.
    name = b"siaga-simulator"
    items = bytes([1, len(name)]) + name + b"\x00"
    items += b"\x00" * (-len(items) % 4)
    description = struct.pack("!BBHI", 0x81, 202, 1 + len(items) // 4, ssrc) + items
    return report + description


def interleave(channel: int, packets: Sequence[bytes]) -> bytes:
    """The packets as RTSP sends them inside its own connection (RFC 2326, 10.12)."""
    return b"".join(struct.pack("!cBH", b"$", channel, len(packet)) + packet for packet in packets)
