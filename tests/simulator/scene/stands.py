"""Cameras and places that the scene's tests look at."""

from __future__ import annotations

import math

import numpy as np

from contracts import CameraPose, LonLat
from geo.camera import PinholeCamera
from geo.projection import LocalProjection
from simulator.scene.place import Building, Place

PROJECTION = LocalProjection(LonLat(106.992, -6.2383))


def empty_place(*buildings: Building, x: float = 120.0, y: float = -300.0) -> Place:
    return Place("Uji", x, y, math.radians(40), 5, tuple(buildings))


def camera_at(
    place: Place,
    a: float,
    b: float,
    to_a: float,
    to_b: float,
    *,
    height_m: float = 8.0,
    tilt_deg: float = -14.0,
    roll_deg: float = 0.0,
    hfov_deg: float = 66.0,
    width_px: int = 640,
    k1: float = 0.0,
) -> PinholeCamera:
    ends = place.to_plane(np.array([(a, b), (to_a, to_b)]))
    east, north = ends[1] - ends[0]
    turn = math.atan2(east, north) - PROJECTION.convergence_rad(*(float(v) for v in ends[0]))
    pose = CameraPose(
        position=PROJECTION.place(*(float(v) for v in ends[0])),
        height_m=height_m,
        bearing_deg=math.degrees(turn),
        tilt_deg=tilt_deg,
        roll_deg=roll_deg,
        hfov_deg=hfov_deg,
        width_px=width_px,
        height_px=width_px * 9 // 16,
        k1=k1,
    )
    return PinholeCamera.from_pose(pose, PROJECTION)


def pixel_of(
    camera: PinholeCamera, place: Place, a: float, b: float, up: float = 0.0
) -> tuple[float, float]:
    pixels, _ = camera.project(place.to_plane(np.array([(a, b, up)])))
    return float(pixels[0, 0]), float(pixels[0, 1])
