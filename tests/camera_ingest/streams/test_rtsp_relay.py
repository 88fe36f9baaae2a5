"""FFmpeg behind a relay: it sees what the camera sends, and reaches nothing else."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from camera_ingest import StreamOpener, StreamReader
from camera_ingest.receiver.messages import parse_message
from camera_ingest.stopping import StopSignal
from camera_ingest.streams.rtsp_relay import AnswerFilter, RedirectedError, RtspRelay
from contracts import CameraId, CameraState, StreamSource
from plumbing.address_guard import AddressGuard
from plumbing.clock import SystemClock
from plumbing.sealing import Sealer
from plumbing.settings import IngestSettings
from simulator.rtsp import Credentials
from tests.camera_ingest.encrypting import encrypting
from tests.camera_ingest.receiver.test_session import (
    PICTURE,
    ScriptedCamera,
    answering,
    failure_of,
)
from tests.support.rtsp import RtspThread

Register = Callable[..., StreamSource]
S = CameraState
PASSWORD = "p@ss w:rd/&%41"

FRAME = b"$\x00\x00\x06Locati"
OK = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nLocation: rtsp://10.0.0.1/\r\nContent-Length: 2\r\n\r\nhi"
RUBBISH = b"\x00\x01rubbish"
ASKED_BY_THE_CAMERA = (
    b"REDIRECT rtsp://a/ RTSP/1.0\r\nCSeq: 9\r\nLocation: rtsp://10.0.0.1/\r\n\r\n"
)
MOVED = b"RTSP/1.0 302 Moved\r\nCSeq: 1\r\nLocation: rtsp://10.0.0.1/\r\n\r\n"


@pytest.fixture
def by_ffmpeg(settings: IngestSettings, sealer: Sealer) -> StreamOpener:
    changed = settings.model_copy(update={"own_rtsp": False})
    return StreamOpener(changed, SystemClock(), AddressGuard(settings.allow_private), sealer)


@contextmanager
def inside() -> Iterator[tuple[str, socket.socket]]:
    """An address at which nobody is to knock, and its listener."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield f"rtsp://127.0.0.1:{listener.getsockname()[1]}/secret", listener


def test_pictures_come_through_it(
    rtsp: RtspThread, clip: Path, registered: Register, by_ffmpeg: StreamOpener
) -> None:
    url = rtsp.serve_file("a", clip, credentials=Credentials("admin", PASSWORD))
    source = registered(url, username="admin", password=PASSWORD)
    assert len(list(islice(StreamReader(source, by_ffmpeg, hot=True).frames(), 12))) == 12
    wrong = failure_of(StreamReader(registered(url, username="admin", password="x"), by_ffmpeg))
    assert wrong.state is S.UNAUTHORISED
    missing = registered(url.replace("/a", "/b"), username="admin", password=PASSWORD)
    assert failure_of(StreamReader(missing, by_ffmpeg)).state is S.NOT_FOUND


def test_who_asks_later_than_the_sessions_tickets_come_is_answered(
    rtsp: RtspThread, clip: Path, settings: IngestSettings
) -> None:
    """A server of TLS 1.3 sends them unasked: nothing to hand on, and nothing to wait behind."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    plain = urlsplit(rtsp.serve_file("late", clip))
    assert plain.port is not None
    trusting = settings.model_copy(update={"check_certificates": False})
    with encrypting(plain.port, context) as port:
        pinned = AddressGuard(settings.allow_private).resolve(f"rtsps://127.0.0.1:{port}/late")
        relay = RtspRelay(CameraId("cam-1"), pinned, trusting, StopSignal())
        opened = urlsplit(relay.url(None))
        assert opened.port is not None
        with socket.create_connection(("127.0.0.1", opened.port), timeout=10) as ffmpeg:
            time.sleep(0.3)  # for the relay to have come upon the tickets
            ffmpeg.sendall(f"OPTIONS {plain.geturl()} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
            assert ffmpeg.recv(4096).startswith(b"RTSP/1.0 200")


def test_ffmpeg_is_led_nowhere(registered: Register, by_ffmpeg: StreamOpener) -> None:
    with inside() as (secret, listener):
        moved = answering("302 Moved", f"Location: {secret}")
        with ScriptedCamera(lambda _m, _t: moved) as camera:
            error = failure_of(StreamReader(registered(camera.url), by_ffmpeg))
        assert error.state is S.REFUSED
        assert "redirects" in error.detail
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_camera_that_tells_ffmpeg_something_else_than_us(
    registered: Register, opener: StreamOpener
) -> None:
    with inside() as (secret, listener):

        def reply(method: str, text: str) -> str:
            if "Lavf" in text:
                return answering("302 Moved", f"Location: {secret}")
            return answering("200 OK", body=PICTURE if method == "DESCRIBE" else "")

        with ScriptedCamera(reply) as camera:
            error = failure_of(StreamReader(registered(camera.url), opener))
            assert any("Lavf" in text for text in camera.requests), "it was left to FFmpeg"
        assert error.state is S.REFUSED
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_what_a_redirection_leads_to_is_left_to_ffmpeg_there(
    registered: Register, opener: StreamOpener
) -> None:
    """Ours follows it through the guard; FFmpeg begins where it ended."""

    def there(method: str, text: str) -> str:
        if "Lavf" in text:
            return answering("404 Not Found")
        return answering("200 OK", body=PICTURE if method == "DESCRIBE" else "")

    with ScriptedCamera(there) as target:
        moved = answering("302 Moved", f"Location: {target.url}")
        with ScriptedCamera(lambda _m, _t: moved) as camera:
            error = failure_of(StreamReader(registered(camera.url), opener))
            assert not any("Lavf" in text for text in camera.requests)
        assert error.state is S.NOT_FOUND
        assert any("Lavf" in text for text in target.requests)


def fed(data: bytes, cuts: list[int]) -> bytes:
    filtering = AnswerFilter()
    ends = [*sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    starts = [0, *ends[:-1]]
    return b"".join(
        filtering.feed(data[start:end]) for start, end in zip(starts, ends, strict=True)
    )


@given(
    st.lists(st.sampled_from([FRAME, OK, ASKED_BY_THE_CAMERA, b"\r\n"]), max_size=8),
    st.lists(st.integers(0, 2_000), max_size=12),
)
def test_frames_and_answers_go_on_without_a_place_to_go_to(
    pieces: list[bytes], cuts: list[int]
) -> None:
    out = fed(b"".join(pieces), cuts)
    assert out.count(FRAME) == pieces.count(FRAME)
    assert b"REDIRECT" not in out
    texts = out.replace(FRAME, b"")
    for _ in range(pieces.count(OK)):
        parsed = parse_message(texts, 0)
        assert parsed is not None
        answer, end = parsed
        assert (answer.status, answer.body, answer.header("location")) == (200, b"hi", "")
        texts = texts[end:]
    assert texts == b""


@given(st.lists(st.sampled_from([FRAME, OK, b"\r\n"]), max_size=4), st.integers(0, 500))
def test_a_redirection_ends_it(pieces: list[bytes], cut: int) -> None:
    with pytest.raises(RedirectedError):
        fed(b"".join([*pieces, MOVED]), [cut])


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=4))
def test_rubbish_never_becomes_an_answer_with_a_place(data: bytes, cuts: list[int]) -> None:
    assert b"location" not in fed(RUBBISH + data, cuts).split(b"$")[0].lower()
