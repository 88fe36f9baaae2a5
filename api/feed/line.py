"""The websocket protocol of the server, with a direct line for the feed.

A server's text frame is the same bytes for every reader (nothing is masked, and compression is
off), so the feed builds a frame once and writes it to each connection, where ASGI would encode
and frame it anew for each. The line also lets a stalled reader be told why it is cut off: the
close frame is queued behind what it hasn't read, and the connection is dropped if it never does.
"""

from __future__ import annotations

import socket

from starlette.types import Scope
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode

EXTENSION = "siaga.line"
SEND_BUFFER_BYTES = 256 * 1024
"""Kernel memory that one reader may hold; left alone, Linux grants megabytes to each."""
CLOSE_GRACE_S = 10.0
"""How long a reader that is cut off may take to read what it was sent before."""


class LineClosed(Exception):
    """The reader has gone."""


def text_frame(payload: bytes) -> bytes:
    """One unfragmented, uncompressed text frame as a server sends it (RFC 6455, section 5.2)."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


class Line(WebSocketsSansIOProtocol):
    """uvicorn's websocket protocol, which tells the application of itself."""

    async def run_asgi(self) -> None:
        """Run the application with this line among the scope's extensions."""
        raw = self.transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        extensions = self.scope["extensions"]
        if extensions is not None:
            extensions[EXTENSION] = {"line": self}
        await super().run_asgi()

    async def send(self, message: ASGISendEvent) -> None:
        """Send what the application says (ASGI)."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and self.close_sent:
            # A refusal in words is an end of the handshake too; uvicorn would log it as an error.
            self.handshake_complete = True

    def offer(self, frame: bytes) -> bool:
        """Hand an encoded frame to the transport, which keeps what the kernel doesn't take; false,
        and nothing is sent, where the transport's buffer is above its mark or the reader gone.

        Called for each reader and change: what it costs, the feed costs.
        """
        if self.close_sent or self.disconnected or not self.writable.is_set():
            return False
        self.transport.write(frame)
        return True

    async def send_frame(self, frame: bytes) -> None:
        """Wait until the reader can take more, then write.

        Raises:
            LineClosed: it has gone.
        """
        while not self.offer(frame):
            if self.close_sent or self.disconnected:
                raise LineClosed
            await self.writable.wait()

    def finish(self, code: int, reason: str) -> None:
        """Say goodbye behind whatever the reader hasn't read yet; drop it if it never does."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(CLOSE_GRACE_S, self.transport.abort)


def line_of(scope: Scope) -> Line:
    """The line that a websocket came by."""
    line: Line = scope["extensions"][EXTENSION]["line"]
    return line
