"""What a camera sees that doesn't move, drawn once: sky, ground, walls, trees, poles, and depth.

All places in the picture come from `geo.camera.PinholeCamera.project`; flat things are warped onto
it by the homography through four projected corners, which is exact for a lens without bend.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene import facades, ground
from simulator.scene.noise import clouds
from simulator.scene.place import EXTENT_M, Building, Place, Pole, Tree

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float64]

DAYLIGHT = (0.52, 0.52, 0.56)
"""What is left of a bright day's red, green and blue: a late afternoon under rain clouds."""

_OVERSAMPLING = 2
_HAZE = np.array((188, 194, 200), np.float32)
_HAZE_M = 420.0
_NEAR_M = 2.0
_CLEAR_M = 14.0
_SUN = np.array((-0.62, -0.48))
"""Where light comes from, in the place's (a, b): opposite to where shadows fall."""


@dataclass(frozen=True, eq=False)
class Backdrop:
    """``nearness`` is 1 / depth along the optical axis (1/m) of what stands up; 0 elsewhere."""

    picture: Rgb
    nearness: NDArray[np.float32]


def depth_m(camera: PinholeCamera, plane: Floats) -> Floats:
    """Depth along the optical axis of points ``(N, 3)`` in the city's plane."""
    return np.asarray((plane - (camera.x, camera.y, camera.h)) @ camera.axes[2], float)


def draw_backdrop(camera: PinholeCamera, place: Place, ground_map: Rgb) -> Backdrop:
    """The camera's empty scene; about a second.

    Raises:
        ValueError: the lens bends (k1), which flat warping can't draw.
    """
    if camera.k1 != 0:
        raise ValueError("scenes are drawn for cameras without lens distortion; set k1 to 0")
    painter = _Painter(camera, place)
    painter.sky_and_ground(ground_map)
    painter.standing_things()
    return painter.finished()


class _Painter:
    """Paints from far to near on an enlarged canvas, which is shrunk at the end."""

    def __init__(self, camera: PinholeCamera, place: Place) -> None:
        self._camera = camera
        self._place = place
        self._width = camera.width_px * _OVERSAMPLING
        self._height = camera.height_px * _OVERSAMPLING
        self._canvas = np.zeros((self._height, self._width, 3), np.float32)
        self._nearness = np.zeros((camera.height_px, camera.width_px), np.float32)
        self._random = np.random.default_rng(place.seed + 7)

    def sky_and_ground(self, ground_map: Rgb) -> None:
        """The sky above the horizon, and the map below it."""
        steps = np.arange(max(self._width, self._height), dtype=np.float32)
        centres = np.asarray((steps + 0.5) / _OVERSAMPLING, np.float32)
        columns, rows = np.meshgrid(centres[: self._width], centres[: self._height])
        # Plain numbers, or they would widen every plane to double precision.
        (m00, m01, m02), (m10, m11, m12), (m20, m21, m22) = self._image_to_ground().tolist()
        w = m20 * columns + m21 * rows + m22
        is_ground = w > 1e-6
        w[~is_ground] = 1
        a = (m00 * columns + m01 * rows + m02) / w
        b = (m10 * columns + m11 * rows + m12) / w
        own = self._place.to_local(np.array([[self._camera.x, self._camera.y]]))[0].tolist()
        range_m = np.hypot(a - own[0], b - own[1])
        self._canvas[:] = self._sky()
        painted = self._sampled(ground_map, a, b, range_m)
        # Beyond the map lies a town that haze hides. Both change slowly over the picture.
        coarse = (slice(None, None, _OVERSAMPLING), slice(None, None, _OVERSAMPLING))
        rim = EXTENT_M - np.maximum(np.abs(a[coarse]), np.abs(b[coarse]))
        edge = np.clip(rim / 15, 0, 1)[..., None]
        clear = np.exp(-range_m[coarse] / _HAZE_M)[..., None]
        town = np.array((128, 126, 116), np.float32)
        veil = town * (1 - edge) * clear + _HAZE * (1 - clear)
        painted *= self._enlarged(edge * clear)[..., None]
        painted += self._enlarged(veil)
        np.copyto(self._canvas, painted, where=is_ground[..., None])

    def _enlarged(self, coarse: NDArray[np.float32]) -> NDArray[np.float32]:
        size = (self._width, self._height)
        return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR), np.float32)

    def _image_to_ground(self) -> Floats:
        """Picture to (a, b) on the ground; the third coordinate is positive below the horizon."""
        # Four ground points before the camera, far enough apart for a stable solution.
        forward = self._camera.axes[2][:2] / np.linalg.norm(self._camera.axes[2][:2])
        left = np.array((-forward[1], forward[0]))
        own = np.array((self._camera.x, self._camera.y))
        spots = [own + forward * d + left * s * d * 0.4 for d in (12.0, 80.0) for s in (-1, 1)]
        plane = np.column_stack((np.array(spots), np.zeros(4)))
        pixels, _ = self._camera.project(plane)
        local = self._place.to_local(plane)[:, :2]
        matrix = _homography(pixels, local)
        middle = matrix @ (*pixels[0], 1.0)
        return np.asarray(matrix * np.sign(middle[2]), float)

    def _sampled(
        self,
        ground_map: Rgb,
        a: NDArray[np.float32],
        b: NDArray[np.float32],
        range_m: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """The map's colours: from coarser copies farther off, so that nothing glitters."""
        x, y = ground.map_pixel(a, b)
        focal = self._camera.f_px * _OVERSAMPLING
        # Along the view a pixel covers range^2 / (focal height) of ground.
        cover = range_m**2 / (focal * self._camera.h) / ground.CELL_M
        out = np.zeros((*a.shape, 3), np.float32)
        level, source = 0, ground_map
        while True:
            is_last = level == 5
            here = (cover >= (0 if level == 0 else 2**level * 0.7)) & (
                True if is_last else cover < 2 ** (level + 1) * 0.7
            )
            rows = np.flatnonzero(here.any(axis=1))
            if rows.size:
                band = slice(rows[0], rows[-1] + 1)
                shrink = 2.0**level
                got = cv2.remap(
                    source,
                    (x[band] / shrink - 0.5).astype(np.float32),
                    (y[band] / shrink - 0.5).astype(np.float32),
                    cv2.INTER_LINEAR,
                    borderMode=cv2.BORDER_REPLICATE,
                )
                np.copyto(out[band], got.astype(np.float32), where=here[band][..., None])
            if is_last:
                break
            level += 1
            source = np.asarray(
                cv2.resize(source, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8
            )
        near = np.flatnonzero((range_m < 45).any(axis=1))
        if near.size:
            band = slice(near[0], near[-1] + 1)
            factor = cv2.remap(
                ground.grain(self._place.seed),
                np.mod(a[band] / ground.GRAIN_M, 511),
                np.mod(b[band] / ground.GRAIN_M, 511),
                cv2.INTER_LINEAR,
            )
            fades = np.exp(-((range_m[band] / 22) ** 2))
            out[band] *= (1 + (factor - 1) * fades)[..., None]
        return out

    def _sky(self) -> NDArray[np.float32]:
        height, width = self._height // _OVERSAMPLING, self._width // _OVERSAMPLING
        rise = 1 - np.arange(height, dtype=np.float32) / height * 1.6
        share = np.clip(rise, 0, 1)[:, None, None]
        top, low = np.array((138, 160, 188), np.float32), np.array((205, 208, 208), np.float32)
        base = low * (1 - share) + top * share
        billow = clouds(self._random, height, width, coarse=5, octaves=6)
        cover = (np.clip(billow * 0.45 + 0.35, 0, 1) * 0.75)[..., None]
        return self._enlarged(base * (1 - cover) + np.array((222, 222, 220), np.float32) * cover)

    def standing_things(self) -> None:
        """Buildings, trees and poles, the farthest first."""
        own = self._place.to_local(np.array([[self._camera.x, self._camera.y]]))[0]

        def away(a: float, b: float) -> float:
            return float(np.hypot(a - own[0], b - own[1]))

        things: list[tuple[float, Building | Tree | Pole]] = [
            (away((t.a0 + t.a1) / 2, (t.b0 + t.b1) / 2), t) for t in self._place.buildings
        ]
        things += [(away(t.a, t.b), t) for t in self._place.trees]
        # A camera's own mast and its neighbours stand out of its sight.
        things += [(away(t.a, t.b), t) for t in self._place.poles if away(t.a, t.b) > _CLEAR_M]
        for _, thing in sorted(things, key=lambda pair: -pair[0]):
            match thing:
                case Building():
                    self._building(thing, own)
                case Tree():
                    self._tree(thing)
                case Pole():
                    self._pole(thing)

    def _building(self, block: Building, own: Floats) -> None:
        top = block.height_m
        sides = (
            ((1, 0), (block.a1, block.b0), (block.a1, block.b1), own[0] > block.a1),
            ((-1, 0), (block.a0, block.b1), (block.a0, block.b0), own[0] < block.a0),
            ((0, 1), (block.a1, block.b1), (block.a0, block.b1), own[1] > block.b1),
            ((0, -1), (block.a0, block.b0), (block.a1, block.b0), own[1] < block.b0),
        )
        if top < self._camera.h:
            corners = np.array(
                [
                    (block.a0, block.b0, top),
                    (block.a1, block.b0, top),
                    (block.a1, block.b1, top),
                    (block.a0, block.b1, top),
                ]
            )
            tiles = ((122, 84, 66), (120, 120, 118))[block.style % 2]
            self._face(corners, lambda: np.full((24, 24, 3), tiles, np.uint8), 1.0)
        for normal, left, right, is_seen in sides:
            if is_seen:
                # From outside a wall's left end is the one that comes first anticlockwise.
                width = round(float(np.hypot(right[0] - left[0], right[1] - left[1])), 1)
                light = 0.80 + 0.28 * float(_SUN @ np.array(normal))
                is_front = normal == block.front
                texture = partial(facades.wall, width, top, block.style, is_front=is_front)
                corners = np.array([(*left, top), (*right, top), (*right, 0.0), (*left, 0.0)])
                self._face(corners, texture, light)

    def _face(self, local: Floats, paint: Callable[[], Rgb], light: float) -> None:
        """A flat rectangle: its corners in the texture's order from the top left, clockwise.

        ``paint`` makes the texture; it is asked only where the camera sees the face.
        """
        plane = self._place.to_plane(local)
        depths = depth_m(self._camera, plane)
        if depths.min() < _NEAR_M:
            return
        pixels, _ = self._camera.project(plane)
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        if (
            high[0] < 0
            or high[1] < 0
            or low[0] > self._camera.width_px
            or low[1] > self._camera.height_px
        ):
            return
        texture = paint()
        big = pixels * _OVERSAMPLING
        # Shrunk first to about the size it is seen in, or fine detail would break up.
        top, right, bottom, left = np.hypot(*(np.roll(big, -1, axis=0) - big).T)
        wide, tall = max(top, bottom, 2.0), max(left, right, 2.0)
        size = (min(texture.shape[1], int(wide) + 1), min(texture.shape[0], int(tall) + 1))
        fitting = np.asarray(cv2.resize(texture, size, interpolation=cv2.INTER_AREA), np.float32)
        haze = 1 - np.exp(-float(depths.mean()) / _HAZE_M)
        fitting = fitting * light * (1 - haze) + _HAZE * haze
        corners = np.array([(0, 0), (size[0], 0), (size[0], size[1]), (0, size[1])], float)
        x0, y0, x1, y1 = self._window(big)
        matrix = _homography(corners - 0.5, big - (x0 + 0.5, y0 + 0.5))
        warped = cv2.warpPerspective(
            fitting,
            matrix,
            (x1 - x0, y1 - y0),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        outline = np.round((big - (x0, y0)) * 16).astype(np.int32)
        cv2.fillConvexPoly(mask, outline, 1, cv2.LINE_8, 4)
        np.copyto(self._canvas[y0:y1, x0:x1], warped, where=mask.astype(bool)[..., None])
        self._stand(pixels, 1 / depths)

    def _window(self, big: Floats) -> tuple[int, int, int, int]:
        x0, y0 = np.clip(np.floor(big.min(axis=0)), 0, (self._width - 1, self._height - 1))
        x1, y1 = np.clip(np.ceil(big.max(axis=0)) + 1, 1, (self._width, self._height))
        return int(x0), int(y0), max(int(x1), int(x0) + 1), max(int(y1), int(y0) + 1)

    def _stand(self, pixels: Floats, inverse: Floats) -> None:
        """Note how near a flat face is; over the picture, a plane's 1/depth is linear."""
        known = np.column_stack((pixels, np.ones(len(pixels))))
        slope = np.linalg.lstsq(known, inverse, rcond=None)[0]
        height, width = self._nearness.shape
        x0, y0 = np.clip(np.floor(pixels.min(axis=0)), 0, (width - 1, height - 1)).astype(int)
        x1, y1 = np.clip(np.ceil(pixels.max(axis=0)) + 1, 1, (width, height)).astype(int)
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillConvexPoly(
            mask, np.round((pixels - (x0, y0)) * 16).astype(np.int32), 1, cv2.LINE_8, 4
        )
        u, v = np.meshgrid(np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5)
        plane = (slope[0] * u + slope[1] * v + slope[2]).astype(np.float32)
        np.copyto(self._nearness[y0:y1, x0:x1], plane, where=mask.astype(bool))

    def _tree(self, tree: Tree) -> None:
        foot = self._place.to_plane(
            np.array([(tree.a, tree.b, 0.0), (tree.a, tree.b, tree.height_m)])
        )
        depth = float(depth_m(self._camera, foot)[0])
        if depth < 4:
            return
        (fx, fy), (_, ty) = self._camera.project(foot)[0]
        tall = fy - ty
        wide = tall * 224 / 256
        if tall < 2:
            return
        size = (max(1, round(wide * _OVERSAMPLING)), max(1, round(tall * _OVERSAMPLING)))
        sprite = np.asarray(
            cv2.resize(facades.tree(tree.kind), size, interpolation=cv2.INTER_AREA), np.float32
        )
        haze = 1 - np.exp(-depth / _HAZE_M)
        left, top = round((fx - wide / 2) * _OVERSAMPLING), round(ty * _OVERSAMPLING)
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + size[0], self._width), min(top + size[1], self._height)
        if x0 >= x1 or y0 >= y1:
            return
        part = sprite[y0 - top : y1 - top, x0 - left : x1 - left]
        share = part[..., 3:] / 255
        colour = part[..., :3] * (1 - haze) + _HAZE * haze * share
        region = self._canvas[y0:y1, x0:x1]
        region *= 1 - share
        region += colour * share
        small = cv2.resize(
            share[..., 0],
            None,
            fx=1 / _OVERSAMPLING,
            fy=1 / _OVERSAMPLING,
            interpolation=cv2.INTER_AREA,
        )
        r, c = y0 // _OVERSAMPLING, x0 // _OVERSAMPLING
        target = self._nearness[r : r + small.shape[0], c : c + small.shape[1]]
        target[small[: target.shape[0], : target.shape[1]] > 0.5] = 1 / depth

    def _pole(self, pole: Pole) -> None:
        top = pole.height_m
        local = np.array([(pole.a, pole.b, 0.0), (pole.a, pole.b, top), (*pole.arm, top + 0.4)])
        plane = self._place.to_plane(local)
        depths = depth_m(self._camera, plane)
        if depths.min() < 3:
            return
        pixels, _ = self._camera.project(plane)
        scale = self._camera.f_px * _OVERSAMPLING / float(depths[0])
        fixed = np.round(pixels * _OVERSAMPLING * 16).astype(np.int32)
        colour = tuple(float(c) for c in np.array((96, 98, 100)) * (1 - 0.1) + _HAZE * 0.1)
        for start, end, thick in ((0, 1, 0.16), (1, 2, 0.09)):
            width = max(1, round(thick * scale))
            cv2.line(
                self._canvas,
                fixed[start].tolist(),
                fixed[end].tolist(),
                colour,
                width,
                cv2.LINE_AA,
                4,
            )
        lamp = (max(2, round(0.45 * scale)), max(1, round(0.12 * scale)))
        centre = tuple(int(v) for v in np.round(pixels[2] * _OVERSAMPLING))
        cv2.ellipse(self._canvas, centre, lamp, 0, 0, 360, (150, 152, 152), -1, cv2.LINE_AA)
        thin = max(1, round(0.16 * scale / _OVERSAMPLING))
        ends = np.round(pixels * 16).astype(np.int32)
        cv2.line(
            self._nearness,
            ends[0].tolist(),
            ends[1].tolist(),
            1 / float(depths[0]),
            thin,
            cv2.LINE_8,
            4,
        )

    def finished(self) -> Backdrop:
        """The canvas at the camera's size, with a lens's slight fall of light to the corners."""
        size = (self._camera.width_px, self._camera.height_px)
        picture = np.asarray(
            cv2.resize(self._canvas, size, interpolation=cv2.INTER_AREA), np.float32
        )
        u = np.linspace(-1, 1, size[0], dtype=np.float32)[None, :]
        v = np.linspace(-1, 1, size[1], dtype=np.float32)[:, None]
        picture *= (1 - 0.13 * (u * u + v * v))[..., None]
        picture *= np.array(DAYLIGHT, np.float32)
        return Backdrop(np.asarray(np.clip(picture, 0, 255), np.uint8), self._nearness)


def _homography(source: Floats, target: Floats) -> Floats:
    """The 3 x 3 matrix that takes four points to four others."""
    return np.asarray(
        cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32)), float
    )
