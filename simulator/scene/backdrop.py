"""What a camera sees that doesn't move, drawn once: sky, ground, walls, trees, poles, and depth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene import facades, roofs
from simulator.scene.cables import draw_cables
from simulator.scene.canvas import Canvas, Face
from simulator.scene.conditions import Conditions
from simulator.scene.horizon import draw_sky_and_ground
from simulator.scene.lighting import relit
from simulator.scene.place import Building, Place, Pole, Tree
from simulator.scene.poles import draw_pole
from simulator.scene.trees import SeenTree
from simulator.scene.weather import PEDESTAL_SIGMAS

Rgb = NDArray[np.uint8]

_CLEAR_M = 14.0
_CONTRAST = np.float32(1.22)
"""As cameras over streets have it: from a thirtieth of the scale to nine tenths."""
_MIDDLE_TONE = np.float32(108)
_SUN = np.array((-0.62, -0.48))
"""Where light comes from, in the place's (a, b): opposite to where shadows fall."""


@dataclass(frozen=True, eq=False)
class Backdrop:
    """``nearness`` is 1 / depth along the optical axis (1/m) of what stands up; 0 elsewhere."""

    picture: Rgb
    nearness: NDArray[np.float32]
    day: Rgb
    """The same in a bright day's light, for what lights it up later."""

    def mixed(self, other: Backdrop, share: float) -> Backdrop:
        """Between this and the same scene in other light: light adds up, and so do pictures."""
        picture = cv2.addWeighted(self.picture, 1 - share, other.picture, share, 0)
        return Backdrop(np.asarray(picture, np.uint8), self.nearness, self.day)


@dataclass(frozen=True, eq=False)
class Scene:
    """A camera's empty scene by a bright day, and what shines in it by itself."""

    camera: PinholeCamera
    place: Place
    day: Rgb
    lights: Rgb | None
    nearness: NDArray[np.float32]

    def under(self, conditions: Conditions) -> Backdrop:
        """The scene in other light and weather; about a tenth of a second."""
        day = self.day.astype(np.float32)
        lit = relit(self.camera, self.place, day, self.nearness, conditions)
        if self.lights is not None and conditions.lamps:
            lit += self.lights * _clearness(self.nearness, conditions)
        lit -= np.float32(PEDESTAL_SIGMAS * conditions.noise_sigma)
        picture = np.clip(lit, 0, 255).astype(np.uint8)
        return Backdrop(picture, self.nearness, self.day)


def draw_scene(
    camera: PinholeCamera, place: Place, ground_map: Rgb, *, has_lights: bool = True
) -> Scene:
    """Draw everything that stands still; about a third of a second.

    ``has_lights``: whether windows are ever lit; without, it is drawn a little sooner.

    Raises:
        ValueError: the lens bends (k1), which flat warping can't draw.
    """
    if camera.k1 != 0:
        raise ValueError("scenes are drawn for cameras without lens distortion; set k1 to 0")
    canvas = Canvas(camera, place, has_lights=has_lights)
    draw_sky_and_ground(canvas, ground_map)
    for thing in reversed(_seen(canvas)):
        if isinstance(thing, Pole):
            draw_pole(canvas, thing)
        else:
            thing.draw()
    draw_cables(canvas)
    day = np.clip(_developed(canvas), 0, 255).astype(np.uint8)
    return Scene(camera, place, day, canvas.lights, canvas.nearness)


def _clearness(nearness: NDArray[np.float32], under: Conditions) -> NDArray[np.float32]:
    """How much of a lit window's light comes through the air."""
    shines = np.float32(0.85 * under.lamps)
    if not np.isfinite(under.fog_m):
        return np.full((*nearness.shape, 1), shines, np.float32)
    depth = 1 / np.maximum(nearness, np.float32(1e-4))
    clear = np.exp(-depth / np.float32(under.fog_m)) * shines
    return np.asarray(clear[..., None], np.float32)


def _seen(canvas: Canvas) -> list[Face | SeenTree | Pole]:
    """What stands before the camera and isn't hidden by nearer walls, the nearest first.

    Most of a town is hidden, and knowing so is far cheaper than painting it.
    """
    place = canvas.place
    things: list[tuple[float, Building | Tree | Pole]] = [
        (canvas.distance_m(*t.middle), t) for t in place.buildings
    ]
    things += [(canvas.distance_m(t.a, t.b), t) for t in place.trees]
    # A camera's own mast and its neighbours stand out of its sight.
    things += [(away, t) for t in place.poles if (away := canvas.distance_m(t.a, t.b)) > _CLEAR_M]
    covered = np.zeros(canvas.nearness.shape, np.uint8)
    found: list[Face | SeenTree | Pole] = []
    for _, thing in sorted(things, key=lambda pair: pair[0]):
        match thing:
            case Building():
                found += _seen_faces(canvas, thing, covered)
            case Tree():
                tree = SeenTree(canvas, thing)
                if tree.window is not None and not covered[tree.window].all():
                    found.append(tree)
            case Pole():
                found.append(thing)
    return found


def _seen_faces(canvas: Canvas, block: Building, covered: NDArray[np.uint8]) -> list[Face]:
    """The block's faces that are not wholly covered; what they cover is added."""
    shown = []
    own = []
    for face in _faces(canvas, block):
        if (outline := face.outline()) is None:
            continue
        window, mask = outline
        if (mask > covered[window]).any():
            shown.append(face)
            own.append(outline)
    for window, mask in own:
        cv2.max(covered[window], mask, dst=covered[window])
    # What comes later in painting is nearer in this order.
    return shown[::-1]


def _faces(canvas: Canvas, block: Building) -> Iterator[Face]:
    """What the camera sees of it, in the order of painting: a flat roof, walls, what overhangs."""
    top = block.height_m
    low, high = (block.a0, block.b0), (block.a1, block.b1)
    if top < canvas.camera.h and not roofs.is_pitched(block):
        ring = ((low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1]))
        tiles = ((122, 84, 66), (120, 120, 118))[block.style % 2]
        corners = np.array([(*block.turned(a, b), top) for a, b in ring])
        yield Face(canvas, corners, lambda: np.full((24, 24, 3), tiles, np.uint8), 1.0)
    eye_a, eye_b = block.unturned(canvas.a, canvas.b)
    # From outside a wall's left end is the one that comes first anticlockwise.
    sides = (
        ((1, 0), (high[0], low[1]), high, eye_a > high[0]),
        ((-1, 0), (low[0], high[1]), low, eye_a < low[0]),
        ((0, 1), high, (low[0], high[1]), eye_b > high[1]),
        ((0, -1), low, (high[0], low[1]), eye_b < low[1]),
    )
    for normal, left, right, is_turned_here in sides:
        if is_turned_here:
            width = round(float(np.hypot(right[0] - left[0], right[1] - left[1])), 1)
            cos, sin = math.cos(block.turn_rad), math.sin(block.turn_rad)
            outward = (normal[0] * cos - normal[1] * sin, normal[0] * sin + normal[1] * cos)
            light = 0.80 + 0.28 * float(_SUN @ np.array(outward))
            is_front = normal == block.front
            texture = partial(facades.wall, width, top, block.style, is_front=is_front)
            shine = partial(facades.lit_windows, width, top, block.style, is_front=is_front)
            ends = (block.turned(*left), block.turned(*right))
            ups = ((ends[0], top), (ends[1], top), (ends[1], 0.0), (ends[0], 0.0))
            corners = np.array([(*end, up) for end, up in ups])
            yield Face(canvas, corners, texture, light, shine)
    if roofs.is_pitched(block):
        yield from roofs.hipped(canvas, block, _SUN)
    yield from roofs.awning(canvas, block)


def _developed(canvas: Canvas) -> NDArray[np.float32]:
    """The canvas at the camera's size: a camera's contrast, its lens's fall of light outwards."""
    size = (canvas.camera.width_px, canvas.camera.height_px)
    picture = np.asarray(cv2.resize(canvas.picture, size, interpolation=cv2.INTER_AREA), np.float32)
    picture -= _MIDDLE_TONE
    picture *= _CONTRAST
    picture += _MIDDLE_TONE
    u = np.linspace(-1, 1, size[0], dtype=np.float32)[None, :]
    v = np.linspace(-1, 1, size[1], dtype=np.float32)[:, None]
    picture *= (1 - 0.13 * (u * u + v * v))[..., None]
    return picture
