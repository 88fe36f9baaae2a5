"""Cameras that send JPEG pictures over HTTP: as one endless multipart answer, or one a request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import av
import httpx
from av.video.codeccontext import VideoCodecContext

from camera_ingest.errors import ENDED, NO_VIDEO, IngestError
from camera_ingest.packets import StreamInfo, VideoPacket
from camera_ingest.stopping import StopSignal
from camera_ingest.streams.http_client import CameraHttp
from contracts import CameraId, CameraState
from plumbing.clock import Clock

MAX_JPEG_BYTES = 8_000_000

_LENGTH = re.compile(rb"^content-length:\s*(\d{1,9})\s*$", re.IGNORECASE | re.MULTILINE)
_JPEG_START = b"\xff\xd8"
_JPEG_END = b"\xff\xd9"
_INFO = StreamInfo(codec="mjpeg", width_px=None, height_px=None, frames_per_s=None)
_SNAPSHOTS = replace(_INFO, are_snapshots=True)

_SLOWER = 1.5
_SLOWEST_S = 5.0
"""A picture that isn't renewed is asked for more and more seldom, up to this: portals renew theirs
every few minutes, and a camera must not seem silent meanwhile."""


class MultipartParser:
    """Cuts a ``multipart/x-mixed-replace`` body into JPEG pictures (RFC 2046, as cameras bend it).

    Parts without a length end where the next boundary stands. What is no JPEG is left out.

    Raises:
        ValueError: from `feed`, where a part is larger than `MAX_JPEG_BYTES`.
    """

    def __init__(self, content_type: str) -> None:
        found = re.search(r'boundary="?([^";,\s]+)', content_type, re.IGNORECASE)
        name = found[1].encode("latin-1", "replace") if found else b""
        # Some announce the boundary with its dashes, some without.
        self._boundary = b"--" + name.removeprefix(b"--")
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The pictures that are whole now."""
        self._buffer += data
        pictures = []
        while (part := self._next_part()) is not None:
            start, end = part.find(_JPEG_START), part.rfind(_JPEG_END)
            if 0 <= start < end:
                pictures.append(part[start : end + 2])
        if len(self._buffer) > MAX_JPEG_BYTES:
            raise ValueError("a part is too large for a picture")
        return pictures

    def _next_part(self) -> bytes | None:
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return None
        body_start = head_end + 4
        # The head may have the last boundary before it; only its own lines count.
        head_start = max(0, self._buffer.rfind(self._boundary, 0, head_end))
        length = _LENGTH.search(self._buffer[head_start:head_end].replace(b"\r", b""))
        if length is not None:
            body_end = body_start + int(length[1])
            if body_end - body_start > MAX_JPEG_BYTES:
                raise ValueError("a part is too large for a picture")
            if len(self._buffer) < body_end:
                return None
        else:
            # Begins again a little before the end: a boundary may be cut in two.
            begin = max(body_start, self._searched - len(self._boundary))
            body_end = self._buffer.find(self._boundary, begin)
            if body_end < 0:
                self._searched = len(self._buffer)
                return None
        part = bytes(self._buffer[body_start:body_end])
        del self._buffer[:body_end]
        self._searched = 0
        return part


class _JpegSource:
    """What both kinds share; see `PacketSource`."""

    def __init__(self, camera_id: CameraId, http: CameraHttp, clock: Clock) -> None:
        self._camera_id = camera_id
        self._http = http
        self._clock = clock

    @property
    def info(self) -> StreamInfo:
        """See `PacketSource`; the size shows in the pictures only."""
        return _INFO

    def hurry(self, hurried: bool) -> None:
        """See `PacketSource`; every packet is given as it comes."""

    def new_decoder(self, *, keyframes_alone: bool = False) -> VideoCodecContext:
        """See `PacketSource`; JPEG has no edges to smooth."""
        del keyframes_alone
        context = av.CodecContext.create("mjpeg", "r")
        context.thread_count = 1
        return context

    def close(self) -> None:
        """See `PacketSource`."""
        self._http.close()

    def _packet(self, jpeg: bytes) -> VideoPacket:
        return VideoPacket(
            body=av.Packet(jpeg),
            stream_s=None,
            is_keyframe=True,
            received_at=self._clock.now(),
        )


class MultipartSource(_JpegSource):
    """An MJPEG stream: pictures as parts of one answer without end."""

    def __init__(
        self, camera_id: CameraId, http: CameraHttp, clock: Clock, response: httpx.Response
    ) -> None:
        super().__init__(camera_id, http, clock)
        self._response = response

    def packets(self) -> Iterator[VideoPacket]:
        """See `PacketSource`."""
        parser = MultipartParser(self._response.headers.get("content-type", ""))
        for chunk in self._http.chunks(self._response):
            try:
                pictures = parser.feed(chunk)
            except ValueError:
                raise IngestError(self._camera_id, CameraState.INVALID, NO_VIDEO) from None
            for jpeg in pictures:
                yield self._packet(jpeg)
        raise IngestError(self._camera_id, CameraState.STALLED, ENDED)

    def close(self) -> None:
        """See `PacketSource`."""
        self._response.close()
        super().close()


class SnapshotSource(_JpegSource):
    """A camera that gives one picture a request; asked every ``period_s``."""

    def __init__(
        self,
        camera_id: CameraId,
        http: CameraHttp,
        clock: Clock,
        url: str,
        period_s: float,
        stop: StopSignal,
    ) -> None:
        super().__init__(camera_id, http, clock)
        self._url = url
        self._period_s = period_s
        self._stop = stop

    @property
    def info(self) -> StreamInfo:
        """See `PacketSource`."""
        return _SNAPSHOTS

    def packets(self) -> Iterator[VideoPacket]:
        """See `PacketSource`."""
        before = b""
        wait_s = self._period_s
        while True:
            asked_s = self._clock.monotonic_s()
            jpeg = self._http.fetch(self._url, MAX_JPEG_BYTES).body
            yield self._packet(jpeg)
            if jpeg == before:
                wait_s = max(self._period_s, min(_SLOWEST_S, wait_s * _SLOWER))
            else:
                before, wait_s = jpeg, self._period_s
            self._stop.sleep(asked_s + wait_s - self._clock.monotonic_s())
