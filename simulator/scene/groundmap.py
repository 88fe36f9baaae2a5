"""One junction's own ground: what is alike at all of them, its areas, and its shadows."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.scene.ground import BAND_ROWS, MAP_SIZE, common_ground, distance_from_kerb, map_pixel
from simulator.scene.place import PAVEMENT_M, Area, Ground, Place

Rgb = NDArray[np.uint8]
Colour = tuple[float, float, float]

_SHADOW_A_M, _SHADOW_B_M = 0.42, 0.30
"""Where a shadow falls, in metres a metre of height: a sun that stands high behind thin cloud."""


def ground_map(place: Place) -> Rgb:
    """The map: `MAP_SIZE` x `MAP_SIZE` x 3, RGB, row 0 at the greatest b."""
    shade = cv2.merge([_shadows(place)] * 3)
    common = common_ground() if not place.areas else _with_areas(common_ground(), place.areas)
    return np.asarray(cv2.multiply(common, shade, dst=shade, scale=1 / 255), np.uint8)


_AREA_TONES: dict[Ground, Colour] = {
    Ground.GREEN: (84, 102, 58),
    Ground.WATER: (66, 80, 84),
    Ground.PAVED: (122, 120, 114),
    Ground.BARE: (132, 114, 90),
}


def _with_areas(common: Rgb, areas: Sequence[Area]) -> Rgb:
    """A map with areas laid on it wherever there is neither road nor pavement."""
    cover = np.zeros((MAP_SIZE, MAP_SIZE), np.uint8)
    picture = common.copy()
    grounds = list(Ground)
    for area in areas:
        outline = np.array(area.outline, np.float32)
        columns, rows = map_pixel(outline[:, 0], outline[:, 1])
        fixed = np.clip(np.round(np.stack((columns, rows), 1) * 16), -(2**28), 2**28)
        ink = grounds.index(area.ground) + 1
        cv2.fillPoly(cover, [fixed.astype(np.int32)], (ink,), cv2.LINE_8, 4)
    for start in range(0, MAP_SIZE, BAND_ROWS):
        band = slice(start, start + BAND_ROWS)
        cover[band][distance_from_kerb(start) > -PAVEMENT_M] = 0
    for ink, ground in enumerate(grounds, start=1):
        tone = np.array(_AREA_TONES[ground], np.float32)
        where = cover == ink
        # The grain of what was there stays, as far as this ground has any.
        rough = 0.12 if ground is Ground.WATER else 0.45
        grey = picture[where].mean(axis=1, keepdims=True, dtype=np.float32)
        if grey.size:
            level = 1 + rough * (grey / grey.mean() - 1)
            picture[where] = np.clip(tone * level, 0, 255).astype(np.uint8)
    return picture


def _shadows(place: Place) -> NDArray[np.uint8]:
    """How much light is left on the ground, 255 where no shadow falls."""
    shade = np.zeros((MAP_SIZE // 2, MAP_SIZE // 2), np.uint8)

    def fill(corners: NDArray[np.float64], depth: int) -> None:
        columns, rows = map_pixel(
            corners[:, 0].astype(np.float32), corners[:, 1].astype(np.float32)
        )
        hull = cv2.convexHull(np.stack((columns, rows), 1) / 2)
        cv2.fillConvexPoly(shade, np.round(hull * 16).astype(np.int32), depth, cv2.LINE_8, 4)

    # The lighter first: where shadows overlap, the darker stays.
    for tree in place.trees:
        angle = np.linspace(0, 2 * np.pi, 12)
        crown = np.stack((np.cos(angle), np.sin(angle)), 1) * tree.height_m * 0.30
        fall = np.array((_SHADOW_A_M, _SHADOW_B_M)) * tree.height_m * 0.7
        fill(crown + fall + np.array((tree.a, tree.b)), 86)
    for block in place.buildings:
        foot = block.corners()
        fall = np.array((_SHADOW_A_M, _SHADOW_B_M)) * block.height_m
        fill(np.vstack((foot, foot + fall)), 108)
    soft = cv2.GaussianBlur(shade, (0, 0), 3.0)
    full = np.asarray(cv2.resize(soft, (MAP_SIZE, MAP_SIZE)), np.uint8)
    return np.asarray(255 - full, np.uint8)
