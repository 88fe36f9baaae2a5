"""Of a phone's pictures and videos the picture is kept, to the pixel, and nothing else."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from api.stripping import NotWhole, stripped
from api.stripping.refusal import MOST_PIXELS
from tests.api.stripping.pictures import FORMATS, PLACE, photo, scene, video

PICTURES = sorted(FORMATS)


def seen(content: bytes) -> np.ndarray:
    """As a reader that heeds Exif shows it."""
    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("media_type", PICTURES)
def test_the_place_goes_and_the_picture_stays_and_stands_upright(
    media_type: str, orientation: int
) -> None:
    sent = photo(media_type, orientation)
    assert PLACE in sent
    kept = stripped(sent, media_type)
    assert PLACE not in kept
    assert b"GPS" not in kept
    before, after = (Image.open(io.BytesIO(one)) for one in (sent, kept))
    assert before.getexif().get_ifd(0x8825)
    assert dict(after.getexif()) == ({} if orientation == 1 else {0x0112: orientation})
    assert not after.getexif().get_ifd(0x8825)
    assert np.array_equal(np.asarray(before), np.asarray(after))
    assert np.array_equal(seen(sent), seen(kept))
    assert stripped(kept, media_type) == kept


@pytest.mark.parametrize("media_type", PICTURES)
def test_colours_are_kept_and_what_lies_behind_the_end_is_not(media_type: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    sent = photo(media_type, icc_profile=profile)
    # A phone's "motion photo", or an archive that somebody hid there.
    kept = stripped(sent + b"PK\x03\x04" + PLACE, media_type)
    assert kept == stripped(sent, media_type)
    assert Image.open(io.BytesIO(kept)).info["icc_profile"] == profile


@pytest.mark.parametrize("how", [{"progressive": True}, {"restart_marker_blocks": 1}])
def test_jpegs_of_many_scans_and_with_restarts(how: dict[str, object]) -> None:
    sent = photo("image/jpeg", 6, **how)
    assert np.array_equal(seen(stripped(sent, "image/jpeg")), seen(sent))


def test_a_second_picture_and_a_thumbnail_within_a_jpeg_go_too() -> None:
    sent = photo("image/jpeg")
    head = sent.index(b"JFIF\0") - 4
    (size,) = struct.unpack_from(">H", sent, head + 2)
    jfif = sent[head + 4 : head + 2 + size][:12] + b"\2\2" + PLACE[:12]
    thumbnail = b"\xff\xe0" + struct.pack(">H", len(jfif) + 2) + jfif
    multi = b"\xff\xe2" + struct.pack(">H", len(PLACE) + 6) + b"MPF\0" + PLACE
    kept = stripped(sent[:head] + thumbnail + multi + sent[head + 2 + size :], "image/jpeg")
    assert PLACE[:12] not in kept
    assert np.array_equal(seen(kept), seen(sent))


def test_an_animation_stays_one() -> None:
    frames = [scene().rotate(30 * number) for number in range(3)]
    for media_type in ("image/png", "image/webp"):
        file = io.BytesIO()
        how = {"save_all": True, "append_images": frames[1:], "duration": 100}
        frames[0].save(file, FORMATS[media_type], **how)
        kept = Image.open(io.BytesIO(stripped(file.getvalue(), media_type)))
        assert kept.n_frames == 3


def test_a_picture_cut_short_is_better_than_none() -> None:
    for media_type in ("image/jpeg", "image/png"):
        sent = photo(media_type)
        kept = stripped(sent[:-20] if media_type == "image/jpeg" else sent[:-12], media_type)
        assert PLACE not in kept
        assert seen(kept).shape == (32, 48, 3)


def test_of_a_video_the_pictures_stay_where_they_were(tmp_path: Path) -> None:
    sent = video(tmp_path)
    assert PLACE in sent
    kept = stripped(sent, "video/mp4")
    assert PLACE not in kept
    assert len(kept) == len(sent)
    with av.open(io.BytesIO(sent)) as before, av.open(io.BytesIO(kept)) as after:
        assert any("location" in name for name in before.metadata)
        assert not any("location" in name for name in after.metadata)
        ours, theirs = (
            [frame.to_ndarray() for frame in one.decode(video=0)] for one in (after, before)
        )
    assert len(ours) == 5
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert stripped(kept, "video/mp4") == kept


def bomb_png(width_px: int, height_px: int) -> bytes:
    """A few bytes that unpack to a picture of that size."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width_px, height_px, 1, 0, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_small_files_that_unpack_to_giants_are_refused() -> None:
    with pytest.raises(NotWhole, match="60000 x 60000 pixels"):
        stripped(bomb_png(60_000, 60_000), "image/png")
    jpeg = bytearray(photo("image/jpeg"))
    frame = jpeg.index(b"\xff\xc0")
    struct.pack_into(">HH", jpeg, frame + 5, 65_000, 65_000)
    with pytest.raises(NotWhole, match="pixels"):
        stripped(bytes(jpeg), "image/jpeg")
    webp = bytearray(photo("image/webp"))
    webp[webp.index(b"VP8X") + 12 : webp.index(b"VP8X") + 18] = b"\xff\x3f\0\xff\x3f\0"
    with pytest.raises(NotWhole, match="pixels"):
        stripped(bytes(webp), "image/webp")
    assert MOST_PIXELS >= 12_000 * 9_000, "what phones take is taken"


@pytest.mark.parametrize("media_type", [*PICTURES, "video/mp4"])
def test_what_is_none_is_refused(media_type: str) -> None:
    for content in (b"", b"<script>", b"\xff\xd8\xff\xe0 no picture", b"RIFF....WEBPVP8 "):
        with pytest.raises(NotWhole):
            stripped(content, media_type)
    other = photo("image/png" if media_type != "image/png" else "image/jpeg")
    with pytest.raises(NotWhole):
        stripped(other, media_type)


WHOLE = {kind: photo(kind, 6) for kind in PICTURES}


@given(st.sampled_from(PICTURES), st.data())
def test_whatever_is_spoilt_is_stripped_or_refused(media_type: str, data: st.DataObject) -> None:
    spoilt = bytearray(WHOLE[media_type])
    for _ in range(data.draw(st.integers(1, 4))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(spoilt)))
    try:
        kept = stripped(bytes(spoilt[:cut]), media_type)
    except NotWhole:
        return
    # Spoiling may hide a whole part among coded pictures, never show what was taken out whole.
    assert stripped(kept, media_type) == kept
