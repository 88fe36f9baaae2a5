"""From a registered source to an open stream: the one door through which cameras are reached."""

from __future__ import annotations

from urllib.parse import urlsplit

from camera_ingest.credentials import settings_for, unsealed_credentials
from camera_ingest.errors import IngestError
from camera_ingest.packets import PacketSource
from camera_ingest.retry import OpenGate
from camera_ingest.stopping import StopSignal
from camera_ingest.streams.http_cameras import open_http
from camera_ingest.streams.rtsp import RtspOpener
from contracts import CameraState, StreamSource
from plumbing.address_guard import AddressGuard, AddressRefused
from plumbing.clock import Clock
from plumbing.sealing import Sealer, SealingError
from plumbing.settings import IngestSettings


class StreamOpener:
    """Opens any registered kind of stream. Shared by all readers of a process.

    Every address passes the guard, and only what it pinned is connected to.
    """

    def __init__(
        self, settings: IngestSettings, clock: Clock, guard: AddressGuard, sealer: Sealer
    ) -> None:
        self.settings = settings
        self.clock = clock
        self._guard = guard
        self._sealer = sealer
        self._rtsp = RtspOpener(guard, clock)
        self._gate = OpenGate(settings.simultaneous_opens, clock)

    def open(self, source: StreamSource, stop: StopSignal, *, hopeful: bool = True) -> PacketSource:
        """Open ``source``, when its turn comes; later than others where it isn't ``hopeful``.

        Raises:
            IngestError: it can't be opened; the state says in which way.
            Stopped: the order came while waiting or opening.
        """
        camera_id = source.camera_id
        with self._gate.passing(stop, hopeful=hopeful):
            try:
                pinned = self._guard.resolve(source.url)
                credentials = unsealed_credentials(source, self._sealer)
            except AddressRefused as refusal:
                raise IngestError(camera_id, CameraState.UNREACHABLE, refusal.reason) from None
            except SealingError as error:
                raise IngestError(camera_id, CameraState.UNAUTHORISED, str(error)) from None
            settings = settings_for(source, self.settings)
            scheme = urlsplit(source.url).scheme.lower()
            if scheme in ("rtsp", "rtsps"):
                return self._rtsp.open(camera_id, pinned, credentials, settings, stop)
            if scheme in ("http", "https"):
                return open_http(source, self._guard, credentials, settings, self.clock, stop)
            detail = f"'{scheme}' is no way to reach a camera: use rtsp, rtsps, http or https"
            raise IngestError(camera_id, CameraState.INVALID, detail)
