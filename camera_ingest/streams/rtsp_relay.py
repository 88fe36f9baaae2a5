"""Between FFmpeg and a camera that only FFmpeg understands: it never gets to the network itself.

FFmpeg follows a camera's redirection wherever it leads, resolves names again, and encrypts without
looking at the certificate; none of that can be turned off. So it talks to a port of ours, for one
connection. We connect to the address that was checked, encrypt and check the certificate where the
camera speaks ``rtsps``, and hand the camera's answers on newly written, without a place to go to: a
redirection ends the connection.

Life cycle: opened for one stream, with a thread; it ends when either side hangs up.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
from urllib.parse import quote, urlsplit, urlunsplit

from camera_ingest.credentials import Credentials
from camera_ingest.receiver.judging import judging, tls_context
from camera_ingest.receiver.messages import Answer, NoRtsp, parse_message
from camera_ingest.stopping import StopSignal
from camera_ingest.streams.sockets import StoppableStream, connect
from contracts import CameraId
from plumbing.address_guard import PinnedAddress
from plumbing.settings import IngestSettings

_CHUNK = 65_536
_DOLLAR = 0x24
_LEFT_OUT = frozenset({"location", "content-length"})


class RedirectedError(Exception):
    """The camera wants to be looked for elsewhere."""


class AnswerFilter:
    """What a camera sends, cut into whole frames and messages; pure.

    Frames go on as they are, answers newly written, so that nothing is read in two ways. The
    camera's own requests and what makes no sense are left out.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """What may go on of what has come.

        Raises:
            RedirectedError: a redirection came.
        """
        data, at = self._rest + chunk, 0
        out: list[bytes] = []
        while at < len(data):
            if data[at] == _DOLLAR:
                after = at + 4 + (data[at + 2] << 8 | data[at + 3]) if len(data) >= at + 4 else -1
                if not 0 < after <= len(data):
                    break
                out.append(data[at:after])
                at = after
                continue
            if data[at] in b"\r\n":
                at += 1
                continue
            try:
                parsed = parse_message(data, at)
            except NoRtsp:
                following = data.find(b"$", at + 1)
                at = following if following >= 0 else len(data)
                continue
            if parsed is None:
                break
            answer, at = parsed
            if 300 <= answer.status < 400:
                raise RedirectedError
            if answer.status:
                out.append(_written(answer))
        self._rest = data[at:]
        return b"".join(out)


def _written(answer: Answer) -> bytes:
    lines = [f"RTSP/1.0 {answer.status} Answer"]
    lines += [f"{name}: {value}" for name, value in answer.headers if name not in _LEFT_OUT]
    if answer.body:
        lines.append(f"content-length: {len(answer.body)}")
    # A bare line break within a header would be another header to who reads on.
    clean = [line.replace("\r", " ").replace("\n", " ") for line in lines]
    return ("\r\n".join(clean) + "\r\n\r\n").encode() + answer.body


class RtspRelay:
    """One stream's; see the module's description.

    Raises:
        IngestError: when made: the camera can't be reached, by what it did.
        Stopped: when made: the order came.
    """

    def __init__(
        self,
        camera_id: CameraId,
        pinned: PinnedAddress,
        settings: IngestSettings,
        stop: StopSignal,
    ) -> None:
        self.was_redirected = False
        """Whether it ended because the camera wanted to be looked for elsewhere."""
        timeout_s = settings.open_timeout_s
        with judging(camera_id, timeout_s):
            stream = StoppableStream(connect(pinned.ip, pinned.port, timeout_s, stop), stop)
            try:
                if pinned.scheme == "rtsps":
                    context = tls_context(is_checked=settings.check_certificates)
                    encrypted = stream.start_tls(context, pinned.host, timeout_s)
                    if not isinstance(encrypted, StoppableStream):
                        raise TypeError("an encrypted connection must be stoppable too")
                    stream = encrypted
            except BaseException:
                stream.close()
                raise
        self._camera = stream.socket
        self._camera.settimeout(None)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._listener.settimeout(timeout_s)
        self._path = pinned.url
        threading.Thread(target=self._run, name=f"relay-{camera_id}", daemon=True).start()

    def url(self, credentials: Credentials | None) -> str:
        """What FFmpeg opens."""
        port = self._listener.getsockname()[1]
        at = f"127.0.0.1:{port}"
        if credentials is not None:
            user = quote(credentials.username, safe="")
            at = f"{user}:{quote(credentials.password, safe='')}@{at}"
        parts = urlsplit(self._path)
        return urlunsplit(("rtsp", at, parts.path, parts.query, ""))

    def close(self) -> None:
        """Hang up on both sides."""
        for one in (self._listener, self._camera):
            _hang_up(one)
            one.close()

    def _run(self) -> None:
        try:
            with contextlib.suppress(OSError):  # either side has hung up
                client, _ = self._listener.accept()
                with client:
                    client.settimeout(None)
                    self._relay(client)
        finally:
            self.close()

    def _relay(self, client: socket.socket) -> None:
        answers = AnswerFilter()
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ)
            selector.register(self._camera, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if client in ready:
                    asked = client.recv(_CHUNK)
                    if not asked:
                        return
                    self._camera.sendall(asked)
                # What TLS has decrypted already makes no socket readable.
                while self._camera in ready:
                    chunk = self._received()
                    if chunk is None:
                        break
                    if not chunk:
                        return
                    try:
                        allowed = answers.feed(chunk)
                    except RedirectedError:
                        self.was_redirected = True  # before FFmpeg is told that it is over
                        return
                    client.sendall(allowed)
                    if not (isinstance(self._camera, ssl.SSLSocket) and self._camera.pending()):
                        break

    def _received(self) -> bytes | None:
        """What the camera has sent; none where that is nothing to hand on yet, but a part of a
        record, or a session's ticket: who waited for more would leave FFmpeg's request lying.
        """
        self._camera.settimeout(0)
        try:
            return self._camera.recv(_CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        finally:
            self._camera.settimeout(None)


def _hang_up(connection: socket.socket) -> None:
    # The plain socket's: TLS would want to say goodbye first.
    with contextlib.suppress(OSError):  # gone already
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
