"""What we report back to a camera (RFC 3550, 6.4.2): some stop sending to whoever never does."""

from __future__ import annotations

import struct

_OUR_SSRC = 0x51A6A112
_NAME = b"siaga"


def receiver_report(channel: int, ssrc: int, highest_sequence: int, lost: int) -> bytes:
    """A compound RTCP packet, interleaved: what was received of ``ssrc``, and who says so."""
    block = struct.pack(
        "!IIIIII", ssrc, min(lost, 0x7FFFFF), highest_sequence & 0xFFFFFFFF, 0, 0, 0
    )
    report = struct.pack("!BBHI", 0x81, 201, 7, _OUR_SSRC) + block
    items = bytes((1, len(_NAME))) + _NAME + b"\x00"
    items += b"\x00" * (-len(items) % 4)
    source = struct.pack("!BBHI", 0x81, 202, 1 + len(items) // 4, _OUR_SSRC) + items
    packet = report + source
    return struct.pack("!BBH", 0x24, channel, len(packet)) + packet
