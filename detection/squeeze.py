"""Pictures to what a YOLO network takes, and its raw output to boxes. Shared by every back end, so
that they agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.boxes import Boxes
from detection.errors import PictureUnusableError

SCORE_FLOOR = 0.05
"""Below this a box is not even weak evidence: the calibration curves begin here."""

NMS_IOU = 0.5
MOST_BOXES = 50


@dataclass(frozen=True, slots=True)
class Placement:
    """How a picture lies in the square: x_square = x_picture * scale_x, y likewise."""

    scale_x: float
    scale_y: float
    width_px: int
    height_px: int


def require_picture(image: NDArray[np.uint8]) -> None:
    """Raise PictureUnusableError unless `image` is (H, W, 3) uint8 with H, W >= 1."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise PictureUnusableError(f"expected uint8 (H, W, 3), got {image.dtype} {image.shape}")


def squeeze(image: NDArray[np.uint8], size_px: int, out: NDArray[np.uint8]) -> Placement:
    """Fit a picture (H, W, 3 uint8) into `out` (size_px, size_px, 3 uint8), shape given up.

    Not letterboxed: in the training data wide pictures are the ordinary ones and square ones the
    hazards, so that padding would tell the two apart. Raises PictureUnusableError.
    """
    require_picture(image)
    height, width = image.shape[:2]
    shrinks = width > 2 * size_px or height > 2 * size_px
    mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    cv2.resize(image, (size_px, size_px), dst=out, interpolation=mode)
    return Placement(size_px / width, size_px / height, width, height)


def boxes_from_raw(raw: NDArray[np.float32], placement: Placement) -> Boxes:
    """Boxes of one picture from the head's raw output.

    `raw`: (4 + C, A) float32: centre x, centre y, width, height in square pixels, then a score for
    each of C classes, for each of A anchors. Suppression is by class (cv2.dnn.NMSBoxesBatched).
    """
    scores_all = raw[4:]
    best = scores_all.max(axis=0)
    kept = np.flatnonzero(best >= SCORE_FLOOR)
    if len(kept) == 0:
        return Boxes.none()
    centre_x, centre_y, width, height = raw[:4, kept]
    # One anchor may speak for two classes (fire within smoke): each above the floor counts.
    class_ids, anchors = np.nonzero(scores_all[:, kept] >= SCORE_FLOOR)
    scores = scores_all[:, kept][class_ids, anchors]
    x0, y0 = centre_x - width / 2, centre_y - height / 2
    xywh = np.stack([x0, y0, width, height], axis=1)[anchors]
    chosen = cv2.dnn.NMSBoxesBatched(
        xywh.astype(np.float64).tolist(),
        scores.astype(float).tolist(),
        class_ids.astype(int).tolist(),
        SCORE_FLOOR,
        NMS_IOU,
    )
    index = np.asarray(chosen, dtype=np.int64).reshape(-1)
    index = index[np.argsort(-scores[index], kind="stable")][:MOST_BOXES]
    xyxy = xywh[index]
    xyxy[:, 2:] += xyxy[:, :2]
    xyxy = xyxy / ([placement.scale_x, placement.scale_y] * 2)
    np.clip(xyxy[:, 0::2], 0, placement.width_px, out=xyxy[:, 0::2])
    np.clip(xyxy[:, 1::2], 0, placement.height_px, out=xyxy[:, 1::2])
    found = Boxes.of(xyxy, scores[index], class_ids[index])
    sides = found.xyxy[:, 2:] - found.xyxy[:, :2]
    return found.where(np.asarray((sides > 0.5).all(axis=1), dtype=np.bool_))
