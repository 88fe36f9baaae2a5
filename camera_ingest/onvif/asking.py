"""One look at a camera over ONVIF, all of it at once."""

from __future__ import annotations

from camera_ingest.credentials import Credentials
from camera_ingest.errors import IngestError
from camera_ingest.onvif.client import OnvifClient
from camera_ingest.onvif.nouns import Answers, best_profile
from camera_ingest.stopping import StopSignal
from contracts import CameraId, CameraState
from plumbing.address_guard import AddressGuard, AddressRefused
from plumbing.clock import Clock
from plumbing.settings import IngestSettings


def ask_camera(
    url: str,
    username: str | None,
    password: str,
    guard: AddressGuard,
    settings: IngestSettings,
    clock: Clock,
) -> Answers:
    """Ask a camera for everything once.

    Raises:
        IngestError: as of `OnvifClient.describe`.
    """
    try:
        guard.resolve(url)
    except AddressRefused as refusal:
        state = CameraState.UNREACHABLE
        raise IngestError(CameraId("onvif"), state, refusal.reason) from None
    credentials = None if username is None else Credentials(username, password)
    client = OnvifClient(url, credentials, guard, settings, clock, StopSignal())
    try:
        camera = client.describe()
        best = best_profile(camera.profiles, settings.frame_width_px)
        position = None
        if best is not None and best.turns:
            try:
                position = client.ptz_position(best.token)
            except IngestError as error:
                if error.state not in (CameraState.NOT_FOUND, CameraState.REFUSED):
                    raise
        return Answers(
            camera=camera, best_token=None if best is None else best.token, position=position
        )
    finally:
        client.close()
