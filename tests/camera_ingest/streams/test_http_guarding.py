"""Cameras over HTTP: who signs in where, whose certificate counts, and what is never opened."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from camera_ingest import StreamOpener
from contracts import CameraState, StreamSource
from plumbing.address_guard import AddressGuard
from plumbing.clock import SystemClock
from plumbing.sealing import Sealer
from plumbing.settings import IngestSettings
from tests.camera_ingest.encrypting import encrypting
from tests.camera_ingest.http_answers import (
    SECRET,
    failure_of,
    frames_of,
    jpeg,
    redirect,
    segmented,
)
from tests.camera_ingest.http_camera import Answer, Handler, HttpCamera

Register = Callable[..., StreamSource]


def test_basic_sign_in(http: HttpCamera, registered: Register, opener: StreamOpener) -> None:
    wanted = "Basic " + base64.b64encode(f"admin:{SECRET}".encode()).decode()

    def answer(handler: Handler) -> None:
        if handler.headers.get("Authorization") == wanted:
            handler.reply(200, jpeg(), Content_Type="image/jpeg")
        else:
            handler.reply(401, b"", WWW_Authenticate='Basic realm="cam"')

    url = http.answer("/snap.jpg", answer)
    source = registered(url, username="admin", password=SECRET)
    assert len(frames_of(source, opener, 2)) == 2
    wrong = failure_of(registered(url, username="admin", password="wrong"), opener)
    assert wrong.state is CameraState.UNAUTHORISED
    assert "refuses" in wrong.detail
    none = failure_of(registered(url), opener)
    assert none.state is CameraState.UNAUTHORISED
    assert "asks for a user name" in none.detail


def test_digest_is_preferred_and_keeps_the_password_unsaid(
    http: HttpCamera, registered: Register, opener: StreamOpener
) -> None:
    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    def answer(handler: Handler) -> None:
        said = handler.headers.get("Authorization", "")
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', said))
        first, second = md5(f"admin:cam:{SECRET}"), md5("GET:/snap.jpg")
        if said.startswith("Digest") and given.get("response") == md5(f"{first}:n1:{second}"):
            handler.reply(200, jpeg(), Content_Type="image/jpeg")
            return
        handler.send_response(401)
        handler.send_header("WWW-Authenticate", 'Basic realm="cam"')
        handler.send_header("WWW-Authenticate", 'Digest realm="cam", nonce="n1"')
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    source = registered(http.answer("/snap.jpg", answer), username="admin", password=SECRET)
    assert len(frames_of(source, opener, 2)) == 2
    assert not any("Basic" in headers.get("Authorization", "") for _, headers in http.seen)


def test_whose_certificate_is_believed(
    http: HttpCamera, registered: Register, opener: StreamOpener
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    plain = urlsplit(http.answer_bytes("/snap.jpg", jpeg(), "image/jpeg"))
    with encrypting(plain.port or 0, context) as port:
        source = registered(f"https://127.0.0.1:{port}/snap.jpg")
        error = failure_of(source, opener)
        assert error.state is CameraState.UNREACHABLE
        assert "certificate is not trusted" in error.detail
        accepting = dataclasses.replace(source, any_certificate=True)
        assert len(frames_of(accepting, opener, 2)) == 2


def test_redirects_are_followed_within_what_may_be_opened(
    http: HttpCamera, registered: Register, opener: StreamOpener
) -> None:
    http.answer_bytes("/snap.jpg", jpeg(), "image/jpeg")
    url = http.answer("/old", redirect("/snap.jpg"))
    assert len(frames_of(registered(url), opener, 1)) == 1
    loop = http.answer("/loop", redirect("/loop"))
    assert failure_of(registered(loop), opener).state is CameraState.INVALID


def internal(port_of: str) -> str:
    """The same server by an address that the guard below does not allow."""
    return port_of.replace("127.0.0.1", "127.0.0.2")


@pytest.mark.parametrize("way", ["redirect", "segment", "playlist", "file"])
def test_no_way_round_the_address_guard(
    http: HttpCamera,
    clip: Path,
    tmp_path: Path,
    registered: Register,
    settings: IngestSettings,
    sealer: Sealer,
    way: str,
) -> None:
    segmented(http, clip, tmp_path, "mpegts", live=False)
    inner = internal(http.url("/live/index0.ts"))
    listed = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n"
    chosen = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{}\n"
    answers: dict[str, Answer] = {
        "redirect": redirect(inner),
        "segment": lambda h: h.reply(200, listed.format(inner).encode()),
        "playlist": lambda h: h.reply(
            200, chosen.format(internal(http.url("/live/index.m3u8"))).encode()
        ),
        "file": lambda h: h.reply(200, listed.format(f"file://{clip}").encode()),
    }
    url = http.answer("/cam.m3u8", answers[way])
    narrow = StreamOpener(settings, SystemClock(), AddressGuard(("127.0.0.1/32",)), sealer)
    error = failure_of(registered(url), narrow)
    assert error.state in (CameraState.UNREACHABLE, CameraState.INVALID)
    # The server listens on both: it would have seen a request.
    assert [path for path, _ in http.seen] == ["/cam.m3u8"]


def test_credentials_stay_with_the_camera_s_own_host(
    http: HttpCamera, clip: Path, tmp_path: Path, registered: Register, opener: StreamOpener
) -> None:
    segmented(http, clip, tmp_path, "mpegts", live=False)
    elsewhere = http.url("/live/index0.ts").replace("127.0.0.1", "localhost")

    def playlist(handler: Handler) -> None:
        if "Authorization" not in handler.headers:
            handler.reply(401, b"", WWW_Authenticate='Basic realm="cam"')
            return
        text = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{elsewhere}\n#EXT-X-ENDLIST\n"
        handler.reply(200, text.encode())

    source = registered(http.answer("/c.m3u8", playlist), username="u", password=SECRET)
    assert len(frames_of(source, opener, 1)) == 1
    for path, headers in http.seen:
        if path.startswith("/live"):
            assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("url", "state"),
    [
        ("http://10.1.2.3/x", CameraState.UNREACHABLE),
        ("http://169.254.169.254/latest/meta-data", CameraState.UNREACHABLE),
        ("file:///etc/passwd", CameraState.UNREACHABLE),
        ("rtsp://192.168.0.9/x", CameraState.UNREACHABLE),
        ("http://127.0.0.1:9/x", CameraState.REFUSED),
    ],
)
def test_addresses_that_may_not_or_can_not_be_opened(
    registered: Register, opener: StreamOpener, url: str, state: CameraState
) -> None:
    error = failure_of(dataclasses.replace(registered("http://x/"), url=url), opener)
    assert error.state is state
