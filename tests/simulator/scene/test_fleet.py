"""Vehicles are painted, and told as truth, where the camera model puts them: to half a pixel."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulator.scene import vehicles
from simulator.scene.conditions import BRIGHT_DAY
from simulator.scene.fleet import Fleet
from simulator.scene.lanes import Kind
from simulator.scene.masks import covered
from simulator.scene.paintwork import Paintwork
from simulator.scene.traffic import Vehicle
from tests.simulator.scene.stands import camera_at, empty_place


def middle_of(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """In pixels of the camera, which count from the picture's corner."""
    rows, columns = np.nonzero(mask)
    return np.array((columns.mean() + 0.5, rows.mean() + 0.5))


def grown(mask: NDArray[np.bool_], by_px: int) -> NDArray[np.bool_]:
    """With a rim so many pixels wide; without, where it is negative."""
    change = cv2.dilate if by_px > 0 else cv2.erode
    return change(mask.astype(np.uint8), np.ones((3, 3)), iterations=abs(by_px)) > 0


def is_turned_here(outline: NDArray[np.float64]) -> bool:
    """Faces run clockwise as seen from outside, and rows count downwards."""
    (ax, ay), (bx, by) = outline[1] - outline[0], outline[2] - outline[0]
    return bool(ax * by - ay * bx > 0)


@settings(max_examples=30, deadline=None)
@given(
    kind=st.sampled_from(list(Kind)),
    share=st.floats(0, 1),
    b=st.floats(-4, 4),
    turn_rad=st.floats(-math.pi, math.pi),
    tilt_deg=st.floats(-28, -16),
    roll_deg=st.floats(-6, 6),
)
def test_a_vehicle_is_painted_and_told_where_its_corners_are_seen(
    kind: Kind, share: float, b: float, turn_rad: float, tilt_deg: float, roll_deg: float
) -> None:
    # Near enough to be drawn in full.
    a = -8 + share * (5 if kind is Kind.MOTORCYCLE else 12)
    place = empty_place()
    camera = camera_at(place, -16, -3, 0, 0, tilt_deg=tilt_deg, roll_deg=roll_deg, width_px=1280)
    vehicle = Vehicle(kind, 0, a, b, turn_rad, is_braking=True, event_id="c")
    faces = vehicles.shape(kind, 0, is_braking=True)
    corners = np.vstack([face.corners for face in faces])
    cos, sin = math.cos(turn_rad), math.sin(turn_rad)
    local = corners.copy()
    local[:, 0] = a + corners[:, 0] * cos - corners[:, 1] * sin
    local[:, 1] = b + corners[:, 0] * sin + corners[:, 1] * cos
    pixels, visible = camera.project(place.to_plane(local))
    if not visible.all():
        return
    ends = np.cumsum([len(face.corners) for face in faces])[:-1]
    shape = (camera.height_px, camera.width_px)
    outlines = [outline for outline in np.split(pixels, ends) if is_turned_here(outline)]
    cover = covered(outlines, shape, fine=8)
    expected, touched = cover > 127, cover > 0

    (seen,) = Fleet(camera, place, BRIGHT_DAY).see(
        [vehicle], lambda at: np.ones((len(at), 3), "f4")
    )
    paintwork = Paintwork(np.zeros(shape, np.float32))
    labels = np.zeros(shape, np.uint8)
    paintwork.label(labels, seen, 1)
    moving, standing = np.zeros((2, *shape, 3), np.uint8)
    paintwork.draw(moving, seen)
    # Seen again it is laid on as it was kept.
    paintwork.draw(standing, seen)
    assert np.abs(moving.astype(int) - standing).max() <= 2
    told, painted = labels == 1, moving.max(axis=2) > 12
    assert middle_of(told) == pytest.approx(middle_of(expected), abs=0.5)
    # Neither goes beyond the pixels beside those that are touched, or leaves any out well within.
    assert not (painted & ~grown(touched, 1)).any()
    assert not (grown(expected, -1) & ~painted).any()
    assert not (told & ~grown(touched, 1)).any()
    assert not (grown(expected, -1) & ~told).any()
