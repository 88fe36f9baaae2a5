"""Vehicles before a camera: all of a time are projected at once; `scene.paintwork` paints them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene import vehicles
from simulator.scene.conditions import Conditions
from simulator.scene.lanes import Kind
from simulator.scene.lighting import fog_colour
from simulator.scene.models import Faces, Mesh, Model, model
from simulator.scene.place import Place
from simulator.scene.traffic import Vehicle
from simulator.scene.vehicles import Detail

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Fixed = NDArray[np.int32]
Colour = tuple[float, float, float]

_NEAREST_M = 2.0
PLAIN_M = 26.0
"""Nearer than this, edges and trim can be told."""
_PLAIN_MOTORCYCLE_M = 17.0
_TINY_M = 50.0
"""Farther off, small parts can't be told any more and are left out."""
MIRRORED_M = 70.0
"""Farther off, neither shadow nor image in the wet is seen."""
_LIGHT_STEPS = 24
_FAR_PX = 60_000.0
SHADE_MARGIN_PX = 4
_SHADOW = np.array((4, 3, 2, 1))
"""Before a mesh's end its shadow's corners stand."""


@dataclass(frozen=True, eq=False, slots=True)
class SeenVehicle:
    """A vehicle as one camera sees it."""

    a: float
    b: float
    depth_m: float
    window: tuple[int, int, int, int]
    """Its part of the picture: x0, y0, x1, y1."""
    shadow: Fixed
    shade: tuple[int, int, int, int]
    """The shadow's part of the picture, with a margin."""
    faces: tuple[tuple[Fixed, Colour], ...]
    """Outlines of the faces turned to the camera, in 16ths of a pixel, the farther first."""
    mirrored: tuple[tuple[Fixed, Colour], ...]
    """The same of its image in the wet ground or the water under it."""
    mirror_share: float
    event_id: str


@dataclass(frozen=True, eq=False, slots=True)
class _Lit:
    """A vehicle near the picture, and what it is seen by."""

    vehicle: Vehicle
    away_m: float
    light: Colour
    """In few levels, so that what flickers far off changes nothing."""
    sunk_m: float
    """So much of it is under water."""

    def key(self) -> tuple[object, ...]:
        """The same for a vehicle that has moved by less than two centimetres, in the same light."""
        vehicle = self.vehicle
        return (
            vehicle.kind,
            vehicle.paint,
            round(vehicle.a * 50),
            round(vehicle.b * 50),
            round(vehicle.turn_rad * 200),
            vehicle.is_braking,
            vehicle.has_fallen,
            vehicle.crushed_m,
            vehicle.event_id,
            self.light,
            round(self.sunk_m * 50),
        )


class Fleet:
    """The vehicles as one camera sees them; those that stand still are looked at once."""

    def __init__(self, camera: PinholeCamera, place: Place, under: Conditions) -> None:
        self._camera = camera
        self._place = place
        self._under = under
        self._standing: dict[tuple[object, ...], SeenVehicle | None] = {}

    def see(
        self,
        found: Sequence[Vehicle],
        light: Callable[[Floats], Floats32],
        depth_at: Callable[[float, float], float] | None = None,
    ) -> list[SeenVehicle]:
        """Those that are shown, in the order given; one that stands is the same object again.

        Args:
            found: All that are there.
            light: The light (RGB, 1 is a bright day's) at points (N, 3) of the place's frame.
            depth_at: The water's depth (m) at a point of the ground, where there is water.
        """
        lit = _near_picture(self._camera, self._place, found, light, depth_at)
        keys = [one.key() for one in lit]
        known = self._standing
        fresh = {key: one for key, one in zip(keys, lit, strict=True) if key not in known}
        seen = _see(self._camera, self._place, list(fresh.values()), self._under)
        # What lies outside of the picture is known too, as not seen.
        now = dict(zip(fresh, seen, strict=True))
        self._standing = {key: now[key] if key in now else known[key] for key in keys}
        return [one for key in keys if (one := self._standing[key]) is not None]


def _see(
    camera: PinholeCamera, place: Place, lit: Sequence[_Lit], under: Conditions
) -> list[SeenVehicle | None]:
    if not lit:
        return []
    found, far = [one.vehicle for one in lit], [one.away_m for one in lit]
    models = [
        model(
            one.vehicle.kind,
            one.vehicle.paint % vehicles.PAINTS,
            one.vehicle.is_braking,
            _detail(one.vehicle.kind, one.away_m),
            one.vehicle.has_fallen,
            one.vehicle.crushed_m,
            one.light,
        )
        for one in lit
    ]
    sunk = np.array([one.sunk_m for one in lit])
    meshes = [known.mesh for known in models]
    counts = np.array([len(mesh.points) for mesh in meshes])
    levels = np.repeat(sunk, counts)
    plane = place.to_plane(_put_down(meshes, found, counts, levels))
    depths = (plane - (camera.x, camera.y, camera.h)) @ camera.axes[2]
    pixels, _ = camera.project(plane)
    share = np.where(sunk > 0.02, 0.5, 0.34 * under.wet)
    share[np.array(far) > MIRRORED_M] = 0
    starts = np.concatenate(([0], np.cumsum(counts)))
    faces_of = Faces(meshes, starts)
    images, turned_away = None, []
    if share.any():
        plane[:, 2] = 2 * levels - plane[:, 2]
        images = _bounded(camera.project(plane)[0])
        turned_away = faces_of.turned(images, -1)
    nearest = np.minimum.reduceat(depths, starts[:-1])
    means = np.add.reduceat(depths, starts[:-1]) / counts
    pixels = _bounded(pixels)
    windows = _framed(pixels, starts, camera)
    shown = (nearest >= _NEAREST_M) & (windows[:, :2] < windows[:, 2:]).all(axis=1)
    fixed = _fixed(pixels)
    turned_here = faces_of.turned(pixels, 1)
    shadows = fixed[(starts[1:, None] - _SHADOW).ravel()].reshape(-1, 4, 2)
    shades = _windows(shadows, camera).tolist()
    seen: list[SeenVehicle | None] = [None] * len(lit)
    for index in np.flatnonzero(shown).tolist():
        known, vehicle = models[index], found[index]
        part = slice(starts[index], starts[index + 1])
        faces = _outlined(known, fixed[part], turned_here[index])
        mirrored: tuple[tuple[Fixed, Colour], ...] = ()
        if images is not None and share[index] > 0.02:
            mirrored = _outlined(known, _fixed(images[part]), turned_away[index])
        if math.isfinite(under.fog_m):
            faces = _fogged(faces, float(means[index]), under)
            mirrored = _fogged(mirrored, float(means[index]), under)
        seen[index] = SeenVehicle(
            vehicle.a,
            vehicle.b,
            float(means[index]),
            tuple(windows[index].tolist()),
            shadows[index],
            tuple(shades[index]),
            faces,
            mirrored,
            float(share[index]),
            vehicle.event_id,
        )
    return seen


def _put_down(
    meshes: Sequence[Mesh], found: Sequence[Vehicle], counts: NDArray[np.intp], levels: Floats
) -> Floats:
    """The points of all meshes in the place's frame, each where its vehicle stands."""
    local = np.vstack([mesh.points for mesh in meshes])
    turns = np.array([(math.cos(v.turn_rad), math.sin(v.turn_rad), v.a, v.b) for v in found])
    cos, sin, a, b = np.repeat(turns, counts, axis=0).T
    ahead, left = local[:, 0].copy(), local[:, 1].copy()
    local[:, 0] = a + ahead * cos - left * sin
    local[:, 1] = b + ahead * sin + left * cos
    # What is under water isn't seen: the sides end at its surface.
    np.maximum(local[:, 2], levels, out=local[:, 2])
    return local


def _framed(pixels: Floats, starts: NDArray[np.intp], camera: PinholeCamera) -> NDArray[np.intp]:
    """The part of the picture about each one's points: x0, y0, x1, y1."""
    low = np.floor(np.minimum.reduceat(pixels, starts[:-1], axis=0)).astype(int) - 1
    high = np.ceil(np.maximum.reduceat(pixels, starts[:-1], axis=0)).astype(int) + 2
    high = np.minimum(high, (camera.width_px, camera.height_px))
    return np.hstack((np.maximum(low, 0), high))


def _detail(kind: Kind, depth_m: float) -> Detail:
    if depth_m > _TINY_M:
        return Detail.TINY
    plain_m = _PLAIN_MOTORCYCLE_M if kind is Kind.MOTORCYCLE else PLAIN_M
    return Detail.PLAIN if depth_m > plain_m else Detail.FULL


def _near_picture(
    camera: PinholeCamera,
    place: Place,
    found: Sequence[Vehicle],
    light: Callable[[Floats], Floats32],
    depth_at: Callable[[float, float], float] | None,
) -> list[_Lit]:
    """Those whose middle is not far outside of the picture."""
    if not found:
        return []
    local = np.array([(v.a, v.b, 1.0) for v in found])
    own = (place.to_plane(local) - (camera.x, camera.y, camera.h)) @ camera.axes.T
    ahead = own[:, 2]
    side = np.abs(own[:, 0]) * camera.f_px
    kept = (ahead > 0.5) & (side < ahead * camera.width_px / 2 + 7.0 * camera.f_px)
    if not kept.any():
        return []
    lights = (np.round(light(local[kept]) * _LIGHT_STEPS) / _LIGHT_STEPS).tolist()
    near = [vehicle for vehicle, keep in zip(found, kept.tolist(), strict=True) if keep]
    return [
        _Lit(v, away, (red, green, blue), depth_at(v.a, v.b) if depth_at else 0.0)
        for v, away, (red, green, blue) in zip(near, ahead[kept].tolist(), lights, strict=True)
    ]


def _windows(outlines: Fixed, camera: PinholeCamera) -> NDArray[np.int32]:
    """The part of the picture about each outline (N x 4 x 2): x0, y0, x1, y1."""
    low = np.maximum(outlines.min(axis=1) // 16 - SHADE_MARGIN_PX, 0)
    high = outlines.max(axis=1) // 16 + SHADE_MARGIN_PX + 1
    return np.hstack((low, np.minimum(high, (camera.width_px, camera.height_px))))


def _bounded(pixels: Floats) -> Floats:
    """What lies behind the camera has no pixels; what lies far beside it has none that matter."""
    return np.nan_to_num(np.clip(pixels, -_FAR_PX, _FAR_PX), copy=False)


def _fixed(pixels: Floats) -> Fixed:
    """For drawing, which counts from the middle of the first pixel; the camera from its corner."""
    return np.rint((pixels - 0.5) * 16).astype(np.int32)


def _outlined(
    known: Model, points: Fixed, turned: NDArray[np.bool_]
) -> tuple[tuple[Fixed, Colour], ...]:
    mesh, colours = known.mesh, known.colours
    outline = points[mesh.corners]
    return tuple(
        (outline[mesh.spans[number]], colours[number]) for number in np.flatnonzero(turned).tolist()
    )


def _fogged(
    faces: tuple[tuple[Fixed, Colour], ...], depth_m: float, under: Conditions
) -> tuple[tuple[Fixed, Colour], ...]:
    clear = math.exp(-depth_m / under.fog_m)
    red, green, blue = (fog_colour(under) * (1 - clear)).tolist()

    def seen(colour: Colour) -> Colour:
        return colour[0] * clear + red, colour[1] * clear + green, colour[2] * clear + blue

    return tuple((outline, seen(colour)) for outline, colour in faces)
