"""ONVIF against a camera that answers as the standard's examples do, and as real ones bend it."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from camera_ingest import IngestError
from camera_ingest.onvif import Answers, Profile, ask_camera, best_profile, discover
from contracts import CameraState
from plumbing.address_guard import AddressGuard
from plumbing.clock import SystemClock
from plumbing.settings import IngestSettings

S = CameraState
USER, PASSWORD = "admin", "s3cret"
CLOCK_ERROR = timedelta(hours=-7)
INSIDE = "http://192.168.1.64:80"
"""What the camera thinks its address is."""

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:d="http://www.onvif.org/ver10/device/wsdl"
 xmlns:m="http://www.onvif.org/ver10/media/wsdl"><s:Body>"""
TAIL = "</s:Body></s:Envelope>"


def profile(token: str, codec: str, width: int, height: int) -> str:
    return f"""<m:Profiles token="{token}" fixed="true"><tt:Name>{token} stream</tt:Name>
    <tt:VideoEncoderConfiguration token="v"><tt:Name>v</tt:Name><tt:Encoding>{codec}</tt:Encoding>
    <tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>
    <tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit></tt:RateControl>
    <tt:H264><tt:GovLength>50</tt:GovLength></tt:H264></tt:VideoEncoderConfiguration>
    <tt:PTZConfiguration token="p"><tt:Name>p</tt:Name></tt:PTZConfiguration></m:Profiles>"""


FAULT = """<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{}</s:Value></s:Subcode>
</s:Code><s:Reason><s:Text>no</s:Text></s:Reason></s:Fault>"""

ANSWERS = {
    "GetDeviceInformation": "<d:R><d:Manufacturer>Maker</d:Manufacturer><d:Model>M1</d:Model>"
    "<d:FirmwareVersion>2.0</d:FirmwareVersion></d:R>",
    "GetServices": "<d:R>"
    + "".join(
        f"<d:Service><d:Namespace>{space}</d:Namespace><d:XAddr>{INSIDE}{path}</d:XAddr></d:Service>"
        for space, path in (
            ("http://www.onvif.org/ver10/media/wsdl", "/onvif/Media"),
            ("http://www.onvif.org/ver20/ptz/wsdl", "/onvif/PTZ"),
        )
    )
    + "</d:R>",
    "GetCapabilities": f"<d:R><tt:Media><tt:XAddr>{INSIDE}/onvif/Media</tt:XAddr></tt:Media>"
    f"<tt:PTZ><tt:XAddr>{INSIDE}/onvif/PTZ</tt:XAddr></tt:PTZ></d:R>",
    "GetProfiles": f"<m:R>{profile('main', 'H264', 2560, 1440)}{profile('sub', 'H264', 704, 576)}"
    f"{profile('tiny', 'H264', 352, 288)}</m:R>",
    "GetSnapshotUri": f"<m:R><m:MediaUri><tt:Uri>{INSIDE}/snap</tt:Uri></m:MediaUri></m:R>",
    # The prefix is declared nowhere, as cameras do.
    "GetStatus": '<ptz:R><tt:Position><tt:PanTilt x="0.25" y="-0.5"/><tt:Zoom x="0.1"/>'
    "</tt:Position><tt:MoveStatus><tt:PanTilt>IDLE</tt:PanTilt><tt:Zoom>MOVING</tt:Zoom>"
    "</tt:MoveStatus></ptz:R>",
}


class Device(BaseHTTPRequestHandler):
    """The camera."""

    answers: dict[str, str]
    asked: list[tuple[str, str]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        found = re.search(r"<s:Body><\w+:(\w+)", body)
        name = found[1] if found else ""
        self.asked.append((name, self.path))
        if name == "GetSystemDateAndTime":
            now = datetime.now(UTC) + CLOCK_ERROR
            self._say(
                200,
                f"<d:R><tt:UTCDateTime><tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}"
                f"</tt:Minute><tt:Second>{now.second}</tt:Second></tt:Time><tt:Date><tt:Year>"
                f"{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day>"
                "</tt:Date></tt:UTCDateTime></d:R>",
            )
        elif not signed(body):
            self._say(400, FAULT.format("ter:NotAuthorized"))
        elif name == "GetStreamUri":
            token = re.search(r"ProfileToken>([^<]*)", body)
            path = token[1] if token else ""
            uri = f"rtsp://192.168.1.64:8554/{path}?a=1&amp;b=2"
            self._say(200, f"<m:R><m:MediaUri><tt:Uri>{uri}</tt:Uri></m:MediaUri></m:R>")
        elif name in self.answers:
            self._say(200, self.answers[name])
        else:
            self._say(500, FAULT.format("ter:ActionNotSupported"))

    def _say(self, status: int, body: str) -> None:
        answer = f"{HEAD}{body}{TAIL}".encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/soap+xml")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Tests are quiet."""


def signed(body: str) -> bool:
    """Whether the digest is right, and made in the camera's own time."""
    found = {
        name: (re.search(rf"<\w+:{name}(?:\s[^>]*)?>([^<]*)", body) or ["", ""])[1]
        for name in ("Username", "Password", "Nonce", "Created")
    }
    if not found["Created"]:
        return False
    created = datetime.fromisoformat(found["Created"])
    digest = hashlib.sha1(
        base64.b64decode(found["Nonce"]) + found["Created"].encode() + PASSWORD.encode(),
        usedforsecurity=False,
    ).digest()
    return (
        found["Username"] == USER
        and base64.b64decode(found["Password"]) == digest
        and abs(created - datetime.now(UTC) - CLOCK_ERROR) < timedelta(seconds=60)
    )


@contextmanager
def device(**changed: str | None) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    answers = {name: text for name, text in {**ANSWERS, **changed}.items() if text is not None}
    asked: list[tuple[str, str]] = []
    handler = type("Camera", (Device,), {"answers": answers, "asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(url: str, username: str | None = USER, password: str = PASSWORD) -> Answers:
    settings = IngestSettings(allow_private=("127.0.0.0/8",), open_timeout_s=2, read_timeout_s=2)
    guard = AddressGuard(settings.allow_private)
    return ask_camera(url, username, password, guard, settings, SystemClock())


def test_what_a_camera_offers_and_where_it_points() -> None:
    with device() as (url, asked):
        told = ask(url)
    camera = told.camera
    assert (camera.maker, camera.model, camera.firmware) == ("Maker", "M1", "2.0")
    assert camera.clock_error_s == pytest.approx(CLOCK_ERROR.total_seconds(), abs=3)
    main, sub, _ = camera.profiles
    assert (main.codec, main.width_px, main.height_px, main.frames_per_s) == (
        "h264",
        2560,
        1440,
        25,
    )
    assert main.gop_frames == 50
    assert sub.stream_url == "rtsp://127.0.0.1:8554/sub?a=1&b=2", "at the host that was asked"
    assert sub.snapshot_url.startswith("http://127.0.0.1")
    assert told.best_token == "sub"
    assert told.position is not None
    assert (told.position.pan, told.position.tilt, told.position.zoom) == (0.25, -0.5, 0.1)
    assert told.position.is_moving
    assert ("GetProfiles", "/onvif/Media") in asked


def test_an_old_camera_is_asked_for_its_capabilities() -> None:
    with device(GetServices=None) as (url, _):
        assert ask(url).best_token == "sub"


def test_one_that_hides_its_position_is_described_all_the_same() -> None:
    with device(GetStatus=None, GetSnapshotUri=None) as (url, _):
        told = ask(url)
    assert told.position is None
    assert told.camera.profiles[0].snapshot_url == ""


@pytest.mark.parametrize(("username", "password"), [(USER, "wrong"), (None, "")])
def test_a_wrong_or_missing_password(username: str | None, password: str) -> None:
    with device() as (url, _), pytest.raises(IngestError) as caught:
        ask(url, username, password)
    assert caught.value.state is S.UNAUTHORISED
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        "<d:R>",
        "",
        '</s:Body></s:Envelope><!DOCTYPE a [<!ENTITY b "c">]>',
    ],
)
def test_what_is_no_onvif_says_so(answer: str) -> None:
    with device(GetProfiles=answer) as (url, _), pytest.raises(IngestError) as caught:
        ask(url)
    assert caught.value.state is S.INVALID


def test_a_forbidden_address_is_not_asked() -> None:
    with pytest.raises(IngestError) as caught:
        ask("http://169.254.169.254/")
    assert caught.value.state is S.UNREACHABLE


def offered(codec: str, width: int, url: str = "rtsp://a/b") -> Profile:
    return Profile(
        token=f"{codec}{width}",
        name="",
        codec=codec,
        width_px=width,
        height_px=width * 9 // 16,
        frames_per_s=25,
        gop_frames=None,
        stream_url=url,
        snapshot_url="",
        turns=False,
    )


@pytest.mark.parametrize(
    ("profiles", "chosen"),
    [
        ([offered("h264", 1920), offered("hevc", 704), offered("h264", 352)], "hevc704"),
        ([offered("h264", 480), offered("h264", 352)], "h264480"),
        ([offered("mjpeg", 704), offered("h264", 1920)], "h2641920"),
        ([offered("mjpeg", 704)], "mjpeg704"),
        ([offered("h264", 704, url="")], None),
        ([], None),
    ],
)
def test_the_stream_to_register(profiles: list[Profile], chosen: str | None) -> None:
    best = best_profile(profiles, 640)
    assert (None if best is None else best.token) == chosen


def test_cameras_that_answer_a_call() -> None:
    match = (
        f'{HEAD}<d:ProbeMatches xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">'
        "<d:ProbeMatch><d:Scopes>onvif://www.onvif.org/name/Gate%202 "
        "onvif://www.onvif.org/hardware/M1</d:Scopes><d:XAddrs>http://10.0.0.9/onvif "
        f"http://127.0.0.1/onvif</d:XAddrs></d:ProbeMatch></d:ProbeMatches>{TAIL}"
    ).encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as network:
        network.bind(("127.0.0.1", 0))
        network.settimeout(5)

        def answer() -> None:
            question, caller = network.recvfrom(65_535)
            assert b"NetworkVideoTransmitter" in question
            for said in (b"nonsense", match, match):
                network.sendto(said, caller)

        thread = threading.Thread(target=answer)
        thread.start()
        (found,) = discover(0.8, network.getsockname())
        thread.join()
    assert (found.address, found.name, found.hardware) == ("127.0.0.1", "Gate 2", "M1")
    assert found.url == "http://127.0.0.1/onvif"
