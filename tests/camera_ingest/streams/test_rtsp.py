"""Every way in which an RTSP camera misbehaves, against a real server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice, pairwise
from pathlib import Path

import pytest

from camera_ingest import IngestError, StreamOpener, StreamReader
from camera_ingest.packets import StreamInfo, VideoPacket
from camera_ingest.pictures import PictureFacts
from contracts import CameraState, Frame, StreamSource
from simulator.rtsp import Credentials, Faults
from tests.support.rtsp import RtspThread, read_clock, small_video

Register = Callable[..., StreamSource]
SECRET = "p@ss w:rd/&%41"


class Notes:
    """A `ReaderObserver` that keeps count."""

    def __init__(self) -> None:
        self.info: StreamInfo | None = None
        self.packets = self.pictures = self.damaged = 0

    def opened(self, info: StreamInfo) -> None:
        self.info = info

    def received(self, packet: VideoPacket) -> None:
        self.packets += 1

    def pictured(self, frame: Frame, facts: PictureFacts) -> None:
        self.pictures += 1

    def broken(self, count: int) -> None:
        self.damaged += count


def failure_of(reader: StreamReader) -> IngestError:
    with pytest.raises(IngestError) as caught:
        for _ in reader.frames():
            pass
    assert SECRET not in str(caught.value)
    assert "p%40ss" not in str(caught.value)
    return caught.value


def test_a_cold_camera_gives_its_keyframes(
    rtsp: RtspThread, lively_clip: Path, registered: Register, opener: StreamOpener
) -> None:
    notes = Notes()
    reader = StreamReader(registered(rtsp.serve_file("a", lively_clip)), opener, notes)
    frames = list(islice(reader.frames(), 3))
    assert all(frame.is_keyframe for frame in frames)
    assert {frame.image.shape for frame in frames} == {(90, 160, 3)}
    assert {(frame.source_width_px, frame.source_height_px) for frame in frames} == {(320, 180)}
    assert notes.info is not None
    assert notes.info.codec == "h264"
    assert notes.pictures == 3
    assert notes.packets > 2 * notes.pictures, "packets that are not decoded are seen all the same"


def test_capture_times_are_the_camera_s(
    rtsp: RtspThread, registered: Register, opener: StreamOpener
) -> None:
    reader = StreamReader(registered(rtsp.serve_clock("clock")), opener, hot=True)
    for frame in islice(reader.frames(), 12, 30):
        # The picture itself says when it was taken.
        assert abs(read_clock(frame.image, frame.captured_at)) <= 0.05
        assert frame.captured_at <= frame.received_at


def test_hot_and_cold_again_on_one_connection(
    rtsp: RtspThread, lively_clip: Path, registered: Register, opener: StreamOpener
) -> None:
    url = rtsp.serve_file("a", lively_clip)
    reader = StreamReader(registered(url), opener)
    frames = reader.frames()
    assert [next(frames).is_keyframe for _ in range(2)] == [True, True]
    reader.set_hot(True)
    hot = [next(frames) for _ in range(20)]
    assert sum(frame.is_keyframe for frame in hot) <= 7
    steps_s = [
        (after.captured_at - before.captured_at).total_seconds()
        for before, after in pairwise(hot[1:])
    ]
    assert max(steps_s) < 0.25, "nothing is missing in between"
    reader.set_hot(False)
    assert [next(frames).is_keyframe for _ in range(3)][1:] == [True, True]
    assert rtsp.reader_count("a") == 1
    frames.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_b_frames_do_not_delay_a_cold_camera(
    rtsp: RtspThread, tmp_path: Path, registered: Register, opener: StreamOpener, codec: str
) -> None:
    video = small_video(tmp_path / "b.mp4", seconds=4, codec=codec, b_frames=2)
    reader = StreamReader(registered(rtsp.serve_file("b", video)), opener)
    for frame in islice(reader.frames(), 3):
        assert (datetime.now(UTC) - frame.received_at).total_seconds() < 0.5
        assert frame.is_keyframe


def test_sign_in(
    rtsp: RtspThread, lively_clip: Path, registered: Register, opener: StreamOpener
) -> None:
    url = rtsp.serve_file("a", lively_clip, credentials=Credentials("ad min@/", SECRET))
    right = registered(url, username="ad min@/", password=SECRET)
    assert next(iter(StreamReader(right, opener).frames())).is_keyframe
    wrong = registered(url, username="ad min@/", password="other")
    error = failure_of(StreamReader(wrong, opener))
    assert error.state is CameraState.UNAUTHORISED
    assert "refuses" in error.detail
    error = failure_of(StreamReader(registered(url), opener))
    assert error.state is CameraState.UNAUTHORISED
    assert "asks for a user name" in error.detail


def test_a_password_sealed_with_another_key_says_so(
    rtsp: RtspThread, lively_clip: Path, registered: Register, opener: StreamOpener
) -> None:
    source = StreamSource(
        camera_id=registered("x").camera_id,
        url=rtsp.serve_file("a", lively_clip),
        username="u",
        sealed_password="gAAAAAB" + "x" * 90,
    )
    error = failure_of(StreamReader(source, opener))
    assert error.state is CameraState.UNAUTHORISED
    assert "another key" in error.detail


@pytest.mark.parametrize(
    ("fault", "state", "within_s"),
    [
        (Faults(refuse=True), CameraState.NOT_FOUND, 1),
        (Faults(reject_credentials=True), CameraState.UNAUTHORISED, 1),
        (Faults(hang=True), CameraState.UNREACHABLE, 3.5),
        (Faults(drop=True), CameraState.REFUSED, 1),
        (Faults(stall=True), CameraState.STALLED, 5),
    ],
)
def test_faults_from_the_start(
    rtsp: RtspThread,
    lively_clip: Path,
    registered: Register,
    opener: StreamOpener,
    fault: Faults,
    state: CameraState,
    within_s: float,
) -> None:
    url = rtsp.serve_file("a", lively_clip)
    rtsp.set_faults("a", fault)
    started = time.monotonic()
    assert failure_of(StreamReader(registered(url), opener)).state is state
    assert time.monotonic() - started < within_s


def test_a_dropped_connection(
    rtsp: RtspThread, lively_clip: Path, registered: Register, opener: StreamOpener
) -> None:
    reader = StreamReader(registered(rtsp.serve_file("a", lively_clip)), opener)
    frames = reader.frames()
    next(frames)
    rtsp.drop_readers("a")
    with pytest.raises(IngestError) as caught:
        list(frames)
    assert caught.value.state is CameraState.STALLED


def test_a_stall_in_the_middle(
    rtsp: RtspThread, lively_clip: Path, registered: Register, opener: StreamOpener
) -> None:
    reader = StreamReader(registered(rtsp.serve_file("a", lively_clip)), opener)
    frames = reader.frames()
    next(frames)
    rtsp.set_faults("a", Faults(stall=True))
    started = time.monotonic()
    with pytest.raises(IngestError, match="nothing came for") as caught:
        list(frames)
    assert caught.value.state is CameraState.STALLED
    assert time.monotonic() - started < 10


def test_lost_packets_are_counted_and_no_smeared_picture_is_handed_on(
    rtsp: RtspThread, registered: Register, tmp_path: Path, opener: StreamOpener
) -> None:
    video = small_video(tmp_path / "wide.mp4", seconds=3, width_px=1280, gop=5)
    url = rtsp.serve_file("a", video)
    rtsp.set_faults("a", Faults(loss=0.2))
    notes = Notes()
    reader = StreamReader(registered(url), opener, notes, hot=True)
    alarm = threading.Timer(4, reader.stop)
    alarm.start()
    handed_on = sum(1 for _ in reader.frames())
    alarm.join()
    assert notes.damaged > 5
    assert notes.packets > handed_on == notes.pictures


def test_nobody_listens(registered: Register, opener: StreamOpener) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = failure_of(StreamReader(registered(f"rtsp://127.0.0.1:{port}/x"), opener))
    assert error.state is CameraState.REFUSED


@contextmanager
def saying(answer: bytes) -> Iterator[str]:
    """A server that says this to everybody, whatever they ask, and hangs up."""
    ending = threading.Event()

    def serve(listener: socket.socket) -> None:
        while not ending.is_set():
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            with client:
                client.settimeout(1)
                client.recv(4096)
                client.sendall(answer)
                ending.wait(0.1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield f"rtsp://127.0.0.1:{listener.getsockname()[1]}/x"
        finally:
            ending.set()
            thread.join(5)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (bytes(range(256)) * 100, CameraState.INVALID),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", CameraState.INVALID),
        (b"SSH-2.0-OpenSSH_9.2\r\n", CameraState.INVALID),
        (b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: -5\r\n\r\n", CameraState.INVALID),
        (b"RTSP/1.0 453 Not Enough Bandwidth\r\nCSeq: 1\r\n\r\n", CameraState.REFUSED),
        (b"RTSP/1.0 503 Service Unavailable\r\nCSeq: 1\r\n\r\n", CameraState.REFUSED),
    ],
)
def test_something_else_answers(
    registered: Register, opener: StreamOpener, answer: bytes, state: CameraState
) -> None:
    with saying(answer) as url:
        assert failure_of(StreamReader(registered(url), opener)).state is state


@pytest.mark.parametrize("fault", [Faults(), Faults(hang=True), Faults(stall=True)])
def test_stopping_ends_every_wait(
    rtsp: RtspThread, lively_clip: Path, registered: Register, opener: StreamOpener, fault: Faults
) -> None:
    url = rtsp.serve_file("a", lively_clip)
    rtsp.set_faults("a", fault)
    patient = opener.settings.model_copy(update={"open_timeout_s": 60.0, "read_timeout_s": 60.0})
    opener.settings = patient
    reader = StreamReader(registered(url), opener)
    thread = threading.Thread(target=lambda: [None for _ in reader.frames()])
    thread.start()
    time.sleep(1)
    started = time.monotonic()
    reader.stop()
    thread.join(20)
    assert not thread.is_alive()
    assert time.monotonic() - started < 10
