"""Where one camera's head points, asked of the camera again and again."""

from __future__ import annotations

from urllib.parse import urlsplit

from camera_ingest.credentials import settings_for, unsealed_credentials
from camera_ingest.errors import IngestError
from camera_ingest.onvif.client import OnvifClient
from camera_ingest.stopping import StopSignal
from contracts import CameraState, HeadReport, OnvifHead, StreamSource
from plumbing.address_guard import AddressGuard
from plumbing.clock import Clock
from plumbing.sealing import Sealer
from plumbing.settings import IngestSettings


class HeadReader:
    """Asks one camera, at its stream's host. For one thread at a time; close it after use.

    Args:
        source: A camera with an `onvif_head`.
        guard: Says which addresses may be opened.
        sealer: Opens the camera's sealed password.
        settings: Timeouts.
        clock: Ours.
        stop: Ends every wait.

    Raises:
        AddressRefused: when made: the host may not be asked.
        SealingError: when made: the password can't be opened.
    """

    def __init__(
        self,
        source: StreamSource,
        guard: AddressGuard,
        sealer: Sealer,
        settings: IngestSettings,
        clock: Clock,
        stop: StopSignal,
    ) -> None:
        self._source = source
        self._head = source.onvif_head or OnvifHead()
        self._profile = self._head.profile
        self._clock = clock
        host = urlsplit(source.url).hostname or ""
        url = f"http://[{host}]" if ":" in host else f"http://{host}"
        url = f"{url}:{self._head.port}/"
        guard.resolve(url)
        credentials = unsealed_credentials(source, sealer)
        settings = settings_for(source, settings)
        self._client = OnvifClient(url, credentials, guard, settings, clock, stop)

    def read(self) -> HeadReport:
        """Where it points now.

        Raises:
            IngestError: it can't be asked, or doesn't turn.
            Stopped: on order.
        """
        if not self._profile:
            self._profile = self._first_that_turns()
        asked_at = self._clock.now()
        position = self._client.ptz_position(self._profile)
        answered_at = self._clock.now()
        if position.in_degrees:
            pan_deg, tilt_deg = position.pan, position.tilt
        else:
            pan_deg = _scaled(position.pan, self._head.pan_deg)
            tilt_deg = _scaled(position.tilt, self._head.tilt_deg)
        zoom = position.zoom
        return HeadReport(
            at=asked_at + (answered_at - asked_at) / 2,
            pan_deg=pan_deg,
            tilt_deg=tilt_deg,
            zoom=None if zoom is None else min(1.0, max(0.0, zoom)),
        )

    def close(self) -> None:
        """Drop the connection."""
        self._client.close()

    def _first_that_turns(self) -> str:
        for profile in self._client.describe().profiles:
            if profile.turns:
                return profile.token
        detail = "none of the camera's profiles turns: its register entry says that it does"
        raise IngestError(self._source.camera_id, CameraState.NOT_FOUND, detail)


def _scaled(value: float | None, ends: tuple[float, float]) -> float | None:
    if value is None:
        return None
    low, high = ends
    return low + (min(1.0, max(-1.0, value)) + 1) / 2 * (high - low)
