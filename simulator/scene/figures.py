"""People into the picture: painted figures, kept in the sizes and the light they are seen in."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene.blend import lay_weighted, thrice_of
from simulator.scene.conditions import Conditions
from simulator.scene.lighting import fog_colour
from simulator.scene.people import LOOKS, Person, Pose
from simulator.scene.place import Place

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Colour = tuple[float, float, float]

_TALL_PX, _WIDE_PX = 120, 64
_FRAME_M = 1.9
"""A sprite's height: a person of 1.72 m with a little air."""
_PHASES = 8
_STRIDE_M = 1.36
"""Of two steps, after which a walk looks the same again."""
_NEAREST_M, _FARTHEST_M = 4.0, 80.0
_LIGHT_STEPS = 20


@dataclass(frozen=True, eq=False, slots=True)
class SeenPerson:
    """Somebody as one camera sees them."""

    a: float
    b: float
    depth_m: float
    foot: tuple[float, float]
    tall_px: float
    sprite: tuple[int, int, int, bool]
    """Looks, phase (-1 stands, -2 lies), from the side (1) or along the view (0), mirrored."""
    light: Colour
    event_id: str
    clear: float
    """How much of them comes through the air; the rest is the fog's colour."""
    fog: Colour


def see_people(
    camera: PinholeCamera,
    place: Place,
    found: Sequence[Person],
    under: Conditions,
    light: Callable[[Floats], Floats32],
) -> list[SeenPerson]:
    """Those in the picture; ``light`` gives the light (RGB, 1 is a day's) at points (N, 3)."""
    fog: Colour = tuple(fog_colour(under).tolist())
    if not found:
        return []
    local = np.array([(p.a, p.b, 0.0) for p in found])
    plane = place.to_plane(local)
    depths = (plane - (camera.x, camera.y, camera.h)) @ camera.axes[2]
    pixels, visible = camera.project(plane)
    heads = camera.project(plane + np.array((0.0, 0.0, _FRAME_M)))[0]
    turns = np.array([(math.cos(p.turn_rad), math.sin(p.turn_rad), 0.0) for p in found])
    # How far a metre ahead goes across the picture.
    steps = (place.to_plane(local + turns) - plane) @ camera.axes[0]
    # In few levels, so that lit sprites can be kept.
    lights = np.round(light(local + np.array((0.0, 0.0, 1.0))) * _LIGHT_STEPS) / _LIGHT_STEPS
    seen = []
    for index, person in enumerate(found):
        depth = float(depths[index])
        if not _NEAREST_M <= depth <= _FARTHEST_M or not visible[index]:
            continue
        tall = float(pixels[index, 1] - heads[index, 1])
        if tall < 7:
            continue
        across = float(steps[index])
        is_side = 1 if abs(across) > 0.55 else 0
        phase = {Pose.STANDS: -1, Pose.LIES: -2}.get(
            person.pose, int(person.walked_m / _STRIDE_M * _PHASES) % _PHASES
        )
        red, green, blue = lights[index].tolist()
        seen.append(
            SeenPerson(
                person.a,
                person.b,
                depth,
                (float(pixels[index, 0]), float(pixels[index, 1])),
                tall,
                (person.looks, phase, is_side, across < 0),
                (red, green, blue),
                person.event_id,
                round(math.exp(-depth / under.fog_m), 2),
                fog,
            )
        )
    return seen


def draw_person(
    picture: Rgb,
    nearness: Floats32,
    seen: SeenPerson,
    *,
    sunk_m: float = 0.0,
    labels: NDArray[np.uint8] | None = None,
    label: int = 0,
) -> None:
    """Paint somebody, behind what stands nearer; ``sunk_m`` of them is under water."""
    size = round(seen.tall_px) if seen.tall_px < 40 else 2 * round(seen.tall_px / 2)
    colours, cover, passes = _sized(seen.sprite, size)
    tall, wide = cover.shape[:2]
    tall = max(2, round(tall * (1 - min(0.9, sunk_m / _FRAME_M)))) if sunk_m else tall
    left, top = round(seen.foot[0] - wide / 2), round(seen.foot[1]) - tall
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + wide, width), min(top + tall, height)
    if x0 >= x1 or y0 >= y1:
        return
    hidden = (nearness[y0:y1, x0:x1] > 1 / seen.depth_m).view(np.uint8)
    count = cv2.countNonZero(hidden)
    if count == hidden.size:
        return
    if not count and not sunk_m and size > 20:
        _foot_shadow(picture, seen, size)
    region = picture[y0:y1, x0:x1]
    before = region.copy() if count else None
    part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    lit = cv2.LUT(colours[part], _lighting(seen.light, seen.clear))
    if seen.clear < 1:
        lit = cv2.add(lit, cv2.LUT(cover[part], _lighting(seen.fog, (1 - seen.clear) / 255)))
    lay_weighted(region, np.asarray(lit, np.uint8), passes[part])
    if before is not None:
        cv2.copyTo(before, hidden, region)
    if labels is not None:
        labels[y0:y1, x0:x1][(cover[part][..., 0] > 127) & (hidden == 0)] = label


def _foot_shadow(picture: Rgb, seen: SeenPerson, size: int) -> None:
    """Soft, and away from the sun that casts all other shadows."""
    rx, ry = max(3, size // 4), max(2, size // 12)
    x, y = round(seen.foot[0]) - rx, round(seen.foot[1]) - ry
    height, width = picture.shape[:2]
    if x < 0 or y < 0 or x + 2 * rx > width or y + 2 * ry > height:
        return
    region = picture[y : y + 2 * ry, x : x + 2 * rx]
    shade = _shade(rx, ry)
    cv2.multiply(region, shade, dst=region, scale=1 / 255)


@lru_cache(maxsize=256)
def _shade(rx: int, ry: int) -> Rgb:
    across = np.linspace(-1, 1, 2 * rx, dtype=np.float32)[None, :]
    down = np.linspace(-1, 1, 2 * ry, dtype=np.float32)[:, None]
    dark = 0.42 * np.clip(1 - across**2 - down**2, 0, 1)
    return np.repeat((255 * (1 - dark)).astype(np.uint8)[..., None], 3, axis=2)


@lru_cache(maxsize=2_000)
def _lighting(light: Colour, share: float) -> Rgb:
    """What becomes of each level of red, green and blue in so much light: 1 x 256 x 3."""
    levels = np.arange(256, dtype=np.float32)[:, None] * np.array(light, np.float32)
    seen = np.clip(np.rint(levels * np.float32(share)), 0, 255)
    return np.asarray(seen[None], np.uint8)


@lru_cache(maxsize=2_000)
def _sized(sprite: tuple[int, int, int, bool], size: int) -> tuple[Rgb, Rgb, Rgb]:
    """A person's colours weighted by how opaque they are, that, and the rest; H x W x 3."""
    looks, phase, is_side, is_mirrored = sprite
    big = _painted(looks, phase, is_side)
    if is_mirrored:
        big = np.ascontiguousarray(big[:, ::-1])
    if phase == -2:
        shape = (max(2, size), max(2, round(size * 0.3)))
    else:
        shape = (max(2, round(size * _WIDE_PX / _TALL_PX)), size)
    sized = np.asarray(cv2.resize(big, shape, interpolation=cv2.INTER_AREA), np.uint8)
    cover = thrice_of(np.ascontiguousarray(sized[..., 3]))
    weighted = cv2.multiply(np.ascontiguousarray(sized[..., :3]), cover, scale=1 / 255)
    return np.asarray(weighted, np.uint8), cover, np.asarray(cv2.bitwise_not(cover), np.uint8)


_SKIN: tuple[Colour, ...] = ((140, 100, 74), (122, 84, 60), (164, 122, 92))
_TOPS: tuple[Colour, ...] = (
    (176, 174, 168), (46, 62, 92), (134, 44, 40), (72, 92, 60), (40, 40, 44), (180, 148, 84),
    (92, 110, 132), (150, 96, 110), (60, 96, 96),
)  # fmt: skip
_LEGS: tuple[Colour, ...] = ((44, 48, 60), (60, 56, 52), (30, 30, 34), (92, 84, 70))
_SCALE = 3


@lru_cache(maxsize=256)
def _painted(looks: int, phase: int, is_side: int) -> NDArray[np.uint8]:
    """A person, `_TALL_PX` x `_WIDE_PX` x 4; painted large and made smaller, so edges are soft."""
    random = np.random.default_rng(400 + looks)
    top = _TOPS[int(random.integers(len(_TOPS)))]
    legs = _LEGS[int(random.integers(len(_LEGS)))]
    skin = _SKIN[looks % len(_SKIN)]
    has_scarf = looks % 4 == 1
    has_vest = looks == LOOKS - 1
    tall, wide = _TALL_PX * _SCALE, _WIDE_PX * _SCALE
    colour = np.full((tall, wide, 3), 60, np.uint8)
    cover = np.zeros((tall, wide), np.uint8)
    metre = tall / _FRAME_M
    swing = 0.0 if phase < 0 else math.sin(2 * math.pi * phase / _PHASES)
    bob = 0.0 if phase < 0 else 0.02 * abs(math.cos(2 * math.pi * phase / _PHASES))

    def at(x: float, up: float) -> tuple[int, int]:
        return round(wide / 2 + x * metre), round(tall - 1 - (up + bob) * metre)

    def limb(points: list[tuple[float, float]], thick_m: float, tone: Colour) -> None:
        for start, end in itertools.pairwise(points):
            for target, ink in ((colour, tone), (cover, (255.0,))):
                cv2.line(target, at(*start), at(*end), ink, round(thick_m * metre), cv2.LINE_AA)

    def shaded(tone: Colour, by: float) -> Colour:
        return tone[0] * by, tone[1] * by, tone[2] * by

    reach = 0.30 * swing if is_side else 0.0
    hip = 0.0 if is_side else 0.085
    lift = 0.10 * max(0.0, swing)
    drop = 0.10 * max(0.0, -swing)
    limb([(-hip, 0.88), (-hip - reach * 0.5, 0.47 + drop / 2), (-hip - reach, 0.05 + drop)], 0.13,
         shaded(legs, 0.8))  # fmt: skip
    limb(
        [(hip, 0.88), (hip + reach * 0.5, 0.47 + lift / 2), (hip + reach, 0.05 + lift)], 0.14, legs
    )
    for foot in (-hip - reach, hip + reach):
        limb([(foot - 0.02, 0.04), (foot + (0.10 if is_side else 0.02), 0.03)], 0.07, (34, 30, 28))
    arm = 0.11 if is_side else 0.23
    limb([(-arm * (0.2 if is_side else 1), 1.36), (-arm - 0.2 * reach, 1.1),
          (-arm + 0.5 * reach, 0.86)], 0.085, shaded(top, 0.78))  # fmt: skip
    shoulder = 0.10 if is_side else 0.17
    outline = ((-1, 1.40), (1, 1.40), (1.02, 1.1), (0.86, 0.84), (-0.86, 0.84), (-1.02, 1.1))
    body = np.array([at(shoulder * x, up) for x, up in outline], np.int32)
    tone = (232.0, 120.0, 30.0) if has_vest else top
    for target, ink in ((colour, tone), (cover, (255.0,))):
        cv2.fillConvexPoly(target, body, ink, cv2.LINE_AA)
        cv2.polylines(target, [body], isClosed=True, color=ink, thickness=round(0.08 * metre),
                      lineType=cv2.LINE_AA)  # fmt: skip
    if has_vest:
        for up in (1.2, 0.98):
            cv2.line(colour, at(-shoulder - 0.03, up), at(shoulder + 0.03, up), (226, 226, 190),
                     round(0.05 * metre), cv2.LINE_AA)  # fmt: skip
    sleeve = [(arm * (0.2 if is_side else 1), 1.36), (arm + 0.2 * reach, 1.1)]
    limb([*sleeve, (arm - 0.5 * reach, 0.86)], 0.09, shaded(top, 0.95))
    limb([(arm - 0.5 * reach, 0.85), (arm - 0.55 * reach, 0.80)], 0.08, skin)
    head, neck = at(0.02 if is_side else 0.0, 1.60), at(0.0, 1.44)
    cv2.line(colour, neck, head, skin, round(0.10 * metre), cv2.LINE_AA)
    cv2.line(cover, neck, head, (255.0,), round(0.10 * metre), cv2.LINE_AA)
    axes = (round(0.085 * metre), round(0.115 * metre))
    for target, ink in ((colour, skin), (cover, (255.0,))):
        cv2.ellipse(target, head, axes, 0, 0, 360, ink, -1, cv2.LINE_AA)
    hair = shaded(top, 0.7) if has_scarf else (26.0, 22.0, 20.0)
    crown = (head[0], head[1] - round(0.035 * metre))
    grown = (axes[0] + 3, axes[1] - (0 if has_scarf else 8))
    low, high = (150, 390) if has_scarf else (180, 360)
    cv2.ellipse(colour, crown, grown, 0, low, high, hair, -1, cv2.LINE_AA)
    cv2.ellipse(cover, crown, grown, 0, 180, 360, (255.0,), -1, cv2.LINE_AA)
    found = np.concatenate((colour, cover[..., None]), axis=2)
    found = np.asarray(cv2.resize(found, (_WIDE_PX, _TALL_PX), interpolation=cv2.INTER_AREA))
    # Light from above and from one side gives the body its roundness.
    across = np.linspace(0.80, 1.12, _WIDE_PX, dtype=np.float32)[None, :, None]
    down = np.linspace(1.12, 0.82, _TALL_PX, dtype=np.float32)[:, None, None]
    found[..., :3] = np.clip(found[..., :3] * across * down, 0, 255)
    if phase == -2:
        found = np.ascontiguousarray(np.rot90(found))
        size = (_TALL_PX, round(_TALL_PX * 0.3))
        found = np.asarray(cv2.resize(found, size, interpolation=cv2.INTER_AREA))
    return np.asarray(found, np.uint8)
