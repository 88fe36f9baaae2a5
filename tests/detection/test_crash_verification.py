"""Crashes, as the verification takes what the crash model says of a camera's clips."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import numpy as np

from contracts import CameraId, Detection, Sighting
from detection import Boxes, CameraVerifier
from detection.crash_model import CrashVerdict
from tests.detection.conftest import CLASSES, CURVE, START, WRECK, make_card


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
