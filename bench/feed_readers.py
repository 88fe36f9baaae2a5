"""Many readers of a websocket feed in one process, as light as can be.

They share the machine with the server that is measured, so each is a bare `asyncio.Protocol` that
reads frames and looks for sequence numbers, instead of a full client that parses JSON.
"""

from __future__ import annotations

import asyncio
import re
import socket
import time
from array import array
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

_CHANGE = re.compile(
    rb'"type":"change","seq":(\d+),"prev_seq":(\d+),"recorded_at":"([^"]+)"', re.DOTALL
)
_SNAPSHOT = re.compile(rb'"type":"snapshot","seq":(\d+)')
_TEXT, _CLOSE, _PING = 1, 8, 9
CONNECTS_AT_ONCE = 50


@dataclass
class Findings:
    """What one process's readers saw."""

    received: int = 0
    out_of_order: int = 0
    closed: int = 0
    last_at_s: float = 0.0
    """Wall clock of the last change that came."""
    delays_s: array[float] = field(default_factory=lambda: array("d"))


class _Reader(asyncio.Protocol):
    """One connection: handshake, then frames; answers pings."""

    def __init__(self, request: bytes, findings: Findings) -> None:
        self._request = request
        self._findings = findings
        self._buffer = bytearray()
        self._is_open = False
        self.seq = -1
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- for the type checker
        self._transport = transport
        transport.write(self._request)

    def connection_lost(self, error: Exception | None) -> None:
        self._findings.closed += 1
        if not self.ended.done():
            self.ended.set_result(None)
        if not self.opened.done():
            self.opened.set_exception(error or ConnectionError("closed during the handshake"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._is_open and not self._open():
            return
        now_s = time.time()
        for opcode, payload in self._frames():
            if opcode == _TEXT:
                self._read(payload, now_s)
            elif opcode == _PING:
                self._transport.write(bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
            elif opcode == _CLOSE:
                self._transport.close()

    def _open(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        if not head.startswith(b"HTTP/1.1 101"):
            self.opened.set_exception(ConnectionError(head.splitlines()[0].decode()))
            self._transport.close()
            return False
        self._is_open = True
        if self.seq >= 0:
            # One that resumes gets no snapshot.
            self.opened.set_result(None)
        return True

    def pause(self) -> None:
        """Read nothing more."""
        self._transport.pause_reading()

    def go_on(self) -> None:
        """Read on."""
        self._transport.resume_reading()

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        buffer = self._buffer
        while len(buffer) >= 2:
            length, start = buffer[1], 2
            if length == 126:
                start = 4
                length = int.from_bytes(buffer[2:4], "big")
            elif length == 127:
                start = 10
                length = int.from_bytes(buffer[2:10], "big")
            if len(buffer) < start + length:
                return
            opcode, payload = buffer[0] & 0x0F, bytes(buffer[start : start + length])
            del buffer[: start + length]
            yield opcode, payload

    def _read(self, payload: bytes, now_s: float) -> None:
        if (snapshot := _SNAPSHOT.search(payload[:200])) is not None:
            self.seq = int(snapshot[1])
            self.opened.set_result(None)
            return
        for change in _CHANGE.finditer(payload):
            self._findings.received += 1
            if int(change[2]) != self.seq:
                self._findings.out_of_order += 1
            self.seq = int(change[1])
            self._findings.last_at_s = now_s
            at = datetime.fromisoformat(change[3].decode())
            self._findings.delays_s.append(now_s - at.timestamp())


def read_in_process(pipe: Connection, url: str, headers: dict[str, str], count: int) -> None:
    """The body of a reader process. Answers over ``pipe``:

    * first ``"open"``, when every reader has had its snapshot;
    * to ``("findings", seq, timeout_s)`` what was seen since the last such question, once every
      reader has come to ``seq`` or the time is over;
    * ``"end"`` ends it.
    """
    asyncio.run(_read(pipe, url, headers, count))


async def _read(pipe: Connection, url: str, headers: dict[str, str], count: int) -> None:
    parts = urlsplit(url)
    request = _request(url, headers)
    findings = Findings()
    gate = asyncio.Semaphore(CONNECTS_AT_ONCE)
    loop = asyncio.get_running_loop()

    async def connect() -> _Reader:
        async with gate:
            _, reader = await loop.create_connection(
                lambda: _Reader(request, findings), parts.hostname or "", parts.port or 80
            )
            await reader.opened
            return reader

    readers = await asyncio.gather(*(connect() for _ in range(count)))
    pipe.send("open")
    while (question := await asyncio.to_thread(pipe.recv)) != "end":
        _, seq, timeout_s = question
        until_s = time.monotonic() + timeout_s
        while min(reader.seq for reader in readers) < seq and time.monotonic() < until_s:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        pipe.send(Findings(**vars(findings)))
        findings.received = findings.out_of_order = 0
        findings.delays_s = array("d")


def _request(url: str, headers: dict[str, str], after: int | None = None) -> bytes:
    parts = urlsplit(url)
    query = "" if after is None else f"?after={after}"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (
        f"GET {parts.path}{query} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Sec-WebSocket-Version: 13\r\n{lines}\r\n"
    ).encode()


@dataclass
class StallFindings:
    """What readers saw that stopped reading, and read on later."""

    cut_off: int
    """Those whose connection the server had ended."""
    received: int
    out_of_order: int
    complete: int
    """Those that have come to the end in the time given."""
    seconds: float
    """From reading on to the end."""


def stall_in_process(pipe: Connection, url: str, headers: dict[str, str], count: int) -> None:
    """The body of a process of readers that stall. Answers over ``pipe``:

    * first ``"open"``, when every reader has had its snapshot and has stopped reading;
    * to ``("resume", seq, timeout_s)`` a `StallFindings`, once all have come to ``seq``, those
      that were cut off by connecting anew after their last change;
    * ``"end"`` ends it.
    """
    asyncio.run(_stall(pipe, url, headers, count))


async def _stall(pipe: Connection, url: str, headers: dict[str, str], count: int) -> None:
    findings = Findings()
    loop = asyncio.get_running_loop()
    gate = asyncio.Semaphore(CONNECTS_AT_ONCE)

    async def connect(after: int | None) -> _Reader:
        async with gate:
            reader = _Reader(_request(url, headers, after), findings)
            if after is not None:
                reader.seq = after
            parts = urlsplit(url)
            line = socket.socket()
            # Left alone, the kernel would read megabytes on the reader's behalf.
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
            line.setblocking(False)
            await loop.sock_connect(line, (parts.hostname or "", parts.port or 80))
            await loop.create_connection(lambda: reader, sock=line)
            await reader.opened
            return reader

    readers = await asyncio.gather(*(connect(None) for _ in range(count)))
    for reader in readers:
        reader.pause()
    pipe.send("open")
    question = await asyncio.to_thread(pipe.recv)
    while question != "end":
        _, seq, timeout_s = question
        started_s = time.monotonic()
        gone = await asyncio.gather(
            *(_read_on(reader, seq, connect, timeout_s) for reader in readers)
        )
        pipe.send(
            StallFindings(
                cut_off=sum(one[0] for one in gone),
                received=findings.received,
                out_of_order=findings.out_of_order,
                complete=sum(one[1] for one in gone),
                seconds=time.monotonic() - started_s,
            )
        )
        question = await asyncio.to_thread(pipe.recv)


async def _read_on(
    reader: _Reader,
    seq: int,
    connect: Callable[[int | None], Awaitable[_Reader]],
    timeout_s: float,
) -> tuple[bool, bool]:
    """Whether it was cut off, and whether it has come to ``seq``."""
    was_cut_off = False
    until_s = time.monotonic() + timeout_s
    if not reader.ended.done():
        reader.go_on()
    while reader.seq < seq and time.monotonic() < until_s:
        if reader.ended.done():
            was_cut_off = True
            reader = await connect(reader.seq)
        await asyncio.sleep(0.05)
    return was_cut_off, reader.seq >= seq
