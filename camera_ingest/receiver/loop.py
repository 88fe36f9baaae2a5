"""One thread that reads all cameras' connections.

It doesn't wait for any of them. Every `TICK_S` it empties the sockets whose turn it is: a hot
camera's each time, a cold one's every fifth time, in turns. The system's buffers hold what comes in
between. So a camera costs ten reads a second however many packets it sends, where waiting for each
packet would cost hundreds of wakings.

Life cycle: the thread runs while there are connections; the first starts it, and it ends a little
after the last has left.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from camera_ingest.errors import (
    BROKE,
    ENDED,
    HUNG_UP,
    NO_VIDEO_ANY_MORE,
    IngestError,
    fell_silent,
)
from camera_ingest.packets import PacketSource
from camera_ingest.receiver.pieces import Channel
from camera_ingest.receiver.reports import receiver_report
from camera_ingest.receiver.session import Playing
from camera_ingest.receiver.source import Mailbox, ReceivedSource
from camera_ingest.receiver.wire import RubbishError, WireCutter
from camera_ingest.stopping import StopSignal
from contracts import CameraId, CameraState
from plumbing.clock import Clock
from plumbing.logs import get_logger

_log = get_logger("camera_ingest")

TICK_S = 0.02
COLD_TICKS = 5
"""A cold camera is read every so many ticks. Its packets' arrival is known no better than that,
which the smoothing of capture times takes out again."""
_BUFFER_BYTES = 262_144
_MOST_BYTES = 2_000_000
"""A camera and turn, however small the pieces (an encrypted connection gives 16 KB at a time): one
that floods us gets no more than the others."""
_REPORT_EVERY_S = 5.0
_LOOK_AFTER_S = 0.5
_IDLE_S = 5.0

_NOTHING_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError, InterruptedError)


class _Connection:
    """One camera's socket. Belongs to the loop's thread."""

    def __init__(
        self,
        camera_id: CameraId,
        playing: Playing,
        mailbox: Mailbox,
        read_timeout_s: float,
        clock: Clock,
    ) -> None:
        self.camera_id = camera_id
        self.hurried = False
        self.ended = False
        self.turn = 0
        self._socket = playing.socket
        self._mailbox = mailbox
        self._requests = playing.requests
        self._rtcp_channel = playing.rtcp_channel
        self._early = playing.early
        channel = Channel(playing.rtp_channel, playing.track.payload_type, playing.track.codec)
        clock_hz = playing.track.clock_hz
        self._cutter = WireCutter(channel, playing.rtcp_channel, clock_hz, clock.now())
        self._clock = clock
        self._read_timeout_s = read_timeout_s
        self._alive_every_s = playing.alive_every_s
        now_s = time.monotonic()
        self._picture_s = self._alive_s = self._reported_s = now_s
        self._has_pictures = False

    def read(self, buffer: memoryview, now_s: float) -> None:
        """Take what is there."""
        if self._early:
            early, self._early = self._early, b""
            self._take(early, now_s)
        left = _MOST_BYTES
        while left > 0:
            if self._mailbox.is_full:
                self._picture_s = now_s  # it isn't the camera that is slow
                return
            try:
                count = self._socket.recv_into(buffer)
            except _NOTHING_NOW:
                return
            except OSError:
                self._end(CameraState.STALLED, BROKE)
                return
            if count == 0:
                if self._has_pictures:
                    self._end(CameraState.STALLED, ENDED)
                else:
                    self._end(CameraState.REFUSED, HUNG_UP)
                return
            left -= count
            self._take(bytes(buffer[:count]), now_s)
            if self.ended:
                return

    def look_after(self, now_s: float) -> None:
        """Notice silence, and tell the camera that we are here."""
        if now_s - self._picture_s > self._read_timeout_s:
            if self._cutter.has_rubbish:
                self._end(CameraState.CORRUPT, NO_VIDEO_ANY_MORE)
            else:
                self._end(CameraState.STALLED, fell_silent(self._read_timeout_s))
            return
        for answer in self._cutter.answers:
            sign_in = self._requests.sign_in
            if 200 <= answer.status < 300:
                sign_in.accepted()
            elif answer.status == 401 and sign_in.challenged(answer.all_of("www-authenticate")):
                self._alive_s = float("-inf")  # said again at once, with the new nonce
        self._cutter.answers.clear()
        if now_s - self._alive_s > self._alive_every_s:
            self._alive_s = now_s
            self._send(self._requests.keep_alive())
        if now_s - self._reported_s > _REPORT_EVERY_S and self._cutter.ssrc is not None:
            self._reported_s = now_s
            self._send(
                receiver_report(
                    self._rtcp_channel,
                    self._cutter.ssrc,
                    self._cutter.highest_sequence,
                    self._cutter.lost_packets,
                )
            )

    def close(self) -> None:
        """Say goodbye and drop the connection."""
        if not self.ended:
            self._send(self._requests.farewell())
        self._socket.close()

    def fail(self, error: Exception) -> None:
        """A fault of ours, on this camera's data."""
        detail = f"the stream could not be processed ({type(error).__name__}); see the log"
        self._end(CameraState.CORRUPT, detail)

    def _take(self, chunk: bytes, now_s: float) -> None:
        try:
            packets = self._cutter.feed(chunk, self._clock.now())
        except RubbishError:
            self._end(CameraState.CORRUPT, NO_VIDEO_ANY_MORE)
            return
        if packets:
            self._picture_s = now_s
            self._has_pictures = True
            self._mailbox.put(packets, now_s)

    def _send(self, data: bytes) -> None:
        try:
            self._socket.send(data)
        except _NOTHING_NOW:
            return  # a full buffer: the camera hears from us the next time
        except OSError:
            self._end(CameraState.STALLED, BROKE)

    def _end(self, state: CameraState, detail: str) -> None:
        if not self.ended:
            self.ended = True
            self._mailbox.end(IngestError(self.camera_id, state, detail))


class ReceiverLoop:
    """See the module's description. Its methods may be called from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._orders: deque[Callable[[], None]] = deque()
        self._ordered = threading.Event()
        self._thread: threading.Thread | None = None
        self._connections: dict[_Connection, None] = {}
        self._turns = 0

    def receive(
        self, camera_id: CameraId, playing: Playing, read_timeout_s: float, stop: StopSignal
    ) -> PacketSource:
        """Read a camera from now on; ends when the source is closed."""
        mailbox = Mailbox()
        connection = _Connection(camera_id, playing, mailbox, read_timeout_s, self._clock)

        def hurry(hurried: bool) -> None:
            connection.hurried = hurried  # read by the loop at its next tick

        def leave() -> None:
            self._order(lambda: self._drop(connection))

        self._order(lambda: self._add(connection))
        return ReceivedSource(playing.track, mailbox, stop, hurry, leave)

    def _order(self, order: Callable[[], None]) -> None:
        with self._lock:
            self._orders.append(order)
            self._ordered.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rtsp-receiver", daemon=True)
                self._thread.start()

    def _add(self, connection: _Connection) -> None:
        self._turns += 1
        connection.turn = self._turns % COLD_TICKS
        self._connections[connection] = None

    def _drop(self, connection: _Connection) -> None:
        if connection in self._connections:
            del self._connections[connection]
            connection.close()

    def _run(self) -> None:
        buffer = memoryview(bytearray(_BUFFER_BYTES))
        tick, looked_s = 0, 0.0
        busy_s = next_s = time.monotonic()
        while True:
            self._obey()
            now_s = time.monotonic()
            tick = (tick + 1) % COLD_TICKS
            for connection in self._connections:
                if (connection.hurried or connection.turn == tick) and not connection.ended:
                    with self._guarding(connection):
                        connection.read(buffer, now_s)
            if now_s - looked_s >= _LOOK_AFTER_S:
                looked_s = now_s
                for connection in self._connections:
                    if not connection.ended:
                        with self._guarding(connection):
                            connection.look_after(now_s)
            if self._connections:
                busy_s = now_s
            with self._lock:
                if now_s - busy_s > _IDLE_S and not self._orders:
                    self._thread = None
                    return
            next_s = max(next_s + TICK_S, now_s)
            self._ordered.wait(
                max(0.0, next_s - time.monotonic()) if self._connections else _IDLE_S
            )

    @contextmanager
    def _guarding(self, connection: _Connection) -> Iterator[None]:
        """One camera's data must not end the watching of all others."""
        try:
            yield
        except Exception as error:  # noqa: BLE001
            _log.exception("receiver_failed", camera_id=connection.camera_id)
            connection.fail(error)

    def _obey(self) -> None:
        self._ordered.clear()
        while True:
            with self._lock:
                if not self._orders:
                    return
                order = self._orders.popleft()
            order()
