"""How a camera is brought to send: redirects, passwords, certificates, what is left to FFmpeg."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import trustme

from camera_ingest import IngestError, StreamOpener, StreamReader
from camera_ingest.receiver.messages import parse_message
from contracts import CameraState, StreamSource
from plumbing.address_guard import AddressGuard
from plumbing.clock import SystemClock
from plumbing.sealing import Sealer
from plumbing.settings import IngestSettings
from tests.camera_ingest.encrypting import encrypting
from tests.support.rtsp import RtspThread

Register = Callable[..., StreamSource]
S = CameraState

PICTURE = """v=0\r
m=video 0 RTP/AVP 26\r
a=control:track1\r
"""


class ScriptedCamera:
    """Answers each request by what ``reply`` makes of it; keeps the requests."""

    def __init__(self, reply: Callable[[str, str], str]) -> None:
        self.requests: list[str] = []
        self._reply = reply
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/door?x=1"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> ScriptedCamera:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client, suppress(OSError):
                    client.settimeout(5)
                    self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        buffer = b""
        while got := client.recv(4096):
            buffer += got
            while (parsed := parse_message(buffer, 0)) is not None:
                text, buffer = buffer[: parsed[1]].decode(), buffer[parsed[1] :]
                self.requests.append(text)
                number = parsed[0].header("cseq")
                answer = self._reply(text.split(" ")[0], text)
                client.sendall(answer.replace("%n", number).encode())


def answering(status: str, *headers: str, body: str = "") -> str:
    lines = [f"RTSP/1.0 {status}", "CSeq: %n", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines) + "\r\n\r\n" + body


def failure_of(reader: StreamReader) -> IngestError:
    with pytest.raises(IngestError) as caught:
        for _ in reader.frames():
            pass
    return caught.value


def test_a_redirection_is_followed_through_the_guard(
    rtsp: RtspThread, clip: Path, registered: Register, opener: StreamOpener
) -> None:
    target = rtsp.serve_file("real", clip)

    def reply(method: str, _text: str) -> str:
        return (
            answering("302 Moved", f"Location: {target}")
            if method == "DESCRIBE"
            else (answering("200 OK"))
        )

    with ScriptedCamera(reply) as camera:
        source = registered(camera.url, username="admin", password="s3cret")
        assert len(list(islice(StreamReader(source, opener).frames(), 2))) == 2


@pytest.mark.parametrize(
    ("target", "state"),
    [
        ("rtsp://169.254.169.254/latest", S.UNREACHABLE),
        ("rtsp://10.1.2.3/x", S.UNREACHABLE),
        ("http://127.0.0.1/x", S.INVALID),
        ("file:///etc/passwd", S.UNREACHABLE),
        ("rtsp://127.0.0.1:bad/x", S.UNREACHABLE),
    ],
)
def test_a_redirection_to_a_forbidden_place_is_not(
    registered: Register, opener: StreamOpener, target: str, state: CameraState
) -> None:
    with ScriptedCamera(lambda _m, _t: answering("302 Moved", f"Location: {target}")) as camera:
        error = failure_of(StreamReader(registered(camera.url), opener))
    assert error.state is state
    assert "redirects" in error.detail


def test_redirections_in_a_circle_end(registered: Register, opener: StreamOpener) -> None:
    circle = ""

    def reply(_method: str, _text: str) -> str:
        return answering("301 Moved", f"Location: {circle}")

    with ScriptedCamera(reply) as camera:
        circle = camera.url
        assert failure_of(StreamReader(registered(circle), opener)).state is S.INVALID


def test_a_password_is_not_taken_to_another_host(
    registered: Register, settings: IngestSettings, sealer: Sealer
) -> None:
    challenge = answering("401 No", 'WWW-Authenticate: Basic realm="x"')
    with ScriptedCamera(lambda _m, _t: challenge) as other:
        port = other.url.split(":")[2].split("/")[0]
        location = f"Location: rtsp://localhost:{port}/x"
        with ScriptedCamera(lambda _m, _t: answering("302 Moved", location)) as camera:
            source = registered(camera.url, username="admin", password="s3cret")
            guard = AddressGuard((*settings.allow_private, "::1/128"))
            opener = StreamOpener(settings, SystemClock(), guard, sealer)
            error = failure_of(StreamReader(source, opener))
        assert error.state in (S.UNAUTHORISED, S.REFUSED)
        assert not any("authorization" in text.lower() for text in other.requests)


def test_basic_sign_in_is_given_where_it_is_asked_for(
    registered: Register, opener: StreamOpener
) -> None:
    def reply(_method: str, text: str) -> str:
        if "Authorization: Basic YWRtaW46czNjcmV0" not in text:
            return answering("401 No", 'WWW-Authenticate: Basic realm="x"')
        return answering("404 Not Found")

    with ScriptedCamera(reply) as camera:
        source = registered(camera.url, username="admin", password="s3cret")
        assert failure_of(StreamReader(source, opener)).state is S.NOT_FOUND
        assert failure_of(StreamReader(registered(camera.url), opener)).state is S.UNAUTHORISED


def test_a_nonce_that_holds_for_one_answer_is_no_wrong_password(
    registered: Register, opener: StreamOpener
) -> None:
    """Cameras whose nonces run out without a word about it."""
    nonces = ["first"]

    def reply(method: str, text: str) -> str:
        if f'nonce="{nonces[-1]}"' not in text:
            challenge = f'WWW-Authenticate: Digest realm="x", nonce="{nonces[-1]}"'
            return answering("401 No", challenge)
        nonces.append(f"after {method}")
        return answering("200 OK" if method == "OPTIONS" else "404 Not Found")

    with ScriptedCamera(reply) as camera:
        source = registered(camera.url, username="admin", password="s3cret")
        assert failure_of(StreamReader(source, opener)).state is S.NOT_FOUND


def test_the_camera_is_asked_by_the_address_in_the_register(
    registered: Register, opener: StreamOpener
) -> None:
    with ScriptedCamera(lambda _m, _t: answering("404 No")) as camera:
        failure_of(StreamReader(registered(camera.url), opener))
        assert camera.requests[-1].startswith(f"DESCRIBE {camera.url} RTSP/1.0\r\n")


def test_ffmpeg_is_not_asked_where_that_is_forbidden(
    registered: Register, settings: IngestSettings, sealer: Sealer
) -> None:
    strict = settings.model_copy(update={"ffmpeg_fallback": False})
    guard = AddressGuard(settings.allow_private)
    opener = StreamOpener(strict, SystemClock(), guard, sealer)
    with ScriptedCamera(lambda _m, _t: answering("200 OK", body=PICTURE)) as camera:
        error = failure_of(StreamReader(registered(camera.url), opener))
        assert error.state is S.INVALID
        assert "H.264 or H.265" in error.detail
        assert not any("Lavf" in text for text in camera.requests)


def test_encryption_and_whose_certificate_is_believed(
    rtsp: RtspThread, clip: Path, registered: Register, settings: IngestSettings, sealer: Sealer
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    plain = rtsp.serve_file("a", clip)
    guard = AddressGuard(settings.allow_private)
    with encrypting(int(plain.split(":")[2].split("/")[0]), context) as port:
        source = registered(f"rtsps://127.0.0.1:{port}/a")
        strict = StreamOpener(settings, SystemClock(), guard, sealer)
        error = failure_of(StreamReader(source, strict))
        assert error.state is S.UNREACHABLE
        assert "certificate" in error.detail
        accepting = replace(source, any_certificate=True)
        assert len(list(islice(StreamReader(accepting, strict).frames(), 3))) == 3
        trusting = settings.model_copy(update={"check_certificates": False})
        opener = StreamOpener(trusting, SystemClock(), guard, sealer)
        assert len(list(islice(StreamReader(source, opener).frames(), 3))) == 3
        by_ffmpeg = settings.model_copy(
            # FFmpeg looks at the stream for half a second, and each packet passes two relays.
            update={"own_rtsp": False, "open_timeout_s": 20.0}
        )
        strict = StreamOpener(by_ffmpeg, SystemClock(), guard, sealer)
        assert "certificate" in failure_of(StreamReader(source, strict)).detail
        assert len(list(islice(StreamReader(accepting, strict).frames(), 3))) == 3
