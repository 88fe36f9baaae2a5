from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from camera_ingest.decoding import PictureDecoder
from camera_ingest.errors import IngestError
from camera_ingest.packets import VideoPacket
from camera_ingest.pictures import PictureShrinker, shrunk_size
from camera_ingest.stopping import StopSignal
from camera_ingest.streams.container import ContainerSource
from camera_ingest.timing import PictureRate
from contracts import CameraId
from plumbing.clock import SystemClock
from tests.support.rtsp import small_video


def opened(path: Path) -> ContainerSource:
    return ContainerSource(CameraId("a"), av.open(str(path)), SystemClock(), StopSignal(), 1.0)


def packets_of(source: ContainerSource) -> Iterator[VideoPacket]:
    packets = source.packets()
    while True:
        try:
            yield next(packets)
        except IngestError:
            return


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_cold_gives_every_keyframe_at_once(tmp_path: Path, codec: str, b_frames: int) -> None:
    path = small_video(tmp_path / "a.mp4", seconds=3, codec=codec, b_frames=b_frames)
    source = opened(path)
    decoder = PictureDecoder(source.new_decoder(), lambda _: True)
    keyframes = 0
    for packet in packets_of(source):
        pictures = list(decoder.decode(packet, hot=False))
        assert len(pictures) == packet.is_keyframe
        keyframes += len(pictures)
        for _, stream_s in pictures:
            assert stream_s == packet.stream_s
    assert keyframes >= 3
    assert decoder.broken_pictures == 0


def test_an_unwanted_keyframe_is_not_decoded(clip: Path) -> None:
    source = opened(clip)
    wanted = iter([True, False, False, True, False, False])
    decoder = PictureDecoder(source.new_decoder(), lambda _: next(wanted))
    shown = [at for packet in packets_of(source) for _, at in decoder.decode(packet, hot=False)]
    assert shown == [0.0, 3.0]


def test_hot_begins_with_the_keyframe_before_and_misses_nothing(clip: Path) -> None:
    source = opened(clip)
    decoder = PictureDecoder(source.new_decoder(), lambda _: True)
    shown = []
    for number, packet in enumerate(packets_of(source)):
        hot = 14 <= number < 43  # from the middle of the second group to that of the fifth
        shown += [round((at or 0) * 10) for _, at in decoder.decode(packet, hot=hot)]
    assert shown == [0, 10, *range(11, 43), 50]
    assert decoder.broken_pictures == 0


@pytest.mark.parametrize("loop", [1, 30])
def test_hot_misses_nothing_where_time_stamps_stand_still_or_run_in_circles(
    clip: Path, loop: int
) -> None:
    source = opened(clip)
    decoder = PictureDecoder(source.new_decoder(), lambda _: True)
    shown = 0
    for number, packet in enumerate(packets_of(source)):
        pts = number % loop * 1000
        packet.packet.pts, packet.packet.time_base = pts, Fraction(1, 10_000)
        packet = replace(packet, stream_s=pts / 10_000)
        shown += len(list(decoder.decode(packet, hot=number >= 14)))
    assert shown >= 2 + 46 - 5
    assert decoder.broken_pictures == 0


def test_hot_and_late_the_rest_of_the_group_is_left_out(clip: Path) -> None:
    source = opened(clip)
    decoder = PictureDecoder(source.new_decoder(), lambda _: True)
    shown = []
    for number, packet in enumerate(packets_of(source)):
        is_late = number in (14, 15, 30)  # in the middle of the second group; the fourth's keyframe
        pictures = decoder.decode(packet, hot=True, is_late=is_late)
        shown += [round((at or 0) * 10) for _, at in pictures]
    assert shown == [*range(14), *range(20, 31), *range(40, 60)]
    assert decoder.broken_pictures == 0


def shown_cold(path: Path) -> list[float]:
    source = opened(path)
    rate = PictureRate(2)

    def is_due(stream_s: float | None) -> bool:
        return stream_s is not None and rate.is_due(stream_s)

    decoder = PictureDecoder(source.new_decoder(), is_due)
    return [
        round(at or 0, 3)
        for packet in packets_of(source)
        for _, at in decoder.decode(packet, hot=False)
    ]


@pytest.mark.parametrize("b_frames", [0, 2])
def test_rare_keyframes_leave_no_camera_unwatched(tmp_path: Path, b_frames: int) -> None:
    path = small_video(tmp_path / "rare.mp4", seconds=20, gop=100, b_frames=b_frames)
    shown = shown_cold(path)
    assert shown == sorted(set(shown)), "no picture comes twice"
    assert max(after - before for before, after in pairwise(shown)) <= 1.0


def test_one_keyframe_for_all(tmp_path: Path) -> None:
    shown = shown_cold(small_video(tmp_path / "one.mp4", seconds=12, gop=1000))
    assert len(shown) >= 22


def test_regular_keyframes_are_all_that_is_decoded(clip: Path) -> None:
    assert shown_cold(clip) == [0, 1, 2, 3, 4, 5]


def test_a_damaged_packet_is_counted_and_the_rest_goes_on(clip: Path) -> None:
    source = opened(clip)
    decoder = PictureDecoder(source.new_decoder(), lambda _: True)
    shown = 0
    for number, packet in enumerate(packets_of(source)):
        damaged = packet
        if number == 10:
            body = bytearray(bytes(packet.packet))
            body[4:] = bytes(255 - byte for byte in body[4:])
            damaged = VideoPacket(av.Packet(bytes(body)), 1.0, True, packet.received_at)
        shown += len(list(decoder.decode(damaged, hot=False)))
    assert shown == 5
    assert decoder.broken_pictures >= 1


@pytest.mark.parametrize(
    ("size", "limit", "expected"),
    [
        ((1280, 720), 640, (640, 360)),
        ((320, 180), 640, (320, 180)),
        ((704, 576), 640, (640, 524)),
        ((1080, 1920), 641, (640, 1138)),
        ((5000, 16), 160, (160, 2)),
    ],
)
def test_shrunk_sizes(size: tuple[int, int], limit: int, expected: tuple[int, int]) -> None:
    assert shrunk_size(*size, limit) == expected


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "nv12"])
def test_grey_stays_grey_in_every_pixel_format(pixel_format: str) -> None:
    import numpy as np

    grey = av.VideoFrame.from_ndarray(np.full((180, 322, 3), 128, np.uint8), format="rgb24")
    image, facts = PictureShrinker(160).shrink(grey.reformat(format=pixel_format))
    assert image.shape == (90, 160, 3)
    assert abs(int(image.max()) - 128) <= 3
    assert abs(int(image.min()) - 128) <= 3
    assert facts.contrast < 1
