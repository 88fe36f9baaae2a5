"""A flood is what rises beyond the camera's own road; what always shines is none."""

from __future__ import annotations

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
from detection.road_reference import FOLLOWS_S, RoadReference
from detection.rules import RULES
from tests.detection.conftest import CLASSES, CURVE, START, make_card

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


def test_a_call_is_enough_where_the_road_looks_flooded_at_the_first_look() -> None:
    """Nobody knows how it looked before; a weak reference and a caller's word decide."""
    clutter = ClutterMap()
    clutter.road.note(CURVE.llr(0.5), START.timestamp() - 60)
    camera = watched(clutter)
    assert looked(camera, [0.75] * 6, 0.0) == []
    camera.cued_until_s = START.timestamp() + 600
    assert looked(camera, [0.75] * 6, 60.0)


def test_a_flood_is_as_the_present_saw_it_after_looking_back() -> None:
    camera = watched()
    assert looked(camera, [0.05] * 4 + [0.95] * 2, 0.0) == []
    past = camera.rewound()
    past.succeed(camera)
    assert looked(past, [0.95], 30.0)


def test_the_drawn_road_is_the_place_of_the_flood() -> None:
    watch = FloodWatch(CameraId("cam-1"), False, RULES[Sighting.FLOOD])
    watch.region = RoadRegion(x0=0.25, y0=0.5, x1=0.75, y1=1.0)
    road = RoadReference()
    road.note(-1.0, START.timestamp() - 5)
    track = watch.look(0.9, CARD, road, Moment(START, START, (640, 480)))
    assert track is not None and track.xyxy.tolist() == [160.0, 240.0, 480.0, 480.0]


@given(st.lists(st.floats(-6, 6), min_size=1, max_size=50), st.floats(1.0, 1e5))
def test_the_reference_stays_within_what_was_seen_and_never_speaks_for_a_flood(
    llrs: list[float], step_s: float
) -> None:
    road = RoadReference()
    for i, llr in enumerate(llrs):
        road.note(llr, i * step_s)
    assert 0.0 <= road.discount_llr <= max(0.0, *llrs) + 1e-9
    again = RoadReference.from_plain(road.to_plain())
    assert again.discount_llr == pytest.approx(road.discount_llr, abs=1e-4)


def test_after_a_long_gap_the_first_look_counts_as_for_a_new_camera() -> None:
    road = RoadReference()
    road.note(-2.0, 0.0)
    road.note(3.0, 10 * FOLLOWS_S)
    assert road.discount_llr == pytest.approx(3.0, abs=0.01)
    road.note(-5.0, 5.0)
    assert road.discount_llr == pytest.approx(3.0, abs=0.01), "a look from before is ignored"
    assert RoadReference.from_plain({}).discount_llr == 0.0
    with pytest.raises(ValueError, match="finite"):
        RoadReference.from_plain({"llr": "nan", "at_s": 0})
