"""Asking one camera: its services, profiles and stream addresses, and where it points."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from camera_ingest.credentials import Credentials
from camera_ingest.errors import BAD_SIGN_IN, NO_SIGN_IN, IngestError
from camera_ingest.onvif.nouns import OnvifCamera, Profile, PtzPosition
from camera_ingest.onvif.soap import (
    DEVICE,
    MEDIA,
    PTZ,
    NoSoap,
    SoapFault,
    attribute_of,
    envelope,
    every,
    first,
    number_of,
    parse_answer,
    text_of,
    utc_of,
)
from camera_ingest.stopping import StopSignal
from camera_ingest.streams.http_client import CameraHttp
from contracts import CameraId, CameraState
from plumbing.address_guard import AddressGuard
from plumbing.clock import Clock
from plumbing.settings import IngestSettings

_MAX_BYTES = 2_000_000
_MAX_PROFILES = 32
_NO_ONVIF = "what answers there speaks no ONVIF: check the address (often http://HOST/)"
_DECODED = {"H264": "h264", "H265": "hevc", "JPEG": "mjpeg", "MPEG4": "mpeg4"}
DEVICE_PATH = "/onvif/device_service"


class OnvifClient:
    """One camera's ONVIF services; for one thread. Close it after use.

    Args:
        url: The camera's address: ``http://HOST/``, or its device service in full.
        credentials: Signed in with where they are asked for.
        guard: Says which addresses may be opened.
        settings: Timeouts.
        clock: Ours.
        stop: Ends every wait.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials | None,
        guard: AddressGuard,
        settings: IngestSettings,
        clock: Clock,
        stop: StopSignal,
    ) -> None:
        self._camera_id = CameraId("onvif")
        self._credentials = credentials
        self._clock = clock
        parts = urlsplit(url)
        self._origin = (parts.scheme, parts.netloc.rpartition("@")[2])
        self._host = parts.hostname or ""
        path = parts.path if parts.path not in ("", "/") else DEVICE_PATH
        self._device = self._here(path)
        self._http = CameraHttp(
            self._camera_id, self._device, guard, credentials, (), settings, stop
        )
        self._services: dict[str, str] = {}
        self._clock_error: timedelta | None = None

    def close(self) -> None:
        """Drop all connections."""
        self._http.close()

    def describe(self) -> OnvifCamera:
        """What the camera is, and all its profiles.

        Raises:
            IngestError: it can't be asked, refuses, or speaks no ONVIF.
            Stopped: on order.
        """
        self._prepare()
        device = self._need(self._device, f'<d:GetDeviceInformation xmlns:d="{DEVICE}"/>')
        listed = self._need(self._media(), f'<m:GetProfiles xmlns:m="{MEDIA}"/>')
        found = every(listed, "Profiles")[:_MAX_PROFILES]
        error = self._clock_error
        return OnvifCamera(
            maker=text_of(device, "Manufacturer"),
            model=text_of(device, "Model"),
            firmware=text_of(device, "FirmwareVersion"),
            clock_error_s=None if error is None else error.total_seconds(),
            profiles=tuple(self._profile(element) for element in found),
        )

    def ptz_position(self, profile_token: str) -> PtzPosition:
        """Where the camera points now.

        Raises:
            IngestError: as of `describe`; NOT_FOUND where it doesn't turn.
            Stopped: on order.
        """
        self._prepare()
        service = self._services.get(PTZ)
        if service is None:
            detail = "the camera offers no positions: it doesn't turn, or hides that"
            raise IngestError(self._camera_id, CameraState.NOT_FOUND, detail)
        answer = self._need(
            service,
            f'<p:GetStatus xmlns:p="{PTZ}"><p:ProfileToken>{escape(profile_token)}'
            "</p:ProfileToken></p:GetStatus>",
        )
        turned, zoomed = first(answer, "Position", "PanTilt"), first(answer, "Position", "Zoom")
        status = first(answer, "MoveStatus")
        moving = set() if status is None else {text.strip().upper() for text in status.itertext()}
        return PtzPosition(
            pan=attribute_of(turned, "x"),
            tilt=attribute_of(turned, "y"),
            zoom=attribute_of(zoomed, "x"),
            is_moving="MOVING" in moving if moving & {"MOVING", "IDLE"} else None,
            in_degrees=turned is not None and "spherical" in turned.get("space", "").lower(),
        )

    def _prepare(self) -> None:
        """Read the camera's clock, by which it judges our digests, and where its services are."""
        if self._services:
            return
        self._read_clock()
        self._services = {DEVICE: self._device}
        try:
            answer = self._ask(
                self._device,
                f'<d:GetServices xmlns:d="{DEVICE}"><d:IncludeCapability>false'
                "</d:IncludeCapability></d:GetServices>",
            )
            for service in every(answer, "Service"):
                self._services[text_of(service, "Namespace")] = self._here(
                    text_of(service, "XAddr")
                )
        except SoapFault:  # cameras of before 2010
            answer = self._need(
                self._device,
                f'<d:GetCapabilities xmlns:d="{DEVICE}"><d:Category>All</d:Category>'
                "</d:GetCapabilities>",
            )
            for name, namespace in (("Media", MEDIA), ("PTZ", PTZ)):
                if address := text_of(answer, name, "XAddr"):
                    self._services[namespace] = self._here(address)

    def _read_clock(self) -> None:
        try:
            told = self._need(
                self._device, f'<d:GetSystemDateAndTime xmlns:d="{DEVICE}"/>', signed=False
            )
        except IngestError as error:
            if error.state is CameraState.UNAUTHORISED and self._credentials is not None:
                return  # against the standard; then its clock must be right
            raise
        camera_at = utc_of(first(told, "UTCDateTime"))
        if camera_at is not None:
            self._clock_error = camera_at - self._clock.now()

    def _media(self) -> str:
        if MEDIA not in self._services:
            raise IngestError(self._camera_id, CameraState.INVALID, "the camera offers no video")
        return self._services[MEDIA]

    def _profile(self, element: Element) -> Profile:
        encoder = first(element, "VideoEncoderConfiguration")
        token = element.get("token", "")
        encoding = text_of(encoder, "Encoding").upper()
        width, height = number_of(encoder, "Width"), number_of(encoder, "Height")
        return Profile(
            token=token,
            name=text_of(element, "Name"),
            codec=_DECODED.get(encoding, encoding.lower()),
            width_px=None if width is None else int(width),
            height_px=None if height is None else int(height),
            frames_per_s=number_of(encoder, "FrameRateLimit"),
            gop_frames=number_of(encoder, "GovLength"),
            stream_url=self._uri("GetStreamUri", token),
            snapshot_url=self._uri("GetSnapshotUri", token),
            turns=first(element, "PTZConfiguration") is not None,
        )

    def _uri(self, request: str, token: str) -> str:
        """An address; empty where the camera has none for this profile."""
        setup = (
            "<m:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport>"
            "<tt:Protocol>RTSP</tt:Protocol></tt:Transport></m:StreamSetup>"
        )
        body = (
            f'<m:{request} xmlns:m="{MEDIA}">{setup if request == "GetStreamUri" else ""}'
            f"<m:ProfileToken>{escape(token)}</m:ProfileToken></m:{request}>"
        )
        try:
            told = text_of(self._ask(self._media(), body), "Uri")
        except SoapFault:
            return ""
        try:
            parts = urlsplit(told)
            port = parts.port
        except ValueError:
            return ""
        if parts.scheme not in ("rtsp", "rtsps", "http", "https"):
            return ""
        # Behind a translating router a camera names an address that leads nowhere.
        shown = f"[{self._host}]" if ":" in self._host else self._host
        return urlunsplit(parts._replace(netloc=f"{shown}:{port}" if port else shown))

    def _need(self, url: str, body: str, *, signed: bool = True) -> Element:
        """An answer without which there is nothing to tell."""
        try:
            return self._ask(url, body, signed=signed)
        except SoapFault as fault:
            detail = f"the camera refuses to say: {fault}"
            raise IngestError(self._camera_id, CameraState.REFUSED, detail) from None

    def _ask(self, url: str, body: str, *, signed: bool = True) -> Element:
        """An answer.

        Raises:
            SoapFault: a refusal, but for one of the sign-in, which is an `IngestError`.
        """
        camera_now = self._clock.now() + (self._clock_error or timedelta())
        request = envelope(body, self._credentials if signed else None, camera_now)
        answer = self._http.post(url, request, "application/soap+xml; charset=utf-8", _MAX_BYTES)
        try:
            return parse_answer(answer)
        except NoSoap:
            raise IngestError(self._camera_id, CameraState.INVALID, _NO_ONVIF) from None
        except SoapFault as fault:
            if not fault.is_sign_in:
                raise
            detail = BAD_SIGN_IN if self._credentials else NO_SIGN_IN
            raise IngestError(self._camera_id, CameraState.UNAUTHORISED, detail) from None

    def _here(self, address: str) -> str:
        """The path of an address, at the host that was asked."""
        try:
            parts = urlsplit(address)
        except ValueError:
            return urlunsplit((*self._origin, DEVICE_PATH, "", ""))
        return urlunsplit((*self._origin, parts.path or DEVICE_PATH, parts.query, ""))
