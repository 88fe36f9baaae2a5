"""What one camera of the simulated city shows at a time, and the truth in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts import Box
from geo.camera import PinholeCamera
from simulator.scene.backdrop import Backdrop, draw_backdrop
from simulator.scene.conditions import GREY_AFTERNOON, Conditions
from simulator.scene.firelight import Firelight
from simulator.scene.fires import Fire, draw_fire
from simulator.scene.fleet import Fleet, SeenVehicle
from simulator.scene.floods import Flood, Water
from simulator.scene.fluid import FireLoop
from simulator.scene.ground import ground_map
from simulator.scene.headlights import Headlights
from simulator.scene.lighting import SODIUM, light_on, mirror_of
from simulator.scene.lookalikes import Decoy, draw_decoy
from simulator.scene.paintwork import Paintwork
from simulator.scene.people import SeenPerson, draw_person, see_people
from simulator.scene.place import Place
from simulator.scene.script import Script
from simulator.scene.weather import Veil

Rgb = NDArray[np.uint8]
Plane8 = NDArray[np.uint8]
Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Thing = SeenVehicle | SeenPerson | Fire | Decoy


@dataclass(frozen=True, eq=False)
class Stage:
    """What all cameras of a place see together."""

    place: Place
    script: Script
    loop: FireLoop
    timezone: ZoneInfo
    under: Conditions = GREY_AFTERNOON


@dataclass(frozen=True, eq=False)
class Seen:
    """An event's truth in one picture: every pixel that shows it, and the box about them."""

    box: Box
    mask: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Shot:
    """A picture, and, where it was asked for, what is truly to be seen in it by event's id."""

    picture: Rgb
    seen: dict[str, Seen] = field(default_factory=dict)


def _unheard(_: str) -> None:
    """Nobody measures."""


_STAGE_OF = {SeenVehicle: "traffic", SeenPerson: "people", Fire: "fire", Decoy: "fire"}


class CameraView:
    """A camera at a stage. Its backdrop is drawn at once, and then kept."""

    def __init__(self, camera: PinholeCamera, stage: Stage, label: str, seed: int) -> None:
        self.width_px, self.height_px = camera.width_px, camera.height_px
        self._camera = camera
        self._stage = stage
        self._label = label
        self._seed = seed
        own = stage.place.to_local(np.array([[camera.x, camera.y]]))[0]
        self._a, self._b = float(own[0]), float(own[1])
        self._backdrop: Backdrop = draw_backdrop(
            camera, stage.place, ground_map(stage.place), stage.under
        )
        self._veil = Veil(self.width_px, self.height_px, stage.under, seed)
        self._firelight = Firelight(camera, stage.place, self._backdrop)
        self._fleet = Fleet(camera, stage.place, stage.under)
        self._paintwork = Paintwork(self._backdrop.nearness)
        self._water: Water | None = None

    def shoot(
        self,
        elapsed_s: float,
        wall: datetime,
        *,
        truth: bool = False,
        clock: str | None = None,
        stage_begins: Callable[[str], None] = _unheard,
    ) -> Shot:
        """The picture at a time of the city (not negative), with the wall clock burnt in.

        Args:
            elapsed_s: The city's own time.
            wall: What the clock in the picture shows.
            truth: Whether to tell what is seen where; it takes twice as long.
            clock: What stands in place of the time, where the camera has lost it.
            stage_begins: Told the name of each stage of the work as it begins, for who measures.
        """
        stage = self._stage
        stage_begins("world")
        own_s = stage.script.own_time(elapsed_s)
        moment = stage.script.at(elapsed_s)
        stage_begins("scene")
        picture = self._backdrop.picture.copy()
        labels = _Labels(picture.shape[:2]) if truth else None
        stage_begins("light")
        light = partial(self._light, fires=moment.fires, elapsed_s=own_s)
        for fire in moment.fires:
            self._firelight.lay(picture, fire, own_s)
        stage_begins("water")
        self._lay_water(picture, moment.floods, own_s, labels)
        depth_at = None
        if moment.floods:
            depth_at = partial(_depth_at, moment.floods, own_s)
        camera, place, under = self._camera, stage.place, stage.under
        stage_begins("traffic")
        vehicles = self._fleet.see(moment.vehicles, light, depth_at)
        stage_begins("light")
        headlights = None
        if under.lamps:
            headlights = Headlights(camera, place, moment.vehicles, under.lamps, under.wet)
            headlights.draw_beams(picture)
        stage_begins("people")
        people = see_people(camera, place, moment.people, under, light)
        things: list[Thing] = [*vehicles, *people, *moment.fires, *moment.decoys]
        things.sort(key=lambda thing: -math.hypot(thing.a - self._a, thing.b - self._b))
        stage_begins("traffic")
        self._paintwork.keep(vehicles)
        for vehicle in vehicles:
            self._paintwork.draw_image(picture, vehicle)
        for thing in things:
            stage_begins(_STAGE_OF[type(thing)])
            self._paint(picture, thing, own_s, depth_at, labels)
        stage_begins("light")
        if headlights is not None:
            headlights.draw_glare(picture, self._backdrop.nearness)
        stage_begins("weather")
        tick = math.floor(elapsed_s * 1000)
        shift = self._sway(elapsed_s)
        if shift is not None:
            picture = _shifted(picture, shift)
        self._veil.lay(picture, tick)
        stage_begins("overlay")
        self._write(picture, wall, clock)
        return Shot(picture, labels.seen(shift) if labels is not None else {})

    def _light(self, points: Floats, fires: Sequence[Fire], elapsed_s: float) -> Floats32:
        light = light_on(self._stage.place, points, self._stage.under)
        for fire in fires:
            light += self._firelight.on(points, fire, elapsed_s)
        return light

    def _ambient(self) -> tuple[float, float, float]:
        """The light that smoke and steam are seen by."""
        under = self._stage.under
        lamps = (0.16 * under.lamps * SODIUM).tolist()
        red, green, blue = (d + part for d, part in zip(under.light, lamps, strict=True))
        return red, green, blue

    def _lay_water(
        self, picture: Rgb, floods: Sequence[Flood], elapsed_s: float, labels: _Labels | None
    ) -> None:
        for flood in floods:
            if self._water is None:
                mirror = mirror_of(self._camera, self._stage.place, self._backdrop)
                self._water = Water(self._camera, self._stage.place, mirror, self._ambient())
            covered = self._water.mask(flood, elapsed_s, self._backdrop.nearness)
            if covered is not None:
                self._water.paint(picture, flood, elapsed_s, covered)
                if labels is not None:
                    labels.add(flood.id, covered > 127)

    def _paint(
        self,
        picture: Rgb,
        thing: Thing,
        elapsed_s: float,
        depth_at: partial[float] | None,
        labels: _Labels | None,
    ) -> None:
        nearness, stage, under = self._backdrop.nearness, self._stage, self._stage.under
        plane = None if labels is None else labels.plane
        match thing:
            case SeenVehicle():
                self._paintwork.draw(picture, thing)
                if labels is not None:
                    self._paintwork.label(labels.plane, thing, labels.number(thing.event_id))
                return
            case SeenPerson():
                sunk = depth_at(thing.a, thing.b) if depth_at is not None else 0.0
                draw_person(picture, nearness, thing, sunk_m=sunk, labels=plane, label=0)
                return
        before = picture.copy() if math.isfinite(under.fog_m) else None
        if isinstance(thing, Fire):
            flames = draw_fire(
                picture, nearness, self._camera, stage.place, thing, stage.loop, elapsed_s,
                self._ambient(),
            )  # fmt: skip
            if labels is not None and flames is not None:
                labels.add(thing.id, flames)
        else:
            draw_decoy(
                picture, nearness, self._camera, stage.place, thing, stage.loop, elapsed_s,
                self._ambient(),
            )  # fmt: skip
        if before is not None:
            away = math.hypot(thing.a - self._a, thing.b - self._b)
            clear = math.exp(-away / under.fog_m)
            cv2.addWeighted(picture, clear, before, 1 - clear, 0, dst=picture)

    def _sway(self, elapsed_s: float) -> tuple[float, float] | None:
        """How far the wind has moved the mast's picture, in pixels."""
        reach = self._stage.under.shake_px
        if not reach:
            return None
        t, seed = elapsed_s, self._seed
        gust = 0.55 + 0.45 * math.sin(0.31 * t + seed)
        across = math.sin(2 * math.pi * 1.37 * t + seed) + 0.5 * math.sin(2 * math.pi * 2.9 * t)
        down = math.sin(2 * math.pi * 1.71 * t + 2 * seed) + 0.4 * math.sin(2 * math.pi * 3.3 * t)
        return 0.66 * reach * gust * across, 0.44 * reach * gust * down

    def _write(self, picture: Rgb, wall: datetime, clock: str | None) -> None:
        time = clock or wall.astimezone(self._stage.timezone).strftime("%d-%m-%Y %H:%M:%S")
        scale = self.height_px / 720
        for text, y in ((time, 34), (self._label, self.height_px / scale - 18)):
            letters, cover = _written(text, scale)
            tall, wide = cover.shape
            left, foot = round(18 * scale), round(y * scale)
            top = foot - round(_RISE_PX * scale)
            wide = min(wide, self.width_px - left)
            region = picture[top : top + tall, left : left + wide]
            cv2.copyTo(letters[:, :wide], cover[:, :wide], region)


class _Labels:
    """Which event's pixels are which, while a picture is painted from far to near."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.plane: Plane8 = np.zeros(shape, np.uint8)
        self._numbers: dict[str, int] = {}

    def number(self, event_id: str) -> int:
        """An event's number in the plane; 0 where it is none."""
        if not event_id:
            return 0
        return self._numbers.setdefault(event_id, len(self._numbers) + 1)

    def add(self, event_id: str, mask: NDArray[np.bool_]) -> None:
        self.plane[mask] = self.number(event_id)

    def seen(self, shift: tuple[float, float] | None) -> dict[str, Seen]:
        plane = self.plane
        if shift is not None:
            plane = _shifted(plane, shift, nearest=True)
        found = {}
        for event_id, number in self._numbers.items():
            mask = plane == number
            if np.count_nonzero(mask) < _LEAST_PX:
                continue
            x, y, wide, tall = cv2.boundingRect(mask.astype(np.uint8))
            box = Box(float(x), float(y), float(x + wide), float(y + tall))
            found[event_id] = Seen(box, mask)
        return found


_LEAST_PX = 6
"""An event of fewer pixels isn't seen."""


def _depth_at(floods: Sequence[Flood], elapsed_s: float, a: float, b: float) -> float:
    return max(flood.depth_at(a, b, elapsed_s) for flood in floods)


def _shifted(
    picture: NDArray[np.uint8], shift: tuple[float, float], *, nearest: bool = False
) -> NDArray[np.uint8]:
    matrix = np.array([[1.0, 0.0, shift[0]], [0.0, 1.0, shift[1]]])
    return np.asarray(
        cv2.warpAffine(
            picture,
            matrix,
            picture.shape[1::-1],
            flags=cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )


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
