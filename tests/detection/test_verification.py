from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import CameraId, Detection, Sighting, from_json, to_json
from detection import Boxes, CameraVerifier
from detection.crash_model import CrashVerdict
from detection.outbox import RESEND_S
from detection.rules import CORRELATION, RULES, STILLNESS_LLR, Rule, confirms, joint_llr
from tests.detection.conftest import CLASSES, CURVE, START, Feed, Row, make_card

LAMP = ("fire", 0.6, (100.0, 100.0, 160.0, 180.0))


def flames(at_s: float, score: float = 0.6, left: float = 100.0) -> Row:
    """A fire's box, whose top and right edge lick about."""
    lick = float(int(abs(math.sin(round(at_s, 1) * 12.9898)) * 43758.5) % 23)
    return ("fire", score, (left, 100.0 - lick, left + 50.0 + lick, 180.0))


WRECK = ("crash", 0.6, (200.0, 200.0, 280.0, 260.0))


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


def clip(
    score: float, at_s: float, box: tuple[float, float, float, float] = (0.3, 0.4, 0.5, 0.6)
) -> CrashVerdict:
    times = np.array([at_s])
    worth = CURVE.llr(score)
    return CrashVerdict(worth, score, at_s, box, times, np.array([score], np.float32))


def watched_for_crashes() -> tuple[
    CameraVerifier, Callable[[float, CrashVerdict], list[Detection]]
]:
    card = make_card("detect", CLASSES, (Sighting.FIRE, Sighting.SMOKE, Sighting.CRASH))
    crash = make_card("crash", ("crash",), (Sighting.CRASH,))
    one = CameraVerifier(CameraId("cam-1"), card, crash=crash)

    def judged(second: float, verdict: CrashVerdict) -> list[Detection]:
        moment = START + timedelta(seconds=second)
        return one.judge_clip(verdict, moment, moment, (640, 480))

    return one, judged


def test_a_crash_is_one_alarm_however_often_its_clip_is_judged() -> None:
    _, judged = watched_for_crashes()
    crashed_s = START.timestamp() + 3
    assert judged(2, clip(0.1, crashed_s - 1)) == []
    sent = [d for second in range(4, 11) for d in judged(second, clip(0.6, crashed_s))]
    assert [(d.sighting, d.box.x0, d.model_version) for d in sent] == [
        (Sighting.CRASH, 192.0, "crash-test")
    ]
    assert sent[0].started_at == START + timedelta(seconds=3)
    assert judged(60, clip(0.6, START.timestamp() + 58)) == [], "people about the wreck"
    surer = judged(62, clip(0.95, START.timestamp() + 61))
    assert {d.track_id for d in surer} == {sent[0].track_id}
    much_later = judged(600, clip(0.95, START.timestamp() + 598))
    assert much_later and much_later[0].track_id != sent[0].track_id


def test_a_crash_elsewhere_in_the_picture_is_another_one() -> None:
    _, judged = watched_for_crashes()
    first = judged(4, clip(0.6, START.timestamp() + 3))
    beside = judged(8, clip(0.95, START.timestamp() + 7, box=(0.8, 0.4, 1.0, 0.6)))
    assert {d.track_id for d in beside} == {first[0].track_id}, "what slides on is the same crash"
    second = judged(60, clip(0.95, START.timestamp() + 59, box=(0.0, 0.0, 0.2, 0.2)))
    assert second and second[0].track_id != first[0].track_id


def test_a_camera_whose_traffic_passes_for_crashes_must_be_surer() -> None:
    _, judged = watched_for_crashes()
    begun_s = START.timestamp()
    rng = np.random.default_rng(4)

    def at(second: int, score: float) -> list[Detection]:
        left, top = rng.uniform(0.0, 0.8, 2)
        box = (float(left), float(top), float(left) + 0.15, float(top) + 0.15)
        return judged(second, clip(score, begun_s + second - 1, box=box))

    restless = [d for i in range(12) for d in at(16 * i, 0.35)]
    assert len({d.track_id for d in restless}) <= 2
    assert [d for d in at(16 * 12, 0.6) if d.llr > 2.0], "a crash is surer than its traffic"


def test_a_crash_that_grows_surer_does_not_talk_itself_down() -> None:
    _, judged = watched_for_crashes()
    begun_s = START.timestamp()
    assert judged(4, clip(0.5, begun_s + 3))
    elsewhere = (0.7, 0.0, 0.9, 0.2)
    assert judged(60, clip(0.35, begun_s + 59, box=elsewhere)) == []
    assert judged(61, clip(0.42, begun_s + 60, box=elsewhere)), "the bar is that of its beginning"


def test_with_a_crash_model_a_single_picture_s_crash_is_a_reason_to_look_and_no_alarm() -> None:
    one, _ = watched_for_crashes()
    sent: list[Detection] = []
    weak = False
    for second in range(20):
        moment = START + timedelta(seconds=second)
        rows = Boxes.none() if second < 5 else Boxes.of([WRECK[2]], [0.6], [2])
        sent += one.update(moment, moment, rows, None, (640, 480))
        weak |= one.weak_cue
    assert sent == [] and weak


def test_a_call_lowers_the_crash_model_s_bar_too() -> None:
    one, judged = watched_for_crashes()
    assert judged(5, clip(0.25, START.timestamp() + 4)) == []
    one.cued_until_s = START.timestamp() + 60
    assert judged(6, clip(0.25, START.timestamp() + 4))
    assert judged(7, clip(0.06, START.timestamp() + 30)) == []
    one.cued_until_s = START.timestamp() + 600
    assert judged(400, clip(0.17, START.timestamp() + 399)) == [], "what speaks against it"


def test_what_flames_move_is_no_crash() -> None:
    one, judged = watched_for_crashes()
    for second in range(3):
        moment = START + timedelta(seconds=second)
        boxes = Boxes.of([[200.0, 200.0, 300.0, 280.0]], [0.5], [0])
        one.update(moment, moment, boxes, None, (640, 480))
    assert judged(3, clip(0.6, START.timestamp() + 2)) == []
    other, judged_elsewhere = watched_for_crashes()
    moment = START + timedelta(seconds=2)
    other.update(moment, moment, Boxes.of([[500.0, 10, 560, 60]], [0.5], [0]), None, (640, 480))
    assert judged_elsewhere(3, clip(0.6, START.timestamp() + 2))


def test_turns_that_pass_for_crashes_are_learnt_and_a_crash_there_is_still_told() -> None:
    _, judged = watched_for_crashes()
    begun_s = START.timestamp()

    def sent_at(second: int, score: float) -> list[Detection]:
        return judged(second, clip(score, begun_s + second - 1))

    turns = [d for i in range(60) for d in sent_at(20 * i, 0.32)]
    assert 1 <= len({d.track_id for d in turns}) <= 2
    crash = sent_at(20 * 60, 0.6)
    assert crash and crash[0].llr < CURVE.llr(0.6)
    later = [d for second in range(1201, 1206) for d in sent_at(second, 0.95)]
    assert {d.track_id for d in later} == {crash[0].track_id}, "it does not talk itself down"


def test_what_people_confirm_is_no_habit_of_the_junction_s() -> None:
    from detection.clutter import ClutterMap, Learnt

    clutter = ClutterMap()
    place = (0.3, 0.4, 0.5, 0.6)
    clutter.crashes.note(Sighting.CRASH, place, 0.0, 3000.0)
    assert clutter.crashes.discount(Sighting.CRASH, place, 0.0) > 1.0
    clutter.know(Learnt(real=((Sighting.CRASH, place),)))
    assert clutter.crashes.discount(Sighting.CRASH, place, 0.0) == 0.0
