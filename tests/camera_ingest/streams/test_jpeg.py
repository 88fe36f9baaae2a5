from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_ingest.streams.jpeg import MAX_JPEG_BYTES, MultipartParser

JPEG = b"\xff\xd8%s\xff\xd9"
bodies = st.lists(
    st.binary(max_size=200).map(lambda body: JPEG % body.replace(b"\xff", b"")),
    min_size=1,
    max_size=6,
)


def multipart(pictures: list[bytes], *, lengths: bool, boundary: bytes = b"frame") -> bytes:
    parts = b""
    for picture in pictures:
        length = b"Content-Length: %d\r\n" % len(picture) if lengths else b""
        parts += b"--%s\r\nContent-Type: image/jpeg\r\n%s\r\n%s\r\n" % (boundary, length, picture)
    return parts + b"--%s\r\n" % boundary


@given(bodies, st.booleans(), st.lists(st.integers(1, 100), min_size=1))
def test_pictures_come_out_however_the_network_cuts_them(
    pictures: list[bytes], lengths: bool, cuts: list[int]
) -> None:
    parser = MultipartParser('multipart/x-mixed-replace; boundary="frame"')
    stream = multipart(pictures, lengths=lengths)
    found, start, turn = [], 0, 0
    while start < len(stream):
        end = start + cuts[turn % len(cuts)]
        found += parser.feed(stream[start:end])
        start, turn = end, turn + 1
    assert found == pictures


@pytest.mark.parametrize("said", ["boundary=--frame", "boundary=frame", 'boundary="frame"; x=1'])
def test_boundaries_as_cameras_write_them(said: str) -> None:
    parser = MultipartParser(f"multipart/x-mixed-replace;{said}")
    picture = JPEG % b"abc"
    assert parser.feed(multipart([picture], lengths=False)) == [picture]


def test_a_part_that_is_no_picture_is_left_out() -> None:
    parser = MultipartParser("multipart/mixed; boundary=frame")
    picture = JPEG % b"abc"
    assert parser.feed(multipart([b"busy", picture], lengths=True)) == [picture]


def test_a_part_without_end_is_not_collected_for_ever() -> None:
    parser = MultipartParser("multipart/mixed; boundary=frame")
    parser.feed(b"--frame\r\n\r\n")
    with pytest.raises(ValueError, match="too large"):
        for _ in range(2 + MAX_JPEG_BYTES // 1_000_000):
            parser.feed(bytes(1_000_000))


def test_a_length_beyond_all_measure_is_refused_at_once() -> None:
    parser = MultipartParser("multipart/mixed; boundary=frame")
    with pytest.raises(ValueError, match="too large"):
        parser.feed(b"--frame\r\nContent-Length: 999999999\r\n\r\n\xff\xd8")
