"""A single picture out of a stream that isn't being decoded: for who can't play the video."""

from __future__ import annotations

import av
import cv2

from camera_ingest.keeping.parameter_sets import JPEG, UnsupportedCodec
from camera_ingest.keeping.preroll import PacketRun
from camera_ingest.packets import CodedPicture
from camera_ingest.pictures import PictureShrinker

QUALITY = 80


def latest_keyframe(run: PacketRun) -> CodedPicture:
    """The newest picture that can be decoded alone."""
    return next(picture for picture in reversed(run.pictures) if picture.is_keyframe)


def still(run: PacketRun, keyframe: CodedPicture, max_width_px: int) -> bytes:
    """A keyframe as JPEG, at most so wide; a JPEG camera's own picture as it came.

    Takes about as long as decoding the keyframe: 10-30 ms. Blocks.

    Raises:
        UnsupportedCodec: the picture is damaged.
    """
    if run.info.codec == JPEG:
        return keyframe.data
    decoder = run.new_decoder()
    try:
        # With B-frames a decoder holds a picture back until the next; there is no next for it.
        frames = decoder.decode(av.Packet(keyframe.data)) or decoder.decode(None)
    except av.FFmpegError as error:
        raise UnsupportedCodec("the picture is damaged") from error
    if not frames:
        raise UnsupportedCodec("the picture is incomplete")
    image, _ = PictureShrinker(max_width_px).shrink(frames[0])
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    )
    if not done:
        raise UnsupportedCodec("the picture can't be encoded")
    return data.tobytes()
