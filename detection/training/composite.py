"""Fires set into ordinary CCTV pictures: the pictures of which there are none at hand.

The labelled fires are mostly forests and collages; what a street camera sees of a small fire at
night is missing. Flames cut from labelled boxes are added as light (they are emitters: they add to
what is behind them and do not cover it), with a glow around them, at a size and place at random.
The same backgrounds stay in training without a fire, so that nothing but the fire tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.evaluation import read_labels
from detection.training.degrade import night
from detection.training.sources import Picture

Image = NDArray[np.uint8]

FIRE_CLASS = 0
LARGEST_PATCH = 0.25
"""Share of its picture: larger boxes hold whole burning landscapes."""
LEAST_PATCH_PX = 16
LEAST_WARMTH = 60.0
LEAST_FLAMES = 0.1
"""Share of a patch that must be flame: dim ones would teach that nothing is a fire."""


@dataclass(frozen=True, slots=True, eq=False)
class Flames:
    """A cut-out fire: BGR uint8 (H, W, 3) and how much of each pixel is flame, float32 (H, W)."""

    bgr: Image
    alpha: NDArray[np.float32]


def flame_alpha(bgr: Image) -> NDArray[np.float32]:
    """Bright and warm pixels, softly: 0 for what lies around the flames, 1 within them."""
    blue, red = bgr[..., 0].astype(np.float32), bgr[..., 2].astype(np.float32)
    bright = np.clip((red - 120.0) / 80.0, 0.0, 1.0)
    # White-hot cores are not warm by hue; they count where they are very bright.
    warm = np.clip((red - blue - 15.0) / 45.0, 0.0, 1.0)
    hot = np.clip((red + blue - 440.0) / 60.0, 0.0, 1.0)
    alpha = cv2.GaussianBlur(bright * np.maximum(warm, hot), (3, 3), 0)
    # Towards the edges it fades: a box cuts through flames, a fire has no straight sides.
    height, width = alpha.shape
    across = np.clip(np.minimum(np.arange(width), np.arange(width)[::-1]) / (0.2 * width), 0, 1)
    down = np.clip(np.arange(height) / (0.2 * height), 0, 1)
    return np.asarray(alpha * across[None, :] * down[:, None], np.float32)


def warmth(bgr: Image, alpha: NDArray[np.float32]) -> float:
    """Mean of red minus blue over the flames, in grey levels: infrared cameras' fires have none."""
    difference = bgr[..., 2].astype(np.float32) - bgr[..., 0]
    return float((difference * alpha).sum() / max(1e-6, float(alpha.sum())))


def cut_flames(pictures: Sequence[Picture], at_most: int, seed: int) -> list[Flames]:
    """Flames from the labelled fire boxes of these pictures, at most so many."""
    rng = np.random.default_rng(seed)
    found: list[Flames] = []
    for index in rng.permutation(len(pictures)):
        picture = pictures[int(index)]
        image = cv2.imread(str(picture.path))
        if picture.labels is None or image is None or len(found) >= at_most:
            continue
        height, width = image.shape[:2]
        boxes = read_labels(picture.labels, width, height).of_class(FIRE_CLASS)
        for box in boxes.xyxy[:2]:
            x0, y0, x1, y1 = np.clip(box, 0, [width, height, width, height]).astype(int)
            area = (x1 - x0) * (y1 - y0)
            if min(x1 - x0, y1 - y0) < LEAST_PATCH_PX or area > LARGEST_PATCH * width * height:
                continue
            bgr = np.ascontiguousarray(image[y0:y1, x0:x1], dtype=np.uint8)
            alpha = flame_alpha(bgr)
            if alpha.mean() >= LEAST_FLAMES and warmth(bgr, alpha) >= LEAST_WARMTH:
                found.append(Flames(bgr, alpha))
    return found


def set_fire(
    background: Image, flames: Flames, rng: np.random.Generator
) -> tuple[Image, tuple[float, float, float, float]]:
    """Add a fire to a picture (BGR uint8); returns it and the box (x0, y0, x1, y1 in pixels)."""
    height, width = background.shape[:2]
    scene = night(background, float(rng.uniform(1.2, 2.2))) if rng.random() < 0.4 else background
    wide = max(8, int(width * rng.uniform(0.03, 0.22)))
    high = max(8, min(int(height * 0.4), wide * flames.bgr.shape[0] // flames.bgr.shape[1]))
    mirrored = slice(None, None, -1 if rng.random() < 0.5 else 1)
    bgr = cv2.resize(flames.bgr[:, mirrored], (wide, high), interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(flames.alpha[:, mirrored], (wide, high), interpolation=cv2.INTER_AREA)
    left = int(rng.integers(0, width - wide))
    top = int(rng.integers(int(height * 0.15), height - high))
    light = np.zeros((height, width, 3), np.float32)
    gain = float(rng.uniform(1.0, 1.4))
    light[top : top + high, left : left + wide] = bgr * alpha[..., None] * gain
    glow = cv2.GaussianBlur(light, (0, 0), max(2.0, wide * 0.6)) * float(rng.uniform(0.2, 0.9))
    added = np.clip(light, 0, 255) + glow
    # Screening: light adds up without passing white.
    lit = 255.0 - (255.0 - scene.astype(np.float32)) * (255.0 - np.clip(added, 0, 255)) / 255.0
    rows, columns = np.nonzero(alpha > 0.3)
    if len(rows) == 0:
        rows, columns = np.array([0, high - 1]), np.array([0, wide - 1])
    box = (
        float(left + columns.min()),
        float(top + rows.min()),
        float(left + columns.max() + 1),
        float(top + rows.max() + 1),
    )
    return lit.astype(np.uint8), box
