from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from camera_ingest import IngestError, StreamOpener, probe
from contracts import CameraState, StreamSource
from simulator.rtsp import Faults
from tests.support.rtsp import RtspThread, small_video

Register = Callable[..., StreamSource]


def test_what_is_there(
    rtsp: RtspThread, clip: Path, registered: Register, opener: StreamOpener
) -> None:
    found = probe(registered(rtsp.serve_file("a", clip)), opener)
    assert (found.codec, found.width_px, found.height_px) == ("h264", 320, 180)
    assert found.frames_per_s == pytest.approx(10)
    assert found.keyframe_interval_s == pytest.approx(1, abs=0.05)
    assert found.picture.shape == (90, 160, 3)


def test_a_picture_is_enough_where_keyframes_are_far_apart(
    rtsp: RtspThread, tmp_path: Path, registered: Register, opener: StreamOpener
) -> None:
    video = small_video(tmp_path / "long.mp4", seconds=8, gop=80)
    started = time.monotonic()
    found = probe(registered(rtsp.serve_file("a", video)), opener, timeout_s=2)
    assert time.monotonic() - started < 6
    assert found.keyframe_interval_s is None
    assert found.width_px == 160


def test_why_there_is_nothing(
    rtsp: RtspThread, clip: Path, registered: Register, opener: StreamOpener
) -> None:
    url = rtsp.serve_file("a", clip)
    rtsp.set_faults("a", Faults(refuse=True))
    with pytest.raises(IngestError) as caught:
        probe(registered(url), opener)
    assert caught.value.state is CameraState.NOT_FOUND


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (Faults(hang=True), CameraState.UNREACHABLE),
        (Faults(stall=True), CameraState.STALLED),
    ],
)
def test_it_never_takes_longer_than_it_may(
    rtsp: RtspThread,
    clip: Path,
    registered: Register,
    opener: StreamOpener,
    fault: Faults,
    state: CameraState,
) -> None:
    url = rtsp.serve_file("a", clip)
    rtsp.set_faults("a", fault)
    opener.settings = opener.settings.model_copy(
        update={"open_timeout_s": 30.0, "read_timeout_s": 30.0}
    )
    started = time.monotonic()
    with pytest.raises(IngestError) as caught:
        probe(registered(url), opener, timeout_s=1)
    assert time.monotonic() - started < 10
    assert caught.value.state is state
