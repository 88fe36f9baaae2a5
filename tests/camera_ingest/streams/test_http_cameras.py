from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from camera_ingest import IngestError, StreamOpener, StreamReader
from contracts import CameraState, Frame, StreamSource
from plumbing.address_guard import AddressGuard
from plumbing.clock import SystemClock
from plumbing.sealing import Sealer
from plumbing.settings import IngestSettings
from tests.camera_ingest.http_camera import Answer, Handler, HttpCamera

Register = Callable[..., StreamSource]
SECRET = "p@ss w:rd/&"


def frames_of(source: StreamSource, opener: StreamOpener, count: int) -> list[Frame]:
    return list(islice(StreamReader(source, opener).frames(), count))


def failure_of(source: StreamSource, opener: StreamOpener) -> IngestError:
    with pytest.raises(IngestError) as caught:
        for _ in StreamReader(source, opener).frames():
            pass
    assert SECRET not in str(caught.value)
    return caught.value


def jpeg(grey: int = 120) -> bytes:
    picture = np.full((96, 160, 3), grey, np.uint8)
    picture[20:40, 20:60] = (200, 40, 40)
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = 160, 96, "yuvj420p"
    context.time_base = Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuvj420p")
    return b"".join(bytes(p) for p in [*context.encode(frame), *context.encode(None)])


def mjpeg(http: HttpCamera, pictures: int = 10_000, every_s: float = 0.03) -> Answer:
    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=x")
        handler.end_headers()
        handler.close_connection = True
        for number in range(pictures):
            body = jpeg(100 + number % 50)
            handler.wfile.write(b"--x\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(body), body))
            if http.ending.wait(every_s):
                return

    return answer


def hang(http: HttpCamera) -> Answer:
    def answer(handler: Handler) -> None:
        http.ending.wait(60)
        handler.close_connection = True

    return answer


def segmented(http: HttpCamera, clip: Path, folder: Path, kind: str, *, live: bool) -> str:
    """Serve the clip as HLS, made by FFmpeg itself; live ones show one more segment a second."""
    with (
        av.open(str(clip)) as source,
        av.open(
            str(folder / "index.m3u8"),
            "w",
            format="hls",
            options={"hls_time": "1", "hls_list_size": "0", "hls_segment_type": kind},
        ) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    text = (folder / "index.m3u8").read_text()
    head, *segments = re.split(r"(?=#EXTINF)", text.replace("#EXT-X-ENDLIST\n", ""))
    began = time.monotonic()

    def playlist(handler: Handler) -> None:
        shown = 2 + int(time.monotonic() - began) if live else len(segments)
        end = "" if live else "#EXT-X-ENDLIST\n"
        body = head + "".join(segments[:shown]) + end
        handler.reply(200, body.encode(), Content_Type="application/vnd.apple.mpegurl")

    for path in folder.iterdir():
        if path.suffix != ".m3u8":
            http.answer_bytes(f"/live/{path.name}", path.read_bytes(), "video/mp2t")
    return http.answer("/live/index.m3u8", playlist)


@pytest.mark.parametrize("kind", ["mpegts", "fmp4"])
def test_hls_live(
    http: HttpCamera,
    clip: Path,
    tmp_path: Path,
    registered: Register,
    opener: StreamOpener,
    kind: str,
) -> None:
    url = segmented(http, clip, tmp_path, kind, live=True)
    started = time.monotonic()
    frames = frames_of(registered(url, headers=(("Referer", "https://kota.example/"),)), opener, 3)
    assert [frame.image.shape for frame in frames] == [(90, 160, 3)] * 3
    assert all(frame.is_keyframe for frame in frames)
    assert frames[0].source_width_px == 320
    # Handed on at their own pace: three keyframes are two seconds apart.
    assert 1.5 < time.monotonic() - started < 5
    assert {headers.get("Referer") for _, headers in http.seen} == {"https://kota.example/"}


def test_hls_tells_when_pictures_were_taken(
    http: HttpCamera, clip: Path, tmp_path: Path, registered: Register, opener: StreamOpener
) -> None:
    segmented(http, clip, tmp_path, "mpegts", live=False)
    taken_at = datetime.now(UTC) - timedelta(seconds=12)
    text = (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-PROGRAM-DATE-TIME:{taken_at.isoformat()}\n"
        "#EXTINF:1,\nlive/index0.ts\n#EXT-X-ENDLIST\n"
    )
    url = http.answer_bytes("/dated.m3u8", text.encode(), "application/x-mpegurl")
    (frame,) = frames_of(registered(url), opener, 1)
    assert abs((frame.captured_at - taken_at).total_seconds()) < 0.01


def test_hls_through_a_choice_of_streams(
    http: HttpCamera, clip: Path, tmp_path: Path, registered: Register, opener: StreamOpener
) -> None:
    segmented(http, clip, tmp_path, "mpegts", live=False)
    choice = (
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=1920x1080\n/gone.m3u8\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=5,RESOLUTION=320x180\nlive/index.m3u8\n"
    )
    url = http.answer_bytes("/master.m3u8", choice.encode(), "application/x-mpegurl")
    assert len(frames_of(registered(url), opener, 1)) == 1


def test_a_finished_hls_stream_is_a_stall(
    http: HttpCamera, clip: Path, tmp_path: Path, registered: Register, opener: StreamOpener
) -> None:
    url = segmented(http, clip, tmp_path, "mpegts", live=False)
    error = failure_of(registered(url), opener)
    assert (error.state, error.detail) == (CameraState.STALLED, "the camera ended the stream")


def test_hls_that_brings_nothing_new_is_a_stall(
    http: HttpCamera, clip: Path, tmp_path: Path, registered: Register, opener: StreamOpener
) -> None:
    segmented(http, clip, tmp_path, "mpegts", live=False)
    text = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nlive/index0.ts\n"
    url = http.answer_bytes("/stuck.m3u8", text.encode(), "application/x-mpegurl")
    error = failure_of(registered(url), opener)
    assert error.state is CameraState.STALLED
    assert "nothing came" in error.detail


def test_mjpeg(http: HttpCamera, registered: Register, opener: StreamOpener) -> None:
    url = http.answer("/video", mjpeg(http))
    frames = frames_of(registered(url), opener, 5)
    assert [frame.image.shape for frame in frames] == [(96, 160, 3)] * 5
    times = [frame.captured_at for frame in frames]
    assert times == sorted(set(times))
    assert abs(int(frames[0].image[90, 150, 0]) - 100) < 12


def test_mjpeg_that_ends(http: HttpCamera, registered: Register, opener: StreamOpener) -> None:
    error = failure_of(registered(http.answer("/video", mjpeg(http, pictures=2))), opener)
    assert error.state is CameraState.STALLED


def test_mjpeg_that_falls_silent(
    http: HttpCamera, registered: Register, opener: StreamOpener
) -> None:
    url = http.answer("/video", mjpeg(http, pictures=3, every_s=20))
    started = time.monotonic()
    error = failure_of(registered(url), opener)
    assert error.state is CameraState.STALLED
    assert time.monotonic() - started < 4


def test_snapshots(http: HttpCamera, registered: Register, opener: StreamOpener) -> None:
    url = http.answer_bytes("/snap.jpg", jpeg(), "image/jpeg")
    started = time.monotonic()
    frames = frames_of(registered(url), opener, 4)
    assert [frame.image.shape for frame in frames] == [(96, 160, 3)] * 4
    assert 0.25 < time.monotonic() - started < 3  # asked ten times a second, as set


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


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (404, CameraState.NOT_FOUND),
        (403, CameraState.UNAUTHORISED),
        (503, CameraState.REFUSED),
    ],
)
def test_error_statuses(
    http: HttpCamera,
    registered: Register,
    opener: StreamOpener,
    status: int,
    state: CameraState,
) -> None:
    url = http.answer("/x.m3u8", lambda handler: handler.reply(status, b"sorry"))
    assert failure_of(registered(url), opener).state is state


@pytest.mark.parametrize(
    ("path", "content_type", "body"),
    [
        ("/page", "text/html", b"<html>please sign in</html>"),
        ("/page", "application/octet-stream", bytes(range(256)) * 50),
        ("/list.m3u8", "text/html", b"<html>please sign in</html>"),
        ("/list.m3u8", "application/x-mpegurl", b"#EXTM3U\n#EXTINF:1,\n/junk.ts\n#EXT-X-ENDLIST\n"),
    ],
)
def test_what_is_no_video(
    http: HttpCamera,
    registered: Register,
    opener: StreamOpener,
    path: str,
    content_type: str,
    body: bytes,
) -> None:
    http.answer_bytes("/junk.ts", bytes(range(256)) * 200, "video/mp2t")
    error = failure_of(registered(http.answer_bytes(path, body, content_type)), opener)
    assert error.state is CameraState.INVALID


def test_a_playlist_without_end_is_cut_off(
    http: HttpCamera, registered: Register, opener: StreamOpener
) -> None:
    url = http.answer_bytes("/big.m3u8", b"#EXTM3U\n" + b"#\n" * 700_000, "text/plain")
    error = failure_of(registered(url), opener)
    assert error.state is CameraState.INVALID
    assert "larger" in error.detail


def test_an_answer_that_drips_is_cut_off(
    http: HttpCamera, registered: Register, opener: StreamOpener
) -> None:
    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "5000")
        handler.end_headers()
        handler.wfile.write(b"#EXTM3U\n")
        while not http.ending.wait(0.1):
            handler.wfile.write(b"#")

    started = time.monotonic()
    error = failure_of(registered(http.answer("/slow.m3u8", answer)), opener)
    assert error.state is CameraState.STALLED
    assert time.monotonic() - started < 6


def redirect(target: str) -> Answer:
    return lambda handler: handler.reply(302, b"", Location=target)


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


@pytest.mark.parametrize("path", ["/video", "/hang", "/snap.jpg", "/live/index.m3u8"])
def test_stopping_ends_every_wait(
    http: HttpCamera,
    clip: Path,
    tmp_path: Path,
    registered: Register,
    opener: StreamOpener,
    path: str,
) -> None:
    segmented(http, clip, tmp_path, "mpegts", live=True)
    http.answer("/video", mjpeg(http, pictures=2, every_s=60))
    http.answer("/hang", hang(http))
    http.answer_bytes("/snap.jpg", jpeg(), "image/jpeg")
    patient = StreamOpener(
        opener.settings.model_copy(
            update={"open_timeout_s": 60.0, "read_timeout_s": 60.0, "max_fps": 0.05}
        ),
        SystemClock(),
        AddressGuard(opener.settings.allow_private),
        opener._sealer,
    )
    reader = StreamReader(registered(http.url(path)), patient)
    thread = threading.Thread(target=lambda: [None for _ in reader.frames()])
    thread.start()
    time.sleep(0.8)
    started = time.monotonic()
    reader.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert time.monotonic() - started < 1


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
