"""Water painted onto dry roads, and the wet sheen that is none: pairs of one scene.

Nearly every flood picture at hand is a photograph and nearly every dry one CCTV. One crop of a road
painted as flooded and the same merely wet leave nothing but the water to tell them apart. Water
covers what lies flat, leaves what stands out of it, mirrors what is above its shore, ripples, and
hides the markings; a wet road mirrors too, and hides nothing.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Field = NDArray[np.float32]

_STANDS_OUT = 14.0
"""Grey levels of local contrast from which on something is no bare road."""
_MUD_BGR = np.array((96, 118, 134), np.float32)
_CLEAR_BGR = np.array((120, 116, 108), np.float32)


def flooded(picture: Picture, rng: np.random.Generator) -> Picture:
    """A road crop (H, W, 3, BGR uint8) under water from a random shore down to the camera."""
    height, width = picture.shape[:2]
    rows = np.arange(height, dtype=np.float32)[:, None]
    shore = _shore(height, width, float(rng.uniform(0.0, 0.5)), rng)
    covered = np.clip((rows - shore) / (0.02 * height), 0.0, 1.0)
    covered *= 1.0 - float(rng.uniform(0.7, 1.0)) * _emerging(picture, rng)
    mirrored = _mirrored(picture, shore, float(rng.uniform(0.5, 1.2)), rng)
    brightness = float(picture.mean()) / 118.0
    clear = float(rng.uniform(0.0, 0.6))
    own = ((1.0 - clear) * _MUD_BGR + clear * _CLEAR_BGR) * (brightness * rng.uniform(0.7, 1.25))
    # A flat look mirrors more than a steep one.
    near = np.clip((rows - shore) / height, 0.0, 1.0)
    mirrors = np.clip(float(rng.uniform(0.5, 0.9)) - float(rng.uniform(0.2, 0.7)) * near, 0.1, 0.9)
    water = mirrors[..., None] * mirrored + (1.0 - mirrors[..., None]) * own.astype(np.float32)
    water *= 1.0 + float(rng.uniform(0.01, 0.06)) * _ripples(height, width, rng)[..., None]
    covered = covered[..., None]
    shown = picture * (1.0 - covered) + water * covered
    return np.asarray(np.clip(shown, 0, 255), dtype=np.uint8)


def merely_wet(picture: Picture, rng: np.random.Generator) -> Picture:
    """A road crop (H, W, 3, BGR uint8) after rain: darker, with drawn-out reflections, and all its
    markings still to be seen.
    """
    height, width = picture.shape[:2]
    rows = np.arange(height, dtype=np.float32)[:, None]
    shore = _shore(height, width, float(rng.uniform(0.0, 0.4)), rng)
    mirrored = _mirrored(picture, shore, 1.0, rng)
    drawn_out = cv2.blur(mirrored, (3, max(3, int(height * rng.uniform(0.06, 0.2)))))
    sheen = np.clip((rows - shore) / (0.1 * height), 0.0, 1.0) * (1.0 - _emerging(picture, rng))
    sheen *= float(rng.uniform(0.15, 0.4)) * np.clip(
        0.8 + 0.6 * _clouds(height, width, 0.2, rng), 0.2, 1.4
    )
    road = picture * float(rng.uniform(0.65, 0.95))
    sheen = sheen[..., None]
    shown = road * (1.0 - 0.5 * sheen) + drawn_out * sheen
    return np.asarray(np.clip(shown, 0, 255), dtype=np.uint8)


def _shore(height: int, width: int, at: float, rng: np.random.Generator) -> Field:
    """The row at which the water begins, by column: (1, W)."""
    bends = _clouds(1, width, 0.3, rng) * float(rng.uniform(0.01, 0.08)) * height
    return np.asarray(at * height + bends, np.float32)


def _emerging(picture: Picture, rng: np.random.Generator) -> Field:
    """How far each pixel shows something that stands out of the water, 0 to 1: (H, W).

    What stands on a road is full of edges, a road isn't; the lowest part of it is under water.
    """
    height, width = picture.shape[:2]
    size = max(3, width // 24) | 1
    # Markings are bright and thin, and lie under water.
    unmarked = cv2.morphologyEx(
        cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.MORPH_OPEN, np.ones((size, size), np.uint8)
    )
    grey = unmarked.astype(np.float32)
    mean = cv2.blur(grey, (size, size))
    contrast = np.sqrt(np.maximum(cv2.blur(grey * grey, (size, size)) - mean * mean, 0.0))
    stands = np.clip((contrast - _STANDS_OUT) / _STANDS_OUT, 0.0, 1.0)
    sunk = max(1, int(height * rng.uniform(0.01, 0.06)))
    beneath = np.zeros_like(stands)
    beneath[:-sunk] = stands[sunk:]
    return np.asarray(np.minimum(stands, beneath), np.float32)


def _mirrored(picture: Picture, shore: Field, stretch: float, rng: np.random.Generator) -> Field:
    """What a level mirror below the shore shows, shaken by waves: (H, W, 3) float32."""
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    below = np.maximum(rows - shore, 0.0)
    shaken = _ripples(height, width, rng) * (1.0 + 0.03 * below)
    across = columns + float(rng.uniform(0.3, 1.6)) * shaken
    up = shore - stretch * below + float(rng.uniform(0.5, 3.0)) * shaken
    smooth = cv2.blur(picture, (1, max(1, height // 40)))
    return np.asarray(
        cv2.remap(smooth, across, up, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32
    )


def _ripples(height: int, width: int, rng: np.random.Generator) -> Field:
    """Waves, longer across the picture than towards it, of unit spread: (H, W)."""
    noise = rng.standard_normal((max(4, height // 3), max(4, width // 12)), np.float32)
    waves = cv2.GaussianBlur(cv2.resize(noise, (width, height)), (0, 0), 1.2)
    return np.asarray(waves / max(1e-6, float(waves.std())), np.float32)


def _clouds(height: int, width: int, share: float, rng: np.random.Generator) -> Field:
    """Smooth noise of unit spread whose lumps take a share of the width: (H, W)."""
    across, down = max(3, int(1 / share)), max(1, int(height / (share * width)))
    noise = rng.standard_normal((down, across), np.float32)
    field = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(field / max(1e-6, float(field.std())), np.float32)
