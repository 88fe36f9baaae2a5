"""Pictures to H.264 or H.265, each as soon as it comes, on one thread."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import av
import cv2
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

from simulator.rtsp.nal import Codec, split_annex_b

_ENCODERS = {Codec.H264: "libx264", Codec.H265: "libx265"}
_OPTIONS = {
    # A third of superfast's time; the deblocking that this preset leaves out costs next to nothing.
    # The wider dead zone spares bits and time that a sensor's noise in the dark isn't worth.
    Codec.H264: {"preset": "ultrafast", "x264-params": "deblock=1,0:deadzone-inter=32"},
    Codec.H265: {
        "preset": "ultrafast",
        "x265-params": "log-level=none:repeat-headers=1:pools=none",
    },
}


class PictureEncoder:
    """One stream's encoder: no B frames, no look-ahead, keyframes only where asked for."""

    def __init__(
        self,
        width_px: int,
        height_px: int,
        fps: float,
        codec: Codec = Codec.H264,
        quantiser: int = 26,
    ) -> None:
        """
        Args:
            width_px: Even.
            height_px: Even.
            fps: Pictures a second.
            codec: How to code.
            quantiser: Less is better. It is the same for all pictures: the same picture is decoded
                to the same one whatever came before, and x264 needn't look at each beforehand to
                choose it, which took a fourth of its time.

        Raises:
            ValueError: an odd width or height.
        """
        if width_px % 2 or height_px % 2:
            raise ValueError(f"width and height must be even, got {width_px}x{height_px}")
        self._codec = codec
        rate = Fraction(fps).limit_denominator(1000)
        context = cast("av.VideoCodecContext", av.CodecContext.create(_ENCODERS[codec], mode="w"))
        context.width, context.height = width_px, height_px
        context.pix_fmt = "yuv420p"
        context.framerate = rate
        context.time_base = 1 / rate
        context.thread_count = 1
        # Keyframes come when asked for: by the clock, not by the count of pictures.
        context.gop_size = 1_000_000
        context.options = {"tune": "zerolatency", "qp": str(quantiser), "forced-idr": "1"}
        context.options |= _OPTIONS[codec]
        self._context = context
        self._next_pts = 0

    def encode(self, rgb: NDArray[np.uint8], *, key: bool) -> tuple[bytes, ...]:
        """The NAL units of one picture (H x W x 3, RGB); a keyframe carries parameter sets."""
        planes = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420), np.uint8)
        frame = av.VideoFrame.from_numpy_buffer(planes, format="yuv420p")
        frame.pts = self._next_pts
        self._next_pts += 1
        frame.pict_type = PictureType.I if key else PictureType.NONE
        coded = b"".join(bytes(packet) for packet in self._context.encode(frame))
        return split_annex_b(self._codec, coded)
