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

DAMAGE = 0.4
"""Strength for the detector's trainings: a third of the pictures lose some detail each time."""


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


def rotate_hue(picture: Picture, rng: np.random.Generator) -> Picture:
    """Every colour turned by one random angle: what is blue today is an orange lorry tomorrow.

    For pictures without a hazard only, as `coloured_light`.
    """
    hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(np.int32) + int(rng.integers(0, 180))) % 180
    gain = float(rng.uniform(1.0, 1.8))
    hsv[..., 1] = np.clip(hsv[..., 1].astype(np.float32) * gain, 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), np.uint8)


def fog(picture: Picture, rng: np.random.Generator) -> Picture:
    """A veil of one grey over the picture, denser towards the top, where what is seen is far."""
    height = picture.shape[0]
    grey = float(rng.uniform(110, 225))
    top = float(rng.uniform(0.3, 0.8))
    veil = np.linspace(top, top * float(rng.uniform(0.2, 0.9)), height)[:, None, None]
    return np.asarray(picture * (1.0 - veil) + grey * veil, np.uint8)


_LAMPS_BGR = ((235, 245, 255), (190, 230, 255), (120, 200, 255), (50, 150, 255), (40, 50, 255))
"""White, warm white, sodium, amber and tail lamps."""


def lamps(picture: Picture, rng: np.random.Generator) -> Picture:
    """Lamps with a halo set into the picture, by ones and by twos at one height, as headlights
    are. For pictures without a hazard only, as `coloured_light`.
    """
    height, width = picture.shape[:2]
    drawn = np.zeros((height, width, 3), np.float32)
    for _ in range(int(rng.integers(1, 5))):
        colour = _LAMPS_BGR[int(rng.integers(len(_LAMPS_BGR)))]
        radius = max(1, int(width * rng.uniform(0.004, 0.04)))
        x, y = int(rng.integers(0, width)), int(rng.integers(height // 4, height))
        gap = int(radius * rng.uniform(3.0, 9.0)) if rng.random() < 0.6 else 0
        for at in {x, x + gap}:
            cv2.circle(drawn, (at, y), radius, colour, -1, cv2.LINE_AA)
    if rng.random() < 0.4:
        drawn = np.maximum(drawn, _on_wet_road(drawn, rng))
    light = cv2.GaussianBlur(drawn, (0, 0), max(0.6, width * float(rng.uniform(0.002, 0.008))))
    reach = max(2.0, width * float(rng.uniform(0.01, 0.06)))
    halo = cv2.GaussianBlur(light, (0, 0), reach) * float(rng.uniform(0.5, 3.0))
    added = np.clip(light + halo, 0, 255)
    return np.asarray(255.0 - (255.0 - picture) * (255.0 - added) / 255.0, np.uint8)


def _on_wet_road(drawn: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """The lamps' reflections: the same colours drawn out below them, broken by ripples."""
    height = drawn.shape[0]
    length = max(3, int(height * rng.uniform(0.05, 0.25)))
    streak = np.asarray(cv2.blur(drawn, (1, length)), np.float32) * float(rng.uniform(1.0, 3.0))
    fallen = np.zeros_like(streak)
    drop = length // 2 + int(rng.integers(0, max(1, height // 12)))
    fallen[drop:] = streak[: height - drop]
    ripples = rng.uniform(0.3, 1.0, (height, 1, 1)).astype(np.float32)
    return np.asarray(np.minimum(fallen * ripples, 255.0), np.float32)


def mistakable(picture: Picture, rng: np.random.Generator) -> Picture:
    """A picture without a hazard (BGR uint8), often given what false alarms are made of: strong
    light of one colour, paint of any colour, lamps at night and in fog.
    """
    if rng.random() < 0.2:
        return coloured_light(picture, rng)
    if rng.random() < 0.25:
        picture = rotate_hue(picture, rng)
    if rng.random() < 0.3:
        weather = rng.random()
        if weather < 0.4:
            picture = fog(picture, rng)
        elif weather < 0.7:
            picture = night(picture, float(rng.uniform(1.2, 2.2)))
        picture = lamps(picture, rng)
    return picture


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
    if rng.random() < 0.12 * strength:
        result = fog(result, rng)
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
