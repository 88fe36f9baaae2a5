"""What one camera of the simulated city shows at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts import Box
from geo.camera import PinholeCamera
from simulator.scene.backdrop import DAYLIGHT, draw_backdrop
from simulator.scene.fires import Fire, draw_fire
from simulator.scene.fluid import FireLoop
from simulator.scene.place import Place
from simulator.scene.traffic import Traffic, Vehicle
from simulator.scene.vehicles import draw_vehicle

Rgb = NDArray[np.uint8]

_NOISE_SIGMA = 2.2
_NOISES = 5
_NOISE_PLAY_PX = 64
"""A sheet is larger than a picture by this much, so that it can be laid on in many places."""


@dataclass(frozen=True, eq=False)
class Stage:
    """What all cameras of a place see together."""

    place: Place
    ground: Rgb
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
    """A camera at a stage. Its backdrop is drawn at the first picture, and then kept."""

    def __init__(self, camera: PinholeCamera, stage: Stage, label: str, seed: int) -> None:
        self.width_px, self.height_px = camera.width_px, camera.height_px
        self._camera = camera
        self._stage = stage
        self._label = label
        own = stage.place.to_local(np.array([[camera.x, camera.y]]))[0]
        self._a, self._b = float(own[0]), float(own[1])
        self._backdrop = draw_backdrop(camera, stage.place, stage.ground)
        self._noises = _noise_sheets(self.width_px, self.height_px)
        self._seed = seed

    def shoot(self, elapsed_s: float, wall: datetime) -> Shot:
        """The picture at a time of the city (not negative), with the wall clock burnt in."""
        picture = self._backdrop.picture.copy()
        nearness = self._backdrop.nearness
        stage = self._stage
        things: list[Vehicle | Fire] = [*stage.traffic.at(elapsed_s), *stage.fires(elapsed_s)]
        things.sort(key=lambda thing: -math.hypot(thing.a - self._a, thing.b - self._b))
        boxes = {}
        for thing in things:
            if isinstance(thing, Vehicle):
                draw_vehicle(picture, nearness, self._camera, stage.place, thing, DAYLIGHT)
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
            place = (round(18 * scale), round(y * scale))
            for colour, shift in (((16, 16, 16), 2), ((248, 248, 248), 0)):
                at = (place[0] + shift, place[1] + shift)
                cv2.putText(
                    picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.8 * scale, colour, 2, cv2.LINE_AA
                )


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
