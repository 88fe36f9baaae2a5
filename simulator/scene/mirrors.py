"""What wet ground and still water show of what stands behind them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene.pixels import SKY_M, places_of
from simulator.scene.place import Place

Rgb = NDArray[np.uint8]
Floats32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Mirror:
    """What still water would show at every ground pixel of a camera, and how strongly."""

    picture: Rgb
    share: Floats32
    """0 to 1, H x W: flat looks mirror more."""
    fades: Floats32
    """How large ripples look, rows of pixels; one value a row."""


def wet_ground(
    picture: Floats32, nearness: Floats32, depth: Floats32, camera: PinholeCamera, wet: float
) -> None:
    """Darken the wet ground, and let it mirror what stands behind each of its pixels."""
    mirrored, fresnel, is_ground = _mirrored(picture, nearness, depth, camera, 31)
    share = np.minimum(np.float32(wet) * fresnel, 0.75)[..., None]
    picture *= (1 - np.float32(0.35 * wet) * is_ground[..., None]) * (1 - share)
    picture += mirrored * share


def _mirrored(
    picture: Floats32, nearness: Floats32, depth: Floats32, camera: PinholeCamera, blur_px: int
) -> tuple[Floats32, Floats32, Floats32]:
    """What the ground mirrors, how strongly it does, and where it is ground (0 or 1).

    In a level camera's picture a thing and its mirror image meet at the thing's foot, so a column
    is turned over there. Water mirrors more the flatter one looks onto it (Schlick's formula).
    """
    height, width = nearness.shape
    rows = np.arange(height, dtype=np.float32)[:, None]
    far = np.asarray(cv2.resize(depth, (width, height), interpolation=cv2.INTER_LINEAR))
    is_ground = (nearness == 0) & (far < SKY_M * 0.9)
    horizon = np.argmax(is_ground, axis=0)[None, :]
    # Thin things (poles) are no mirror's edge: an opening takes them out.
    solid = cv2.morphologyEx((nearness > 0).astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 9)))
    feet = np.maximum(np.maximum.accumulate(np.where(solid > 0, rows, 0), axis=0), horizon)
    source = np.clip(2 * feet - rows, 0, height - 1).astype(np.float32)
    columns = np.broadcast_to(np.arange(width, dtype=np.float32), (height, width))
    mirrored = cv2.remap(picture, columns, source, cv2.INTER_LINEAR)
    # Ripples and the road's grain draw every light out downwards.
    mirrored = np.asarray(cv2.blur(mirrored, (3, blur_px)), np.float32)
    sine = np.clip(camera.h / np.maximum(far, camera.h), 0, 1)
    fresnel = (0.10 + 0.90 * (1 - sine) ** 3) * is_ground
    shares = np.asarray(fresnel, np.float32)
    return np.asarray(mirrored, np.float32), shares, np.asarray(is_ground, np.float32)


def mirror_of(camera: PinholeCamera, place: Place, picture: Rgb, nearness: Floats32) -> Mirror:
    """What still water would show of an empty scene (H x W x 3, and 1/m of what stands)."""
    broad = cv2.morphologyEx(nearness, cv2.MORPH_OPEN, np.ones((13, 13)))
    depth, _ = places_of(camera, place, np.asarray(broad, np.float32))
    mirrored, fresnel, _ = _mirrored(picture.astype(np.float32), nearness, depth, camera, 9)
    rows = np.arange(camera.height_px, dtype=np.float32)
    horizon = camera.height_px / 2 + camera.f_px * float(camera.axes[2][2])
    ripples = 2.0 + 0.045 * np.maximum(rows - horizon, 0)
    return Mirror(np.clip(mirrored, 0, 255).astype(np.uint8), np.minimum(fresnel, 0.8), ripples)
