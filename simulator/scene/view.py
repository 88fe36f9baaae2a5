"""What one camera of the simulated city shows at a time, and the truth in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import cv2
import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene import overlay
from simulator.scene.backdrop import Backdrop, Scene, draw_scene
from simulator.scene.conditions import GREY_AFTERNOON, Change, Conditions, Phase, phase_at
from simulator.scene.figures import SeenPerson, draw_person, see_people
from simulator.scene.firelight import Firelight
from simulator.scene.fires import Fire, draw_fire
from simulator.scene.fleet import Fleet, SeenVehicle
from simulator.scene.floods import Flood, Water
from simulator.scene.fluid import FireLoop
from simulator.scene.groundmap import ground_map
from simulator.scene.headlights import Headlights
from simulator.scene.lighting import SODIUM, light_on
from simulator.scene.lookalikes import Decoy, draw_decoy
from simulator.scene.mirrors import mirror_of
from simulator.scene.paintwork import Paintwork
from simulator.scene.place import Place
from simulator.scene.script import Script
from simulator.scene.sway import shifted, sway
from simulator.scene.truth import Labels, Seen
from simulator.scene.weather import Veil

Rgb = NDArray[np.uint8]
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
    """At the beginning."""
    changes: tuple[Change, ...] = ()
    """What becomes of them, in order of time."""


@dataclass(frozen=True, eq=False)
class Shot:
    """A picture, and, where it was asked for, what is truly to be seen in it by event's id."""

    picture: Rgb
    seen: dict[str, Seen] = field(default_factory=dict)


def _unheard(_: str) -> None:
    """Nobody measures."""


_STAGE_OF = {SeenVehicle: "traffic", SeenPerson: "people", Fire: "fire", Decoy: "fire"}


class _Air:
    """What a camera sees by and through for a while: all that depends on the conditions."""

    def __init__(self, view: CameraView, backdrop: Backdrop, under: Conditions) -> None:
        camera, place = view.camera, view.stage.place
        self.under = under
        self.backdrop = backdrop
        self.veil = Veil(camera.width_px, camera.height_px, under, view.seed)
        self.fleet = Fleet(camera, place, under)
        self._camera, self._place = camera, place
        self._water: Water | None = None

    def water(self) -> Water:
        """For floods; made when there is the first."""
        if self._water is None:
            backdrop = self.backdrop
            mirror = mirror_of(self._camera, self._place, backdrop.picture, backdrop.nearness)
            self._water = Water(self._camera, self._place, mirror, self.ambient())
        return self._water

    def ambient(self) -> tuple[float, float, float]:
        """The light that smoke and steam are seen by."""
        lamps = (0.16 * self.under.lamps * SODIUM).tolist()
        red, green, blue = (d + part for d, part in zip(self.under.light, lamps, strict=True))
        return red, green, blue


class CameraView:
    """A camera at a stage. Its scene is drawn at once, and then kept."""

    def __init__(self, camera: PinholeCamera, stage: Stage, label: str, seed: int) -> None:
        self.camera, self.stage, self.seed = camera, stage, seed
        self.width_px, self.height_px = camera.width_px, camera.height_px
        self._label = label
        own = stage.place.to_local(np.array([[camera.x, camera.y]]))[0]
        self._a, self._b = float(own[0]), float(own[1])
        has_lights = any(u.lamps for u in (stage.under, *(change.to for change in stage.changes)))
        self._scene: Scene = draw_scene(
            camera, stage.place, ground_map(stage.place), has_lights=has_lights
        )
        self._backdrops: dict[Conditions, Backdrop] = {}
        self._phase = phase_at(stage.under, stage.changes, 0.0)
        self._air = _Air(self, self._backdrop(self._phase), self._phase.under)
        self._firelight = Firelight(camera, stage.place, self._air.backdrop)
        self._paintwork = Paintwork(self._scene.nearness)

    def _air_at(self, own_s: float) -> _Air:
        phase = phase_at(self.stage.under, self.stage.changes, own_s)
        if phase != self._phase:
            self._phase, self._air = phase, _Air(self, self._backdrop(phase), phase.under)
        return self._air

    def _backdrop(self, phase: Phase) -> Backdrop:
        ends = (phase.one, phase.other)
        known = self._backdrops
        # Of the ends of a change alone: what lies between is mixed from them.
        self._backdrops = {u: known[u] if u in known else self._scene.under(u) for u in ends}
        one, other = (self._backdrops[u] for u in ends)
        return one.mixed(other, phase.share) if phase.share else one

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
        stage = self.stage
        stage_begins("world")
        own_s = stage.script.own_time(elapsed_s)
        moment = stage.script.at(elapsed_s)
        stage_begins("scene")
        air = self._air_at(own_s)
        picture, nearness = air.backdrop.picture.copy(), air.backdrop.nearness
        labels = Labels(picture.shape[:2]) if truth else None
        stage_begins("light")
        light = partial(self._light, fires=moment.fires, elapsed_s=own_s)
        for fire in moment.fires:
            self._firelight.lay(picture, fire, own_s)
        stage_begins("water")
        self._lay_water(picture, moment.floods, own_s, labels)
        depth_at = None
        if moment.floods:
            depth_at = partial(_depth_at, moment.floods, own_s)
        camera, place, under = self.camera, stage.place, air.under
        stage_begins("traffic")
        vehicles = air.fleet.see(moment.vehicles, light, depth_at)
        stage_begins("light")
        headlights = None
        if under.headlights:
            headlights = Headlights(camera, place, moment.vehicles, under.headlights, under.wet)
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
            headlights.draw_glare(picture, nearness)
        stage_begins("weather")
        tick = math.floor(elapsed_s * 1000)
        shift = sway(under.shake_px, elapsed_s, self.seed)
        if shift is not None:
            picture = shifted(picture, shift)
        air.veil.lay(picture, tick)
        stage_begins("overlay")
        overlay.write(picture, clock or overlay.time_of(wall, stage.timezone), self._label)
        return Shot(picture, labels.seen(shift) if labels is not None else {})

    def _light(self, points: Floats, fires: Sequence[Fire], elapsed_s: float) -> Floats32:
        light = light_on(self.stage.place, points, self._air.under)
        for fire in fires:
            light += self._firelight.on(points, fire, elapsed_s)
        return light

    def _lay_water(
        self, picture: Rgb, floods: Sequence[Flood], elapsed_s: float, labels: Labels | None
    ) -> None:
        for flood in floods:
            water = self._air.water()
            covered = water.mask(flood, elapsed_s, self._scene.nearness)
            if covered is not None:
                water.paint(picture, flood, elapsed_s, covered)
                if labels is not None:
                    labels.add(flood.id, covered > 127)

    def _paint(
        self,
        picture: Rgb,
        thing: Thing,
        elapsed_s: float,
        depth_at: partial[float] | None,
        labels: Labels | None,
    ) -> None:
        nearness, stage, under = self._scene.nearness, self.stage, self._air.under
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
                picture, nearness, self.camera, stage.place, thing, stage.loop, elapsed_s,
                self._air.ambient(),
            )  # fmt: skip
            if labels is not None and flames is not None:
                labels.add(thing.id, flames)
        else:
            draw_decoy(
                picture, nearness, self.camera, stage.place, thing, stage.loop, elapsed_s,
                self._air.ambient(),
            )  # fmt: skip
        if before is not None:
            away = math.hypot(thing.a - self._a, thing.b - self._b)
            clear = math.exp(-away / under.fog_m)
            cv2.addWeighted(picture, clear, before, 1 - clear, 0, dst=picture)


def _depth_at(floods: Sequence[Flood], elapsed_s: float, a: float, b: float) -> float:
    return max(flood.depth_at(a, b, elapsed_s) for flood in floods)
