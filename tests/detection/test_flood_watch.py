"""A flood is what rises beyond the camera's own road; what always shines is none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import CameraId, Detection, Sighting
from contracts.cameras import RoadRegion
from detection import Boxes, CameraVerifier
from detection.clutter import ClutterMap
from detection.flood_watch import FloodWatch
from detection.outbox import Moment
from detection.road_reference import SEEN_LOOKS, START_LLR, RoadReference
from detection.rules import RULES
from tests.detection.conftest import CLASSES, START, make_card

CARD = make_card("classify", ("dry", "flood"), (Sighting.FLOOD,))


def watched(clutter: ClutterMap | None = None) -> CameraVerifier:
    detector = make_card("detect", CLASSES, (Sighting.FIRE, Sighting.SMOKE, Sighting.CRASH))
    return CameraVerifier(CameraId("cam-1"), detector, CARD, clutter=clutter)


def looked(camera: CameraVerifier, probabilities: list[float], from_s: float) -> list[Detection]:
    """The camera looks at its road every five seconds."""
    sent = []
    for i, probability in enumerate(probabilities):
        moment = START + timedelta(seconds=from_s + 5 * i)
        sent += camera.update(moment, moment, Boxes.none(), probability, (640, 480))
    return sent


@given(st.lists(st.floats(0.8, 0.98), min_size=3, max_size=120))
@settings(max_examples=40, deadline=None)
def test_what_looks_flooded_from_the_first_look_on_and_never_rises_is_no_flood(
    probabilities: list[float],
) -> None:
    first = max(probabilities)
    assert looked(watched(), [first, *probabilities], 0.0) == []


def test_a_dry_first_look_does_not_make_a_flood_of_what_always_shines() -> None:
    """A lorry hid the road at the first look: then it is as it is all day."""
    clutter = ClutterMap()
    assert looked(watched(clutter), [0.9] * 720, 0.0) == []
    assert looked(watched(clutter), [0.05, *[0.9] * 60], 3610.0) == []


@pytest.mark.parametrize("minutes", [1, 5, 15, 30])
def test_water_that_rises_is_told_of_however_slowly(minutes: int) -> None:
    looks = minutes * 12
    rising = np.interp(np.arange(looks + 24), [0, looks], [0.1, 0.95]).tolist()
    camera = watched()
    assert looked(camera, [0.1] * 12, 0.0) == []
    sent = looked(camera, rising, 60.0)
    assert sent and {d.sighting for d in sent} == {Sighting.FLOOD}
    assert len({d.track_id for d in sent}) == 1


def test_a_flood_that_is_there_when_the_worker_comes_back_is_told_of_again() -> None:
    clutter = ClutterMap()
    looked(watched(clutter), [0.1] * 24, 0.0)
    kept = ClutterMap(road=RoadReference.from_plain(clutter.road.to_plain()))
    assert looked(watched(kept), [0.95] * 4, 135.0)


def test_a_call_is_enough_where_nobody_knows_how_the_road_looks_when_dry() -> None:
    camera = watched()
    camera.cued_until_s = START.timestamp() + 600
    sent = looked(camera, [0.75] * 36, 0.0)
    assert sent and max(d.llr for d in sent) < RULES[Sighting.FLOOD].confirm_llr
    assert looked(watched(), [0.75] * 36, 0.0) == []


def test_a_call_makes_no_flood_of_a_road_that_has_looked_so_for_an_hour() -> None:
    clutter = ClutterMap()
    looked(watched(clutter), [0.75] * (SEEN_LOOKS + 100), 0.0)
    camera = watched(clutter)
    camera.cued_until_s = START.timestamp() + 1e6
    assert looked(camera, [0.75] * 36, 5.0 * (SEEN_LOOKS + 100)) == []


def test_a_flood_is_as_the_present_saw_it_after_looking_back() -> None:
    camera = watched()
    assert looked(camera, [0.05] * 12 + [0.95] * 2, 0.0) == []
    past = camera.rewound()
    past.succeed(camera)
    assert looked(past, [0.95], 70.0)


def test_the_drawn_road_is_the_place_of_the_flood() -> None:
    watch = FloodWatch(CameraId("cam-1"), False, RULES[Sighting.FLOOD])
    watch.region = RoadRegion(x0=0.25, y0=0.5, x1=0.75, y1=1.0)
    track = watch.look(0.9, CARD, RoadReference(), Moment(START, START, (640, 480)))
    assert track is not None and track.xyxy.tolist() == [160.0, 240.0, 480.0, 480.0]


NOON_S = START.timestamp() + 12 * 3600.0


def shown(road: RoadReference, llrs: Sequence[float], from_s: float) -> list[float]:
    """What looks at a road are worth, five seconds apart."""
    return [road.worth(llr, from_s + 5.0 * i) for i, llr in enumerate(llrs)]


def noisy(seed: int, looks: int, middle: float, spread: float) -> list[float]:
    """Looks at a dry road that changes with the vehicles on it, half a minute each time."""
    blocks = np.random.default_rng(seed).normal(middle, spread, looks // 6 + 1)
    return np.repeat(blocks, 6)[:looks].tolist()


@given(st.lists(st.floats(-6, 6), min_size=1, max_size=80), st.floats(0.1, 1e5))
def test_no_look_is_worth_more_than_the_classifier_states(llrs: list[float], step_s: float) -> None:
    road = RoadReference()
    for i, llr in enumerate(llrs):
        assert road.worth(llr, i * step_s) <= llr


@pytest.mark.parametrize("seed", range(5))
def test_a_dry_road_that_shines_now_and_then_is_told_of_neither_at_first_nor_later(
    seed: int,
) -> None:
    """As rendered streets are scored at night: a low first look is no reason to believe others."""
    rng = np.random.default_rng(seed)
    scores = np.clip(0.3 + 0.12 * np.array(noisy(seed, 400, 0, 1)), 0.05, 0.95)
    scores += rng.normal(0.0, 0.03, len(scores))
    assert looked(watched(), [0.05, *scores.tolist()], 0.0) == []


def test_the_smaller_the_spread_of_a_road_the_sooner_water_counts() -> None:
    counting = []
    for spread in (0.1, 0.7):
        road = RoadReference()
        shown(road, noisy(1, 240, -0.5, spread), 0.0)
        worth = shown(road, [2.5] * 24, 1200.0)
        counting.append(next(i for i, llr in enumerate(worth) if llr > 2.0))
    assert counting[0] == 0 and counting[1] >= 1


def test_a_road_that_wanders_slowly_is_no_flood_at_its_height() -> None:
    """Clouds and queues: within two minutes hardly anything changes, within ten a lot."""
    waves = np.sin(np.arange(1440) * 5.0 * 2 * np.pi / 600.0)
    worth = shown(RoadReference(), (1.3 + 1.2 * waves).tolist(), 0.0)
    assert max(worth[240:]) <= START_LLR


def test_a_camera_that_comes_back_in_a_flood_knows_its_road_from_other_days() -> None:
    road = RoadReference()
    shown(road, [-1.0] * 800, NOON_S)
    again = RoadReference.from_plain(json.loads(json.dumps(road.to_plain())))
    worth = shown(again, [3.0] * 4, NOON_S + 24 * 3600.0)
    assert min(worth) == 3.0
    at_an_unknown_hour = RoadReference.from_plain(road.to_plain())
    assert max(shown(at_an_unknown_hour, [3.0] * 4, NOON_S + 18 * 3600.0)) == START_LLR


def test_what_an_hour_always_looks_like_is_no_flood_when_it_comes() -> None:
    """The lamps go on at dusk, every day."""
    road = RoadReference()
    for day in range(3):
        dusk_s = NOON_S + 24 * 3600.0 * day
        before = shown(road, [-1.0] * 360, dusk_s - 1800.0)
        after = shown(road, [2.5] * 360, dusk_s)
        assert max(before) < 0.0
        assert (max(after) > 2.0) == (day == 0)


@pytest.mark.parametrize("back_s", [60.0, 1800.0, 86_400.0])
def test_water_is_seen_after_the_clock_was_set_back(back_s: float) -> None:
    road = RoadReference()
    shown(road, noisy(1, 240, -1.5, 0.3), 200_000.0)
    since_s = 200_000.0 + 240 * 5.0 - back_s
    shown(road, noisy(2, 120, -1.5, 0.3), since_s)
    assert max(shown(road, [3.0] * 24, since_s + 600.0)) > START_LLR


def test_looks_from_before_are_not_learnt_and_damaged_memories_are_refused() -> None:
    road = RoadReference()
    shown(road, [-1.0] * 60, 0.0)
    plain = road.to_plain()
    assert road.worth(5.0, 285.0) <= 0.0
    assert road.to_plain() == plain
    assert RoadReference.from_plain({}).to_plain() == {}
    assert RoadReference.from_plain({"llr": 1.0, "at_s": 5.0}).to_plain() == {}, (
        "of a version before"
    )
    for broken in ({"at_s": "nan"}, {"usual": [1, 2, float("inf"), 4]}, {"hours": {"3": [1, 2]}}):
        with pytest.raises((ValueError, TypeError)):
            RoadReference.from_plain(plain | broken)
