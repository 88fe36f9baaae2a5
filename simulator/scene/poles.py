"""Lamp posts: a mast, an arm and a head."""

from __future__ import annotations

import cv2
import numpy as np

from simulator.scene.canvas import HAZE, OVERSAMPLING, Canvas
from simulator.scene.place import Pole

_NEAREST_M = 3.0
_MAST_M, _ARM_M = 0.16, 0.09
ARM_RISE_M = 0.4
"""The lamp's head is so much higher than its mast."""


def draw_pole(canvas: Canvas, pole: Pole) -> None:
    """Paint a pole over what is there."""
    top = pole.height_m
    local = np.array([(pole.a, pole.b, 0.0), (pole.a, pole.b, top), (*pole.arm, top + ARM_RISE_M)])
    pixels, depths = canvas.project(local)
    if depths.min() < _NEAREST_M:
        return
    scale = canvas.camera.f_px * OVERSAMPLING / float(depths[0])
    fixed = np.round(pixels * OVERSAMPLING * 16).astype(np.int32)
    colour = tuple(float(c) for c in np.array((96, 98, 100)) * 0.9 + HAZE * 0.1)
    for start, end, thick in ((0, 1, _MAST_M), (1, 2, _ARM_M)):
        width = max(1, round(thick * scale))
        ends = (fixed[start].tolist(), fixed[end].tolist())
        cv2.line(canvas.picture, *ends, colour, width, cv2.LINE_AA, 4)
    head = (max(2, round(0.45 * scale)), max(1, round(0.12 * scale)))
    centre = tuple(int(v) for v in np.round(pixels[2] * OVERSAMPLING))
    cv2.ellipse(canvas.picture, centre, head, 0, 0, 360, (150, 152, 152), -1, cv2.LINE_AA)
    thin = max(1, round(_MAST_M * scale / OVERSAMPLING))
    foot, tip = np.round(pixels[:2] * 16).astype(np.int32).tolist()
    cv2.line(canvas.nearness, foot, tip, 1 / float(depths[0]), thin, cv2.LINE_8, 4)
