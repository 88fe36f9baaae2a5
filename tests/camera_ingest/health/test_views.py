from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from camera_ingest.health.views import Verdict, View, apart, compare, grey_of, is_coloured
from contracts import LonLat, Rgb
from geo import LocalProjection, PinholeCamera
from geo.drift import propose
from tests.camera_ingest.street import HEIGHT, WIDTH, Street
from tests.geo.builders import pose

STREETS = [Street(seed) for seed in range(4)]


def view(picture: Rgb) -> View:
    return View(grey_of(picture))


def test_traffic_night_and_rain_never_say_moved() -> None:
    rng = np.random.default_rng(1)
    known = [view(street.shoot(0)) for street in STREETS]
    verdicts: Counter[Verdict] = Counter()
    for number in range(200):
        picture = STREETS[number % 4].shoot(
            1_000 + number,
            vehicles=int(rng.integers(0, 40)),
            light=float(rng.choice([0.03, 0.1, 0.2, 0.5, 1.0, 1.2])),
            lamps=bool(rng.random() < 0.5),
            rain=int(rng.choice([0, 100, 400])),
            noise=float(rng.uniform(1, 12)),
            colour=bool(rng.random() < 0.7),
        )
        verdicts[compare(known[number % 4], view(picture)).verdict] += 1
    assert verdicts[Verdict.MOVED] == 0
    assert verdicts[Verdict.SAME] > 60 and verdicts[Verdict.UNKNOWN] > 20, verdicts


def test_a_nudge_of_three_degrees_is_found_and_its_pose_proposed() -> None:
    rng = np.random.default_rng(2)
    position = LonLat(106.992, -6.2383)
    camera = PinholeCamera.from_pose(
        pose(position=position, width_px=WIDTH, height_px=HEIGHT), LocalProjection(position)
    )
    found = 0
    for number in range(24):
        street = STREETS[number % 4]
        way = rng.uniform(0, 2 * math.pi)
        turn = (3 * math.cos(way), 3 * math.sin(way), float(rng.uniform(-1, 1)))
        shown = compare(view(street.shoot(0)), view(street.shoot(5_000 + number, turn)))
        if shown.verdict is not Verdict.MOVED:
            continue
        found += 1
        assert shown.shift is not None
        told = propose(camera, shown.shift)
        # Bearing and tilt about the picture's own axes, which a tilted camera's aren't quite.
        forward = _forward(turn)
        seen = told.camera.axes @ camera.axes.T @ forward
        assert math.degrees(math.acos(min(1.0, seen[2]))) < 0.3, (turn, told)
        assert told.zoomed == pytest.approx(1, abs=0.02)
    assert found >= 23


def _forward(turn: tuple[float, float, float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The turned camera's optical axis in the old one's axes."""
    from tests.camera_ingest.street import rotation

    return np.asarray(rotation(*turn)[2])


def test_half_a_degree_of_sway_is_the_same_view() -> None:
    for number, street in enumerate(STREETS):
        swayed = view(street.shoot(70 + number, (0.25, -0.2, 0.1)))
        assert compare(view(street.shoot(0)), swayed).verdict is Verdict.SAME


def test_lettering_that_stays_does_not_hide_a_turn() -> None:
    import cv2

    def lettered(picture: Rgb) -> Rgb:
        for at in ((8, 22), (420, 22), (8, 350)):
            cv2.putText(picture, "22-11-2026 CAM 17", at, 0, 0.6, (255, 255, 255), 2)
        return picture

    street = STREETS[0]
    first, turned = lettered(street.shoot(0)), lettered(street.shoot(1, (3, 0, 0)))
    assert compare(view(first), view(turned)).verdict is Verdict.MOVED


def test_another_street_is_foreign_and_darkness_is_unknown() -> None:
    known = view(STREETS[0].shoot(0))
    assert compare(known, view(STREETS[1].shoot(1))).verdict is Verdict.FOREIGN
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    assert compare(known, view(black)).verdict is Verdict.UNKNOWN
    assert compare(view(black), view(black)).verdict is Verdict.UNKNOWN


def test_pictures_of_another_shape_tell_nothing() -> None:
    square = view(STREETS[0].shoot(0)[:, :HEIGHT])
    assert compare(view(STREETS[0].shoot(0)), square).verdict is Verdict.UNKNOWN


def test_pictures_of_no_camera_s_shape_cost_no_more_than_others() -> None:
    for shape in ((4000, 2), (1, 1), (1, 640), (2, 4000)):
        assert grey_of(np.zeros((*shape, 3), np.uint8)).size < 1_000_000


def test_equal_turns_agree_and_others_do_not() -> None:
    street = STREETS[2]
    known = view(street.shoot(0))
    first, second, other = (
        compare(known, view(street.shoot(seed, turn))).shift
        for seed, turn in ((1, (3, 0, 0)), (2, (3, 0, 0)), (3, (-3, 0, 0)))
    )
    assert first is not None and second is not None and other is not None
    assert apart(first, second) < 0.005 < 0.05 < apart(first, other)


def test_an_infrared_picture_has_no_colour() -> None:
    assert is_coloured(STREETS[0].shoot(0))
    assert not is_coloured(STREETS[0].shoot(0, colour=False))
