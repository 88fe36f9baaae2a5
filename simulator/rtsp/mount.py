"""One path of the server: a source's pictures, packetised once, to everyone who plays it.

A mount runs while it has readers, and a little longer; then its source rests. A new reader gets the
pictures since the latest keyframe at once, and from there on what is live.
"""

from __future__ import annotations

import asyncio
import logging
import random
import zlib
from dataclasses import dataclass, field

from simulator.rtsp.digest import Credentials
from simulator.rtsp.faults import HEALTHY, Faults
from simulator.rtsp.nal import Picture
from simulator.rtsp.rtp import CLOCK_HZ, interleave, packetise, sender_report
from simulator.rtsp.sdp import describe
from simulator.rtsp.sources import Source
from simulator.rtsp.timeline import Timeline

_log = logging.getLogger(__name__)

_REPORT_EVERY_S = 2.0
_LINGER_S = 1.0

# The bound on what a reader may lag: two seconds of a good camera. Beyond it pictures are left out
# up to the next keyframe; a reader that takes nothing for so long is closed.
_MOST_UNSENT_BYTES = 2_000_000
_MOST_SKIPPING_S = 20.0


@dataclass(slots=True, eq=False)
class _Sent:
    """A packetised picture; the bytes are shared by readers that use the same channel."""

    packets: list[bytes]
    sequence: int
    timestamp: int
    shown_s: float
    is_keyframe: bool
    _wire: dict[int, bytes] = field(default_factory=dict)

    def wire(self, channel: int) -> bytes:
        if channel not in self._wire:
            self._wire[channel] = interleave(channel, self.packets)
        return self._wire[channel]


@dataclass(slots=True, eq=False)
class Playing:
    """One client's side of a mount."""

    peer: str
    transport: asyncio.WriteTransport
    rtp_channel: int
    rtcp_channel: int
    waits_for_key: bool = False
    skipping_since_s: float | None = None
    reported_s: float = float("-inf")
    packets: int = 0
    octets: int = 0


class Mount:
    """See the module's description. Its methods belong to the server's event loop."""

    def __init__(
        self,
        path: str,
        source: Source,
        timeline: Timeline,
        *,
        credentials: Credentials | None,
    ) -> None:
        self.path = path
        self.credentials = credentials
        self.faults: Faults = HEALTHY
        """What is wrong just now; set it at any time, from any thread."""
        self.pictures_sent = 0
        """Pictures since the server started, each counted once for all readers."""
        self._source = source
        self._timeline = timeline
        # Seeded by the path: the same path has the same losses and identifiers in every run.
        self._random = random.Random(zlib.crc32(path.encode()))  # noqa: S311 - nothing secret
        self._ssrc = self._random.getrandbits(32)
        self._timestamp_base = self._random.getrandbits(32)
        self._sequence = self._random.getrandbits(16)
        self._group: list[_Sent] = []
        self._playing: dict[Playing, None] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def reader_count(self) -> int:
        """How many clients are playing."""
        return len(self._playing)

    def unsent_bytes(self) -> int:
        """What waits in memory for readers that are slow to take it, all together."""
        return sum(reader.transport.get_write_buffer_size() for reader in self._playing)

    def description(self) -> str:
        """The SDP."""
        return describe(self._source.codec, self._source.parameter_sets, self.path)

    def rtp_info(self, url: str) -> str | None:
        """PLAY's ``RTP-Info``: where sequence and time start; None before the first picture."""
        if not self._group:
            return None
        first = self._group[0]
        return f"url={url};seq={first.sequence & 0xFFFF};rtptime={first.timestamp & 0xFFFFFFFF}"

    def play(self, reader: Playing) -> None:
        """Start sending, from the latest keyframe."""
        self._playing[reader] = None
        for sent in self._group:
            self._send(reader, sent)
        if self._task is None:
            self._start()

    def leave(self, reader: Playing) -> None:
        """Stop sending to a reader; one that isn't playing is fine too."""
        self._playing.pop(reader, None)

    def drop_readers(self) -> None:
        """Close every connection that plays this path, once, as a rebooting camera does."""
        for reader in list(self._playing):
            self._close(reader, "dropped on purpose")

    async def stop(self) -> None:
        """Stop the source; readers are the server's to close."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"mount {self.path}")
        self._task.add_done_callback(self._ended)

    async def _run(self) -> None:
        unread_since_s = self._timeline.elapsed_s()
        async for picture in self._source.pictures(self._timeline):
            await self._timeline.sleep_until(picture.due_s)
            self._spread(self._packetise(picture))
            self.pictures_sent += 1
            now_s = self._timeline.elapsed_s()
            if self._playing:
                unread_since_s = now_s
            elif now_s - unread_since_s > _LINGER_S:
                return

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        self._group.clear()
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            # The readers come again, which starts the source anew.
            _log.error("the pictures of /%s ended", self.path, exc_info=error)
            self.drop_readers()
        elif self._playing:
            # Someone came between the last picture and the end.
            self._start()

    def _packetise(self, picture: Picture) -> _Sent:
        timestamp = self._ticks(picture.shown_s)
        packets = packetise(
            self._source.codec,
            picture.nals,
            sequence=self._sequence,
            timestamp=timestamp,
            ssrc=self._ssrc,
        )
        sent = _Sent(packets, self._sequence, timestamp, picture.shown_s, picture.is_keyframe)
        self._sequence += len(packets)
        if picture.is_keyframe:
            self._group.clear()
        self._group.append(sent)
        return sent

    def _spread(self, sent: _Sent) -> None:
        faults = self.faults
        if faults.drop:
            self.drop_readers()
        if faults.loss:
            kept = [packet for packet in sent.packets if self._random.random() >= faults.loss]
            sent = _Sent(kept, sent.sequence, sent.timestamp, sent.shown_s, sent.is_keyframe)
        for reader in list(self._playing):
            self._send(reader, sent)

    def _send(self, reader: Playing, sent: _Sent) -> None:
        if self.faults.stall:
            reader.waits_for_key = True
            return
        if self.faults.garbage:
            reader.waits_for_key = True
            reader.transport.write(self._random.randbytes(1_000))
            return
        now_s = self._timeline.elapsed_s()
        if not self._keeps_up(reader, now_s):
            return
        if reader.waits_for_key and not sent.is_keyframe:
            return
        reader.waits_for_key = False
        if now_s - reader.reported_s >= _REPORT_EVERY_S:
            reader.reported_s = now_s
            # For the picture that follows: FFmpeg counts from the first report's time, and would
            # put the pictures of a running group before its beginning.
            report = sender_report(
                ssrc=self._ssrc,
                wall=self._timeline.wall(sent.shown_s + self.faults.clock_off_s),
                timestamp=sent.timestamp,
                packets=reader.packets,
                octets=reader.octets,
            )
            reader.transport.write(interleave(reader.rtcp_channel, [report]))
        wire = sent.wire(reader.rtp_channel)
        reader.transport.write(wire)
        reader.packets += len(sent.packets)
        # What counts are payload octets: four bytes of framing and twelve of header are none.
        reader.octets += len(wire) - 16 * len(sent.packets)

    def _keeps_up(self, reader: Playing, now_s: float) -> bool:
        unsent = reader.transport.get_write_buffer_size()
        if reader.skipping_since_s is None:
            if unsent <= _MOST_UNSENT_BYTES:
                return True
            reader.skipping_since_s = now_s
            reader.waits_for_key = True
            _log.warning("%s reads /%s too slowly: pictures are left out", reader.peer, self.path)
            return False
        if unsent <= _MOST_UNSENT_BYTES // 2:
            reader.skipping_since_s = None
            return True
        if now_s - reader.skipping_since_s > _MOST_SKIPPING_S:
            self._close(reader, "too slow for too long")
        return False

    def _close(self, reader: Playing, why: str) -> None:
        _log.info("closing %s on /%s: %s", reader.peer, self.path, why)
        self.leave(reader)
        reader.transport.abort()

    def _ticks(self, elapsed_s: float) -> int:
        return self._timestamp_base + round(elapsed_s * CLOCK_HZ)
