"""What one camera of the simulated city shows at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts import Box
from geo.camera import PinholeCamera
from simulator.scene.backdrop import draw_backdrop
from simulator.scene.conditions import GREY_AFTERNOON, Conditions
from simulator.scene.fires import Fire, draw_fire
from simulator.scene.fleet import SeenVehicle, draw_vehicle, see_vehicles
from simulator.scene.fluid import FireLoop
from simulator.scene.ground import ground_map
from simulator.scene.headlights import Headlights
from simulator.scene.place import Place
from simulator.scene.traffic import Traffic
from simulator.scene.weather import Veil

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Stage:
    """What all cameras of a place see together."""

    place: Place
    traffic: Traffic
    fires: Callable[[float], Sequence[Fire]]
    """What burns at a time of the city."""
    loop: FireLoop
    timezone: ZoneInfo
    under: Conditions = GREY_AFTERNOON


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
        self._backdrop = draw_backdrop(camera, stage.place, ground_map(stage.place), stage.under)
        self._veil = Veil(self.width_px, self.height_px, stage.under, seed)

    def shoot(self, elapsed_s: float, wall: datetime) -> Shot:
        """The picture at a time of the city (not negative), with the wall clock burnt in."""
        picture = self._backdrop.picture.copy()
        nearness = self._backdrop.nearness
        stage = self._stage
        traffic = stage.traffic.at(elapsed_s)
        headlights = None
        if stage.under.lamps:
            headlights = Headlights(self._camera, stage.place, traffic, stage.under.lamps)
            headlights.draw_beams(picture)
        things: list[SeenVehicle | Fire] = [
            *see_vehicles(self._camera, stage.place, traffic, stage.under),
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
        if headlights is not None:
            headlights.draw_glare(picture, nearness)
        self._veil.lay(picture, math.floor(elapsed_s * 1000))
        self._write(picture, wall)
        return Shot(picture, boxes)

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
