"""HLS cameras: playlists and segments fetched by us, handed to FFmpeg as one stream of bytes."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta

import av
from av.video.codeccontext import VideoCodecContext

from camera_ingest.errors import ENDED, NO_VIDEO, IngestError, Stopped, fell_silent
from camera_ingest.packets import StreamInfo, VideoPacket
from camera_ingest.stopping import StopSignal
from camera_ingest.streams.container import ContainerSource
from camera_ingest.streams.hls_playlist import (
    MasterPlaylist,
    MediaPlaylist,
    PlaylistError,
    Segment,
    parse_playlist,
)
from camera_ingest.streams.http_client import CameraHttp
from camera_ingest.timing import JUMP_S
from contracts import CameraId, CameraState
from plumbing.clock import Clock
from plumbing.settings import IngestSettings

_MAX_PLAYLIST_BYTES = 1_000_000
_MAX_SEGMENT_BYTES = 64_000_000
_MAX_DEPTH = 3
"""Playlists that lead to playlists."""

_LATE_S = 2.0
_EARLY_S = 60.0
"""Beyond these the pace is taken up anew: so late, the network paused; so early (more than any
segment lasts), the time stamps jumped."""


class HlsFeed:
    """The newest segments' bytes, one after another, as a file that FFmpeg reads.

    FFmpeg wants plain answers from a file, so a failure ends the data and is kept in ``problem``.
    """

    def __init__(
        self,
        camera_id: CameraId,
        http: CameraHttp,
        url: str,
        settings: IngestSettings,
        clock: Clock,
        stop: StopSignal,
    ) -> None:
        self.problem: IngestError | Stopped | None = None
        self.has_given = False
        """A segment came, whatever is in it."""
        self.began_at: datetime | None = None
        """The camera's wall clock at the first picture, where the playlist tells it."""
        self._camera_id = camera_id
        self._http = http
        self._settings = settings
        self._clock = clock
        self._stop = stop
        self._data = memoryview(b"")
        self._waiting: deque[Segment] = deque()
        self._head_url: str | None = None
        self._last_number: int | None = None
        self._url, self._playlist = self._first_playlist(url)
        self._looked_s = clock.monotonic_s()
        # The newest whole segment is the nearest to now; older ones only add delay.
        self._accept(self._playlist.segments[-1:])

    @property
    def holds_mp4(self) -> bool:
        """Whether the segments are fragments of MP4 rather than MPEG-TS."""
        return any(segment.head_url for segment in self._playlist.segments)

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes, waiting for them; empty at the end."""
        if self.problem is not None:
            return b""  # FFmpeg asks again; waiting again would double every timeout
        try:
            while not self._data:
                self._data = memoryview(self._next_segment())
                self.has_given = True
        except (IngestError, Stopped) as problem:
            self.problem = problem
            return b""
        piece, self._data = self._data[:size], self._data[size:]
        return bytes(piece)

    def why_ended(self) -> IngestError | Stopped | None:
        """The failure that ended the data."""
        return self.problem

    def _first_playlist(self, url: str) -> tuple[str, MediaPlaylist]:
        for _ in range(_MAX_DEPTH):
            playlist, url = self._fetch_playlist(url)
            if isinstance(playlist, MediaPlaylist):
                return url, playlist
            url = playlist.best_for(self._settings.frame_width_px).url
        raise self._error(CameraState.INVALID, "the HLS playlist leads only to other playlists")

    def _fetch_playlist(self, url: str) -> tuple[MasterPlaylist | MediaPlaylist, str]:
        fetched = self._http.fetch(url, _MAX_PLAYLIST_BYTES)
        try:
            text = fetched.body.decode("utf-8", errors="replace")
            return parse_playlist(text, fetched.url), fetched.url
        except PlaylistError as error:
            raise self._error(CameraState.INVALID, str(error)) from None

    def _next_segment(self) -> bytes:
        began_s = self._clock.monotonic_s()
        while not self._waiting:
            if self._playlist.is_ended:
                raise self._error(CameraState.STALLED, ENDED)
            target_s = self._playlist.target_duration_s
            patience_s = max(self._settings.read_timeout_s, 3 * target_s)
            if self._clock.monotonic_s() - began_s > patience_s:
                raise self._error(CameraState.STALLED, fell_silent(patience_s))
            # RFC 8216 6.3.4: not more often than every half target duration when nothing is new.
            self._stop.sleep(self._looked_s + target_s / 2 - self._clock.monotonic_s())
            self._look_again()
        segment = self._waiting.popleft()
        if not self.has_given:
            self.began_at = segment.began_at
        head = b""
        if segment.head_url is not None and segment.head_url != self._head_url:
            if self._head_url is not None:
                raise self._error(CameraState.STALLED, "the camera began a new stream")
            head = self._http.fetch(segment.head_url, _MAX_SEGMENT_BYTES).body
            self._head_url = segment.head_url
        return head + self._http.fetch(segment.url, _MAX_SEGMENT_BYTES).body

    def _look_again(self) -> None:
        playlist, _ = self._fetch_playlist(self._url)
        self._looked_s = self._clock.monotonic_s()
        if not isinstance(playlist, MediaPlaylist):
            raise self._error(CameraState.INVALID, "the HLS playlist turned into another kind")
        self._playlist = playlist
        last = self._last_number
        newest = playlist.segments[-1].number if playlist.segments else None
        if last is None or (newest is not None and newest < last):
            self._accept(playlist.segments[-1:])  # the camera started its count anew
        else:
            self._accept([segment for segment in playlist.segments if segment.number > last])

    def _accept(self, segments: tuple[Segment, ...] | list[Segment]) -> None:
        self._waiting.extend(segments)
        if segments:
            self._last_number = segments[-1].number

    def _error(self, state: CameraState, detail: str) -> IngestError:
        return IngestError(self._camera_id, state, detail)


class HlsSource:
    """An open HLS stream; see `PacketSource`.

    Segments come in bursts; the packets are handed on at the pace of their time stamps, or a burst
    would drown in the newest-frame slot and the rest of the time look like a stall.
    """

    def __init__(
        self,
        camera_id: CameraId,
        http: CameraHttp,
        url: str,
        settings: IngestSettings,
        clock: Clock,
        stop: StopSignal,
    ) -> None:
        self._http = http
        self._clock = clock
        self._stop = stop
        feed = self._feed = HlsFeed(camera_id, http, url, settings, clock, stop)
        try:
            container = av.open(
                feed,
                "r",
                format="mp4" if feed.holds_mp4 else "mpegts",
                options={"analyzeduration": "500000", "protocol_whitelist": "pipe"},
            )
        except av.FFmpegError:
            stop.check()
            if feed.problem is not None and not feed.has_given:
                raise feed.problem from None
            raise IngestError(camera_id, CameraState.INVALID, NO_VIDEO) from None
        self._inner = ContainerSource(
            camera_id, container, clock, stop, settings.read_timeout_s, feed.why_ended
        )

    @property
    def info(self) -> StreamInfo:
        """See `PacketSource`."""
        return self._inner.info

    def hurry(self, hurried: bool) -> None:
        """See `PacketSource`; every packet is given as it comes."""

    def new_decoder(self, *, keyframes_alone: bool = False) -> VideoCodecContext:
        """See `PacketSource`."""
        return self._inner.new_decoder(keyframes_alone=keyframes_alone)

    def packets(self) -> Iterator[VideoPacket]:
        """See `PacketSource`."""
        lead_s: float | None = None
        began_at, began_s, last_s = self._feed.began_at, 0.0, 0.0
        for packet in self._inner.packets():
            camera_at = None
            if packet.stream_s is not None:
                now_s = self._clock.monotonic_s()
                early_s = 0.0 if lead_s is None else packet.stream_s + lead_s - now_s
                if lead_s is None:
                    began_s = packet.stream_s
                elif abs(packet.stream_s - last_s) > JUMP_S:
                    began_at = None  # other time stamps: the date belonged to the old ones
                last_s = packet.stream_s
                if lead_s is None or not -_LATE_S < early_s < _EARLY_S:
                    lead_s = now_s - packet.stream_s
                elif early_s > 0:
                    self._stop.sleep(early_s)
                if began_at is not None:
                    camera_at = began_at + timedelta(seconds=packet.stream_s - began_s)
            yield dataclasses.replace(packet, received_at=self._clock.now(), camera_at=camera_at)

    def close(self) -> None:
        """See `PacketSource`."""
        self._inner.close()
        self._http.close()
