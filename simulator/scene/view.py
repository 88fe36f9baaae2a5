"""What one camera of the simulated city shows at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts import Box
from geo.camera import PinholeCamera
from simulator.scene.backdrop import DAYLIGHT, draw_backdrop
from simulator.scene.fires import Fire, draw_fire
from simulator.scene.fleet import SeenVehicle, draw_vehicle, see_vehicles
from simulator.scene.fluid import FireLoop
from simulator.scene.ground import ground_map
from simulator.scene.place import Place
from simulator.scene.traffic import Traffic

Rgb = NDArray[np.uint8]

_NOISE_SIGMA = 2.2
_NOISES = 3
_NOISE_PLAY_PX = 64
"""A sheet is larger than a picture by this much, so that it can be laid on in many places."""


@dataclass(frozen=True, eq=False)
class Stage:
    """What all cameras of a place see together."""

    place: Place
    traffic: Traffic
    fires: Callable[[float], Sequence[Fire]]
    """What burns at a time of the city."""
    loop: FireLoop
    timezone: ZoneInfo


@dataclass(frozen=True, eq=False)
class Shot:
    """A picture and the truth in it: the boxes of the flames seen, by the fire's id."""

    picture: Rgb
    fire_boxes: dict[str, Box]


class CameraView:
    """A camera at a stage. Its backdrop is drawn at once, and then kept."""

    def __init__(self, camera: PinholeCamera, stage: Stage, label: str, seed: int) -> None:
        self.width_px, self.height_px = camera.width_px, camera.height_px
        self._camera = camera
        self._stage = stage
        self._label = label
        own = stage.place.to_local(np.array([[camera.x, camera.y]]))[0]
        self._a, self._b = float(own[0]), float(own[1])
        self._backdrop = draw_backdrop(camera, stage.place, ground_map(stage.place))
        self._noises = _noise_sheets(self.width_px, self.height_px)
        self._seed = seed

    def shoot(self, elapsed_s: float, wall: datetime) -> Shot:
        """The picture at a time of the city (not negative), with the wall clock burnt in."""
        picture = self._backdrop.picture.copy()
        nearness = self._backdrop.nearness
        stage = self._stage
        traffic = stage.traffic.at(elapsed_s)
        things: list[SeenVehicle | Fire] = [
            *see_vehicles(self._camera, stage.place, traffic, DAYLIGHT),
            *stage.fires(elapsed_s),
        ]
        things.sort(key=lambda thing: -math.hypot(thing.a - self._a, thing.b - self._b))
        boxes = {}
        for thing in things:
            if isinstance(thing, SeenVehicle):
                draw_vehicle(picture, nearness, thing)
                continue
            box = draw_fire(
                picture, nearness, self._camera, stage.place, thing, stage.loop, elapsed_s
            )
            if box is not None:
                boxes[thing.id] = box
        self._grain(picture, elapsed_s)
        self._write(picture, wall)
        return Shot(picture, boxes)

    def _grain(self, picture: Rgb, elapsed_s: float) -> None:
        """The sensor's noise: one of a few sheets, laid on at a place of its own."""
        tick = math.floor(elapsed_s * 1000)
        random = np.random.default_rng((self._seed, tick))
        more, less = self._noises[int(random.integers(_NOISES))]
        row, column = (int(v) for v in random.integers(0, _NOISE_PLAY_PX, 2))
        window = (slice(row, row + self.height_px), slice(column, column + self.width_px))
        cv2.add(picture, more[window], dst=picture)
        cv2.subtract(picture, less[window], dst=picture)

    def _write(self, picture: Rgb, wall: datetime) -> None:
        local = wall.astimezone(self._stage.timezone)
        scale = self.height_px / 720
        for text, y in (
            (local.strftime("%d-%m-%Y %H:%M:%S"), 34),
            (self._label, self.height_px / scale - 18),
        ):
            letters, cover = _written(text, scale)
            tall, wide = cover.shape
            left, foot = round(18 * scale), round(y * scale)
            top = foot - round(_RISE_PX * scale)
            wide = min(wide, self.width_px - left)
            region = picture[top : top + tall, left : left + wide]
            cv2.copyTo(letters[:, :wide], cover[:, :wide], region)


_RISE_PX = 26
"""From a line's foot up to its sprite's upper edge, in a picture 720 high."""


@lru_cache(maxsize=256)
def _written(text: str, scale: float) -> tuple[Rgb, Rgb]:
    """A line of white letters with a dark shadow, and a mask of where it covers the picture."""
    font, size = cv2.FONT_HERSHEY_SIMPLEX, 0.8 * scale
    (wide, _), _ = cv2.getTextSize(text, font, size, 2)
    foot = round(_RISE_PX * scale)
    letters = np.zeros((foot + round(12 * scale), wide + 6, 3), np.uint8)
    cover = np.zeros(letters.shape[:2], np.uint8)
    for shade, shift in ((16, 2), (248, 0)):
        at = (shift, foot + shift)
        cv2.putText(letters, text, at, font, size, (shade, shade, shade), 2, cv2.LINE_AA)
        cv2.putText(cover, text, at, font, size, (255,), 2, cv2.LINE_8)
    return letters, cover


@cache
def _noise_sheets(width_px: int, height_px: int) -> list[tuple[Rgb, Rgb]]:
    """Grey noise in two parts, what is added and what is taken away; shared by all cameras."""
    random = np.random.default_rng(7)
    shape = (height_px + _NOISE_PLAY_PX, width_px + _NOISE_PLAY_PX)
    sheets = []
    for _ in range(_NOISES):
        grain = np.round(random.normal(0, _NOISE_SIGMA, shape))
        more, less = (np.maximum(sign * grain, 0).astype(np.uint8) for sign in (1, -1))
        sheets.append((cv2.merge([more] * 3), cv2.merge([less] * 3)))
    return [(np.asarray(more, np.uint8), np.asarray(less, np.uint8)) for more, less in sheets]
