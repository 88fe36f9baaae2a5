"""Opening HTTP cameras: the answer itself says whether it is HLS, MJPEG or single pictures."""

from __future__ import annotations

from contextlib import ExitStack
from urllib.parse import urlsplit

from camera_ingest.credentials import Credentials
from camera_ingest.errors import NO_VIDEO, IngestError
from camera_ingest.packets import PacketSource
from camera_ingest.stopping import StopSignal
from camera_ingest.streams.hls import HlsSource
from camera_ingest.streams.http_client import CameraHttp
from camera_ingest.streams.jpeg import MultipartSource, SnapshotSource
from contracts import CameraState, StreamSource
from plumbing.address_guard import AddressGuard
from plumbing.clock import Clock
from plumbing.settings import IngestSettings

_PLAYLIST_TYPES = ("mpegurl", "m3u8")
_PLAYLIST_PATHS = (".m3u8", ".m3u")


def open_http(
    source: StreamSource,
    guard: AddressGuard,
    credentials: Credentials | None,
    settings: IngestSettings,
    clock: Clock,
    stop: StopSignal,
) -> PacketSource:
    """Open an ``http://`` or ``https://`` camera.

    Raises:
        IngestError: by what the camera did; INVALID where the answer is none of the three kinds.
        Stopped: the order came while opening.
    """
    camera_id, url = source.camera_id, source.url
    with ExitStack() as stack:
        http = CameraHttp(camera_id, url, guard, credentials, source.headers, settings, stop)
        stack.callback(http.close)
        opened: PacketSource
        if urlsplit(url).path.lower().endswith(_PLAYLIST_PATHS):
            opened = HlsSource(camera_id, http, url, settings, clock, stop)
        else:
            response = http.open(url)
            stack.callback(response.close)
            content_type = response.headers.get("content-type", "").lower()
            if content_type.startswith("multipart/"):
                opened = MultipartSource(camera_id, http, clock, response)
            else:
                response.close()
                opened = _asked_again(source, content_type, http, settings, clock, stop)
        stack.pop_all()
    return opened


def _asked_again(
    source: StreamSource,
    content_type: str,
    http: CameraHttp,
    settings: IngestSettings,
    clock: Clock,
    stop: StopSignal,
) -> PacketSource:
    camera_id, url = source.camera_id, source.url
    if any(kind in content_type for kind in _PLAYLIST_TYPES):
        return HlsSource(camera_id, http, url, settings, clock, stop)
    if content_type.startswith("image/jp"):
        return SnapshotSource(camera_id, http, clock, url, 1.0 / settings.max_fps, stop)
    shown = content_type.partition(";")[0][:60] or "nothing said"
    detail = f"{NO_VIDEO} (its type: {shown}; HLS, MJPEG and JPEG are understood)"
    raise IngestError(camera_id, CameraState.INVALID, detail)
