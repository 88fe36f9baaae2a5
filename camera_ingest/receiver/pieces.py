"""A coded picture as it lay on the wire: put together only when somebody wants its bytes.

The wire is RTSP's interleaving (RFC 2326, 10.12): ``$``, channel, length, packet. A picture is kept
as spans of the byte strings that were received, nothing of it copied. Of a cold camera's pictures
fifty in fifty-one are never wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from camera_ingest.receiver.nal import START_CODE, Codec

Span = tuple[bytes, int, int]
"""Received bytes, and where in them a part of the picture begins and ends, at whole frames."""

HEADER_BYTES = 16
"""Four of interleaving, twelve of RTP."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Which of the frames are the track's."""

    number: int
    payload_type: int
    codec: Codec


def payload_bounds(data: bytes, frame: int, after: int) -> tuple[int, int]:
    """Where in ``data`` the RTP payload of the frame at ``frame`` begins and ends (RFC 3550, 5.1).

    Equal or crossed where the packet holds none.
    """
    head = data[frame + 4]
    start = frame + HEADER_BYTES + 4 * (head & 0x0F)
    if head & 0x10 and start + 4 <= after:
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if head & 0x20 and after > start:
        after -= data[after - 1]
    return start, after


class PictureInPieces:
    """One access unit; see `camera_ingest.packets.CodedBytes`."""

    __slots__ = ("_channel", "_size", "_spans")

    def __init__(self, channel: Channel, spans: tuple[Span, ...]) -> None:
        self._channel = channel
        self._spans = spans
        self._size = sum(end - start for _, start, end in spans)

    @property
    def size(self) -> int:
        """Bytes on the wire: a percent more than the picture's."""
        return self._size

    def __bytes__(self) -> bytes:
        """Annex B. Fragments whose neighbours were lost are left out."""
        put_together = _join_h264 if self._channel.codec is Codec.H264 else _join_h265
        parts: list[bytes | memoryview] = []
        put_together(self._payloads(), parts)
        return b"".join(parts)

    def _payloads(self) -> Iterator[tuple[int, memoryview]]:
        """The track's payloads with their sequence numbers."""
        number, payload_type = self._channel.number, self._channel.payload_type
        for data, start, end in self._spans:
            view = memoryview(data)
            at = start
            while at < end:
                after = at + 4 + (data[at + 2] << 8 | data[at + 3])
                if data[at + 1] == number and after - at > HEADER_BYTES:
                    begin, stop = at + HEADER_BYTES, after
                    if data[at + 4] & 0x3F:
                        begin, stop = payload_bounds(data, at, after)
                    if begin < stop and data[at + 5] & 0x7F == payload_type:
                        yield data[at + 6] << 8 | data[at + 7], view[begin:stop]
                at = after


def _join_h264(payloads: Iterator[tuple[int, memoryview]], out: list[bytes | memoryview]) -> None:
    """RFC 6184: single units, STAP-A, FU-A; other kinds are left out."""
    expected = -1
    for sequence, payload in payloads:
        kind = payload[0] & 0x1F
        if kind == 28:
            if len(payload) < 3:
                continue
            if payload[1] & 0x80:
                out += (START_CODE, bytes((payload[0] & 0xE0 | payload[1] & 0x1F,)))
            elif sequence != expected:
                continue
            out.append(payload[2:])
            expected = sequence + 1 & 0xFFFF
        elif kind == 24:
            _split_aggregate(payload, 1, out)
        elif 0 < kind < 24:
            out += (START_CODE, payload)


def _join_h265(payloads: Iterator[tuple[int, memoryview]], out: list[bytes | memoryview]) -> None:
    """RFC 7798: single units, AP, FU; other kinds are left out."""
    expected = -1
    for sequence, payload in payloads:
        kind = payload[0] >> 1 & 0x3F
        if kind == 49:
            if len(payload) < 4:
                continue
            if payload[2] & 0x80:
                first = payload[0] & 0x81 | (payload[2] & 0x3F) << 1
                out += (START_CODE, bytes((first, payload[1])))
            elif sequence != expected:
                continue
            out.append(payload[3:])
            expected = sequence + 1 & 0xFFFF
        elif kind == 48:
            _split_aggregate(payload, 2, out)
        elif kind < 48 and len(payload) > 2:
            out += (START_CODE, payload)


def _split_aggregate(payload: memoryview, at: int, out: list[bytes | memoryview]) -> None:
    while at + 2 < len(payload):
        length = payload[at] << 8 | payload[at + 1]
        if length == 0 or at + 2 + length > len(payload):
            return
        out += (START_CODE, payload[at + 2 : at + 2 + length])
        at += 2 + length
