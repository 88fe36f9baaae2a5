"""How a scene moves, on a coarse grid: what the crash model sees instead of pictures.

Twelve by twelve places, eight measures each: enough to tell a vehicle that stops dead, spins or
throws up debris from one that brakes, and too little to remember a street by. The same functions
serve training and service.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE_PX = 96
"""Pictures are squeezed to a square of this side."""
GRID = 12
RATE_FPS = 5.0
"""As a hot camera is looked at, and as its last seconds are looked back at."""
CHANNELS = 8
ACROSS, DOWN, SPEED, FASTEST, CHANGE, UNEXPLAINED, JERK, STRANGE = range(CHANNELS)
LEAST_CONTRAST = 4.0
"""Grey levels (standard deviation): below it there is no picture, only a covered camera or
padding."""

_FASTEST_PX = 12.0
_FAINTEST = 12.0
_SCALES = np.array([0.5, 0.5, 0.5, 0.25, 4.0, 6.0, 0.5, 2.0], np.float32)[:, None, None]

Grey = NDArray[np.uint8]
Field = NDArray[np.float32]


def small_grey(image: NDArray[np.uint8]) -> Grey:
    """A picture (H, W, 3 RGB or H, W, uint8) as the (96, 96) grey square that motion is measured
    in.
    """
    if image.shape[:2] != (SIZE_PX, SIZE_PX):
        image = np.asarray(
            cv2.resize(image, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA), np.uint8
        )
    if image.ndim == 3:
        image = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    return image


def motion_fields(greys: Sequence[Grey]) -> Field:
    """(T, 8, 12, 12) float32 of T successive (96, 96) pictures at RATE_FPS.

    Channels: mean flow across and down, mean and greatest speed (DIS optical flow), change of
    brightness, what the flow does not explain of it, change of flow, distance from the clip's
    median picture; brightness in units of the picture's contrast. The first picture has nothing to
    differ from: it is given the second one's motion.
    """
    out = np.zeros((len(greys), CHANNELS, GRID, GRID), np.float32)
    flow_of = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    flow_of.setFinestScale(0)
    median = np.median(np.stack(greys[::4]), axis=0).astype(np.float32)
    rows, columns = np.mgrid[0:SIZE_PX, 0:SIZE_PX].astype(np.float32)
    last_flow: Field | None = None
    for t, grey in enumerate(greys):
        now = grey.astype(np.float32)
        contrast = max(_FAINTEST, float(now.std()))
        out[t, STRANGE] = _cells(np.abs(now - median)) / contrast
        if t == 0:
            continue
        before = greys[t - 1]
        flow = np.asarray(
            flow_of.calc(before, grey, np.zeros((SIZE_PX, SIZE_PX, 2), np.float32)), np.float32
        )
        flow = np.clip(flow, -_FASTEST_PX, _FASTEST_PX)
        speed = np.hypot(flow[..., 0], flow[..., 1])
        carried = cv2.remap(
            grey,
            columns + flow[..., 0],
            rows + flow[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.float32)
        out[t, ACROSS], out[t, DOWN] = _cells(flow[..., 0]), _cells(flow[..., 1])
        out[t, SPEED], out[t, FASTEST] = _cells(speed), _in_cells(speed).max(axis=(1, 3))
        out[t, CHANGE] = _cells(np.abs(now - before)) / contrast
        out[t, UNEXPLAINED] = _cells(np.abs(carried - before)) / contrast
        if last_flow is not None:
            changed = flow - last_flow
            out[t, JERK] = _cells(np.hypot(changed[..., 0], changed[..., 1]))
        last_flow = flow
    if len(greys) > 1:
        out[0, :STRANGE] = out[1, :STRANGE]
    return np.asarray(out * _SCALES, np.float32)


def shows_something(grey: Grey) -> bool:
    """Whether a picture has any contrast; padding and covered lenses have none."""
    return float(grey.std()) >= LEAST_CONTRAST


def _in_cells(plane: Field) -> Field:
    side = SIZE_PX // GRID
    return plane.reshape(GRID, side, GRID, side)


def _cells(plane: Field) -> Field:
    return np.asarray(_in_cells(plane).mean(axis=(1, 3)), np.float32)
