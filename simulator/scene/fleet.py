"""Vehicles into the picture: all of a time are projected at once, then painted one by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene import masks, vehicles
from simulator.scene.conditions import Conditions
from simulator.scene.lighting import fog_colour
from simulator.scene.place import Place
from simulator.scene.traffic import Kind, Vehicle
from simulator.scene.vehicles import Detail

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Fixed = NDArray[np.int32]
Colour = tuple[float, float, float]

_NEAREST_M = 2.0
_PLAIN_M = 30.0
_PLAIN_MOTORCYCLE_M = 17.0
_TINY_M = 50.0
"""Farther off, small parts can't be told any more and are left out."""
_MIRRORED_M = 70.0
_SOFT_M = 22.0
_LIGHT_STEPS = 24
_LEAST_TURN = 40
"""Faces that show less than this (in 256ths of a pixel) are left out."""


@dataclass(frozen=True, eq=False, slots=True)
class _Model:
    """A shape ready for projection: all corners, the shadow's four last."""

    corners: Floats
    starts: NDArray[np.intp]
    """Where each face's corners begin; one more at the end."""
    colours: tuple[Colour, ...]


@dataclass(frozen=True, eq=False, slots=True)
class SeenVehicle:
    """A vehicle as one camera sees it."""

    a: float
    b: float
    depth_m: float
    window: tuple[int, int, int, int]
    """Its part of the picture: x0, y0, x1, y1."""
    shadow: Fixed
    faces: tuple[tuple[Fixed, Colour], ...]
    """Outlines of the faces turned to the camera, in 16ths of a pixel, the farther first."""
    mirrored: tuple[tuple[Fixed, Colour], ...]
    """The same of its image in the wet ground or the water under it."""
    mirror_share: float
    event_id: str


@lru_cache(maxsize=4_096)
def _model(
    kind: Kind, paint: int, is_braking: bool, detail: Detail, has_fallen: bool, light: Colour
) -> _Model:
    faces = vehicles.shape(kind, paint, is_braking, detail)
    reach, half = kind.value / 2 + 0.15, vehicles.HALF_WIDTH_M[kind] + 0.15
    shadow = np.array(
        [(reach, half + 0.2, 0), (reach, -half, 0), (-reach, -half, 0), (-reach, half + 0.2, 0)],
        float,
    )
    lit = (
        face.colour
        if face.glows
        else (
            min(255.0, face.colour[0] * light[0]),
            min(255.0, face.colour[1] * light[1]),
            min(255.0, face.colour[2] * light[2]),
        )
        for face in faces
    )
    corners = np.vstack([*(face.corners for face in faces), shadow])
    if has_fallen:
        body = corners[:-4]
        body[:, 1], body[:, 2] = -body[:, 2].copy(), body[:, 1] + 0.32
    return _Model(
        corners,
        np.cumsum([0] + [len(face.corners) for face in faces]),
        tuple(lit),
    )


class Fleet:
    """The vehicles as one camera sees them; those that stand still are looked at once."""

    def __init__(self, camera: PinholeCamera, place: Place, under: Conditions) -> None:
        self._camera = camera
        self._place = place
        self._under = under
        self._standing: dict[_Key, SeenVehicle | None] = {}

    def see(
        self,
        found: Sequence[Vehicle],
        light: Callable[[Floats], Floats32],
        depth_at: Callable[[float, float], float] | None = None,
        *,
        is_flickering: bool = False,
    ) -> list[SeenVehicle]:
        """Those that are shown, in the order given.

        Args:
            found: All that are there.
            light: The light (RGB, 1 is a bright day's) at points (N, 3) of the place's frame.
            depth_at: The water's depth (m) at a point of the ground, where there is water.
            is_flickering: Whether the light changes from picture to picture.
        """
        keys = [_key(vehicle) for vehicle in found]
        # Light that flickers and water that rises change what stands still, too.
        known = {} if depth_at is not None or is_flickering else self._standing
        fresh = [v for v, key in zip(found, keys, strict=True) if key not in known]
        # What lies outside of the picture is known too, as not seen.
        now: dict[_Key, SeenVehicle | None] = {_key(vehicle): None for vehicle in fresh}
        for vehicle, shown in _see(self._camera, self._place, fresh, self._under, light, depth_at):
            now[_key(vehicle)] = shown
        self._standing = {key: now[key] if key in now else known[key] for key in keys}
        return [one for key in keys if (one := self._standing[key]) is not None]


_Key = tuple[Kind, int, int, int, int, bool, bool, str]


def _key(vehicle: Vehicle) -> _Key:
    """The same for a vehicle that has moved by less than two centimetres."""
    return (
        vehicle.kind,
        vehicle.paint,
        round(vehicle.a * 50),
        round(vehicle.b * 50),
        round(vehicle.turn_rad * 200),
        vehicle.is_braking,
        vehicle.has_fallen,
        vehicle.event_id,
    )


def _see(
    camera: PinholeCamera,
    place: Place,
    found: Sequence[Vehicle],
    under: Conditions,
    light: Callable[[Floats], Floats32],
    depth_at: Callable[[float, float], float] | None,
) -> list[tuple[Vehicle, SeenVehicle]]:
    found, far = _near_picture(camera, place, found)
    if not found:
        return []
    lights = np.round(light(np.array([(v.a, v.b, 1.0) for v in found])) * _LIGHT_STEPS)
    models = [
        _model(
            v.kind,
            v.paint % vehicles.PAINTS,
            v.is_braking,
            _detail(v.kind, depth),
            v.has_fallen,
            (red, green, blue),
        )
        for v, depth, (red, green, blue) in zip(
            found, far, (lights / _LIGHT_STEPS).tolist(), strict=True
        )
    ]
    sunk = np.array([depth_at(v.a, v.b) if depth_at else 0.0 for v in found])
    counts = np.array([len(model.corners) for model in models])
    local = np.vstack([model.corners for model in models])
    turns = np.array([(math.cos(v.turn_rad), math.sin(v.turn_rad), v.a, v.b) for v in found])
    cos, sin, a, b = np.repeat(turns, counts, axis=0).T
    ahead, left = local[:, 0].copy(), local[:, 1].copy()
    local[:, 0] = a + ahead * cos - left * sin
    local[:, 1] = b + ahead * sin + left * cos
    # What is under water isn't seen: the sides end at its surface.
    levels = np.repeat(sunk, counts)
    np.maximum(local[:, 2], levels, out=local[:, 2])
    plane = place.to_plane(local)
    depths = (plane - (camera.x, camera.y, camera.h)) @ camera.axes[2]
    pixels, _ = camera.project(plane)
    share = np.where(sunk > 0.02, 0.5, 0.34 * under.wet)
    share[np.array(far) > _MIRRORED_M] = 0
    images = None
    if share.any():
        plane[:, 2] = 2 * levels - plane[:, 2]
        images, _ = camera.project(plane)
        images[~np.isfinite(images)] = 0
    starts = np.concatenate(([0], np.cumsum(counts)))
    nearest = np.minimum.reduceat(depths, starts[:-1])
    means = np.add.reduceat(depths, starts[:-1]) / counts
    pixels[~np.isfinite(pixels)] = 0
    low = np.floor(np.minimum.reduceat(pixels, starts[:-1], axis=0)).astype(int) - 1
    high = np.ceil(np.maximum.reduceat(pixels, starts[:-1], axis=0)).astype(int) + 2
    low = np.maximum(low, 0)
    high = np.minimum(high, (camera.width_px, camera.height_px))
    shown = (nearest >= _NEAREST_M) & (low < high).all(axis=1)
    fixed = np.round(np.clip(pixels, -60_000, 60_000) * 16).astype(np.int32)
    seen = []
    for index in np.flatnonzero(shown).tolist():
        model, vehicle = models[index], found[index]
        part = slice(starts[index], starts[index + 1])
        outline = fixed[part]
        window = (*low[index].tolist(), *high[index].tolist())
        faces = _facing(model, outline, 1)
        mirrored: tuple[tuple[Fixed, Colour], ...] = ()
        if images is not None and share[index] > 0.02:
            turned = np.round(np.clip(images[part], -60_000, 60_000) * 16).astype(np.int32)
            mirrored = _facing(model, turned, -1)
        if math.isfinite(under.fog_m):
            faces = _fogged(faces, float(means[index]), under)
            mirrored = _fogged(mirrored, float(means[index]), under)
        one = SeenVehicle(
            vehicle.a,
            vehicle.b,
            float(means[index]),
            window,
            outline[-4:],
            faces,
            mirrored,
            float(share[index]),
            vehicle.event_id,
        )
        seen.append((vehicle, one))
    return seen


def _detail(kind: Kind, depth_m: float) -> Detail:
    if depth_m > _TINY_M:
        return Detail.TINY
    plain_m = _PLAIN_MOTORCYCLE_M if kind is Kind.MOTORCYCLE else _PLAIN_M
    return Detail.PLAIN if depth_m > plain_m else Detail.FULL


def _near_picture(
    camera: PinholeCamera, place: Place, found: Sequence[Vehicle]
) -> tuple[list[Vehicle], list[float]]:
    """Those whose middle is not far outside of the picture, and how far away they are."""
    if not found:
        return [], []
    middles = place.to_plane(np.array([(v.a, v.b, 0.8) for v in found]))
    own = (middles - (camera.x, camera.y, camera.h)) @ camera.axes.T
    ahead = own[:, 2]
    side = np.abs(own[:, 0]) * camera.f_px
    kept = (ahead > 0.5) & (side < ahead * camera.width_px / 2 + 7.0 * camera.f_px)
    return (
        [vehicle for vehicle, keep in zip(found, kept, strict=True) if keep],
        ahead[kept].tolist(),
    )


def _facing(model: _Model, outline: Fixed, sense: int) -> tuple[tuple[Fixed, Colour], ...]:
    """Faces run clockwise as seen from outside (``sense`` 1); only those turned to us are kept."""
    starts = model.starts[:-1]
    first = outline[starts].astype(np.int64)
    one, two = outline[starts + 1] - first, outline[starts + 2] - first
    turn = sense * (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])
    return tuple(
        (outline[model.starts[number] : model.starts[number + 1]], model.colours[number])
        for number in np.flatnonzero(turn > _LEAST_TURN).tolist()
    )


def _fogged(
    faces: tuple[tuple[Fixed, Colour], ...], depth_m: float, under: Conditions
) -> tuple[tuple[Fixed, Colour], ...]:
    clear = math.exp(-depth_m / under.fog_m)
    fog = fog_colour(under) * (1 - clear)

    def seen(colour: Colour) -> Colour:
        red, green, blue = (np.array(colour) * clear + fog).tolist()
        return red, green, blue

    return tuple((outline, seen(colour)) for outline, colour in faces)


def draw_image(picture: Rgb, nearness: Floats32, seen: SeenVehicle) -> None:
    """Paint a vehicle's image in the wet ground, before any vehicle is painted."""
    if not seen.mirrored:
        return
    corners = np.vstack([outline for outline, _ in seen.mirrored])
    height, width = picture.shape[:2]
    x0, y0 = np.maximum(corners.min(axis=0) // 16 - 1, 0).tolist()
    x1, y1 = np.minimum(corners.max(axis=0) // 16 + 2, (width, height)).tolist()
    if x0 >= x1 or y0 >= y1:
        return
    region = picture[y0:y1, x0:x1]
    image = region.copy()
    for outline, colour in seen.mirrored:
        cv2.fillConvexPoly(image, outline - (16 * x0, 16 * y0), colour, cv2.LINE_4, 4)
    soft = cv2.blur(image, (3, 7))
    soft = np.where(nearness[y0:y1, x0:x1, None] > 0, region, soft)
    cv2.addWeighted(region, 1 - seen.mirror_share, soft, seen.mirror_share, 0, dst=region)


def draw_vehicle(
    picture: Rgb,
    nearness: Floats32,
    seen: SeenVehicle,
    *,
    labels: NDArray[np.uint8] | None = None,
    label: int = 0,
) -> None:
    """Paint a vehicle, behind what stands nearer; draw farther ones first.

    ``labels`` (H x W) gets ``label`` where it is seen.
    """
    x0, y0, x1, y1 = seen.window
    region = picture[y0:y1, x0:x1]
    hidden = nearness[y0:y1, x0:x1] > 1 / seen.depth_m
    before = region.copy() if hidden.any() else None
    if hidden.all():
        return
    if seen.depth_m < _MIRRORED_M:
        _shade(picture, seen.shadow, is_soft=seen.depth_m < _SOFT_M)
    kind = cv2.LINE_AA if seen.depth_m < _PLAIN_M else cv2.LINE_8
    for outline, colour in seen.faces:
        cv2.fillConvexPoly(picture, outline, colour, kind, 4)
    if before is not None:
        np.copyto(region, before, where=hidden[..., None])
    if labels is not None:
        outlines = [outline / 16.0 for outline, _ in seen.faces]
        own = masks.covered(outlines, (labels.shape[0], labels.shape[1])) > 127
        own[y0:y1, x0:x1] &= ~hidden
        labels[own] = label


def _shade(picture: Rgb, outline: Fixed, *, is_soft: bool) -> None:
    """Darken the ground under a vehicle; near ones softly at the edges."""
    height, width = picture.shape[:2]
    x0, y0 = np.maximum(outline.min(axis=0) // 16 - 2, 0).tolist()
    x1, y1 = np.minimum(outline.max(axis=0) // 16 + 3, (width, height)).tolist()
    if x0 >= x1 or y0 >= y1:
        return
    region = picture[y0:y1, x0:x1]
    cover = np.zeros(region.shape[:2], np.uint8)
    cv2.fillConvexPoly(cover, outline - (16 * x0, 16 * y0), 255, cv2.LINE_8, 4)
    if is_soft:
        light = cv2.blur(255 - cv2.convertScaleAbs(cover, alpha=0.56), (5, 5))
        cv2.multiply(region, cv2.merge([light, light, light]), dst=region, scale=1 / 255)
    else:
        cv2.copyTo(cv2.convertScaleAbs(region, alpha=0.44), cover, region)
