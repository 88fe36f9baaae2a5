"""A synthetic street as a camera shows it: houses and road for ever, traffic, night and rain."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts import Rgb

WIDTH, HEIGHT = 640, 360
F_PX = WIDTH / 2 / math.tan(math.radians(30))
"""60 degrees of view."""
_K = np.array([[F_PX, 0, WIDTH / 2 - 0.5], [0, F_PX, HEIGHT / 2 - 0.5], [0, 0, 1]])
_SCALE = 2


class Street:
    """Drawn wider than the picture, so that the camera can turn within it."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        width, height = _SCALE * WIDTH, _SCALE * HEIGHT
        wide = np.full((height, width, 3), (170, 180, 190), np.uint8)
        wide[height // 2 :] = (95, 95, 92)
        left = 0
        while left < width:
            across = int(rng.integers(50, 150))
            top = int(rng.integers(height // 8, height * 2 // 5))
            bottom = height * 11 // 20 + int(rng.integers(-15, 25))
            wall = rng.integers(90, 220, 3).tolist()
            cv2.rectangle(wide, (left, top), (left + across, bottom), wall, -1)
            for row in range(top + 10, bottom - 18, 26):
                for column in range(left + 8, left + across - 14, 22):
                    pane = (rng.integers(20, 110, 3)).tolist()
                    end = (column + int(rng.integers(7, 14)), row + int(rng.integers(9, 17)))
                    cv2.rectangle(wide, (column, row), end, pane, -1)
            left += across + int(rng.integers(0, 30))
        for number in range(16):
            x, y = int(rng.integers(0, width)), int(rng.integers(height * 3 // 5, height))
            size = int(rng.integers(10, 40))
            shade = int(rng.integers(120, 230))
            cv2.line(wide, (x, y), (x + 3 * size, y + size), (shade,) * 3, 2 + number % 3)
        noise = rng.normal(0, 5, (height, width, 1))
        self._wide: Rgb = np.clip(wide + noise, 0, 255).astype(np.uint8)

    def shoot(
        self,
        seed: int,
        turn_deg: tuple[float, float, float] = (0, 0, 0),
        *,
        vehicles: int = 6,
        light: float = 1.0,
        lamps: bool = False,
        rain: int = 0,
        noise: float = 3.0,
        colour: bool = True,
    ) -> Rgb:
        """A picture after turning by (bearing, tilt, roll)."""
        rng = np.random.default_rng(seed)
        shift = np.array(
            [[1, 0, -WIDTH / 2 * (_SCALE - 1)], [0, 1, -HEIGHT / 2 * (_SCALE - 1)], [0, 0, 1]]
        )
        seen = _K @ rotation(*turn_deg) @ np.linalg.inv(_K) @ shift
        picture = cv2.warpPerspective(self._wide, seen, (WIDTH, HEIGHT)).astype(np.float32)
        for _ in range(vehicles):
            size = int(rng.integers(20, 110))
            x, y = int(rng.integers(-20, WIDTH)), int(rng.integers(HEIGHT * 11 // 20, HEIGHT))
            paint = rng.integers(10, 250, 3).tolist()
            cv2.rectangle(picture, (x, y - size // 2), (x + size, y), paint, -1)
            cv2.rectangle(
                picture,
                (x + 4, y - size // 2 + 3),
                (x + size // 3, y - size // 4),
                (20, 20, 30),
                -1,
            )
        picture *= light
        if lamps:
            glow = np.zeros((HEIGHT, WIDTH), np.float32)
            for _ in range(5):
                spot = (int(rng.integers(0, WIDTH)), int(rng.integers(HEIGHT // 2, HEIGHT)))
                cv2.circle(glow, spot, int(rng.integers(3, 9)), 255, -1)
            picture += cv2.GaussianBlur(glow, (0, 0), 6)[..., None]
        for _ in range(rain):
            x, y = int(rng.integers(0, WIDTH)), int(rng.integers(0, HEIGHT))
            cv2.line(picture, (x, y), (x - 2, y + int(rng.integers(8, 25))), (190, 190, 195), 1)
        if not colour:
            picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
        picture += rng.normal(0, noise, (HEIGHT, WIDTH, 1))
        return np.clip(picture, 0, 255).astype(np.uint8)


def rotation(bearing_deg: float, tilt_deg: float, roll_deg: float) -> NDArray[np.float64]:
    """From the old camera's axes (right, down, forward) to those of the turned one."""
    a, b, c = np.radians((bearing_deg, tilt_deg, roll_deg))
    yaw = np.array([[math.cos(a), 0, -math.sin(a)], [0, 1, 0], [math.sin(a), 0, math.cos(a)]])
    pitch = np.array([[1, 0, 0], [0, math.cos(b), math.sin(b)], [0, -math.sin(b), math.cos(b)]])
    roll = np.array([[math.cos(c), math.sin(c), 0], [-math.sin(c), math.cos(c), 0], [0, 0, 1]])
    return np.asarray(roll @ pitch @ yaw)
