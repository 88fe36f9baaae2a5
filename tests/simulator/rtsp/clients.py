"""What the server's tests look through: PyAV, as the ingest uses it, and a bare socket."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from urllib.parse import urlsplit

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

_OPTIONS = {"rtsp_transport": "tcp", "analyzeduration": "500000"}


@dataclass(frozen=True)
class Seen:
    """A decoded picture as a client got it."""

    rgb: NDArray[np.uint8]
    shown_s: float
    is_corrupt: bool
    captured_at: datetime | None
    received_at: datetime


@contextmanager
def opened(url: str, *, read_s: float = 3.0) -> Iterator[InputContainer]:
    with av.open(url, options=dict(_OPTIONS), timeout=(5.0, read_s)) as container:
        assert isinstance(container, InputContainer)
        yield container


def pictures(container: InputContainer) -> Iterator[Seen]:
    """Decoded pictures with the capture time that belongs to each; ends with the stream."""
    captured: dict[int, datetime] = {}
    for packet in container.demux(video=0):
        if packet.size == 0:
            return
        if packet.pts is not None and packet.has_sidedata("prft"):
            data = packet.get_sidedata("prft")
            assert data is not None
            micros = struct.unpack_from("<q", bytes(data))[0]
            captured[packet.pts] = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
        for frame in packet.decode():
            assert isinstance(frame, av.VideoFrame)
            yield Seen(
                np.asarray(frame.to_ndarray(format="rgb24"), np.uint8),
                float(frame.time or 0),
                bool(frame.is_corrupt),
                captured.get(frame.pts or 0),
                datetime.now(UTC),
            )


def watch(url: str, count: int, *, read_s: float = 3.0) -> list[Seen]:
    with opened(url, read_s=read_s) as container:
        return list(islice(pictures(container), count))


def with_user(url: str, user: str, password: str) -> str:
    return url.replace("rtsp://", f"rtsp://{user}:{password}@")


class BareClient:
    """A client that speaks RTSP by hand, for what PyAV would never do."""

    def __init__(self, url: str, *, receive_buffer: int | None = None) -> None:
        parts = urlsplit(url)
        self.url = url
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(5)
        self.socket.connect((parts.hostname or "", parts.port or 0))
        self._number = 0

    def __enter__(self) -> BareClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, method: str, url: str | None = None, **headers: str) -> str:
        """Send a request; the answer's head and body come back, read byte by byte."""
        self._number += 1
        lines = [f"{method} {url or self.url} RTSP/1.0", f"CSeq: {self._number}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            got = self.socket.recv(1)
            if not got:
                break
            head += got
        length = re.search(rb"Content-Length: (\d+)", head)
        body = b""
        while length and len(body) < int(length[1]):
            body += self.socket.recv(int(length[1]) - len(body))
        return (head + body).decode()

    def play(self) -> str:
        """Set up channels 0 and 1 and play; the answer to PLAY comes back."""
        set_up = self.ask(
            "SETUP", f"{self.url}/trackID=0", Transport="RTP/AVP/TCP;unicast;interleaved=0-1"
        )
        session = re.search(r"Session: (\w+)", set_up)
        assert session is not None, set_up
        return self.ask("PLAY", Session=session[1])

    def interleaved(self) -> tuple[int, bytes]:
        """The next packet: its channel and bytes."""
        head = self._exactly(4)
        assert head[:1] == b"$"
        return head[1], self._exactly(int.from_bytes(head[2:], "big"))

    def _exactly(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            piece = self.socket.recv(count - len(got))
            if not piece:
                raise EOFError
            got += piece
        return got
