"""Wires from post to post along the street, as Indonesian towns have them."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.scene.canvas import HAZE, OVERSAMPLING, Canvas, hazed
from simulator.scene.place import Pole

Floats = NDArray[np.float64]

_NEAREST_M, _FARTHEST_M = 11.0, 130.0
"""Who mounts a camera looks for a place without wires before it: nearer ones are left out."""
_STEPS = 24
_DARK = np.array((40, 40, 42), np.float32)
_BUNDLE = ((7.9, 0.35, 0.05), (7.5, 0.55, 0.022), (7.2, 0.7, 0.022), (6.6, 0.45, 0.07))
"""Height at the posts, sag in the middle, and how thick, in metres."""


def draw_cables(canvas: Canvas) -> None:
    """Draw them over what is there and stands farther off."""
    for one, other in _spans(canvas.place.poles):
        for up, sag, thick in _BUNDLE:
            _draw(canvas, np.array((one.a, one.b)), np.array((other.a, other.b)), up, sag, thick)


def _spans(poles: tuple[Pole, ...]) -> list[tuple[Pole, Pole]]:
    """Neighbours along the main road, on each of its sides."""
    found: list[tuple[Pole, Pole]] = []
    for sign in (1, -1):
        row = sorted((pole for pole in poles if pole.b * sign > 0), key=lambda pole: pole.a)
        found += itertools.pairwise(row)
    return found


def _draw(
    canvas: Canvas, start: Floats, end: Floats, up_m: float, sag_m: float, thick_m: float
) -> None:
    share = np.linspace(0, 1, _STEPS + 1)
    ups = up_m - 4 * sag_m * share * (1 - share)
    local = np.column_stack((start + share[:, None] * (end - start), ups))
    pixels, depths = canvas.project(local)
    height, width = canvas.nearness.shape
    inside = (pixels >= 0) & (pixels < (width, height))
    shown = np.asarray(inside.all(axis=1))
    if not shown.any() or depths[shown].min() < _NEAREST_M:
        return
    focal = canvas.camera.f_px * OVERSAMPLING
    for index in range(_STEPS):
        depth = float(depths[index : index + 2].mean())
        if not shown[index : index + 2].any() or depth > _FARTHEST_M:
            continue
        u, v = pixels[index : index + 2].mean(axis=0)
        row, column = int(np.clip(v, 0, height - 1)), int(np.clip(u, 0, width - 1))
        if canvas.nearness[row, column] > 1 / depth:
            continue
        # What is thinner than a pixel is drawn a pixel wide, and lets the rest through.
        wide = thick_m * focal / depth
        colour = hazed(_DARK, depth)
        behind = canvas.picture[row * OVERSAMPLING, column * OVERSAMPLING].astype(np.float32)
        colour = behind + (colour - behind) * min(1.0, 0.25 + 0.75 * wide)
        ends = np.round(pixels[index : index + 2] * OVERSAMPLING * 16).astype(np.int32)
        ink: list[float] = np.minimum(colour, HAZE).tolist()
        thick = max(1, round(wide))
        cv2.line(canvas.picture, ends[0].tolist(), ends[1].tolist(), ink, thick, cv2.LINE_AA, 4)
