"""The last seconds of a camera's packets, in memory: for looking back, clips and live view.

A `PreRoll` belongs to a camera for as long as it is watched and outlives reconnections. Packets lie
in it by groups of pictures, each from a keyframe on, and leave it by whole groups, so that whatever
is taken out can be decoded. A group whose coding parameters differ from the one before it, or that
follows a new connection or a setting of our clock, starts another *run*: one run can be decoded, or
written to one file, from its beginning to its end.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import av
from av.video.codeccontext import VideoCodecContext

from camera_ingest.keeping.parameter_sets import (
    SELF_DESCRIBING,
    UnsupportedCodec,
    renewed_parameters,
    track_format,
)
from camera_ingest.packets import CodedPicture, StreamInfo, VideoPacket
from camera_ingest.timing import JUMP_S, PacketClock

_LONGEST_GAP = timedelta(minutes=10)
"""Between two packets of one connection; after a fraction of it, that is given up."""

PictureListener = Callable[[StreamInfo, CodedPicture, int], None]
"""Told of each picture, its stream's parameters and the number of its run; in the reader's
thread, so it must be quick and must not raise."""


@dataclass(frozen=True, slots=True)
class PacketRun:
    """Coded pictures in the order of decoding; the first is a keyframe. Never empty."""

    number: int
    """Grows with every new run of a camera."""
    info: StreamInfo
    pictures: tuple[CodedPicture, ...]

    @property
    def began_at(self) -> datetime:
        """Capture time of its earliest picture."""
        return min(picture.captured_at for picture in self.pictures)

    @property
    def ended_at(self) -> datetime:
        """Capture time of its latest picture."""
        return max(picture.captured_at for picture in self.pictures)

    def new_decoder(self) -> VideoCodecContext:
        """A one-thread decoder for its pictures, to be fed ``av.Packet(picture.data)``."""
        context = av.CodecContext.create(self.info.codec, "r")
        if not isinstance(context, VideoCodecContext):
            raise TypeError(f"{self.info.codec} is no video codec")
        if self.info.extradata:
            context.extradata = self.info.extradata
        context.thread_count = 1
        return context


class _Group:
    """A keyframe and what follows it, to the next."""

    __slots__ = ("info", "n_bytes", "pictures", "run")

    def __init__(self, run: int, info: StreamInfo) -> None:
        self.run = run
        self.info = info
        self.pictures: list[CodedPicture] = []
        self.n_bytes = 0


class PreRoll:
    """One camera's last packets. One thread adds; any thread asks.

    Args:
        keep_s: How far back it reaches, where the bytes allow; seconds.
        most_bytes: What its pictures may take together. Beyond it the oldest groups leave early; a
            single group larger than all this is dropped whole, until the next keyframe.
    """

    def __init__(self, keep_s: float, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._keep = timedelta(seconds=keep_s)
        self._lock = threading.Lock()
        self._groups: deque[_Group] = deque()
        self._n_bytes = 0
        self._run = 0
        self._info: StreamInfo | None = None
        self._clock = PacketClock()
        self._received_at: datetime | None = None
        self._filling = False
        """A keyframe of this connection has come, and nothing after it was dropped."""
        self._listeners: tuple[PictureListener, ...] = ()

    @property
    def n_bytes(self) -> int:
        """What its pictures take."""
        return self._n_bytes

    def opened(self, info: StreamInfo) -> None:
        """A new connection: nothing of the one before can be decoded together with it."""
        with self._lock:
            self._info = info
            self._begin_run()

    def add(self, packet: VideoPacket) -> None:
        """Keep the packet; before the first keyframe there is nothing to keep it for."""
        since = packet.received_at - (self._received_at or packet.received_at)
        self._received_at = packet.received_at
        if not timedelta(seconds=-JUMP_S) <= since <= _LONGEST_GAP:
            # Our clock was set: times before and after can't stand in one file.
            with self._lock:
                self._begin_run()
        picture = CodedPicture(
            body=packet.body,
            is_keyframe=packet.is_keyframe,
            stream_s=packet.stream_s,
            captured_at=self._clock.place(packet.stream_s, packet.received_at, packet.camera_at),
            received_at=packet.received_at,
        )
        with self._lock:
            info = self._info
            if info is None or not (picture.is_keyframe or self._filling):
                return
            if picture.is_keyframe:
                info = self._with_parameters(info, picture)
                self._groups.append(_Group(self._run, info))
                self._filling = True
            group = self._groups[-1]
            group.pictures.append(picture)
            group.n_bytes += picture.size
            self._n_bytes += picture.size
            self._trim(picture.received_at)
            run, listeners = self._run, self._listeners
        for listener in listeners:
            listener(info, picture, run)

    def _begin_run(self) -> None:
        self._run += 1
        self._clock = PacketClock()
        self._filling = False

    def latest(self, seconds: float) -> PacketRun | None:
        """The newest run's last ``seconds`` before its newest packet, from a keyframe on.

        Shorter where the camera was connected anew meanwhile, a group longer where no keyframe
        lies there; none where nothing has come.
        """
        with self._lock:
            return self._latest(seconds)

    def between(self, since: datetime, until: datetime) -> list[PacketRun]:
        """What was captured in a time, oldest run first, each from the keyframe at or before it."""
        with self._lock:
            groups = [group for group in self._groups if group.pictures[0].captured_at <= until]
            chosen: list[_Group] = []
            for group, following in itertools.zip_longest(groups, groups[1:]):
                ends_before = (
                    following.pictures[0].captured_at <= since
                    if following is not None and following.run == group.run
                    else group.pictures[-1].captured_at < since
                )
                if not ends_before:
                    chosen.append(group)
            runs = _runs(chosen)
        return [_cut(run, until) for run in runs]

    def follow(self, listener: PictureListener, seconds: float = 0.0) -> PacketRun | None:
        """Tell ``listener`` of every picture from now on; back comes what leads up to it.

        The run returned is that of `latest`, and the listener is told of exactly what follows it.
        """
        with self._lock:
            self._listeners = (*self._listeners, listener)
            return self._latest(seconds)

    def leave(self, listener: PictureListener) -> None:
        """Tell it no more; harmless where it isn't told."""
        with self._lock:
            self._listeners = tuple(one for one in self._listeners if one != listener)

    def _with_parameters(self, info: StreamInfo, keyframe: CodedPicture) -> StreamInfo:
        """Learn the parameters that a keyframe brings; other ones than before begin a run."""
        if info.codec not in SELF_DESCRIBING:
            return info
        fresh = renewed_parameters(info.codec, info.extradata, keyframe.data)
        if fresh is None:
            return info
        width, height = info.width_px, info.height_px
        try:
            described = track_format(info.codec, fresh, None)
            width, height = described.width_px, described.height_px
        except UnsupportedCodec:
            pass  # incomplete as yet; what is wanted of the run will say so
        if self._filling:
            self._run += 1
        self._info = dataclasses.replace(info, extradata=fresh, width_px=width, height_px=height)
        return self._info

    def _latest(self, seconds: float) -> PacketRun | None:
        if not self._groups:
            return None
        newest = self._groups[-1]
        since = newest.pictures[-1].captured_at - timedelta(seconds=seconds)
        chosen: list[_Group] = []
        for group in reversed(self._groups):
            if group.run != newest.run:
                break
            chosen.append(group)
            if group.pictures[0].captured_at <= since:
                break
        return _runs(reversed(chosen))[-1]

    def _trim(self, now: datetime) -> None:
        groups = self._groups
        while self._n_bytes > self.most_bytes or (
            # Later than now: our clock was set back since.
            len(groups) > 1 and abs(now - groups[1].pictures[0].received_at) >= self._keep
        ):
            self._n_bytes -= groups.popleft().n_bytes
            if not groups:
                self._filling = False
                return


def _runs(groups: Iterable[_Group]) -> list[PacketRun]:
    """Groups, oldest first, joined where they can be decoded together."""
    joined: list[tuple[_Group, list[CodedPicture]]] = []
    for group in groups:
        if not joined or joined[-1][0].run != group.run:
            joined.append((group, []))
        joined[-1][1].extend(group.pictures)
    return [PacketRun(group.run, group.info, tuple(pictures)) for group, pictures in joined]


def _cut(run: PacketRun, until: datetime) -> PacketRun:
    """The run up to a time. Nothing between two kept pictures is left out: B-frames need both."""
    last = max(
        (i for i, picture in enumerate(run.pictures) if picture.captured_at <= until), default=0
    )
    return PacketRun(run.number, run.info, run.pictures[: last + 1])
