"""Vehicles into the picture, from the far ones to the near ones.

Most of a street's vehicles stand: at red, in a queue, after a crash. Whatever was painted where it
is seen again is kept as a `_Stamp`, which takes a tenth of the time to lay on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.scene import masks
from simulator.scene.fleet import MIRRORED_M, PLAIN_M, SHADE_MARGIN_PX, Fixed, SeenVehicle

Rgb = NDArray[np.uint8]
Plane8 = NDArray[np.uint8]
Floats32 = NDArray[np.float32]

_SOFT_M = 22.0
"""Nearer than this, a shadow's edge is soft."""


@dataclass(frozen=True, eq=False, slots=True)
class _Stamp:
    """What painting a vehicle does to its window: ``picture * passes / 255 + adds``."""

    window: tuple[slice, slice]
    passes: Rgb
    adds: Rgb

    def lay(self, picture: Rgb) -> None:
        region = picture[self.window]
        cv2.multiply(region, self.passes, dst=region, scale=1 / 255)
        cv2.add(region, self.adds, dst=region)


class Paintwork:
    """Paints the vehicles of one camera, picture after picture."""

    def __init__(self, nearness: Floats32) -> None:
        """``nearness`` (H x W, 1/m) is of what stands in the scene and hides vehicles."""
        self._nearness = nearness
        self._stamps: dict[SeenVehicle, _Stamp | None] = {}

    def keep(self, seen: Iterable[SeenVehicle]) -> None:
        """Forget all but these, which are the next picture's."""
        self._stamps = {one: self._stamps[one] for one in seen if one in self._stamps}

    def draw_image(self, picture: Rgb, seen: SeenVehicle) -> None:
        """Paint a vehicle's image in the wet ground, before any vehicle is painted."""
        if not seen.mirrored:
            return
        corners = np.vstack([outline for outline, _ in seen.mirrored])
        x0, y0, x1, y1 = _window(corners, picture.shape, 1)
        if x0 >= x1 or y0 >= y1:
            return
        region = picture[y0:y1, x0:x1]
        image = region.copy()
        for outline, colour in seen.mirrored:
            cv2.fillConvexPoly(image, outline - (16 * x0, 16 * y0), colour, cv2.LINE_4, 4)
        soft = cv2.blur(image, (3, 7))
        hidden = (self._nearness[y0:y1, x0:x1] > 0).view(np.uint8)
        cv2.copyTo(region, hidden, soft)
        cv2.addWeighted(region, 1 - seen.mirror_share, soft, seen.mirror_share, 0, dst=region)

    def draw(self, picture: Rgb, seen: SeenVehicle) -> None:
        """Paint a vehicle, behind what stands nearer; draw farther ones first."""
        if seen not in self._stamps:
            self._stamps[seen] = None
            self._paint(picture, seen)
            return
        stamp = self._stamps[seen]
        if stamp is None:
            stamp = self._stamps[seen] = self._stamp(picture.shape, seen)
        stamp.lay(picture)

    def label(self, labels: Plane8, seen: SeenVehicle, number: int) -> None:
        """Give the pixels of ``labels`` (H x W) where a vehicle is seen its number."""
        x0, y0, x1, y1 = seen.window
        outlines = [outline / 16.0 + 0.5 for outline, _ in seen.faces]
        own = masks.covered(outlines, (labels.shape[0], labels.shape[1])) > 127
        own[y0:y1, x0:x1] &= self._nearness[y0:y1, x0:x1] <= 1 / seen.depth_m
        labels[own] = number

    def _stamp(self, shape: tuple[int, ...], seen: SeenVehicle) -> _Stamp:
        """Painted on black and on white: between them lies what it lets through."""
        corners = np.vstack([seen.shadow, np.array(seen.window).reshape(2, 2) * 16])
        x0, y0, x1, y1 = _window(corners, shape, SHADE_MARGIN_PX)
        window = (slice(y0, y1), slice(x0, x1))
        size = (max(0, y1 - y0), max(0, x1 - x0), 3)
        black, white = np.zeros(size, np.uint8), np.full(size, 255, np.uint8)
        if all(size):
            for region in (black, white):
                self._paint(region, seen, (x0, y0))
        return _Stamp(window, np.asarray(cv2.subtract(white, black), np.uint8), black)

    def _paint(self, picture: Rgb, seen: SeenVehicle, origin: tuple[int, int] = (0, 0)) -> None:
        """Paint into a picture whose first pixel is the camera's at ``origin``."""
        x0, y0, x1, y1 = seen.window
        near = self._nearness[y0:y1, x0:x1]
        hidden = (near > 1 / seen.depth_m).view(np.uint8)
        count = cv2.countNonZero(hidden)
        if count == hidden.size:
            return
        left, top = origin
        region = picture[y0 - top : y1 - top, x0 - left : x1 - left]
        before = region.copy() if count else None
        shadow, faces = seen.shadow, seen.faces
        if origin != (0, 0):
            moved = (16 * origin[0], 16 * origin[1])
            shadow = shadow - moved
            faces = tuple((outline - moved, colour) for outline, colour in faces)
        if seen.depth_m < MIRRORED_M:
            window = tuple(
                at - by for at, by in zip(seen.shade, (left, top, left, top), strict=True)
            )
            _shade(picture, shadow, window, is_soft=seen.depth_m < _SOFT_M)
        kind = cv2.LINE_AA if seen.depth_m < PLAIN_M else cv2.LINE_8
        for outline, colour in faces:
            cv2.fillConvexPoly(picture, outline, colour, kind, 4)
        if before is not None:
            cv2.copyTo(before, hidden, region)


def _window(outline: Fixed, shape: tuple[int, ...], margin: int) -> tuple[int, int, int, int]:
    """The part of a picture about an outline: x0, y0, x1, y1."""
    x0, y0 = np.maximum(outline.min(axis=0) // 16 - margin, 0).tolist()
    x1, y1 = np.minimum(outline.max(axis=0) // 16 + margin + 1, shape[1::-1]).tolist()
    return x0, y0, x1, y1


def _shade(picture: Rgb, outline: Fixed, window: tuple[int, ...], *, is_soft: bool) -> None:
    """Darken the ground under a vehicle; near ones softly at the edges."""
    x0, y0, x1, y1 = window
    if x0 >= x1 or y0 >= y1:
        return
    region = picture[y0:y1, x0:x1]
    cover = np.zeros(region.shape[:2], np.uint8)
    cv2.fillConvexPoly(cover, outline - (16 * x0, 16 * y0), 255, cv2.LINE_8, 4)
    if is_soft:
        light = cv2.blur(255 - cv2.convertScaleAbs(cover, alpha=0.46), (9, 9))
        cv2.multiply(region, cv2.merge([light, light, light]), dst=region, scale=1 / 255)
    else:
        cv2.copyTo(cv2.convertScaleAbs(region, alpha=0.54), cover, region)
