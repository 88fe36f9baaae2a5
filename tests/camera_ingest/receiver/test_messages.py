from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_ingest.receiver.messages import NoRtsp, parse_message, request

ANSWER = (
    b"RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\nWWW-Authenticate: Digest a\r\n"
    b"www-authenticate: Basic b\r\nContent-Length: 3\r\n\r\nabcRTSP"
)


def test_an_answer_is_read_to_its_end() -> None:
    parsed = parse_message(ANSWER, 0)
    assert parsed is not None
    answer, end = parsed
    assert answer.status == 401
    assert answer.body == b"abc"
    assert answer.all_of("www-authenticate") == ["Digest a", "Basic b"]
    assert answer.header("session") == ""
    assert ANSWER[end:] == b"RTSP"


@given(st.integers(0, len(ANSWER) - 5))
def test_what_is_not_whole_is_waited_for(length: int) -> None:
    assert parse_message(ANSWER[:length], 0) is None


def test_bare_line_feeds_and_requests_of_the_camera_are_taken() -> None:
    assert parse_message(b"RTSP/1.0 200 OK\nCSeq: 1\n\n", 0) is not None
    parsed = parse_message(b"ANNOUNCE rtsp://a/b RTSP/1.0\r\nCSeq: 1\r\n\r\n", 0)
    assert parsed is not None
    assert parsed[0].status == 0


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
        b"RTSP/1.0 200 OK\r\n" + b"a: b\r\n" * 4000,
    ],
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(NoRtsp):
        parse_message(data, 0)


@given(st.binary(max_size=400), st.integers(0, 50))
def test_whatever_comes_is_answer_or_wait_or_refusal(data: bytes, start: int) -> None:
    try:
        parsed = parse_message(data, start)
    except NoRtsp:
        return
    if parsed is not None:
        assert start < parsed[1] <= len(data)


def test_nothing_can_be_smuggled_into_a_request() -> None:
    assert request("PLAY", "rtsp://a/b", 3, [("Session", "x")]).endswith(b"Session: x\r\n\r\n")
    with pytest.raises(ValueError, match="line breaks"):
        request("PLAY", "rtsp://a/b\r\nX: y", 3)
