from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from camera_ingest import IngestError, read_file
from camera_ingest.streams.files import FILE_EPOCH
from contracts import CameraId, CameraState
from tests.support.data import data_folder
from tests.support.rtsp import small_video

START = datetime(2026, 11, 22, 3, tzinfo=UTC)


def test_every_picture_in_the_file_s_own_time(clip: Path) -> None:
    frames = list(read_file(clip, started_at=START, camera_id=CameraId("a"), max_width_px=160))
    assert len(frames) == 60
    assert [frame.captured_at - START for frame in frames[:3]] == [
        timedelta(seconds=n / 10) for n in range(3)
    ]
    assert {frame.image.shape for frame in frames} == {(90, 160, 3)}
    assert {(frame.source_width_px, frame.source_height_px) for frame in frames} == {(320, 180)}
    assert sum(frame.is_keyframe for frame in frames) == 6
    assert {frame.camera_id for frame in frames} == {"a"}


def test_one_picture_each_so_many_seconds(clip: Path) -> None:
    frames = list(read_file(clip, 1.5))
    assert [(frame.captured_at - FILE_EPOCH).total_seconds() for frame in frames] == [
        0.0,
        1.5,
        3.0,
        4.5,
    ]


def test_the_colours_are_right(clip: Path) -> None:
    picture = next(iter(read_file(clip))).image
    assert np.abs(picture[150, 300].astype(int) - 70).max() <= 3
    assert np.abs(picture[30, 10].astype(int) - (255, 220, 180)).max() <= 12


@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.avi"])
def test_other_containers(tmp_path: Path, name: str) -> None:
    frames = list(read_file(small_video(tmp_path / name, b_frames=0 if name == "a.avi" else 2)))
    assert len(frames) == 20
    times = [frame.captured_at for frame in frames]
    assert times == sorted(times)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"no file .*gone\.mp4") as caught:
        list(read_file(tmp_path / "gone.mp4"))
    assert caught.value.state is CameraState.NOT_FOUND


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(IngestError) as caught:
        list(read_file(tmp_path))
    assert caught.value.state is CameraState.NOT_FOUND


@pytest.mark.parametrize("body", [b"", b"no video at all\n" * 500, bytes(range(256)) * 400])
def test_a_file_that_is_no_video(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "letter.mp4"
    path.write_bytes(body)
    with pytest.raises(IngestError, match=r"letter\.mp4") as caught:
        list(read_file(path))
    assert caught.value.state is CameraState.INVALID


def test_a_playlist_does_not_make_ffmpeg_open_what_it_names(tmp_path: Path, clip: Path) -> None:
    path = tmp_path / "trick.mp4"
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{clip}\n#EXT-X-ENDLIST\n")
    with pytest.raises(IngestError) as caught:
        list(read_file(path))
    assert caught.value.state is CameraState.INVALID


def test_a_file_cut_short_gives_what_is_there(tmp_path: Path) -> None:
    whole = small_video(tmp_path / "whole.ts", seconds=4)
    cut = tmp_path / "cut.ts"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert 5 < len(list(read_file(cut))) < 40


def test_a_file_cut_before_its_first_picture_is_no_quiet_video(tmp_path: Path) -> None:
    whole = small_video(tmp_path / "whole.ts", seconds=4)
    cut = tmp_path / "cut.ts"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 200])
    with pytest.raises(IngestError, match=r"cut\.ts"):
        list(read_file(cut))


def test_reading_starts_no_threads(clip: Path) -> None:
    before = threading.active_count()
    for _ in read_file(clip):
        assert threading.active_count() == before


def test_real_footage() -> None:
    videos = sorted(data_folder("hazards/videos").glob("*.mp4"))[:6]
    assert videos
    for video in videos:
        frames = list(read_file(video, 1.0))
        assert frames
        times = [frame.captured_at for frame in frames]
        assert times == sorted(set(times))
        assert all(frame.image.shape[1] <= 640 for frame in frames)
