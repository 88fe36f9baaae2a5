"""Photographs made to look like CCTV: what a cheap lens, a dark night, a small sensor and a hard
encoder do.

Nearly all fire pictures at hand are photographs and nearly all quiet ones CCTV. Without this a
model can tell the two kinds of camera apart and never look at the hazard, so quiet and hazardous
pictures pass through the same damage.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def compress(picture: Picture, quality: int) -> Picture:
    """JPEG at `quality` (1-100) and back: the block edges of a starved encoder."""
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"cannot encode a picture of shape {picture.shape}")
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)


def lower_resolution(picture: Picture, factor: float) -> Picture:
    """Down by `factor` (> 1) and up again: an old camera's resolution in a new one's frame."""
    height, width = picture.shape[:2]
    small = (max(16, int(width / factor)), max(16, int(height / factor)))
    shrunk = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    return np.asarray(
        cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8
    )


def sensor_noise(picture: Picture, sigma: float, rng: np.random.Generator) -> Picture:
    """Gaussian noise of `sigma` grey levels, half of it shared by the channels (luminance
    noise).
    """
    height, width = picture.shape[:2]
    noise = rng.standard_normal((height, width, 1), np.float32) + rng.standard_normal(
        (height, width, 3), np.float32
    )
    return np.clip(picture + noise * np.float32(sigma * 0.7), 0, 255).astype(np.uint8)


def night(picture: Picture, gamma: float) -> Picture:
    """Darken the middle tones (gamma > 1) and keep the lights: what a lamp or a flame is at
    night.
    """
    table = (np.linspace(0.0, 1.0, 256) ** gamma * 255.0).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, table), dtype=np.uint8)


def coloured_light(picture: Picture, rng: np.random.Generator) -> Picture:
    """The scene under one strong colour, as brake lights, sirens, sodium lamps and dusk throw it.

    For pictures without a hazard only: red light must not be taken for fire.
    """
    colours = ((40, 60, 255), (30, 140, 255), (160, 40, 255), (255, 80, 60), (60, 190, 255))
    colour = np.array(colours[int(rng.integers(len(colours)))], dtype=np.float32) / 255.0
    strength = float(rng.uniform(0.3, 0.9))
    gain = float(rng.uniform(1.0, 1.6))
    lit = picture * (1.0 - strength + strength * colour) * gain
    return np.clip(lit, 0, 255).astype(np.uint8)


def overlay_text(picture: Picture, rng: np.random.Generator) -> Picture:
    """A clock or a camera's name in a corner, as recorders burn it in."""
    height, width = picture.shape[:2]
    camera, hour, minute, second = (int(rng.integers(0, top)) for top in (99, 24, 60, 60))
    text = f"CAM {camera:02d} {hour:02d}:{minute:02d}:{second:02d}"
    origin = (int(rng.integers(2, max(3, width // 2))), int(rng.choice([14, height - 6])))
    shade = int(rng.integers(180, 256))
    drawn = picture.copy()
    cv2.putText(
        drawn,
        text,
        origin,
        cv2.FONT_HERSHEY_SIMPLEX,
        float(rng.uniform(0.3, 0.55)),
        (shade,) * 3,
        1,
    )
    return drawn


def degrade(picture: Picture, rng: np.random.Generator, strength: float = 1.0) -> Picture:
    """One random course of damage to a BGR uint8 picture (H, W, 3); `strength` scales how often
    each step happens.
    """
    result = picture
    if rng.random() < 0.25 * strength:
        result = night(result, float(rng.uniform(1.2, 2.4)))
    if rng.random() < 0.35 * strength:
        result = lower_resolution(result, float(rng.uniform(1.2, 3.0)))
    if rng.random() < 0.15 * strength:
        result = np.asarray(
            cv2.GaussianBlur(result, (0, 0), float(rng.uniform(0.6, 1.8))), dtype=np.uint8
        )
    if rng.random() < 0.25 * strength:
        result = sensor_noise(result, float(rng.uniform(2.0, 12.0)), rng)
    if rng.random() < 0.12 * strength:
        grey = cv2.cvtColor(result, cv2.COLOR_BGR2GRAY)
        result = np.asarray(cv2.merge([grey, grey, grey]), dtype=np.uint8)
    if rng.random() < 0.2 * strength:
        result = overlay_text(result, rng)
    if rng.random() < 0.5 * strength:
        result = compress(result, int(rng.integers(18, 75)))
    return result
