from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from camera_ingest import StreamOpener, StreamReader
from contracts import CameraState, StreamSource
from plumbing.address_guard import AddressGuard
from plumbing.clock import SystemClock
from tests.camera_ingest.http_answers import (
    failure_of,
    frames_of,
    hang,
    jpeg,
    mjpeg,
    segmented,
)
from tests.camera_ingest.http_camera import Handler, HttpCamera

Register = Callable[..., StreamSource]


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
    assert time.monotonic() - started > 1.5
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
    assert time.monotonic() - started < 15


def test_snapshots(http: HttpCamera, registered: Register, opener: StreamOpener) -> None:
    url = http.answer_bytes("/snap.jpg", jpeg(), "image/jpeg")
    started = time.monotonic()
    frames = frames_of(registered(url), opener, 4)
    assert [frame.image.shape for frame in frames] == [(96, 160, 3)] * 4
    assert time.monotonic() - started > 0.25  # asked ten times a second, as set


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
    assert time.monotonic() - started < 20


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
    thread.join(20)
    assert not thread.is_alive()
    assert time.monotonic() - started < 10
