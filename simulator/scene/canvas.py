"""What a backdrop is painted on: an enlarged picture, and how near everything is that stands up.

All places in the picture come from `geo.camera.PinholeCamera.project`; flat things are warped onto
it by the homography through four projected corners, which is exact for a lens without bend.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from geo.camera import PinholeCamera
from simulator.scene.place import Place

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

OVERSAMPLING = 2
HAZE = np.array((188, 194, 200), np.float32)
HAZE_M = 420.0
_NEAR_M = 2.0


def depth_m(camera: PinholeCamera, plane: Floats) -> Floats:
    """Depth along the optical axis of points ``(N, 3)`` in the city's plane."""
    return np.asarray((plane - (camera.x, camera.y, camera.h)) @ camera.axes[2], float)


def hazed(colour: Floats32, distance_m: float, share: Floats32 | float = 1.0) -> Floats32:
    """A colour seen through so much air; ``share`` is how opaque it is, where it is weighted."""
    haze = 1 - np.exp(-distance_m / HAZE_M)
    return np.asarray(colour * (1 - haze) + HAZE * (haze * share), np.float32)


class Canvas:
    """``picture`` is `OVERSAMPLING` times the camera's; ``nearness`` (1 / m) is the camera's."""

    def __init__(self, camera: PinholeCamera, place: Place, *, has_lights: bool = False) -> None:
        """With lights, what shines by itself is kept apart: it needs no other light."""
        shape = (camera.height_px, camera.width_px, 3)
        self.lights: Rgb | None = np.zeros(shape, np.uint8) if has_lights else None
        self.camera = camera
        self.place = place
        self.width = camera.width_px * OVERSAMPLING
        self.height = camera.height_px * OVERSAMPLING
        self.picture: Rgb = np.zeros((self.height, self.width, 3), np.uint8)
        self.nearness: Floats32 = np.zeros((camera.height_px, camera.width_px), np.float32)
        own = place.to_local(np.array([[camera.x, camera.y]]))[0]
        self.a, self.b = float(own[0]), float(own[1])
        """Where the camera stands in the place's frame."""

    def distance_m(self, a: float, b: float) -> float:
        """From the camera's foot to a point of the ground."""
        return float(np.hypot(a - self.a, b - self.b))

    def project(self, local: Floats) -> tuple[Floats, Floats]:
        """Pixels of the camera's picture, and depths, of points in the place's frame."""
        plane = self.place.to_plane(local)
        return self.camera.project(plane)[0], depth_m(self.camera, plane)


class Face:
    """A flat rectangle: its corners in its texture's order from the top left, clockwise."""

    def __init__(
        self,
        canvas: Canvas,
        local: Floats,
        paint: Callable[[], Rgb],
        light: float,
        shine: Callable[[], Rgb] | None = None,
    ):
        """``paint`` makes the texture; it is asked only where the camera sees the face.

        ``shine`` makes what shines by itself, as large as the texture.
        """
        self._shine = shine
        self._canvas = canvas
        self._paint = paint
        self._light = light
        self._depths = depth_m(canvas.camera, canvas.place.to_plane(local))
        self.is_before_camera = bool(self._depths.min() >= _NEAR_M)
        if self.is_before_camera:
            self._pixels = canvas.project(local)[0]

    def outline(self) -> tuple[tuple[slice, slice], NDArray[np.uint8]] | None:
        """The window of the camera's picture that the face lies in, and its mask there."""
        height, width = self._canvas.nearness.shape
        if not self.is_before_camera or not _touches(self._pixels, width, height):
            return None
        x0, y0, x1, y1 = _window(self._pixels, width, height)
        mask = _mask(self._pixels, x0, y0, x1, y1)
        return (slice(y0, y1), slice(x0, x1)), mask

    def draw(self) -> None:
        """Paint the face over what is there; it must have an outline."""
        canvas, big = self._canvas, self._pixels * OVERSAMPLING
        texture = self._paint()
        # Shrunk first to about the size it is seen in, or fine detail would break up.
        top, right, bottom, left = np.hypot(*(np.roll(big, -1, axis=0) - big).T)
        wide, tall = max(top, bottom, 2.0), max(left, right, 2.0)
        size = (min(texture.shape[1], int(wide) + 1), min(texture.shape[0], int(tall) + 1))
        fitting = np.asarray(cv2.resize(texture, size, interpolation=cv2.INTER_AREA), np.float32)
        shown = hazed(fitting * np.float32(self._light), float(self._depths.mean()))
        corners = np.array([(0, 0), (size[0], 0), (size[0], size[1]), (0, size[1])], float)
        x0, y0, x1, y1 = _window(big, canvas.width, canvas.height)
        warped = cv2.warpPerspective(
            np.clip(shown, 0, 255).astype(np.uint8),
            homography(corners - 0.5, big - (x0 + 0.5, y0 + 0.5)),
            (x1 - x0, y1 - y0),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        cv2.copyTo(warped, _mask(big, x0, y0, x1, y1), canvas.picture[y0:y1, x0:x1])
        self._stand()
        if canvas.lights is not None:
            self._glow(canvas.lights)

    def _glow(self, lights: Rgb) -> None:
        height, width = self._canvas.nearness.shape
        x0, y0, x1, y1 = _window(self._pixels, width, height)
        mask = _mask(self._pixels, x0, y0, x1, y1)
        region = lights[y0:y1, x0:x1]
        if self._shine is None:
            region[mask > 0] = 0
            return
        texture = self._shine()
        top, right, bottom, left = np.hypot(*(np.roll(self._pixels, -1, axis=0) - self._pixels).T)
        wide, tall = max(top, bottom, 2.0), max(left, right, 2.0)
        size = (min(texture.shape[1], int(wide) + 1), min(texture.shape[0], int(tall) + 1))
        fitting = cv2.resize(texture, size, interpolation=cv2.INTER_AREA)
        corners = np.array([(0, 0), (size[0], 0), (size[0], size[1]), (0, size[1])], float)
        warped = cv2.warpPerspective(
            fitting,
            homography(corners - 0.5, self._pixels - (x0 + 0.5, y0 + 0.5)),
            (x1 - x0, y1 - y0),
            flags=cv2.INTER_LINEAR,
        )
        cv2.copyTo(warped, mask, region)

    def _stand(self) -> None:
        """Note how near the face is; over the picture, a plane's 1/depth is linear."""
        known = np.column_stack((self._pixels, np.ones(len(self._pixels))))
        slope = np.linalg.lstsq(known, 1 / self._depths, rcond=None)[0]
        height, width = self._canvas.nearness.shape
        x0, y0, x1, y1 = _window(self._pixels, width, height)
        mask = _mask(self._pixels, x0, y0, x1, y1)
        u = np.arange(x0, x1, dtype=np.float32) + 0.5
        v = np.arange(y0, y1, dtype=np.float32) + 0.5
        plane = (
            np.float32(slope[0]) * u + (np.float32(slope[1]) * v + np.float32(slope[2]))[:, None]
        )
        np.copyto(self._canvas.nearness[y0:y1, x0:x1], plane, where=mask.astype(bool))


def homography(source: Floats, target: Floats) -> Floats:
    """The 3 x 3 matrix that takes four points to four others."""
    return np.asarray(
        cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32)), float
    )


def _touches(pixels: Floats, width: int, height: int) -> bool:
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    return bool(high[0] >= 0 and high[1] >= 0 and low[0] <= width and low[1] <= height)


def _window(pixels: Floats, width: int, height: int) -> tuple[int, int, int, int]:
    x0, y0 = np.clip(np.floor(pixels.min(axis=0)), 0, (width - 1, height - 1))
    x1, y1 = np.clip(np.ceil(pixels.max(axis=0)) + 1, 1, (width, height))
    return int(x0), int(y0), max(int(x1), int(x0) + 1), max(int(y1), int(y0) + 1)


def _mask(pixels: Floats, x0: int, y0: int, x1: int, y1: int) -> NDArray[np.uint8]:
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    outline = np.round((pixels - (x0, y0)) * 16).astype(np.int32)
    cv2.fillConvexPoly(mask, outline, 1, cv2.LINE_8, 4)
    return mask
