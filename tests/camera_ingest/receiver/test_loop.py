from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
import trustme

from camera_ingest.receiver.description import Track
from camera_ingest.receiver.loop import _Connection
from camera_ingest.receiver.nal import Codec
from camera_ingest.receiver.session import Playing, Requests
from camera_ingest.receiver.sign_in import SignIn
from camera_ingest.receiver.source import Mailbox
from camera_ingest.stopping import StopSignal
from contracts import CameraId
from plumbing.clock import SystemClock
from tests.camera_ingest.receiver.test_wire import pictures_of, wire_of

TRACK = Track(Codec.H264, 96, 90_000, "", "", b"", None)


class Line:
    """A camera's end of an encrypted connection, and ours."""

    def __init__(self) -> None:
        authority = trustme.CA()
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(serving)
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(trusting)
        plain, accepted = socket.socketpair()
        for end in (plain, accepted):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1_000_000)
        ours: list[ssl.SSLSocket] = []
        handshake = threading.Thread(
            target=lambda: ours.append(trusting.wrap_socket(plain, server_hostname="127.0.0.1"))
        )
        handshake.start()
        self.camera = serving.wrap_socket(accepted, server_side=True)
        handshake.join(10)
        self.ours = ours[0]
        self.ours.setblocking(False)


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.camera.close()
    made.ours.close()


def test_an_encrypted_camera_of_many_megabits_is_kept_up_with(line: Line) -> None:
    """Encrypted, what waits comes 16 KB at a time; a turn must take more than a few of those."""
    wire = b"".join(wire_of(Codec.H264, pictures_of(Codec.H264, count=15, size=25_000)))
    sending = threading.Thread(target=line.camera.sendall, args=(wire,))
    sending.start()
    sending.join(10)
    assert not sending.is_alive(), "the system's buffers hold it"
    requests = Requests("rtsp://camera/", SignIn(None))
    playing = Playing(line.ours, b"", TRACK, 0, 1, requests, 60.0)
    mailbox = Mailbox()
    connection = _Connection(CameraId("a"), playing, mailbox, 30.0, SystemClock())
    connection.read(memoryview(bytearray(262_144)), 0.0)
    assert sum(packet.size for packet in mailbox.take(StopSignal())) > 0.9 * len(wire)
