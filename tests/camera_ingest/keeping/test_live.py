"""One watcher's messages, from a real camera's packets."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from camera_ingest import IngestSupervisor, PreRoll, StreamInfo
from camera_ingest.keeping.live import LiveQueue, Message, watch
from camera_ingest.packets import VideoPacket
from contracts import CameraId, StreamSource
from plumbing.address_guard import AddressGuard
from plumbing.clock import SystemClock
from plumbing.sealing import Sealer
from plumbing.settings import IngestSettings
from tests.camera_ingest.keeping.test_preroll import START
from tests.support.rtsp import RtspThread, read_clock, small_video

CAMERA = CameraId("cam-1")


@pytest.fixture
async def watched(
    rtsp: RtspThread, settings: IngestSettings, sealer: Sealer
) -> AsyncIterator[Callable[[str], PreRoll]]:
    """Starts watching a URL; the camera's pre-roll comes back."""
    ingest = IngestSupervisor(
        settings, SystemClock(), AddressGuard(settings.allow_private), sealer, lambda _: None
    )

    def start(url: str) -> PreRoll:
        ingest.set_sources([StreamSource(camera_id=CAMERA, url=url)])
        preroll = ingest.preroll(CAMERA)
        assert preroll is not None
        return preroll

    yield start
    await asyncio.to_thread(ingest.stop)


async def filled(preroll: PreRoll, seconds: float) -> None:
    def reach_s() -> float:
        run = preroll.latest(100)
        return (run.ended_at - run.began_at).total_seconds() if run else 0.0

    async with asyncio.timeout(20):
        while reach_s() < seconds:  # noqa: ASYNC110 - a camera sets no event
            await asyncio.sleep(0.02)


async def some(preroll: PreRoll, count: int, **options: object) -> list[Message]:
    """A watcher's first messages."""
    found: list[Message] = []
    async with contextlib.aclosing(watch(preroll, **options)) as messages:  # type: ignore[arg-type]
        async with asyncio.timeout(20):
            async for message in messages:
                found.append(message)
                if len(found) == count:
                    break
    return found


def told(message: Message) -> dict[str, object]:
    assert isinstance(message, str)
    found: dict[str, object] = json.loads(message)
    return found


async def test_a_watcher_has_a_picture_at_once_and_every_one_that_follows(
    rtsp: RtspThread, watched: Callable[[str], PreRoll]
) -> None:
    preroll = watched(rtsp.serve_clock("street"))
    await filled(preroll, 1.5)
    asked_at = datetime.now(UTC)
    first = await some(preroll, 2)
    start = told(first[0])
    assert start["mode"] == "video"
    assert datetime.fromisoformat(str(start["started_at"])) < asked_at, "nothing is waited for"
    assert str(start["mime"]).startswith('video/mp4; codecs="avc1.')
    assert isinstance(first[1], bytes)
    messages = await some(preroll, 12)
    started_at = datetime.fromisoformat(str(told(messages[0])["started_at"]))
    video = b"".join(message for message in messages if isinstance(message, bytes))
    with av.open(io.BytesIO(video), "r") as container:
        frames = list(container.decode(video=0))
    assert len(frames) >= 10
    assert not any(frame.is_corrupt for frame in frames)
    for frame in frames:
        at = started_at + timedelta(seconds=float(frame.time or 0))
        picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        assert abs(read_clock(picture, at)) <= 0.1
    assert rtsp.reader_count("street") == 1  # however many watch


async def test_the_pre_roll_can_be_watched_again(
    rtsp: RtspThread, watched: Callable[[str], PreRoll]
) -> None:
    preroll = watched(rtsp.serve_clock("street"))
    await filled(preroll, 3)
    now, back = await some(preroll, 1), await some(preroll, 1, seconds_back=2.5)
    starts = [datetime.fromisoformat(str(told(one[0])["started_at"])) for one in (back, now)]
    assert (starts[1] - starts[0]).total_seconds() >= 1.5


async def test_what_cant_be_played_comes_as_pictures_and_says_why(
    rtsp: RtspThread, watched: Callable[[str], PreRoll], tmp_path: Path
) -> None:
    file = small_video(tmp_path / "a.mp4", seconds=4, width_px=320, codec="libx265", gop=4)
    preroll = watched(rtsp.serve_file("street", file))
    await filled(preroll, 0.5)
    messages = await some(preroll, 5)
    start = told(messages[0])
    assert start["mode"] == "pictures"
    assert "H.265" in str(start["why"])
    assert told(messages[1])["type"] == "picture"
    jpeg = messages[2]
    assert isinstance(jpeg, bytes)
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape[1] == 320
    as_video = await some(preroll, 1, codecs=("h264", "h265"))
    assert "hvc1" in str(told(as_video[0])["mime"])


async def test_before_the_first_picture_a_watcher_is_told_to_wait() -> None:
    (waiting,) = await some(PreRoll(30, 10_000), 1)
    assert told(waiting) == {"type": "waiting"}


async def test_a_slow_watcher_is_dropped_to_the_next_keyframe() -> None:
    preroll = PreRoll(30, 1_000_000)
    preroll.opened(StreamInfo("h264", 320, 180, 10.0))

    def add(number: int) -> None:
        at_s = number / 10
        received_at = START + timedelta(seconds=at_s)
        preroll.add(VideoPacket(av.Packet(bytes(100)), at_s, number % 10 == 0, received_at))

    add(0)
    queue = LiveQueue(preroll, 0, most_bytes=1_000)
    for number in range(1, 40):
        add(number)
    taken = await queue.take(1)
    assert taken[0][2].is_keyframe
    assert [picture.stream_s for _, _, picture in taken] == [3 + n / 10 for n in range(10)]
    assert queue.skipped + len(taken) == 39
    queue.close()
    add(40)
    assert await queue.take(0.01) == []
