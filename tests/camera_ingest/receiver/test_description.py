from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_ingest.receiver.description import Unspoken, parse_description, track_url
from camera_ingest.receiver.nal import Codec

CAMERA = b"""v=0\r
o=- 1 1 IN IP4 10.0.0.1\r
s=Media Presentation\r
a=control:rtsp://10.0.0.1:554/Streaming/Channels/101/\r
m=audio 0 RTP/AVP 8\r
a=rtpmap:8 PCMA/8000\r
a=control:trackID=2\r
m=video 0 RTP/AVP 96\r
a=framerate:25.0\r
a=rtpmap:96 H264/90000\r
a=control:trackID=1\r
a=fmtp:96 profile-level-id=4D0014;packetization-mode=0;sprop-parameter-sets=Z00AFJWoWCWh,aO48gA\r
m=application 0 RTP/AVP 107\r
"""


def test_the_video_track_of_a_camera() -> None:
    track = parse_description(CAMERA)
    assert (track.codec, track.payload_type, track.clock_hz) == (Codec.H264, 96, 90_000)
    assert track.control == "trackID=1"
    assert track.session_control == "rtsp://10.0.0.1:554/Streaming/Channels/101/"
    assert track.frames_per_s == 25
    assert track.parameter_sets.count(b"\0\0\0\1") == 2, "also without the text's padding"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"H264/90000", b"JPEG/90000", "JPEG"),
        (b"RTP/AVP 96", b"RTP/SAVP 96", "RTP/SAVP"),
        (b"packetization-mode=0", b"packetization-mode=2", "H264"),
        (b"m=video", b"m=text", "no video"),
        (b"H264/90000", b"H264/0", "H264"),
    ],
)
def test_what_is_left_to_others(old: bytes, new: bytes, why: str) -> None:
    with pytest.raises(Unspoken, match=why):
        parse_description(CAMERA.replace(old, new))


@pytest.mark.parametrize(
    ("base", "control", "url"),
    [
        ("rtsp://a/b/", "trackID=1", "rtsp://a/b/trackID=1"),
        ("rtsp://a/b", "trackID=1", "rtsp://a/b/trackID=1"),
        ("rtsp://a/b?x=1", "track1", "rtsp://a/b?x=1/track1"),
        ("rtsp://a/b", "*", "rtsp://a/b"),
        ("rtsp://a/b", "", "rtsp://a/b"),
        ("rtsp://a/b", "rtsp://c/d", "rtsp://c/d"),
        ("rtsp://a/b", "/d", "rtsp://a/d"),
    ],
)
def test_where_a_track_is_set_up(base: str, control: str, url: str) -> None:
    assert track_url(base, control) == url


@given(st.binary(max_size=300))
def test_any_description_is_a_track_or_not_spoken(noise: bytes) -> None:
    try:
        parse_description(CAMERA[:200] + noise + CAMERA[200:])
    except Unspoken:
        return
