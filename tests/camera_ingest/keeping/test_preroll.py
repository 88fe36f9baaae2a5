from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_ingest import PacketRun, PreRoll, StreamOpener, StreamReader
from camera_ingest.packets import CodedPicture, StreamInfo, VideoPacket
from contracts import StreamSource
from tests.support.rtsp import RtspThread, small_video

START = datetime(2026, 1, 1, tzinfo=UTC)
H264 = StreamInfo("h264", 320, 180, 10.0)


def packet(at_s: float, *, key: bool, size: int = 100) -> VideoPacket:
    received_at = START + timedelta(seconds=at_s)
    body = struct.pack(">d", at_s).ljust(size, b"\0")
    return VideoPacket(av.Packet(body), at_s, key, received_at)


def fill(
    preroll: PreRoll, seconds: float, *, from_s: float = 0.0, gop: int = 20, size: int = 100
) -> None:
    for n in range(round(seconds * 10)):
        preroll.add(packet(from_s + n / 10, key=n % gop == 0, size=size))


def told(preroll: PreRoll, seconds: float = 1000) -> PacketRun:
    run = preroll.latest(seconds)
    assert run is not None
    return run


@pytest.fixture
def preroll() -> PreRoll:
    made = PreRoll(30, 10_000_000)
    made.opened(H264)
    return made


def test_nothing_is_kept_before_the_first_keyframe(preroll: PreRoll) -> None:
    preroll.add(packet(0, key=False))
    assert preroll.latest(10) is None
    assert preroll.between(START, START + timedelta(seconds=9)) == []


def test_it_reaches_back_as_far_as_it_is_told_to_and_little_farther(preroll: PreRoll) -> None:
    fill(preroll, 100)
    run = told(preroll)
    assert 30 <= (run.ended_at - run.began_at).total_seconds() <= 32


def test_the_last_seconds_begin_with_the_keyframe_before_them(preroll: PreRoll) -> None:
    fill(preroll, 20)
    run = told(preroll, 5)
    assert run.pictures[0].is_keyframe
    assert run.began_at == START + timedelta(seconds=14)
    assert run.ended_at == START + timedelta(seconds=19.9)
    assert told(preroll, 0).began_at == START + timedelta(seconds=18)


def test_a_time_is_cut_out_from_the_keyframe_before_it_to_its_end(preroll: PreRoll) -> None:
    fill(preroll, 20)
    (run,) = preroll.between(START + timedelta(seconds=5), START + timedelta(seconds=9.05))
    assert (run.began_at, run.ended_at) == (
        START + timedelta(seconds=4),
        START + timedelta(seconds=9),
    )


@pytest.mark.parametrize("hours", [-1, -10_000, 10_000])
def test_our_own_clock_set_leaves_the_last_seconds_to_be_looked_at(
    preroll: PreRoll, hours: int
) -> None:
    fill(preroll, 40)
    by = timedelta(hours=hours)
    for n in range(400, 600):
        late = packet(n / 10, key=n % 20 == 0)
        preroll.add(dataclasses.replace(late, received_at=late.received_at + by))
    now = START + timedelta(seconds=60) + by
    (run,) = preroll.between(now - timedelta(seconds=8), now)
    assert (now - run.began_at, now - run.ended_at) == (
        timedelta(seconds=8),
        timedelta(seconds=0.1),
    )
    assert len(told(preroll).pictures) == 200, "one file holds one time"


def test_a_new_connection_begins_a_new_run(preroll: PreRoll) -> None:
    fill(preroll, 10)
    preroll.opened(StreamInfo("hevc", 640, 360, 10.0))
    preroll.add(packet(10.5, key=False))  # of no use: its keyframe went by before
    fill(preroll, 10, from_s=11)
    assert told(preroll).info.codec == "hevc"
    assert told(preroll).began_at == START + timedelta(seconds=11)
    runs = preroll.between(START, START + timedelta(seconds=30))
    assert [run.info.codec for run in runs] == ["h264", "hevc"]
    assert runs[0].number < runs[1].number


def test_a_time_between_two_connections_holds_nothing(preroll: PreRoll) -> None:
    fill(preroll, 4)
    preroll.opened(H264)
    fill(preroll, 4, from_s=20)
    assert preroll.between(START + timedelta(seconds=8), START + timedelta(seconds=12)) == []


@given(
    sizes=st.lists(st.integers(1, 400), min_size=1, max_size=120),
    gop=st.integers(1, 50),
    most_bytes=st.integers(100, 5_000),
)
def test_it_never_takes_more_than_its_bytes_and_always_starts_with_a_keyframe(
    sizes: list[int], gop: int, most_bytes: int
) -> None:
    preroll = PreRoll(5, most_bytes)
    preroll.opened(H264)
    for n, size in enumerate(sizes):
        preroll.add(packet(n / 10, key=n % gop == 0, size=max(8, size)))
        assert preroll.n_bytes <= most_bytes
        run = preroll.latest(1000)
        kept = [] if run is None else [len(picture.data) for picture in run.pictures]
        assert preroll.n_bytes == sum(kept)
        assert run is None or run.pictures[0].is_keyframe


def test_less_memory_means_a_shorter_reach_not_a_gap(preroll: PreRoll) -> None:
    fill(preroll, 30)
    preroll.most_bytes = 10_000
    fill(preroll, 10, from_s=30)
    run = told(preroll)
    steps = {
        round((b.captured_at - a.captured_at).total_seconds(), 3)
        for a, b in zip(run.pictures, run.pictures[1:], strict=False)
    }
    assert steps == {0.1}
    assert run.ended_at == START + timedelta(seconds=39.9)


def test_a_follower_gets_everything_once_and_in_order(preroll: PreRoll) -> None:
    heard: list[CodedPicture] = []

    def listen(_info: StreamInfo, picture: CodedPicture, _run: int) -> None:
        heard.append(picture)

    fill(preroll, 4)
    before = preroll.follow(listen, 1.0)
    fill(preroll, 4, from_s=4)
    preroll.leave(listen)
    fill(preroll, 4, from_s=8)
    assert before is not None
    times = [picture.stream_s for picture in (*before.pictures, *heard)]
    assert times == [round(2 + n / 10, 1) for n in range(60)]


def test_pictures_shown_before_the_one_decoded_first_keep_their_times(preroll: PreRoll) -> None:
    shown = [0, 4, 2, 1, 3, 8, 6, 5, 7]  # pictures' numbers in the order of decoding
    for arrival, number in enumerate(shown):
        body = VideoPacket(
            av.Packet(b"x"),
            number / 10,
            number == 0,
            START + timedelta(seconds=arrival / 10),
        )
        preroll.add(body)
    run = told(preroll)
    offsets = {
        round((picture.captured_at - START).total_seconds() - number / 10, 3)
        for picture, number in zip(run.pictures, shown, strict=True)
    }
    assert max(offsets) - min(offsets) <= 0.41  # what the least delay has yet to learn
    assert run.pictures[-1].captured_at < run.pictures[-4].captured_at


def test_what_a_camera_sent_can_be_decoded_again(
    rtsp: RtspThread,
    lively_clip: Path,
    opener: StreamOpener,
    registered: Callable[..., StreamSource],
) -> None:
    preroll = PreRoll(30, 10_000_000)
    reader = StreamReader(
        registered(rtsp.serve_file("street", lively_clip)), opener, preroll=preroll
    )
    frames = reader.frames()
    seen = [next(frames) for _ in range(4)]
    reader.stop()
    run = told(preroll)
    decoder = run.new_decoder()
    pictures = [
        frame for picture in run.pictures for frame in decoder.decode(av.Packet(picture.data))
    ]
    assert len(pictures) >= 10
    keyframes = [picture for picture in run.pictures if picture.is_keyframe]
    # The camera tells its time, so a frame and its packet agree on it.
    for frame, picture in zip(seen[1:], keyframes[1:], strict=False):
        assert abs((frame.captured_at - picture.captured_at).total_seconds()) < 0.1


def test_another_size_in_mid_stream_begins_a_new_run(tmp_path: Path) -> None:
    preroll = PreRoll(30, 10_000_000)
    preroll.opened(StreamInfo("h264", None, None, None))
    at_s = 0.0
    for width_px in (160, 320):
        file = small_video(tmp_path / f"{width_px}.ts", seconds=2, width_px=width_px)
        with av.open(str(file)) as container:
            for body in container.demux(video=0):
                if body.size:
                    received_at = START + timedelta(seconds=at_s)
                    preroll.add(VideoPacket(body, at_s, body.is_keyframe, received_at))
                    at_s += 0.1
    runs = preroll.between(START, START + timedelta(seconds=9))
    assert [run.info.width_px for run in runs] == [160, 320]
    for run in runs:
        decoder = run.new_decoder()
        frames = [f for one in run.pictures for f in decoder.decode(av.Packet(one.data))]
        assert {frame.width for frame in frames} == {run.info.width_px}
