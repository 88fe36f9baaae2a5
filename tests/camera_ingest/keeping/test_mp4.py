from __future__ import annotations

import contextlib
import io
import random
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_ingest.keeping.mp4 import CAPTURE_START, Fragmenter, reorder_depth, write_clip
from camera_ingest.keeping.parameter_sets import (
    MOST_PX,
    UnsupportedCodec,
    renewed_parameters,
    split_annex_b,
    track_format,
)
from camera_ingest.keeping.preroll import PacketRun
from camera_ingest.packets import CodedPicture, StreamInfo
from simulator.rtsp import FileSource
from tests.support.rtsp import small_video

START = datetime(2026, 11, 22, 6, 35, 0, 123_456, tzinfo=UTC)
VIDEOS = [
    (codec, b_frames, kind)
    for codec in ("libx264", "libx265")
    for b_frames in (0, 2)
    for kind in (".ts", ".mp4")
]


def recorded(file: Path) -> PacketRun:
    """A file's packets as a camera's."""
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        info = StreamInfo(
            context.name, context.width, context.height, 10.0, bytes(context.extradata or b"")
        )
        pictures = []
        for packet in container.demux(stream):
            if packet.size and packet.pts is not None:
                at_s = float(packet.pts * packet.time_base)
                at = START + timedelta(seconds=at_s)
                pictures.append(CodedPicture(packet, packet.is_keyframe, at_s, at, at))
    return PacketRun(1, info, tuple(pictures))


def times(run: PacketRun) -> list[float]:
    return sorted((one.captured_at - run.began_at).total_seconds() for one in run.pictures)


def shown(data: bytes) -> tuple[list[float], dict[str, str]]:
    """Each picture's time in a file, all of them sound, and the file's metadata."""
    with av.open(io.BytesIO(data), "r") as container:
        frames = list(container.decode(video=0))
        assert not any(frame.is_corrupt for frame in frames)
        return [float(frame.time or 0) for frame in frames], dict(container.metadata)


@pytest.mark.parametrize(("codec", "b_frames", "kind"), VIDEOS)
def test_a_clip_holds_every_picture_at_its_capture_time(
    codec: str, b_frames: int, kind: str, tmp_path: Path
) -> None:
    file = tmp_path / f"camera{kind}"
    run = recorded(small_video(file, seconds=3, codec=codec, b_frames=b_frames))
    clip = write_clip(run, {"siaga.camera": "simpang-5"})
    at_s, metadata = shown(clip)
    assert at_s == pytest.approx(times(run), abs=1e-4)
    assert datetime.fromisoformat(metadata[CAPTURE_START]) == run.began_at
    assert metadata["siaga.camera"] == "simpang-5"
    assert clip.index(b"moov") < clip.index(b"mdat")


@pytest.mark.parametrize(("codec", "b_frames", "kind"), VIDEOS)
def test_fragments_hold_every_picture_at_its_capture_time(
    codec: str, b_frames: int, kind: str, tmp_path: Path
) -> None:
    file = tmp_path / f"camera{kind}"
    run = recorded(small_video(file, seconds=3, codec=codec, b_frames=b_frames))
    fragmenter = Fragmenter(run.info, run.began_at, reorder_depth(run.pictures))
    stream = fragmenter.head() + b"".join(map(fragmenter.fragment, run.pictures))
    at_s, _ = shown(stream)
    assert at_s == pytest.approx(times(run), abs=1e-4)
    assert stream.count(b"prft") == sum(picture.is_keyframe for picture in run.pictures)


@pytest.mark.parametrize(
    ("codec", "width", "height", "codecs"),
    [
        ("libx264", 640, 360, "avc1.42c0"),
        ("libx264", 322, 182, "avc1.42c0"),
        ("libx265", 322, 182, "hvc1.1.6.L"),
    ],
)
def test_a_stream_is_described_by_its_parameter_sets_alone(
    codec: str, width: int, height: int, codecs: str, tmp_path: Path
) -> None:
    # Sizes that are no multiple of a block are cropped by the parameter sets.
    file = tmp_path / "camera.ts"
    with av.open(str(file), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(5))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        quiet: dict[str, object] = {"x265-params": "log-level=none:pools=1:frame-threads=1"}
        stream.options = {"preset": "ultrafast", "bf": "0"} | (quiet if codec == "libx265" else {})
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(width, height, "yuv420p")))
        container.mux(stream.encode(None))
    described = track_format(recorded(file).info.codec, recorded(file).info.extradata, None)
    assert (described.width_px, described.height_px) == (width, height)
    assert described.codecs.startswith(codecs)


def test_parameters_are_renewed_only_where_they_differ(tmp_path: Path) -> None:
    small = recorded(small_video(tmp_path / "a.ts", seconds=1, width_px=160))
    large = recorded(small_video(tmp_path / "b.ts", seconds=1, width_px=320))
    known, keyframe = small.info.extradata, small.pictures[0].data
    assert renewed_parameters("h264", known, keyframe) is None
    assert renewed_parameters("h264", known, small.pictures[1].data) is None
    learnt = renewed_parameters("h264", b"", keyframe)
    assert learnt is not None
    assert track_format("h264", learnt, None) == track_format("h264", known, None)
    changed = renewed_parameters("h264", known, large.pictures[0].data)
    assert changed is not None
    assert track_format("h264", changed, None).width_px == 320


def test_jpeg_pictures_are_stored_too() -> None:
    jpeg = bytes(cv2.imencode(".jpg", np.full((90, 160, 3), 99, np.uint8))[1])
    moments = [START + timedelta(seconds=n / 2) for n in range(4)]
    pictures = tuple(CodedPicture(av.Packet(jpeg), True, None, at, at) for at in moments)
    run = PacketRun(1, StreamInfo("mjpeg", None, None, None), pictures)
    at_s, _ = shown(write_clip(run, {}))
    assert at_s == pytest.approx(times(run), abs=1e-4)


@pytest.mark.parametrize(
    "info",
    [
        StreamInfo("vp9", 320, 180, 10.0),
        StreamInfo("h264", 320, 180, 10.0),
        StreamInfo("hevc", 320, 180, 10.0, b"\0\0\1\x40\x01\x0c"),
        StreamInfo("h264", 320, 180, 10.0, b"\0\0\1\x67\x64\0\0\1\x68\xff"),
        StreamInfo("h264", 320, 180, 10.0, b"\1\x64"),
    ],
)
def test_what_cant_be_stored_is_said(info: StreamInfo) -> None:
    picture = CodedPicture(av.Packet(b"\0\0\1\x65"), True, 0.0, START, START)
    with pytest.raises(UnsupportedCodec, match=r"\w"):
        write_clip(PacketRun(1, info, (picture,)), {})


@given(st.binary(max_size=60))
def test_no_parameter_set_crashes_the_reader(body: bytes) -> None:
    for head in (b"\0\0\1\x67", b"\0\0\1\x42\1"):
        for codec in ("h264", "hevc"):
            extradata = head + body + b"\0\0\1\x68\x80\0\0\1\x44\1\x80\0\0\1\x40\1\x80"
            with contextlib.suppress(UnsupportedCodec):
                track_format(codec, extradata, None)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_damaged_parameter_sets_are_refused_or_tell_of_a_picture(
    tmp_path: Path, codec: str
) -> None:
    video = small_video(tmp_path / "a.mp4", seconds=1, codec=codec)
    sound = b"".join(b"\0\0\0\1" + unit for unit in FileSource(video).parameter_sets)
    name = "h264" if codec == "libx264" else "hevc"
    rng = random.Random(1)  # noqa: S311
    for _ in range(3_000):
        damaged = bytearray(sound)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        with contextlib.suppress(UnsupportedCodec):
            described = track_format(name, bytes(damaged), None)
            assert 0 < described.width_px <= MOST_PX
            assert 0 < described.height_px <= MOST_PX


@given(
    st.lists(
        st.binary(min_size=1, max_size=30).filter(
            lambda unit: b"\0\0" not in unit and unit[-1:] != b"\0" and unit[:1] != b"\0"
        ),
        max_size=8,
    )
)
def test_units_are_found_again(units: list[bytes]) -> None:
    for code in (b"\0\0\1", b"\0\0\0\1"):
        assert list(split_annex_b(b"".join(code + unit for unit in units))) == units
