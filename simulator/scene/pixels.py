"""Where in a scene each of a camera's pixels lies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene.place import Place

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

COARSE_PX = 4
"""Light changes slowly: it is found on a grid of so many pixels, and smoothed in between."""
SKY_M = 2_000.0
"""What is so far off is sky."""


def places_of(camera: PinholeCamera, place: Place, nearness: Floats32) -> tuple[Floats32, Floats]:
    """Depth, and the point in the place's frame, of what a coarse grid of pixels shows."""
    u = np.arange(COARSE_PX / 2, camera.width_px, COARSE_PX)
    v = np.arange(COARSE_PX / 2, camera.height_px, COARSE_PX)
    rays = camera.ray(*np.meshgrid(u, v)) @ camera.axes
    below = np.where(rays[..., 2] < -1e-4, rays[..., 2], -1e-4)
    ground = np.minimum(-camera.h / below, SKY_M)
    near = nearness[COARSE_PX // 2 :: COARSE_PX, COARSE_PX // 2 :: COARSE_PX][: len(v), : len(u)]
    depth = np.where(near > 0, 1 / np.maximum(near, 1e-6), ground)
    plane = rays * depth[..., None] + (camera.x, camera.y, camera.h)
    local = place.to_local(plane.reshape(-1, 3)).reshape(plane.shape)
    return depth.astype(np.float32), local
