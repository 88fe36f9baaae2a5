"""What looks like an emergency and is none: lamps, welding, steam, dust, sunset, roadworks.

Congestion with its brake lights is traffic behind a `Hindrance`, and wet asphalt is a `Flood` that
is a few millimetres deep; both are made where the script is (`simulator.scene.script`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene.blend import lay
from simulator.scene.fluid import BED_CELLS, HEIGHT_CELLS, WIDTH_CELLS, FireLoop
from simulator.scene.lighting import add_glow
from simulator.scene.place import Place

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]


class LookAlike(StrEnum):
    """The kinds that are drawn here."""

    LAMP = "lamp"
    WELDING = "welding"
    SUNSET = "sunset"
    STEAM = "steam"
    DUST = "dust"
    ROADWORKS = "roadworks"


@dataclass(frozen=True, slots=True)
class Decoy:
    """A look-alike in a place's frame; times are seconds of the city's own time."""

    id: str
    kind: LookAlike
    a: float
    b: float
    starts_s: float
    lasts_s: float
    up_m: float = 1.2
    size: float = 1.0
    seed: int = 0

    def strength(self, elapsed_s: float) -> float:
        """0 to 1: it swells and fades within a few seconds, the sunset slowly."""
        age = elapsed_s - self.starts_s
        if not 0 <= age < self.lasts_s:
            return 0.0
        edge = {LookAlike.SUNSET: 40.0, LookAlike.STEAM: 8.0, LookAlike.DUST: 8.0}.get(
            self.kind, 0.6
        )
        return min(1.0, age / edge, (self.lasts_s - age) / edge)


_WARM = np.array((255, 196, 110), np.float32)
_ARC = np.array((190, 215, 255), np.float32)
_AMBER = np.array((255, 150, 20), np.float32)
_SUN = np.array((255, 170, 80), np.float32)
_STEAM_TONE = np.array((222, 224, 226), np.float32)
_DUST_TONE = np.array((158, 138, 110), np.float32)


def draw_decoy(
    picture: Rgb,
    nearness: Floats32,
    camera: PinholeCamera,
    place: Place,
    decoy: Decoy,
    loop: FireLoop,
    elapsed_s: float,
    light: tuple[float, float, float],
) -> None:
    """Paint one; ``light`` is the day's, which steam and dust are seen by."""
    strength = decoy.strength(elapsed_s)
    if strength <= 0:
        return
    if decoy.kind is LookAlike.SUNSET:
        _sunset(picture, nearness, camera, place, decoy, strength)
        return
    spot = _Spot.of(camera, place, decoy)
    if spot is None:
        return
    match decoy.kind:
        case LookAlike.LAMP:
            # A loose contact: mostly on, now and then flickering.
            shaky = 0.7 + 0.3 * math.sin(31 * elapsed_s + decoy.seed) * (math.sin(elapsed_s) > 0.2)
            spot.glow(picture, nearness, 0.22, _WARM * np.float32(strength * shaky))
            spot.glow(picture, nearness, 0.9, _WARM * np.float32(0.42 * strength * shaky))
        case LookAlike.WELDING:
            random = np.random.default_rng((decoy.seed, int(elapsed_s * 25)))
            is_on = math.sin(elapsed_s * 0.9 + decoy.seed) > -0.35
            flash = float(random.uniform(0.25, 1.0)) * is_on * strength
            spot.glow(picture, nearness, 0.14, _ARC * np.float32(min(1.0, 1.6 * flash)))
            spot.glow(picture, nearness, 1.4, _ARC * np.float32(0.55 * flash))
            _sparks(picture, spot, random, flash)
        case LookAlike.STEAM:
            tone = _STEAM_TONE * np.array(light, np.float32)
            _plume(picture, nearness, spot, loop, elapsed_s, decoy, tone, 0.62 * strength, 0.9)
        case LookAlike.DUST:
            tone = _DUST_TONE * np.array(light, np.float32)
            _plume(picture, nearness, spot, loop, elapsed_s, decoy, tone, 0.85 * strength, 2.6)
        case LookAlike.ROADWORKS:
            _roadworks(picture, nearness, camera, place, decoy, elapsed_s, light)


@dataclass(frozen=True, slots=True)
class _Spot:
    u: float
    v: float
    foot_v: float
    depth_m: float
    pixels_a_metre: float

    @classmethod
    def of(cls, camera: PinholeCamera, place: Place, decoy: Decoy) -> _Spot | None:
        points = place.to_plane(np.array([(decoy.a, decoy.b, decoy.up_m), (decoy.a, decoy.b, 0.0)]))
        depth = float((points[1] - (camera.x, camera.y, camera.h)) @ camera.axes[2])
        if depth < 3:
            return None
        (u, v), (_, foot_v) = camera.project(points)[0]
        return cls(float(u), float(v), float(foot_v), depth, camera.f_px / depth)

    def is_hidden(self, nearness: Floats32) -> bool:
        height, width = nearness.shape
        row, column = int(self.v), int(self.u)
        if not (0 <= row < height and 0 <= column < width):
            return False
        return bool(nearness[row, column] > 1.05 / self.depth_m)

    def glow(self, picture: Rgb, nearness: Floats32, radius_m: float, colour: Floats32) -> None:
        if not self.is_hidden(nearness):
            radius = radius_m * self.pixels_a_metre + 1.5
            add_glow(picture, self.u, self.v, radius, np.asarray(colour, np.float32))


def _sparks(picture: Rgb, spot: _Spot, random: np.random.Generator, flash: float) -> None:
    for _ in range(int(14 * flash)):
        angle, reach = random.uniform(-2.6, -0.5), random.uniform(0.1, 0.7) * spot.pixels_a_metre
        start = (round(spot.u), round(spot.v))
        end = (
            round(spot.u + reach * math.cos(angle)),
            round(spot.v - 0.6 * reach * math.sin(angle)),
        )
        cv2.line(picture, start, end, (255, 206, 120), 1, cv2.LINE_AA)


_CLOUD_COVER = (255 * (1 - np.exp(-2.4 * np.arange(256) / 255))).round().astype(np.uint8)


def _plume(
    picture: Rgb,
    nearness: Floats32,
    spot: _Spot,
    loop: FireLoop,
    elapsed_s: float,
    decoy: Decoy,
    tone: Floats32,
    strength: float,
    squat: float,
) -> None:
    """A cloud of the fire's gas without its fire; ``squat`` ones are broad and low."""
    cell_px = decoy.size * spot.pixels_a_metre / BED_CELLS
    wide = max(2, round(WIDTH_CELLS * cell_px * squat))
    tall = max(2, round(HEIGHT_CELLS * cell_px * (0.55 if squat < 2 else 0.30)))
    left, low = round(spot.u - wide / 2), round(spot.foot_v if squat > 2 else spot.v)
    height, width = picture.shape[:2]
    x0, x1, y0, y1 = max(left, 0), min(left + wide, width), max(low - tall, 0), min(low, height)
    if x0 >= x1 or y0 >= y1:
        return
    seconds = elapsed_s * 0.8 + decoy.seed * 2.1
    # Where the loop's gas burns, this one is only warm.
    cloud = cv2.max(loop.smoke_at(seconds), cv2.convertScaleAbs(loop.heat_at(seconds), alpha=0.55))
    gas = np.asarray(cv2.resize(cloud, (wide, tall), interpolation=cv2.INTER_LINEAR), np.uint8)
    part = gas[y0 - (low - tall) : y1 - (low - tall), x0 - left : x1 - left]
    cover = cv2.convertScaleAbs(cv2.LUT(part, _CLOUD_COVER), alpha=strength)
    cover[nearness[y0:y1, x0:x1] > 1 / spot.depth_m] = 0
    region = picture[y0:y1, x0:x1]
    plain = np.full(region.shape, np.clip(tone, 0, 255), np.uint8)
    lay(region, plain, np.asarray(cover, np.uint8))


def _sunset(
    picture: Rgb,
    nearness: Floats32,
    camera: PinholeCamera,
    place: Place,
    decoy: Decoy,
    strength: float,
) -> None:
    """A low sun in the direction of (a, b) from the place's middle, and its light on the haze."""
    towards = place.to_plane(np.array([(0.0, 0.0), (decoy.a, decoy.b)]))
    east, north = (towards[1] - towards[0]) / np.hypot(*(towards[1] - towards[0]))
    far = np.array([[camera.x + 9_000 * east, camera.y + 9_000 * north, camera.h + 480.0]])
    if float(((far - (camera.x, camera.y, camera.h)) @ camera.axes[2])[0]) <= 0:
        return
    (u, v) = camera.project(far)[0][0]
    width, height = camera.width_px, camera.height_px
    if not -0.4 * width < u < 1.4 * width or not -0.5 * height < v < height:
        return
    warm = _wash(width, height, round(float(u) / 8) * 8, round(float(v) / 8) * 8)
    cv2.add(picture, cv2.convertScaleAbs(warm, alpha=0.55 * strength), dst=picture)
    row, column = int(np.clip(v, 0, height - 1)), int(np.clip(u, 0, width - 1))
    if nearness[row, column] == 0:
        add_glow(picture, u, v, 0.030 * width, _SUN * np.float32(2.4 * strength))
    add_glow(picture, u, v, 0.16 * width, _SUN * np.float32(0.8 * strength))


@lru_cache(maxsize=6)
def _wash(width: int, height: int, u: int, v: int) -> Rgb:
    across = (np.arange(width, dtype=np.float32)[None, :] - u) / (0.55 * width)
    down = (np.arange(height, dtype=np.float32)[:, None] - v) / (0.34 * height)
    level = np.exp(-(across**2) - down**2)[..., None]
    return np.asarray(level * _SUN, np.uint8)


def _roadworks(
    picture: Rgb,
    nearness: Floats32,
    camera: PinholeCamera,
    place: Place,
    decoy: Decoy,
    elapsed_s: float,
    light: tuple[float, float, float],
) -> None:
    """A row of cones, a striped barrier, and amber lamps that blink in turns."""
    shade = np.array(light, np.float32)
    for number in range(6):
        _cone(picture, nearness, camera, place, decoy.a - 5 + 2.0 * number, decoy.b - 1.6, shade)
    ends = np.array(
        [
            (decoy.a - 6.0, decoy.b + s, up)
            for s, up in ((-1.4, 1.1), (1.4, 1.1), (1.4, 0.5), (-1.4, 0.5))
        ]
    )
    plane = place.to_plane(ends)
    depths = (plane - (camera.x, camera.y, camera.h)) @ camera.axes[2]
    if depths.min() < 3:
        return
    pixels = camera.project(plane)[0]
    for stripe in range(6):
        tone = shade * ((222, 60, 36) if stripe % 2 else (228, 226, 220))
        low, high = stripe / 6, (stripe + 1) / 6
        top = [pixels[0] + (pixels[1] - pixels[0]) * s for s in (low, high)]
        foot = [pixels[3] + (pixels[2] - pixels[3]) * s for s in (high, low)]
        corners = np.round(np.array([*top, *foot]) * 16).astype(np.int32)
        cv2.fillConvexPoly(picture, corners, tuple(float(c) for c in tone), cv2.LINE_AA, 4)
    for number, index in enumerate((0, 1)):
        if int(elapsed_s * 2.5) % 2 == number:
            u, v = (float(part) for part in pixels[index])
            radius = 0.16 * camera.f_px / float(depths[index]) + 1.5
            add_glow(picture, u, v, radius, _AMBER)
            add_glow(picture, u, v, 3 * radius, _AMBER * np.float32(0.35))


def _cone(
    picture: Rgb,
    nearness: Floats32,
    camera: PinholeCamera,
    place: Place,
    a: float,
    b: float,
    shade: Floats32,
) -> None:
    plane = place.to_plane(np.array([(a, b, 0.0), (a, b, 0.75)]))
    depth = float((plane[0] - (camera.x, camera.y, camera.h)) @ camera.axes[2])
    if depth < 3:
        return
    foot, tip = camera.project(plane)[0]
    row, column = int(foot[1]), int(foot[0])
    height, width = nearness.shape
    if not (0 <= row < height and 0 <= column < width) or nearness[row, column] > 1 / depth:
        return
    half = 0.2 * camera.f_px / depth
    for low, high, tone in (
        (0.0, 0.45, (226, 84, 26)),
        (0.45, 0.65, (228, 226, 222)),
        (0.65, 1, (226, 84, 26)),
    ):
        corners = []
        for share, side in ((low, -1), (low, 1), (high, 1), (high, -1)):
            corners.append(foot + (tip - foot) * share + (side * half * (1 - 0.85 * share), 0))
        fixed = np.round(np.array(corners) * 16).astype(np.int32)
        ink = tuple(float(c) for c in shade * np.array(tone, np.float32))
        cv2.fillConvexPoly(picture, fixed, ink, cv2.LINE_AA, 4)
