from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from plumbing.clock import SystemClock
from simulator.rtsp import FileSource, Picture, Timeline, UnplayableVideoError
from tests.support.rtsp import small_video


async def first(source: FileSource, count: int, timeline: Timeline) -> list[Picture]:
    found: list[Picture] = []
    async for picture in source.pictures(timeline):
        found.append(picture)
        if len(found) == count:
            break
    return found


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("phase_s", [0.0, 0.7, 5.3])
async def test_times_run_on_through_the_loop_from_the_latest_keyframe(
    tmp_path: Path, phase_s: float, b_frames: int
) -> None:
    file = small_video(tmp_path / "a.mp4", seconds=2.0, fps=10, gop=5, b_frames=b_frames)
    source = FileSource(file, phase_s=phase_s)
    timeline = Timeline(SystemClock())
    seen = await first(source, 70, timeline)
    assert source.loop_s == pytest.approx(2.0)
    assert seen[0].is_keyframe
    # Within one group of pictures and the B frames' lead of now.
    assert -0.8 < seen[0].due_s <= timeline.elapsed_s()
    assert all(later.due_s - earlier.due_s > 0.04 for earlier, later in pairwise(seen))
    assert all(picture.due_s >= picture.shown_s - 1e-9 for picture in seen)
    shown = sorted(picture.shown_s for picture in seen)
    inner = [later - earlier for earlier, later in pairwise(shown)][:-4]
    assert inner == pytest.approx([0.1] * len(inner), abs=1e-6)


async def test_a_phase_shifts_the_keyframes(tmp_path: Path) -> None:
    file = small_video(tmp_path / "a.mp4", seconds=2.0, fps=10, gop=10)
    timeline = Timeline(SystemClock())
    plain, shifted = await asyncio.gather(
        first(FileSource(file), 1, timeline), first(FileSource(file, phase_s=0.4), 1, timeline)
    )
    assert (shifted[0].due_s - plain[0].due_s) % 1.0 == pytest.approx(0.6)


def test_what_is_no_video_or_another_codec_says_what_to_do(tmp_path: Path) -> None:
    text = tmp_path / "a.mp4"
    text.write_text("no video at all")
    with pytest.raises(UnplayableVideoError, match="no video that can be read"):
        FileSource(text)
    with pytest.raises(UnplayableVideoError, match=r"is mpeg4, not H\.264 or H\.265: ffmpeg"):
        FileSource(small_video(tmp_path / "b.mp4", codec="mpeg4"))
    with pytest.raises(UnplayableVideoError, match="missing"):
        FileSource(tmp_path / "missing.mp4")
