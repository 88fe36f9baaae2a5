"""From received bytes to pictures: frames of the interleaved connection, RTP, RTCP, answers.

Pure: bytes come in, whole access units and the camera's answers go out. For each RTP packet it
looks at the sequence number, the time stamp, the marker and, until it knows whether the picture is
a keyframe, the kind of unit; nothing is copied.

Cameras' habits that it takes: RTP before the answer to PLAY, parameter sets as a picture of their
own, a marker on every slice instead of on the last, time stamps that stand still or start anew,
rubbish between frames. What is missing is known by the gap in the sequence numbers, and its picture
is marked as damaged.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from camera_ingest.packets import VideoPacket
from camera_ingest.receiver.messages import Answer, NoRtsp, parse_message
from camera_ingest.receiver.nal import Codec
from camera_ingest.receiver.pieces import (
    HEADER_BYTES,
    Channel,
    PictureInPieces,
    Span,
    payload_bounds,
)

_DOLLAR = 0x24
_RTP = struct.Struct("!BBHI")
_SENDER_REPORT = struct.Struct("!III")
_NTP_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)

MAX_PICTURE_BYTES = 16_000_000
MAX_RUBBISH_BYTES = 1_000_000
"""So much without a frame in between, and the stream is given up."""


class RubbishError(Exception):
    """What comes is no RTSP connection any more."""


@dataclass(frozen=True, slots=True)
class _ClockReport:
    """What a sender report says: this RTP time is that wall clock time."""

    wall: datetime
    timestamp: int


class WireCutter:
    """One connection's bytes; feed them as they come."""

    def __init__(self, channel: Channel, rtcp_channel: int, clock_hz: int, now: datetime) -> None:
        self.answers: list[Answer] = []
        """The camera's messages; whoever feeds takes them away."""
        self.ssrc: int | None = None
        self.lost_packets = 0
        self._channel = channel
        self._rtcp_channel = rtcp_channel
        self._clock_hz = clock_hz
        self._rest = b""
        self._rubbish = 0
        self._report: _ClockReport | None = None
        self._sequence = -1
        # The picture being received.
        self._spans: list[Span] = []
        self._is_open = False
        self._timestamp = 0
        self._is_keyframe = False
        self._kind_known = False
        self._is_damaged = False
        # Time.
        self._received_at = now
        self._base: int | None = None
        self._ticks = 0
        self._closed_timestamp: int | None = None
        self._markers_lie = False

    @property
    def has_rubbish(self) -> bool:
        """Since the last packet of the track something came that makes no sense."""
        return self._rubbish > 0

    @property
    def highest_sequence(self) -> int:
        """The latest RTP packet's number."""
        return self._sequence - 1 & 0xFFFF

    def feed(self, chunk: bytes, received_at: datetime) -> list[VideoPacket]:
        """The pictures that are whole now, in the order of decoding.

        Args:
            chunk: The connection's next bytes.
            received_at: When they came.

        Raises:
            RubbishError: it makes no sense any more.
        """
        data = self._rest + chunk if self._rest else chunk
        number, rtcp = self._channel.number, self._rtcp_channel
        payload_type = self._channel.payload_type
        unpack = _RTP.unpack_from
        self._received_at = received_at
        pictures: list[VideoPacket] = []
        at, end, first = 0, len(data), 0
        while end - at >= 4:
            if data[at] != _DOLLAR:
                if at > first and self._is_open:
                    self._spans.append((data, first, at))
                moved = self._skip_text(data, at)
                if moved is None:
                    first = at
                    break
                first = at = moved
                continue
            channel = data[at + 1]
            after = at + 4 + (data[at + 2] << 8 | data[at + 3])
            if after > end:
                break
            if channel == number and after - at > HEADER_BYTES:
                head, kind, sequence, timestamp = unpack(data, at + 4)
                if kind & 0x7F == payload_type and head & 0xC0 == 0x80:
                    self._rubbish = 0
                    if timestamp != self._timestamp or not self._is_open:
                        if self._is_open:
                            self._note_missing_end(sequence)
                            self._close(data, first, at, pictures)
                        first = at
                        self._begin(timestamp)
                    if sequence != self._sequence:
                        self._note_gap(sequence)
                    self._sequence = sequence + 1 & 0xFFFF
                    if not self._kind_known:
                        self._look_at(data, at, after)
                    if kind & 0x80 and self._kind_known and not self._markers_lie:
                        self._close(data, first, after, pictures)
                        first = after
            elif channel == rtcp and after - at >= 4 + 8:
                self._hear(data, at + 4, after)
            elif channel not in (number, rtcp):
                self._rubbish += after - at
            at = after
        if self._is_open and at > first:
            self._spans.append((data, first, at))
            if sum(stop - start for _, start, stop in self._spans) > MAX_PICTURE_BYTES:
                raise RubbishError
        self._rest = data[at:]
        return pictures

    def _begin(self, timestamp: int) -> None:
        if self._base is None:
            self._base = self._timestamp = timestamp
        step = (timestamp - self._timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        self._ticks += step
        self._timestamp = timestamp
        self._is_open = True
        # Parameter sets that came as a picture of their own are kept before the next one's.
        if self._kind_known:
            self._is_keyframe = self._kind_known = self._is_damaged = False

    def _close(self, data: bytes, first: int, end: int, out: list[VideoPacket]) -> None:
        """The picture ends at ``end``; without a coded slice it goes on as the next one's head."""
        self._is_open = False
        if end > first:
            self._spans.append((data, first, end))
        if not self._kind_known:
            if len(self._spans) > 64:  # no picture in sight: don't gather them for ever
                self._spans.clear()
            return
        body = PictureInPieces(self._channel, tuple(self._spans))
        self._spans.clear()
        self._closed_timestamp = self._timestamp
        out.append(
            VideoPacket(
                body=body,
                stream_s=self._ticks / self._clock_hz,
                is_keyframe=self._is_keyframe,
                received_at=self._received_at,
                camera_at=self._camera_time(),
                is_damaged=self._is_damaged,
            )
        )

    def _note_missing_end(self, sequence: int) -> None:
        """A picture ends without a marker: what is missing before ``sequence`` was its end."""
        missing = sequence - self._sequence & 0xFFFF
        if missing:
            self._is_damaged = True
        if missing == 1:  # the marker itself, then; the next picture is whole
            self.lost_packets += 1
            self._sequence = sequence

    def _note_gap(self, sequence: int) -> None:
        if self._sequence >= 0:
            self.lost_packets += sequence - self._sequence & 0xFFFF
            self._is_damaged = True
        self._sequence = sequence

    def _look_at(self, data: bytes, at: int, after: int) -> None:
        """What the first units of a picture tell: keyframe or not, and their parameter sets."""
        start, stop = at + HEADER_BYTES, after
        if data[at + 4] & 0x3F:
            start, stop = payload_bounds(data, at, after)
        if stop - start < 4:
            return
        if self.ssrc is None:
            self.ssrc = int.from_bytes(data[at + 12 : at + 16], "big")
        if self._channel.codec is Codec.H264:
            kind = data[start] & 0x1F
            if kind == 24:
                self._look_into_aggregate(data, start + 1, stop)
            elif kind == 28:
                self._note_fragment(data[start + 1], data[start + 1] & 0x1F, data[start + 2])
            else:
                self._note_unit(kind, data[start + 1])
            return
        kind = data[start] >> 1 & 0x3F
        if kind == 48:
            self._look_into_aggregate(data, start + 2, stop)
        elif kind == 49:
            self._note_fragment(data[start + 2], data[start + 2] & 0x3F, data[start + 3])
        else:
            self._note_unit(kind, data[start + 2])

    def _look_into_aggregate(self, data: bytes, at: int, stop: int) -> None:
        codec = self._channel.codec
        head = 1 if codec is Codec.H264 else 2
        while at + 2 < stop and not self._kind_known:
            length = data[at] << 8 | data[at + 1]
            unit, at = at + 2, at + 2 + length
            if length <= head or at > stop:
                return
            kind = data[unit] & 0x1F if codec is Codec.H264 else data[unit] >> 1 & 0x3F
            self._note_unit(kind, data[unit + head])

    def _note_fragment(self, fragment_head: int, kind: int, slice_head: int) -> None:
        if fragment_head & 0x80:
            self._note_unit(kind, slice_head)
        elif self._is_slice(kind):  # its beginning, which would have told all, is missing
            self._is_damaged = True
            self._note_unit(kind, 0x80)

    def _is_slice(self, kind: int) -> bool:
        return 1 <= kind <= 5 if self._channel.codec is Codec.H264 else kind < 32

    def _note_unit(self, kind: int, slice_head: int) -> None:
        if self._channel.codec is Codec.H264:
            # Cameras that refresh by and by send no IDR pictures; parameter sets begin a group.
            self._is_keyframe |= kind in (5, 7)
        else:
            self._is_keyframe |= 16 <= kind <= 21
        if not self._is_slice(kind):
            return
        self._kind_known = True
        starts_picture = slice_head & 0x80
        if not starts_picture and not self._is_damaged:
            # A slice that goes on with a picture of the same time, which a marker had ended.
            if self._timestamp == self._closed_timestamp:
                self._markers_lie = True
            self._is_damaged = True

    def _hear(self, data: bytes, start: int, after: int) -> None:
        """Sender reports in a compound RTCP packet (RFC 3550, 6.4.1)."""
        while start + 8 <= after:
            length = 4 * (int.from_bytes(data[start + 2 : start + 4], "big") + 1)
            if data[start + 1] == 200 and length >= 28 and start + length <= after:
                seconds, fraction, timestamp = _SENDER_REPORT.unpack_from(data, start + 8)
                if seconds:  # cameras without a clock report zero
                    wall = _NTP_EPOCH + timedelta(seconds=seconds + fraction / 2**32)
                    self._report = _ClockReport(wall, timestamp)
            start += length

    def _camera_time(self) -> datetime | None:
        report = self._report
        if report is None:
            return None
        since = (self._timestamp - report.timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        return report.wall + timedelta(seconds=since / self._clock_hz)

    def _skip_text(self, data: bytes, at: int) -> int | None:
        """Past a message, or rubbish, to where the next frame may begin; none to wait for more."""
        try:
            parsed = parse_message(data, at)
        except NoRtsp:
            following = data.find(b"$", at + 1)
            moved = following if following >= 0 else len(data)
            self._rubbish += moved - at
            if self._rubbish > MAX_RUBBISH_BYTES:
                raise RubbishError from None
            return moved
        if parsed is None:
            return None
        self.answers.append(parsed[0])
        return parsed[1]
