"""Kept packets are decoded to the very pictures that a hot camera would have shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from camera_ingest import PreRoll, pictures_of, read_file
from camera_ingest.packets import StreamInfo, VideoPacket
from contracts import CameraId

START = datetime(2026, 1, 1, tzinfo=UTC)
CAMERA = CameraId("cam-1")


def a_video(path: Path, b_frames: int) -> Path:
    """Ten seconds at 10 a second, keyframes two seconds apart; picture n has the grey of n."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=10, options={"preset": "ultrafast", "crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.codec_context.gop_size = 20
        stream.codec_context.max_b_frames = b_frames
        stream.time_base = Fraction(1, 10)
        for n in range(100):
            picture = np.full((180, 320, 3), 30 + 2 * n, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = n
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def kept(path: Path) -> PreRoll:
    preroll = PreRoll(30, 10_000_000)
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        context = stream.codec_context
        preroll.opened(StreamInfo("h264", 320, 180, 10.0, bytes(context.extradata or b"")))
        for packet in file.demux(stream):
            if packet.pts is None:
                continue
            at_s = float(packet.pts * packet.time_base)
            received_at = START + timedelta(seconds=at_s)
            preroll.add(VideoPacket(packet, at_s, bool(packet.is_keyframe), received_at))
    return preroll


@pytest.mark.parametrize("b_frames", [0, 2])
def test_the_last_seconds_come_out_evenly_each_with_its_own_time(
    tmp_path: Path, b_frames: int
) -> None:
    path = a_video(tmp_path / "a.mp4", b_frames)
    run = kept(path).latest(8)
    assert run is not None
    since = run.ended_at - timedelta(seconds=4)
    seen = list(pictures_of(run, CAMERA, since, fps=5, max_width_px=160))
    gaps = np.diff([frame.captured_at.timestamp() for frame in seen])
    assert len(seen) == pytest.approx(20, abs=1)
    assert gaps == pytest.approx(0.2, abs=0.011)
    assert seen[0].captured_at >= since
    truth = {
        round((f.captured_at - datetime(2000, 1, 1, tzinfo=UTC)).total_seconds(), 2): f
        for f in read_file(path)
    }
    offset_s = min(truth) - 0.0
    for frame in seen:
        at_s = round((frame.captured_at - START).total_seconds() - offset_s, 1)
        nearest = min(truth, key=lambda t: abs(t - at_s))
        assert abs(float(frame.image.mean()) - float(truth[nearest].image.mean())) < 3.0
        assert (frame.source_width_px, frame.image.shape) == (320, (90, 160, 3))


def test_damaged_packets_cost_their_pictures_and_nothing_else(tmp_path: Path) -> None:
    run = kept(a_video(tmp_path / "a.mp4", 0)).latest(8)
    assert run is not None
    whole = list(pictures_of(run, CAMERA, run.began_at, fps=10, max_width_px=160))
    broken = type(run)(
        run.number,
        run.info,
        tuple(
            type(p)(av.Packet(b"\0" * 40), p.is_keyframe, p.stream_s, p.captured_at, p.received_at)
            if n == 25
            else p
            for n, p in enumerate(run.pictures)
        ),
    )
    rest = list(pictures_of(broken, CAMERA, run.began_at, fps=10, max_width_px=160))
    assert 0 < len(rest) < len(whole)
    assert rest[-1].captured_at == whole[-1].captured_at
