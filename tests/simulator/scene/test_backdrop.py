from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.scene.backdrop import draw_scene
from simulator.scene.canvas import depth_m
from simulator.scene.ground import CELL_M, map_pixel
from simulator.scene.place import EXTENT_M, Building
from tests.simulator.scene.stands import camera_at, empty_place, pixel_of

_SIZE = round(2 * EXTENT_M / CELL_M)
_DISC_M = 0.5


def map_with_disc(a: float, b: float) -> np.ndarray:
    ground = np.full((_SIZE, _SIZE, 3), 20, np.uint8)
    column, row = map_pixel(a, b)
    # A pixel's centre is at the half; the drawing's coordinates count from pixel centres.
    centre = (round((column - 0.5) * 256), round((row - 0.5) * 256))
    cv2.circle(ground, centre, round(_DISC_M / CELL_M * 256), (250, 250, 250), -1, cv2.LINE_AA, 8)
    return ground


@settings(max_examples=15, deadline=None)
@given(
    ahead=st.floats(14, 45),
    aside=st.floats(-0.35, 0.35),
    height_m=st.floats(5, 14),
    tilt_deg=st.floats(-24, -8),
    roll_deg=st.floats(-6, 6),
    hfov_deg=st.floats(40, 80),
)
def test_what_is_painted_on_the_ground_is_seen_where_the_camera_model_says(
    ahead: float, aside: float, height_m: float, tilt_deg: float, roll_deg: float, hfov_deg: float
) -> None:
    place = empty_place()
    a, b = -20 + ahead, -10 + aside * ahead
    camera = camera_at(
        place,
        -20,
        -10,
        20,
        -10,
        height_m=height_m,
        tilt_deg=tilt_deg,
        roll_deg=roll_deg,
        hfov_deg=hfov_deg,
        width_px=480,
    )
    u, v = pixel_of(camera, place, a, b)
    # A disc's middle is not quite seen at its picture's centroid: compare with its own outline.
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    rim = np.column_stack((a + _DISC_M * np.cos(angle), b + _DISC_M * np.sin(angle), 0 * angle))
    outline, seen = camera.project(place.to_plane(rim))
    if not seen.all() or not (12 < u < 468 and 12 < v < 258):
        return
    picture = draw_scene(camera, place, map_with_disc(a, b)).day
    moments = cv2.moments(outline.astype(np.float32))
    expected = np.array((moments["m10"], moments["m01"])) / moments["m00"]
    x0, y0 = np.floor(outline.min(axis=0)).astype(int) - 4
    x1, y1 = np.ceil(outline.max(axis=0)).astype(int) + 4
    x0, y0 = max(x0, 0), max(y0, 0)
    window = picture[y0:y1, x0:x1].astype(float).sum(axis=2)
    weight = np.clip(window - np.percentile(window, 20) - 60, 0, None)
    rows, columns = np.mgrid[y0 : y0 + window.shape[0], x0 : x0 + window.shape[1]] + 0.5
    found = np.array(((weight * columns).sum(), (weight * rows).sum())) / weight.sum()
    assert np.hypot(*(found - expected)) < 0.5


def test_a_wall_stands_where_and_as_near_as_the_camera_model_says() -> None:
    wall = Building(8, 4, 20, 16, 9, 30, (0, -1))
    place = empty_place(wall)
    camera = camera_at(place, -10, -12, 12, 4)
    ground = np.full((_SIZE, _SIZE, 3), 20, np.uint8)
    nearness = draw_scene(camera, place, ground).nearness
    for a, up in ((9.0, 1.0), (14.0, 4.5), (19.0, 8.0)):
        u, v = pixel_of(camera, place, a, 4.0, up)
        depth = depth_m(camera, place.to_plane(np.array([(a, 4.0, up)])))[0]
        assert nearness[int(v), int(u)] == pytest.approx(1 / depth, rel=0.01)
    u, v = pixel_of(camera, place, 0.0, 2.0)
    assert nearness[int(v), int(u)] == 0


def test_a_lens_that_bends_is_refused() -> None:
    place = empty_place()
    with pytest.raises(ValueError, match="set k1 to 0"):
        draw_scene(
            camera_at(place, 0, 0, 10, 0, k1=-0.1), place, np.zeros((_SIZE, _SIZE, 3), np.uint8)
        )
