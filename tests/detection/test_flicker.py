"""Flames are never as they were; what blinks is so one turn before, and what stands always."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from contracts import CameraId, Detection, Sighting
from detection import Boxes, CameraVerifier
from detection.appearance import lasting_flicker
from tests.detection.conftest import CLASSES, START, make_card

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]
Scene = Callable[[float, Picture], bool]
"""Draws what is there at a time into a picture; whether the detector finds it."""
PLACE = (280, 220, 340, 300)
"""In a picture of 640 x 480; it is drawn at a quarter of that, as verification sees it."""
NOISE = np.random.default_rng(0).integers(40, 46, (240, 160, 3), dtype=np.uint8)


def street(at_s: float) -> Picture:
    shift = int(at_s * 1000) * 7 % 120
    return NOISE[shift : shift + 120].copy()


def disc(picture: Picture, x: float, y: float, radius: float, colour: Colour) -> None:
    cv2.circle(picture, (round(x / 4), round(y / 4)), max(1, round(radius / 4)), colour, -1)


def flames(at_s: float, picture: Picture) -> bool:
    rng = np.random.default_rng(int(at_s * 1000) + 1)
    for _ in range(12):
        x, y, green = rng.integers(285, 335), rng.integers(225, 295), int(rng.integers(60, 220))
        disc(picture, float(x), float(y), float(rng.uniform(4, 16)), (255, green, 20))
    return True


def blinking(period_s: float) -> Scene:
    """An amber lamp at roadworks."""

    def lamp(at_s: float, picture: Picture) -> bool:
        lit = (at_s / period_s) % 1.0 < 0.5
        disc(picture, 310, 260, 26, (255, 170, 30) if lit else (70, 50, 30))
        return lit

    return lamp


def rotating(at_s: float, picture: Picture) -> bool:
    """A beacon, two turns a second: dark, half lit, lit, half lit."""
    shade = 0.35 + 0.65 * abs(np.sin(2 * np.pi * at_s))
    disc(picture, 310, 260, 26, (int(255 * shade), int(120 * shade), 20))
    return True


def sunset(at_s: float, picture: Picture) -> bool:
    """Half the sky, sinking by a pixel in ten seconds, seldom quite the same brightness."""
    glow = int(200 + 10 * np.sin(at_s / 20))
    disc(picture, 310, 260 + at_s / 10, 45, (255, glow - 60, 40))
    return True


def watch(scene: Scene, step_s: float, score: float = 0.45, lasts_s: float = 60.0) -> bool:
    """Whether a camera that finds what the scene shows, in boxes that lick about, tells of it."""
    detector = make_card("detect", CLASSES, (Sighting.FIRE, Sighting.SMOKE, Sighting.CRASH))
    camera = CameraVerifier(CameraId("cam-1"), detector)
    rng = np.random.default_rng(3)
    sent: list[Detection] = []
    for i in range(int(lasts_s / step_s)):
        at_s = i * step_s
        picture = street(at_s)
        boxes = Boxes.none()
        if scene(at_s, picture):
            lick = rng.uniform(-9, 9, 4).astype(np.float32)
            boxes = Boxes.of(np.array([PLACE], np.float32) + lick, [score], [0])
        moment = START + timedelta(seconds=at_s)
        sent += camera.update(moment, moment, boxes, None, (640, 480), picture)
    return bool(sent)


@pytest.mark.parametrize("step_s", [0.2, 1.0])
def test_flames_are_told_of(step_s: float) -> None:
    assert watch(flames, step_s, lasts_s=12.0)


@pytest.mark.parametrize("step_s", [0.2, 1.0])
@pytest.mark.parametrize("period_s", [0.7, 1.0, 1.6])
def test_a_lamp_that_blinks_for_a_minute_is_no_fire(step_s: float, period_s: float) -> None:
    assert not watch(blinking(period_s), step_s)


@pytest.mark.parametrize("scene", [rotating, sunset])
def test_a_beacon_and_a_sunset_are_no_fires(scene: Scene) -> None:
    assert not watch(scene, 0.2)
    assert not watch(scene, 1.0)


def test_what_was_so_in_any_earlier_picture_does_not_flicker() -> None:
    lit, dark = street(0.0), street(0.0)
    blinking(1.0)(0.0, lit)
    blinking(1.0)(0.5, dark)
    box = (280 / 640, 220 / 480, 340 / 640, 300 / 480)
    assert lasting_flicker([dark], lit, box) > 20.0
    assert lasting_flicker([dark, lit, dark], lit, box) == 0.0
    assert lasting_flicker([], lit, box) == 0.0
