from __future__ import annotations

import socket
import threading
import time

import av
import av.container.core
import pytest

from camera_ingest.errors import Stopped
from camera_ingest.stopping import StopSignal


def test_a_sleep_ends_with_the_order() -> None:
    stop = StopSignal()
    threading.Timer(0.1, stop.set).start()
    started = time.monotonic()
    with pytest.raises(Stopped):
        stop.sleep(30)
    assert time.monotonic() - started < 5


def test_callbacks_live_as_long_as_their_block() -> None:
    stop, called = StopSignal(), []
    with stop.calling(lambda: called.append("left")):
        pass
    with stop.calling(lambda: called.append("within")):
        stop.set()
    assert called == ["within"]
    with pytest.raises(Stopped), stop.calling(lambda: None):
        pytest.fail("the order was given before")


def test_a_wait_inside_ffmpeg_ends_with_the_order() -> None:
    """PyAV has no way to interrupt; this shows that ours still works with its present version."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        stop = StopSignal()
        threading.Timer(0.3, stop.set).start()
        started = time.monotonic()
        with pytest.raises(av.FFmpegError), stop.reaching_ffmpeg():
            av.open(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/x", timeout=(30, 30))
        assert time.monotonic() - started < 3
    assert av.container.core.time is time  # type: ignore[attr-defined]


def test_others_are_not_hurried() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/x"
        took_s = []

        def wait_it_out() -> None:
            started = time.monotonic()
            with pytest.raises(av.FFmpegError), StopSignal().reaching_ffmpeg():
                av.open(url, timeout=(1.5, 1.5))
            took_s.append(time.monotonic() - started)

        patient = threading.Thread(target=wait_it_out)
        patient.start()
        stop = StopSignal()
        threading.Timer(0.3, stop.set).start()
        with pytest.raises(av.FFmpegError), stop.reaching_ffmpeg():
            av.open(url, timeout=(30, 30))
        patient.join(10)
    assert took_s[0] > 1.2
