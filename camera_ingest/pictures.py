"""From a decoded picture to the small RGB array that the detector takes, as cheaply as possible."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from contracts import Rgb

CELLS = (9, 16)
"""Rows and columns."""
_PLANAR = "yuv420p"
_FULL_RANGE = "yuvj420p"


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What health needs to know of a picture."""

    brightness: float
    """Mean of the luma, 0-255."""
    contrast: float
    """Standard deviation of the luma."""
    fingerprint: int
    """Equal for equal pictures; noise of one grey level in one pixel changes it."""
    cells: NDArray[np.float32]
    """Mean luma of the picture's parts, `CELLS` of them: what changes in the scene changes one of
    them, and what a sensor's noise or an encoder's quality change is averaged away."""


class PictureShrinker:
    """Resizes and converts one stream's pictures. Keeps its scalers; for one thread.

    The planes are shrunk first (1.5 bytes a pixel, no colour arithmetic) and only the small picture
    is converted: half the time of doing both at once. Halving, as for most cameras, takes OpenCV a
    sixth of FFmpeg's time (and anything else three times as long).
    One thread a scaler: FFmpeg would start one a core, for every camera.
    """

    def __init__(self, max_width_px: int) -> None:
        self._max_width_px = max_width_px
        self._scaler = VideoReformatter()
        self._converter = VideoReformatter()

    def shrink(self, frame: av.VideoFrame) -> tuple[Rgb, PictureFacts]:
        """The picture as H x W x 3 RGB at most ``max_width_px`` wide, and its facts."""
        width, height = shrunk_size(frame.width, frame.height, self._max_width_px)
        planar = _FULL_RANGE if frame.format.name.startswith("yuvj") else _PLANAR
        if (width, height) == (frame.width, frame.height) and frame.format.name == planar:
            pass
        elif (2 * width, 2 * height, planar) == (frame.width, frame.height, frame.format.name):
            frame = _halved(frame)
        else:
            frame = self._scaler.reformat(
                frame, width, height, planar, interpolation="AREA", threads=1
            )
        facts = _facts(frame.planes[0])
        rgb = self._converter.reformat(frame, format="rgb24", threads=1).to_ndarray()
        return np.ascontiguousarray(rgb, dtype=np.uint8), facts


def _halved(frame: av.VideoFrame) -> av.VideoFrame:
    """A planar picture at half its width and height; its colours mean what they meant."""
    small = av.VideoFrame(frame.width // 2, frame.height // 2, frame.format.name)
    for plane, target in zip(frame.planes, small.planes, strict=True):
        cv2.resize(
            _pixels(plane),
            (target.width, target.height),
            dst=_pixels(target),
            interpolation=cv2.INTER_AREA,
        )
    small.colorspace, small.color_range = frame.colorspace, frame.color_range
    return small


def _pixels(plane: av.video.plane.VideoPlane) -> NDArray[np.uint8]:
    """A plane's rows without their padding, in place."""
    rows: NDArray[np.uint8] = np.frombuffer(memoryview(plane), np.uint8).reshape(
        -1, plane.line_size
    )
    return rows[: plane.height, : plane.width]


def shrunk_size(width_px: int, height_px: int, max_width_px: int) -> tuple[int, int]:
    """The size of a picture at most ``max_width_px`` wide, same shape, even numbers."""
    if width_px <= max_width_px:
        return width_px, height_px
    width = max_width_px // 2 * 2
    return width, max(2, round(height_px * width / width_px / 2) * 2)


def _facts(luma_plane: av.video.plane.VideoPlane) -> PictureFacts:
    luma = _pixels(luma_plane)
    sample = np.ascontiguousarray(luma[::4, ::4])
    return PictureFacts(
        brightness=float(sample.mean()),
        contrast=float(sample.std()),
        fingerprint=zlib.crc32(sample.data),
        cells=np.asarray(
            cv2.resize(luma.astype(np.float32), CELLS[::-1], interpolation=cv2.INTER_AREA),
            np.float32,
        ),
    )
