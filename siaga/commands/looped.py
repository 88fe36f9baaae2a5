"""A video file played over and over, as no two minutes of one camera are the same: each time round
brighter or darker and otherwise compressed. For `siaga eval clips --loop-minutes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_ingest import read_file
from contracts import CameraId, Frame
from siaga.failures import Failure

DARKEST, BRIGHTEST = 0.6, 1.35
"""By how much a round's brightness differs from the file's, at most."""
WORST, BEST = 20, 80
"""JPEG quality of a round's pictures."""
_MOST_KEPT = 600
"""Pictures kept in memory between rounds: two minutes at the rate of a hot camera."""


def loop_file(path: Path, camera_id: CameraId, step_s: float, minutes: float) -> Iterator[Frame]:
    """The pictures of a file, one each `step_s`, round after round until `minutes` are over.

    The same file and step give the same pictures. Raises IngestError, Failure for a file of
    which less than two pictures, or more than can be kept, would be looped.
    """
    frames: list[Frame] = []
    for frame in read_file(path, step_s, camera_id=camera_id):
        frames.append(frame)
        if len(frames) > _MOST_KEPT:
            raise Failure(f"{path.name} is too long to be looped")
    if len(frames) < 2:
        raise Failure(f"{path.name} holds less than two pictures")
    began_at = frames[0].captured_at
    lasts = frames[-1].captured_at - began_at + timedelta(seconds=step_s)
    rng = np.random.default_rng(0)
    for number in count():
        gain = float(rng.uniform(DARKEST, BRIGHTEST)) if number else 1.0
        quality = int(rng.integers(WORST, BEST)) if number else 100
        for frame in frames:
            since = frame.captured_at - began_at + number * lasts
            if since.total_seconds() > minutes * 60:
                return
            yield replace(
                frame,
                image=varied(frame.image, gain, quality) if number else frame.image,
                captured_at=began_at + since,
                received_at=frame.received_at + number * lasts,
            )


def varied(image: NDArray[np.uint8], gain: float, quality: int) -> NDArray[np.uint8]:
    """A picture (H, W, 3 RGB) with its brightness times `gain`, through a JPEG of a quality."""
    lit = cv2.convertScaleAbs(image, alpha=gain)
    done, data = cv2.imencode(".jpg", lit, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"cannot encode a picture of shape {image.shape}")
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
