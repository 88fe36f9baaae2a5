"""The sky above the horizon, and the ground's map below it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.scene import ground
from simulator.scene.canvas import HAZE, HAZE_M, OVERSAMPLING, Canvas, homography
from simulator.scene.noise import clouds
from simulator.scene.place import EXTENT_M

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

_BAND_ROWS = 80
"""The ground is painted in bands of so many rows, which keeps it in the processor's cache."""
_LEVELS = 6
_GRAIN_REACH_M = 45.0
_TOWN = np.array((128, 126, 116), np.float32)


def draw_sky_and_ground(canvas: Canvas, ground_map: Rgb) -> None:
    """Paint all of the canvas."""
    size = (canvas.width, canvas.height)
    canvas.picture[:] = cv2.resize(_sky(canvas), size, interpolation=cv2.INTER_LINEAR)
    maps = _coarser(ground_map)
    matrix = _image_to_ground(canvas)
    columns = _centres(canvas.width)
    rows = _centres(canvas.height)
    for start in range(0, canvas.height, _BAND_ROWS):
        band = slice(start, start + _BAND_ROWS)
        _draw_band(canvas, canvas.picture[band], columns, rows[band, None], matrix, maps)


def _centres(count: int) -> Floats32:
    """Where the canvas's pixels have their centres, in the camera's."""
    return (np.arange(count, dtype=np.float32) + np.float32(0.5)) / np.float32(OVERSAMPLING)


def _coarser(ground_map: Rgb) -> list[Rgb]:
    """The map and its copies, each of half the size of the one before."""
    maps = [ground_map]
    for _ in range(_LEVELS - 1):
        half = cv2.resize(maps[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        maps.append(np.asarray(half, np.uint8))
    return maps


def _draw_band(
    canvas: Canvas, out: Rgb, columns: Floats32, rows: Floats32, matrix: Floats, maps: list[Rgb]
) -> None:
    # Plain numbers, or they would widen every plane to double precision.
    (m00, m01, m02), (m10, m11, m12), (m20, m21, m22) = matrix.tolist()
    w = m20 * columns + (m21 * rows + m22)
    is_ground = w > 1e-6
    if not is_ground.any():
        return
    w[~is_ground] = 1
    a = (m00 * columns + (m01 * rows + m02)) / w
    b = (m10 * columns + (m11 * rows + m12)) / w
    range_m = np.hypot(a - np.float32(canvas.a), b - np.float32(canvas.b))
    painted = _sampled(canvas, maps, a, b, range_m)
    # Beyond the map lies a town that haze hides.
    rim = EXTENT_M - np.maximum(np.abs(a), np.abs(b))
    edge = np.clip(rim / 15, 0, 1)[..., None]
    clear = np.exp(range_m / np.float32(-HAZE_M))[..., None]
    painted -= _TOWN
    painted *= edge
    painted += _TOWN - HAZE
    painted *= clear
    painted += HAZE
    np.clip(painted, 0, 255, out=painted)
    np.copyto(out, painted, where=is_ground[..., None], casting="unsafe")


def _image_to_ground(canvas: Canvas) -> Floats:
    """Picture to (a, b) on the ground; the third coordinate is positive below the horizon."""
    camera = canvas.camera
    # Four ground points before the camera, far enough apart for a stable solution.
    forward = camera.axes[2][:2] / np.linalg.norm(camera.axes[2][:2])
    left = np.array((-forward[1], forward[0]))
    own = np.array((camera.x, camera.y))
    spots = [own + forward * d + left * s * d * 0.4 for d in (12.0, 80.0) for s in (-1, 1)]
    plane = np.column_stack((np.array(spots), np.zeros(4)))
    pixels, _ = camera.project(plane)
    matrix = homography(pixels, canvas.place.to_local(plane)[:, :2])
    middle = matrix @ (*pixels[0], 1.0)
    return np.asarray(matrix * np.sign(middle[2]), float)


def _sampled(
    canvas: Canvas, maps: list[Rgb], a: Floats32, b: Floats32, range_m: Floats32
) -> Floats32:
    """The map's colours: from coarser copies farther off, so that nothing glitters."""
    x, y = ground.map_pixel(a, b)
    focal = canvas.camera.f_px * OVERSAMPLING
    # Along the view a pixel covers range^2 / (focal height) of ground.
    cover = range_m**2 / np.float32(focal * canvas.camera.h * ground.CELL_M * 1.4)
    level = np.clip(np.log2(np.maximum(cover, 1)), 0, len(maps) - 1).astype(np.uint8)
    out = np.zeros((*a.shape, 3), np.uint8)
    low, high = int(level.min()), int(level.max())
    for number in range(low, high + 1):
        shrink = np.float32(2.0**number)
        got = cv2.remap(
            maps[number],
            x / shrink - np.float32(0.5),
            y / shrink - np.float32(0.5),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        if low == high:
            out = np.asarray(got, np.uint8)
        else:
            cv2.copyTo(got, (level == number).astype(np.uint8), out)
    painted = out.astype(np.float32)
    if range_m.min() < _GRAIN_REACH_M:
        factor = cv2.remap(
            ground.grain(canvas.place.seed),
            np.mod(a / np.float32(ground.GRAIN_M), np.float32(511)),
            np.mod(b / np.float32(ground.GRAIN_M), np.float32(511)),
            cv2.INTER_LINEAR,
        )
        fades = np.exp(-((range_m / np.float32(22)) ** 2))
        painted *= (1 + (factor - 1) * fades)[..., None]
    return painted


def _sky(canvas: Canvas) -> Rgb:
    """Half the camera's size, for it is soft; below the horizon it is painted over."""
    height, width = canvas.nearness.shape[0] // 2, canvas.nearness.shape[1] // 2
    rise = 1 - np.arange(height, dtype=np.float32) / height * 1.6
    share = np.clip(rise, 0, 1)[:, None, None]
    top, low = np.array((138, 160, 188), np.float32), np.array((205, 208, 208), np.float32)
    base = low * (1 - share) + top * share
    random = np.random.default_rng(canvas.place.seed + 7)
    billow = clouds(random, height, width, coarse=5, octaves=6)
    cover = (np.clip(billow * 0.45 + 0.35, 0, 1) * 0.75)[..., None]
    white = np.array((222, 222, 220), np.float32)
    return np.asarray(base * (1 - cover) + white * cover, np.uint8)
