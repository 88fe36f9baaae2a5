"""Live view: a camera's packets as one watcher gets them, through no connection of its own.

    pre-roll -> LiveQueue (one a watcher, bounded) -> video as fragmented MP4, or single pictures

A watcher starts with the newest keyframe, or as many seconds back as it likes, and so has a picture
at once. One that is slower than its camera is dropped to the next keyframe, and told so.

Messages are texts (JSON, `docs/api.md` has them) and bytes. After a text ``start`` of mode
``video`` come the head of an MP4 and its fragments; after each text ``picture`` comes a JPEG.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

from camera_ingest.keeping.mp4 import Fragmenter, reorder_depth
from camera_ingest.keeping.parameter_sets import H264, H265, UnsupportedCodec
from camera_ingest.keeping.preroll import PacketRun, PreRoll
from camera_ingest.keeping.stills import latest_keyframe, still
from camera_ingest.packets import CodedPicture, StreamInfo

Message = str | bytes

QUEUE_BYTES = 4_000_000
"""What one watcher may lag: 8 s of 4 Mbit/s. When it is full, all of it is dropped."""
BEAT_S = 1.0
"""A watcher hears at least this often that the line is alive, and how old the picture is."""
PICTURE_EVERY_S = 0.5
PICTURE_WIDTH_PX = 960
VIDEO_CODECS = {H264: "h264", H265: "h265"}
"""FFmpeg's names and those that watchers name what they can play by."""
_NAMES = {"h264": "H.264", "h265": "H.265"}


class LiveQueue:
    """What one watcher has still to get. The reader's thread fills it, an event loop empties it."""

    def __init__(
        self, preroll: PreRoll, seconds_back: float, most_bytes: int = QUEUE_BYTES
    ) -> None:
        self._preroll = preroll
        self._most_bytes = most_bytes
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[int, StreamInfo, CodedPicture]] = deque()
        self._n_bytes = 0
        self._skipping = False
        self._news = asyncio.Event()
        self.skipped = 0
        """Pictures dropped because the watcher was too slow, since it was last told."""
        self.first = preroll.follow(self._hear, seconds_back)
        """What leads up to the present."""

    def close(self) -> None:
        """Let go of the camera."""
        self._preroll.leave(self._hear)

    async def take(self, timeout_s: float) -> list[tuple[int, StreamInfo, CodedPicture]]:
        """All that waits; empty after ``timeout_s`` without news."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        self._news.clear()
        taken = list(self._waiting)
        self._waiting.clear()
        self._n_bytes = 0
        return taken

    def _hear(self, info: StreamInfo, picture: CodedPicture, run: int) -> None:
        # A loop that has ended meanwhile has no watchers any more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._put, info, picture, run)

    def _put(self, info: StreamInfo, picture: CodedPicture, run: int) -> None:
        if self._n_bytes + picture.size > self._most_bytes:
            self.skipped += len(self._waiting)
            self._waiting.clear()
            self._n_bytes = 0
            self._skipping = True
        if self._skipping and not picture.is_keyframe:
            self.skipped += 1
            return
        self._skipping = False
        self._waiting.append((run, info, picture))
        self._n_bytes += picture.size
        self._news.set()


async def watch(
    preroll: PreRoll,
    *,
    seconds_back: float = 0.0,
    codecs: Collection[str] = ("h264",),
    pictures: bool = False,
    decoding: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> AsyncGenerator[Message, None]:
    """The messages for one watcher, without end; close it to let go of the camera.

    Args:
        preroll: The camera's.
        seconds_back: Where to begin; 0 is the newest keyframe.
        codecs: What the watcher can play, of ``h264`` and ``h265``; of other streams it gets
            pictures.
        pictures: Pictures in any case.
        decoding: Entered by the thread that decodes a picture, for as long as it does.
    """
    queue = LiveQueue(preroll, seconds_back)
    try:
        why = "" if not pictures else "asked for"
        run = queue.first
        if run is None:
            yield _text(type="waiting")
        while run is None:
            run = _joined(await queue.take(BEAT_S))
            if run is None:
                yield _text(type="waiting")
        name = VIDEO_CODECS.get(run.info.codec)
        if not why and name not in codecs:
            shown = _NAMES.get(name or "", run.info.codec.upper())
            why = f"the camera sends {shown}, which can't be played here: single pictures instead"
        sender = _pictures(queue, run, why, decoding) if why else _video(queue, run)
        async for message in sender:
            yield message
    finally:
        queue.close()


async def _video(queue: LiveQueue, run: PacketRun) -> AsyncGenerator[Message, None]:
    fragmenter, number = Fragmenter(run.info, run.began_at, reorder_depth(run.pictures)), run.number
    yield _start(fragmenter)
    yield fragmenter.head() + b"".join(map(fragmenter.fragment, run.pictures))
    newest = run.ended_at
    while True:
        taken = await queue.take(BEAT_S)
        if queue.skipped:
            yield _text(type="skipped", pictures=queue.skipped)
            queue.skipped = 0
        parts: list[bytes] = []
        for heard, info, picture in taken:
            newest = max(newest, picture.captured_at)
            if heard != number:
                if not picture.is_keyframe:
                    continue
                if parts:
                    yield b"".join(parts)
                    parts = []
                fragmenter, number = Fragmenter(info, picture.captured_at), heard
                yield _start(fragmenter)
                parts.append(fragmenter.head())
            parts.append(fragmenter.fragment(picture))
        if parts:
            yield b"".join(parts)
        else:
            yield _beat(newest)


async def _pictures(
    queue: LiveQueue,
    run: PacketRun,
    why: str,
    decoding: Callable[[], AbstractContextManager[None]],
) -> AsyncGenerator[Message, None]:
    def decoded(run: PacketRun, keyframe: CodedPicture) -> bytes:
        with decoding():
            return still(run, keyframe, PICTURE_WIDTH_PX)

    yield _text(type="start", mode="pictures", why=why, codec=run.info.codec)
    loop = asyncio.get_running_loop()
    shown_s = float("-inf")
    keyframe: CodedPicture | None = latest_keyframe(run)
    newest = run.ended_at
    while True:
        if keyframe is not None and loop.time() - shown_s >= PICTURE_EVERY_S:
            shown_s = loop.time()
            try:
                jpeg = await asyncio.to_thread(decoded, run, keyframe)
            except UnsupportedCodec as error:
                yield _text(type="damaged", why=str(error))
            else:
                yield _text(type="picture", captured_at=keyframe.captured_at.isoformat())
                yield jpeg
            keyframe = None
        taken = await queue.take(BEAT_S)
        queue.skipped = 0  # nobody misses a picture among those that aren't shown
        if not taken:
            yield _beat(newest)
        if (fresh := _joined(taken)) is not None:
            run, keyframe, newest = fresh, latest_keyframe(fresh), fresh.ended_at


def _joined(taken: list[tuple[int, StreamInfo, CodedPicture]]) -> PacketRun | None:
    """The newest run among what was taken, from a keyframe on."""
    if not taken:
        return None
    number, info, _ = taken[-1]
    pictures = [picture for run, _, picture in taken if run == number]
    start = next((n for n, picture in enumerate(pictures) if picture.is_keyframe), None)
    return None if start is None else PacketRun(number, info, tuple(pictures[start:]))


def _start(fragmenter: Fragmenter) -> str:
    return _text(
        type="start",
        mode="video",
        mime=fragmenter.mime,
        started_at=fragmenter.start.isoformat(),
        width_px=fragmenter.format.width_px,
        height_px=fragmenter.format.height_px,
    )


def _beat(newest: datetime) -> str:
    return _text(type="beat", last_picture_at=newest.isoformat())


def _text(**values: object) -> str:
    return json.dumps(values, separators=(",", ":"))
