"""Talking a camera into sending: DESCRIBE, SETUP, PLAY, with sign-in and redirects.

All of it happens in the camera's own thread, blocking, within one deadline. Every address, that of
a redirection too, passes the guard, and what it pinned is connected to. The requests name the host
as the register does.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit, urlunsplit

from camera_ingest.credentials import Credentials
from camera_ingest.errors import (
    HUNG_UP,
    NO_VIDEO,
    TURNED_AWAY,
    IngestError,
    judge_status,
)
from camera_ingest.receiver.description import Track, Unspoken, parse_description, track_url
from camera_ingest.receiver.judging import judging, tls_context
from camera_ingest.receiver.messages import Answer, NoRtsp, parse_message, request
from camera_ingest.receiver.sign_in import SignIn
from camera_ingest.stopping import StopSignal
from camera_ingest.streams.sockets import StoppableStream, connect
from contracts import CameraId, CameraState
from plumbing.address_guard import AddressGuard, AddressRefused, PinnedAddress
from plumbing.settings import IngestSettings

MAX_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 305, 307, 308)
_MAX_EARLY_BYTES = 4_000_000
"""Pictures that come before the answer to PLAY."""
_INTERLEAVED = re.compile(r"interleaved=(\d{1,3})(?:-(\d{1,3}))?", re.IGNORECASE)
_DEFAULT_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Playing:
    """A camera that sends: what its receiver needs."""

    socket: socket.socket
    early: bytes
    """What came behind the answers."""
    track: Track
    rtp_channel: int
    rtcp_channel: int
    requests: Requests
    alive_every_s: float
    """How often the camera wants to hear from us."""


@dataclass(frozen=True, slots=True)
class At:
    """Where a camera was found, redirections followed, and what it is signed in with there."""

    pinned: PinnedAddress
    credentials: Credentials | None


class Requests:
    """The requests of one session, numbered and signed."""

    def __init__(self, url: str, sign_in: SignIn) -> None:
        self.url = url
        self.session = ""
        self.alive_method = "OPTIONS"
        self.sign_in = sign_in
        self._number = 0

    def make(self, method: str, url: str, headers: Iterable[tuple[str, str]] = ()) -> bytes:
        """A request's bytes."""
        self._number += 1
        session = [("Session", self.session)] if self.session else []
        signed = self.sign_in.header(method, url)
        return request(method, url, self._number, [*session, *signed, *headers])

    def keep_alive(self) -> bytes:
        """What tells the camera that we are still here."""
        return self.make(self.alive_method, self.url)

    def farewell(self) -> bytes:
        """What frees the camera's place for the next."""
        return self.make("TEARDOWN", self.url)


def open_session(
    camera_id: CameraId,
    pinned: PinnedAddress,
    credentials: Credentials | None,
    guard: AddressGuard,
    settings: IngestSettings,
    stop: StopSignal,
) -> Playing:
    """Bring the camera to send its first H.264 or H.265 track.

    Raises:
        IngestError: it doesn't, by what it did.
        Unspoken: it would, but nothing that is received here; `At` says where it was in the end.
        Stopped: the order came.
    """
    deadline_s = time.monotonic() + settings.open_timeout_s
    first_host = pinned.host
    for _ in range(MAX_REDIRECTS + 1):
        signed = credentials if pinned.host == first_host else None
        attempt = _Attempt(camera_id, pinned, signed, settings, stop, deadline_s)
        try:
            moved_to = attempt.run()
        except Unspoken as offer:
            raise Unspoken(offer.args[0], At(pinned, signed)) from None
        if isinstance(moved_to, Playing):
            return moved_to
        try:
            pinned = guard.resolve(moved_to)
        except AddressRefused as refusal:
            detail = f"the camera redirects to where nothing may be opened: {refusal.reason}"
            raise IngestError(camera_id, CameraState.UNREACHABLE, detail) from None
        if pinned.scheme not in ("rtsp", "rtsps"):
            detail = f"the camera redirects from RTSP to {pinned.scheme}: register that address"
            raise IngestError(camera_id, CameraState.INVALID, detail)
    detail = f"more than {MAX_REDIRECTS} redirections: check the URL"
    raise IngestError(camera_id, CameraState.INVALID, detail)


class _Attempt:
    """One connection to one address."""

    def __init__(
        self,
        camera_id: CameraId,
        pinned: PinnedAddress,
        credentials: Credentials | None,
        settings: IngestSettings,
        stop: StopSignal,
        deadline_s: float,
    ) -> None:
        self._camera_id = camera_id
        self._pinned = pinned
        self._credentials = credentials
        self._settings = settings
        self._stop = stop
        self._deadline_s = deadline_s
        parts = urlsplit(pinned.url)
        url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
        self._requests = Requests(url, SignIn(credentials))
        self._buffer = bytearray()
        self._early = bytearray()

    def run(self) -> Playing | str:
        """The playing session, or the address that the camera points to instead."""
        with self._judging():
            self._stream = StoppableStream(self._connect(), self._stop)
        try:
            with self._judging():
                if self._pinned.scheme == "rtsps":
                    self._encrypt()
                outcome = self._negotiate()
        except BaseException:
            self._stream.close()
            raise
        if isinstance(outcome, str):
            self._stream.close()
        return outcome

    def _connect(self) -> socket.socket:
        return connect(self._pinned.ip, self._pinned.port, self._left_s(), self._stop)

    def _encrypt(self) -> None:
        context = tls_context(is_checked=self._settings.check_certificates)
        stream = self._stream.start_tls(context, self._pinned.host, self._left_s())
        if not isinstance(stream, StoppableStream):
            raise TypeError("an encrypted connection must be stoppable too")
        self._stream = stream

    def _negotiate(self) -> Playing | str:
        requests = self._requests
        options = self._ask("OPTIONS", requests.url)
        if "GET_PARAMETER" in options.header("public").upper():
            requests.alive_method = "GET_PARAMETER"
        described = self._ask("DESCRIBE", requests.url, [("Accept", "application/sdp")])
        if described.status in _REDIRECTS and described.header("location"):
            return urljoin(requests.url, described.header("location"))
        self._require(described)
        track = parse_description(described.body)
        base = described.header("content-base") or described.header("content-location")
        base = urljoin(requests.url, base) if base else requests.url
        transport = "RTP/AVP/TCP;unicast;interleaved=0-1"
        set_up = self._ask("SETUP", track_url(base, track.control), [("Transport", transport)])
        if set_up.status == 461:
            raise Unspoken("RTSP without TCP")
        self._require(set_up)
        found = _INTERLEAVED.search(set_up.header("transport"))
        rtp = int(found[1]) if found else 0
        rtcp = int(found[2]) if found and found[2] else rtp + 1
        requests.session, _, rest = set_up.header("session").partition(";")
        requests.url = track_url(base, track.session_control)
        played = self._ask("PLAY", requests.url, [("Range", "npt=0.000-")])
        self._require(played)
        self._stream.socket.setblocking(False)
        return Playing(
            socket=self._stream.socket,
            early=bytes(self._early + self._buffer),
            track=track,
            rtp_channel=rtp,
            rtcp_channel=rtcp,
            requests=requests,
            alive_every_s=_timeout_s(rest) / 2.5,
        )

    def _ask(self, method: str, url: str, headers: Iterable[tuple[str, str]] = ()) -> Answer:
        """An answer; a challenge is answered first."""
        answer = self._ask_once(method, url, headers)
        for _ in range(2):  # a nonce may be out of date already
            challenges = answer.all_of("www-authenticate")
            if answer.status != 401 or not self._requests.sign_in.challenged(challenges):
                break
            answer = self._ask_once(method, url, headers)
        if answer.status != 401:
            self._requests.sign_in.accepted()
        return answer

    def _ask_once(self, method: str, url: str, headers: Iterable[tuple[str, str]]) -> Answer:
        self._stream.write(self._requests.make(method, url, headers), self._left_s())
        return self._next_answer()

    def _next_answer(self) -> Answer:
        buffer = self._buffer
        while True:
            answer = self._take_answer()
            if answer is not None:
                return answer
            got = self._stream.read(65_536, self._left_s())
            if not got:
                if buffer:  # whoever says something of its own and hangs up is no camera
                    raise self._error(CameraState.INVALID, NO_VIDEO)
                raise self._error(CameraState.REFUSED, HUNG_UP)
            buffer += got

    def _take_answer(self) -> Answer | None:
        """The buffer's first answer; pictures before it are kept for later."""
        buffer = self._buffer
        at = 0
        try:
            while at < len(buffer):
                if buffer[at] == 0x24:
                    if len(buffer) < at + 4:
                        break
                    after = at + 4 + (buffer[at + 2] << 8 | buffer[at + 3])
                    if after > len(buffer):
                        break
                    self._early += buffer[at:after]
                    at = after
                elif buffer[at] in b"\r\n":
                    at += 1
                else:
                    parsed = parse_message(buffer, at)
                    if parsed is None:
                        break
                    answer, at = parsed
                    if answer.status >= 200:
                        return answer
            if len(self._early) > _MAX_EARLY_BYTES:
                raise NoRtsp
        except NoRtsp:
            raise self._error(CameraState.INVALID, NO_VIDEO) from None
        finally:
            del buffer[:at]
        return None

    def _require(self, answer: Answer) -> None:
        if answer.status >= 400:
            state, detail = judge_status(
                answer.status, has_credentials=self._credentials is not None
            )
            raise self._error(state, detail)
        if answer.status >= 300:
            raise self._error(CameraState.REFUSED, f"{TURNED_AWAY} (status {answer.status})")

    def _left_s(self) -> float:
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s

    def _judging(self) -> AbstractContextManager[None]:
        return judging(self._camera_id, self._settings.open_timeout_s)

    def _error(self, state: CameraState, detail: str) -> IngestError:
        return IngestError(self._camera_id, state, detail)


def _timeout_s(parameters: str) -> float:
    found = re.search(r"timeout\s*=\s*(\d{1,5})", parameters, re.IGNORECASE)
    return max(5.0, float(found[1])) if found else _DEFAULT_TIMEOUT_S
