"""Opening RTSP cameras: over TCP, at an address that was checked.

Our own receiver does it (`camera_ingest.receiver`). What it doesn't speak (other codecs than H.264
and H.265) is left to FFmpeg, behind a relay that keeps it from the network
(`camera_ingest.streams.rtsp_relay`).
"""

from __future__ import annotations

import av

from camera_ingest.credentials import Credentials
from camera_ingest.errors import (
    NOT_RECEIVED,
    IngestError,
    judge_opening,
    no_answer,
)
from camera_ingest.packets import PacketSource
from camera_ingest.receiver.description import Unspoken
from camera_ingest.receiver.loop import ReceiverLoop
from camera_ingest.receiver.session import open_session
from camera_ingest.stopping import StopSignal
from camera_ingest.streams.container import ContainerSource
from camera_ingest.streams.rtsp_relay import RtspRelay
from contracts import CameraId, CameraState
from plumbing.address_guard import AddressGuard, PinnedAddress
from plumbing.clock import Clock
from plumbing.settings import IngestSettings

_OPTIONS = {
    # UDP loses packets and needs ports that firewalls close.
    "rtsp_transport": "tcp",
    # Sound is not looked at, and would hide that the pictures have stopped.
    "allowed_media_types": "video",
    # 0.5 s instead of up to 5 s of looking at the stream before the first picture.
    "analyzeduration": "500000",
    # Whatever an answer says, FFmpeg opens no file and no other protocol.
    "protocol_whitelist": "rtsp,rtp,tcp",
}
REDIRECTED_FFMPEG = (
    "the camera redirects from one connection to the next, which is not followed for what it "
    "sends: register the address where its video is"
)


class RtspOpener:
    """Opens RTSP cameras. Shared by all readers of a process, whose connections one loop reads."""

    def __init__(self, guard: AddressGuard, clock: Clock) -> None:
        self._guard = guard
        self._clock = clock
        self._loop = ReceiverLoop(clock)

    def open(
        self,
        camera_id: CameraId,
        pinned: PinnedAddress,
        credentials: Credentials | None,
        settings: IngestSettings,
        stop: StopSignal,
    ) -> PacketSource:
        """Open an ``rtsp://`` or ``rtsps://`` camera.

        Raises:
            IngestError: by what the camera did; see `camera_ingest.errors`.
            Stopped: the order came while opening.
        """
        if settings.own_rtsp:
            try:
                playing = open_session(camera_id, pinned, credentials, self._guard, settings, stop)
            except Unspoken as unspoken:
                offer, at = unspoken.args
                if not settings.ffmpeg_fallback:
                    detail = f"{NOT_RECEIVED} (it offers: {offer})"
                    raise IngestError(camera_id, CameraState.INVALID, detail) from None
                pinned, credentials = at.pinned, at.credentials
            else:
                return self._loop.receive(camera_id, playing, settings.read_timeout_s, stop)
        return open_in_ffmpeg(camera_id, pinned, credentials, settings, self._clock, stop)


def open_in_ffmpeg(
    camera_id: CameraId,
    pinned: PinnedAddress,
    credentials: Credentials | None,
    settings: IngestSettings,
    clock: Clock,
    stop: StopSignal,
) -> ContainerSource:
    """Open an ``rtsp://`` or ``rtsps://`` camera at its pinned address by FFmpeg.

    Raises:
        IngestError: by what the camera did; see `camera_ingest.errors`.
        Stopped: the order came while opening.
    """
    began_s = clock.monotonic_s()
    relay = RtspRelay(camera_id, pinned, settings, stop)
    try:
        with stop.reaching_ffmpeg():
            container = av.open(
                relay.url(credentials),
                "r",
                format="rtsp",
                options=_OPTIONS,
                timeout=(settings.open_timeout_s, settings.read_timeout_s),
            )
    except av.FFmpegError as error:
        stop.check()
        if relay.was_redirected:
            raise IngestError(camera_id, CameraState.REFUSED, REDIRECTED_FFMPEG) from None
        state, detail = judge_opening(
            error, timeout_s=settings.open_timeout_s, has_credentials=credentials is not None
        )
        # FFmpeg calls silence and rubbish alike "invalid data"; the time it took tells them apart.
        took_s = clock.monotonic_s() - began_s
        if state is CameraState.INVALID and took_s >= 0.9 * settings.open_timeout_s:
            state, detail = CameraState.UNREACHABLE, no_answer(settings.open_timeout_s)
        # `from None`: FFmpeg's message can hold the URL with its password.
        raise IngestError(camera_id, state, detail) from None
    try:
        return ContainerSource(camera_id, container, clock, stop, settings.read_timeout_s)
    except IngestError:
        container.close()
        raise
