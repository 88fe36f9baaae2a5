from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import CameraId, Detection, Sighting, from_json, to_json
from detection import Boxes, CameraVerifier
from detection.outbox import RESEND_S
from detection.rules import CORRELATION, RULES, STILLNESS_LLR, Rule, confirms, joint_llr
from tests.detection.conftest import CLASSES, CURVE, START, WRECK, Feed, Row, make_card

LAMP = ("fire", 0.6, (100.0, 100.0, 160.0, 180.0))


def flames(at_s: float, score: float = 0.6, left: float = 100.0) -> Row:
    """A fire's box, whose top and right edge lick about."""
    lick = float(int(abs(math.sin(round(at_s, 1) * 12.9898)) * 43758.5) % 23)
    return ("fire", score, (left, 100.0 - lick, left + 50.0 + lick, 180.0))


@pytest.mark.parametrize("step_s", [0.1, 0.5, 1.0, 2.0])
def test_a_fire_is_confirmed_at_any_rate_and_never_by_one_picture(
    feed: Feed, step_s: float
) -> None:
    first_at: float | None = None
    for i in range(int(12 / step_s)):
        if feed(i * step_s, flames(i * step_s)) and first_at is None:
            first_at = i * step_s
    assert first_at is not None
    assert 1.0 <= first_at <= max(2.0, 2 * step_s)


def test_the_first_detection_tells_the_whole_story(feed: Feed) -> None:
    sent = [d for second in range(4) for d in feed(second, flames(second))]
    detection = sent[0]
    assert detection.sighting is Sighting.FIRE
    assert detection.camera_id == "cam-1"
    assert detection.started_at == START
    assert detection.captured_at == START + timedelta(seconds=2)
    assert (detection.box.x0, detection.box.y1) == (100.0, 180.0)
    assert (detection.frame_width_px, detection.frame_height_px) == (640, 480)
    assert detection.score == pytest.approx(0.6)
    assert detection.model_version == "detect-test"
    assert from_json(Detection, to_json(detection)) == detection


def test_updates_keep_the_track_and_come_sparingly(feed: Feed) -> None:
    sent = [d for second in range(61) for d in feed(second, flames(second))]
    assert len({d.track_id for d in sent}) == 1
    assert len({d.id for d in sent}) == len(sent)
    assert 60 / RESEND_S <= len(sent) <= 60 / RESEND_S + 3


def test_a_change_of_the_evidence_is_sent_at_once(feed: Feed) -> None:
    for second in range(4):
        feed(second, flames(second, 0.35))
    later = [d for second in range(4, 9) for d in feed(second, flames(second, 0.95))]
    assert later
    assert later[0].captured_at < START + timedelta(seconds=RESEND_S)


def test_a_fire_that_a_bus_hides_has_burnt_all_the_same(feed: Feed) -> None:
    sent = [d for second in range(6) for d in feed(second, flames(second))]
    for second in range(6, 14):
        feed(second)
    again = [d for second in range(14, 30) for d in feed(second, flames(second, 0.3))]
    assert again
    assert {d.track_id for d in again} == {d.track_id for d in sent}
    assert [d.llr for d in sent + again] == sorted(d.llr for d in sent + again)


def test_a_fire_watched_for_long_is_one_piece_of_evidence(feed: Feed) -> None:
    sent = [d for second in range(1200) for d in feed(second, flames(second))]
    best = CURVE.llr(0.6) / CORRELATION
    assert max(d.llr for d in sent) <= best + 1e-6
    assert len({d.track_id for d in sent}) == 1


def test_a_lamp_that_looks_like_fire_is_given_away_by_its_stillness(feed: Feed) -> None:
    weak_lamp = ("fire", 0.4, LAMP[2])
    assert [d for second in range(600) for d in feed(second, weak_lamp)] == []
    again = [d for second in range(1000, 1010) for d in feed(second, flames(second, 0.4))]
    assert again


def test_very_strong_evidence_outlives_stillness(feed: Feed) -> None:
    sure = ("fire", 0.95, LAMP[2])
    assert [d for second in range(6) for d in feed(second, sure)]


def test_ten_pictures_a_second_prove_no_more_than_one(feed: Feed, verifier: CameraVerifier) -> None:
    slow = next(d for second in range(8) for d in feed(second, flames(second)))
    other = CameraVerifier(CameraId("cam-2"), verifier._detector)
    fast: list[Detection] = []
    for i in range(80):
        moment = START + timedelta(seconds=i / 10)
        boxes = Boxes.of([flames(i / 10)[2]], [0.6], [0])
        fast += other.update(moment, moment, boxes, None, (640, 480))
    assert fast[0].llr <= slow.llr + 0.3


def test_a_flicker_alarms_nobody_but_is_a_weak_cue(feed: Feed, verifier: CameraVerifier) -> None:
    assert feed(0, flames(0)) == []
    assert verifier.weak_cue
    assert [d for second in range(1, 10) for d in feed(second)] == []
    assert not verifier.weak_cue
    assert feed(10, flames(10)) == []


def test_a_confirmed_track_is_no_longer_a_weak_cue(feed: Feed, verifier: CameraVerifier) -> None:
    for second in range(6):
        feed(second, flames(second))
    assert not verifier.weak_cue


def test_a_standing_wreck_is_a_crash_and_moving_traffic_is_none(feed: Feed) -> None:
    for second in range(12):
        x = 20.0 + 12 * second
        assert feed(second, ("crash", 0.6, (x, 50.0, x + 30, 70.0))) == []
    sent = [d for second in range(20, 30) for d in feed(second, WRECK)]
    assert {d.sighting for d in sent} == {Sighting.CRASH}


def test_a_car_parked_askew_before_the_camera_came_up_is_no_crash(feed: Feed) -> None:
    askew = ("crash", 0.4, WRECK[2])
    assert [d for second in range(300) for d in feed(second, askew)] == []
    elsewhere = ("crash", 0.4, (400.0, 100.0, 460.0, 150.0))
    assert [d for second in range(300, 310) for d in feed(second, askew, elsewhere)]


def test_a_flood_takes_several_looks_over_several_seconds(feed: Feed) -> None:
    assert [d for t in range(-60, 0, 5) for d in feed(t, flood=0.05)] == []
    sent = [d for t in range(0, 60, 5) for d in feed(t, flood=0.9)]
    assert sent[0].captured_at == START + timedelta(seconds=10)
    assert sent[0].sighting is Sighting.FLOOD
    assert sent[0].box.y1 == 480 and sent[0].box.x1 == 640
    assert sent[0].model_version == "classify-test"


def test_a_street_that_always_shines_is_no_flood(feed: Feed) -> None:
    assert [d for t in range(0, 600, 5) for d in feed(t, flood=0.6)] == []


def test_spray_from_one_car_is_no_flood(feed: Feed) -> None:
    wet = [0.9, 0.05, 0.05, 0.9, 0.05, 0.05, 0.9, 0.05]
    assert [d for i, p in enumerate(wet) for d in feed(5.0 * i, flood=p)] == []


def test_pictures_from_before_are_ignored(feed: Feed) -> None:
    for second in (10, 11):
        feed(second, flames(second))
    assert feed(3, flames(3)) == []
    sent = feed(12, flames(12))
    assert sent[0].started_at == START + timedelta(seconds=10)


def test_two_fires_are_two_tracks(feed: Feed) -> None:
    sent = [
        d for second in range(5) for d in feed(second, flames(second), flames(second, 0.7, 400.0))
    ]
    assert len({d.track_id for d in sent}) == 2


scores = st.lists(st.one_of(st.none(), st.floats(0.05, 1.0)), min_size=1, max_size=40)


@given(scores, st.sampled_from([0.1, 0.5, 1.0, 2.0]))
@settings(max_examples=60, deadline=None)
def test_whatever_is_seen_the_evidence_stays_bounded(
    seen: list[float | None], step_s: float
) -> None:
    card = make_card("detect", CLASSES, (Sighting.FIRE, Sighting.SMOKE, Sighting.CRASH))
    camera = CameraVerifier(CameraId("c"), card)
    for i, score in enumerate(seen):
        moment = START + timedelta(seconds=i * step_s)
        boxes = Boxes.none() if score is None else Boxes.of([LAMP[2]], [score], [0])
        for detection in camera.update(moment, moment, boxes, None, (640, 480)):
            assert abs(detection.llr) <= max(map(abs, CURVE.llrs)) / CORRELATION + STILLNESS_LLR


def test_a_long_quiet_start_does_not_delay_the_alarm() -> None:
    from tests.detection.test_tracks import look

    rule = Rule(3, 4, 1.5, 60.0, 1.0, 2.0)
    doubt = [look(-1.0, second) for second in range(30)]
    sure = [look(3.0, 30 + second) for second in range(3)]
    assert confirms(rule, [*doubt, *sure], 2.0)
    assert joint_llr(rule, [*doubt, *sure]) == pytest.approx(joint_llr(rule, sure))
    assert joint_llr(rule, [*sure, *doubt]) < 0


def test_a_rule_wants_enough_looks_long_enough() -> None:
    from tests.detection.test_tracks import look

    rule = Rule(3, 4, 1.5, 12.0, 1.0, 2.0)
    assert not confirms(rule, [look(3.0, 0), look(3.0, 1)], 2.0)
    assert not confirms(rule, [look(3.0, 0), look(3.0, 0.5), look(3.0, 1)], 2.0)
    assert confirms(rule, [look(3.0, 0), look(3.0, 1), look(3.0, 2)], 2.0)
    assert not confirms(rule, [look(1.1, 0), look(1.1, 1), look(1.1, 2), look(-3.0, 3)], 2.0)


def test_a_fire_found_in_changing_pieces_is_one_fire(feed: Feed) -> None:
    left, right = (100.0, 100.0, 150.0, 180.0), (152.0, 110.0, 190.0, 182.0)
    sent: list[Detection] = []
    for second in range(12):
        pieces: list[Row] = [("fire", 0.5, left), ("fire", 0.5, right)]
        sent += feed(second, flames(second) if second % 3 == 2 else pieces[second % 2])
    assert sent and len({d.track_id for d in sent}) == 1
    assert sent[0].captured_at <= START + timedelta(seconds=3)


def test_what_changes_neither_outline_nor_content_is_a_lamp_and_what_flashes_is_none_either() -> (
    None
):
    from detection.rules import RULES, behaviour_llr
    from detection.tracks import Look

    def looks(wobble_px: float, flicker: float) -> list[Look]:
        boxes = [
            np.array([100 - wobble_px * (i % 2), 100, 160 + wobble_px * (i % 3), 180], np.float32)
            for i in range(6)
        ]
        return [Look(float(i), [2.0], box, [flicker]) for i, box in enumerate(boxes)]

    rule = RULES[Sighting.FIRE]
    worth = {
        name: behaviour_llr(rule, looks(wobble, flicker), [])
        for name, wobble, flicker in (
            ("flames", 16.0, 20.0),
            ("lamp", 0.0, 0.0),
            ("flashing", 0.0, 30.0),
            ("sign", 16.0, 0.0),
        )
    }
    assert worth["flames"] > 0.0
    assert worth["lamp"] == worth["flashing"] == worth["sign"] == -STILLNESS_LLR


def test_a_fire_that_grows_is_worth_more_and_a_light_that_travels_less(feed: Feed) -> None:
    from detection.rules import RULES, joint_llr
    from detection.tracks import Look

    def looks(step_px: float, grow_px: float) -> list[Look]:
        return [
            Look(
                float(i),
                [2.0],
                np.array(
                    [
                        100 + step_px * i - (grow_px * i + 3 * (i % 2)),
                        100 - grow_px * i,
                        140 + step_px * i + 2 * (i % 3),
                        150,
                    ],
                    np.float32,
                ),
            )
            for i in range(8)
        ]

    rule = RULES[Sighting.FIRE]
    standing = joint_llr(rule, looks(0.0, 0.0))
    assert joint_llr(rule, looks(0.0, 8.0)) > standing + 0.3
    assert joint_llr(rule, looks(40.0, 0.0)) < standing - 1.0


def test_a_call_lowers_the_bar_and_not_the_truth(verifier: CameraVerifier, feed: Feed) -> None:
    def faint(second: int) -> Row:
        # Restless, and no larger later on.
        return ("fire", 0.25, (100.0, 100.0 - 20.0 * (second % 2), 160.0, 180.0))

    assert [d for second in range(20) for d in feed(second, faint(second))] == []
    verifier.cued_until_s = (START + timedelta(seconds=60)).timestamp()
    sent = [d for second in range(20, 40) for d in feed(second, faint(second))]
    assert sent
    assert sent[0].llr < RULES[Sighting.FIRE].confirm_llr
    assert [d for second in range(120, 140) for d in feed(second, faint(second))] == []


def test_a_rewound_verification_catches_up_and_takes_over(
    verifier: CameraVerifier, feed: Feed
) -> None:
    feed(8, flames(8))
    assert verifier.weak_cue and not verifier.has_confirmed
    past = verifier.rewound()
    sent: list[Detection] = []
    for tenth in range(0, 80, 2):
        moment = START + timedelta(seconds=tenth / 10)
        boxes = Boxes.of([flames(tenth / 10)[2]], [0.6], [0])
        sent += past.update(moment, moment, boxes, None, (640, 480))
    past.succeed(verifier)
    assert sent and past.has_confirmed and not verifier.has_confirmed
    assert sent[0].started_at == START
    later = START + timedelta(seconds=20)
    again = past.update(later, later, Boxes.of([flames(20)[2]], [0.6], [0]), None, (640, 480))
    assert {d.track_id for d in again} <= {sent[0].track_id}
