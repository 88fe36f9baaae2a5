"""A camera's clutter: what was rejected there is known again, and a fire in front of it is not."""

from __future__ import annotations

import functools
import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from camera_ingest import read_file
from contracts import Box, CameraId, Detection, IncidentId, Sighting
from contracts.verdicts import Truth, Verdict
from detection import Boxes, CameraVerifier
from detection.appearance import Shares
from detection.clutter import (
    HABIT_HALF_LIFE_S,
    MOST_HABIT_LLR,
    REJECTED_LLR,
    ClutterMap,
    Habits,
    LookAlike,
    learnt_from,
    shares_of,
)
from tests.detection.conftest import CLASSES, START, make_card

SIZE = (640, 480)
LAMP = (300.0, 100.0, 340.0, 150.0)
DAY_S = 86_400.0

Picture = NDArray[np.uint8]


@functools.lru_cache(maxsize=64)
def street(*, lamp: bool = True, flames: float | None = None, gain: float = 1.0) -> Picture:
    """A street by night: dark ground, a lit wall, a lamp; perhaps a fire in front of it."""
    rows, columns = np.mgrid[0:480, 0:640].astype(np.float32)
    picture = np.full((480, 640, 3), 18, np.float32)
    picture[260:] = 40
    picture[120:300, 420:600] = 70
    if lamp:
        glow = np.exp(-((columns - 320) ** 2 + (rows - 125) ** 2) / (2 * 12.0**2))
        picture += 230 * glow[..., None] * np.array([1.0, 0.95, 0.8], np.float32)
    if flames is not None:
        # Tongues that lick about, brighter and lower than the lamp behind them.
        for tongue in range(4):
            x = 308 + 10 * tongue + 6 * math.sin(7.1 * flames + 2 * tongue)
            height = 26 + 12 * math.sin(5.3 * flames + 1.7 * tongue)
            shape = np.exp(
                -(((columns - x) / 6) ** 2) - (((rows - (150 - height / 2)) / (height / 2)) ** 2)
            )
            picture += 220 * shape[..., None] * np.array([1.0, 0.6, 0.15], np.float32)
    return np.asarray(np.clip(picture * gain, 0, 255), dtype=np.uint8)


def camera(clutter: ClutterMap) -> CameraVerifier:
    card = make_card("detect", CLASSES, (Sighting.FIRE, Sighting.SMOKE, Sighting.CRASH))
    return CameraVerifier(CameraId("cam-1"), card, clutter=clutter)


def watch(
    verifier: CameraVerifier,
    seconds: range,
    *,
    flames: bool = False,
    gain: float = 1.0,
    score: float = 0.9,
) -> list[Detection]:
    """The lamp, whose glow jitters as a flame's box does, or flames in its very box."""
    sent: list[Detection] = []
    for second in seconds:
        moment = START + timedelta(seconds=second)
        wobble = 4.0 * math.sin(3.7 * second)
        box = [LAMP[0] - wobble, LAMP[1] + wobble / 2, LAMP[2] + wobble, LAMP[3]]
        picture = street(flames=float(second) if flames else None, gain=gain)
        boxes = Boxes.of([box], [score], [0])
        sent += verifier.update(moment, moment, boxes, None, SIZE, picture)
    return sent


def verdict_on(detection: Detection, truth: Truth = Truth.REJECTED, days: float = 0.0) -> Verdict:
    return Verdict(
        incident_id=IncidentId("incident-1"),
        camera_id=detection.camera_id,
        track_id=detection.track_id,
        truth=truth,
        decided_at=detection.captured_at + timedelta(seconds=20, days=days),
        actor="sari",
        sighting=detection.sighting,
        box=detection.box,
        frame_width_px=detection.frame_width_px,
        frame_height_px=detection.frame_height_px,
        score=detection.score,
        llr=detection.llr,
        captured_at=detection.captured_at,
        model_version=detection.model_version,
    )


def test_a_rejected_lamp_raises_no_second_alarm_and_a_fire_in_front_of_it_does() -> None:
    clutter = ClutterMap()
    before = camera(clutter)
    alarm = watch(before, range(10))[0]
    clutter.know(learnt_from([verdict_on(alarm)], lambda _: street()))
    assert watch(before, range(10, 60)) == [], "the track that was rejected must fall silent"
    for minutes, gain in ((10, 1.0), (120, 0.7), (600, 1.2)):
        later = range(60 * minutes, 60 * minutes + 60)
        assert watch(camera(clutter), later, gain=gain) == []
    fire = watch(camera(clutter), range(90_000, 90_010), flames=True)
    assert {d.sighting for d in fire} == {Sighting.FIRE}


def test_without_a_picture_place_and_size_tell() -> None:
    clutter = ClutterMap()
    alarm = watch(camera(clutter), range(10))[0]
    clutter.know(learnt_from([verdict_on(alarm)], lambda _: None))
    assert watch(camera(clutter), range(100, 160)) == []
    elsewhere = Boxes.of([[100.0, 300.0, 150.0, 380.0]], [0.9], [0])
    assert clutter.rejected_llr(
        Sighting.FIRE, shares_of(Box(100, 300, 150, 380), *SIZE), START.timestamp(), None
    ) == pytest.approx(0.0, abs=0.01)
    verifier = camera(clutter)
    sent = []
    for second in range(100, 110):
        moment = START + timedelta(seconds=second)
        jitter = Boxes(elsewhere.xyxy + second % 3 * 4, elsewhere.scores, elsewhere.class_ids)
        sent += verifier.update(moment, moment, jitter, None, SIZE)
    assert sent


def test_what_is_confirmed_later_takes_the_rejection_back() -> None:
    clutter = ClutterMap()
    alarm = watch(camera(clutter), range(10))[0]
    rejected, confirmed = verdict_on(alarm), verdict_on(alarm, Truth.CONFIRMED, days=1)
    clutter.know(learnt_from([rejected, confirmed], lambda _: street()))
    assert watch(camera(clutter), range(90_000, 90_010))


def test_a_rejection_is_forgotten_slowly() -> None:
    box: Shares = (0.4, 0.4, 0.5, 0.5)
    known = LookAlike(Sighting.FIRE, box, 0.0)
    after = [known.discount(Sighting.FIRE, box, days * DAY_S, None) for days in (0, 20, 60, 365)]
    assert after == sorted(after, reverse=True)
    assert after[0] == pytest.approx(REJECTED_LLR[Sighting.FIRE], abs=0.01)
    assert after[1] == pytest.approx(after[0] - 1, abs=0.01)
    assert after[3] < 0.01
    assert known.discount(Sighting.SMOKE, box, 0.0, None) == 0.0


shares = st.tuples(
    st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0.01, 1), st.floats(0.01, 1)
).map(lambda v: (v[0], v[1], min(1.0, v[0] + v[2]), min(1.0, v[1] + v[3])))


@given(shares, shares, st.floats(0, 1e8))
def test_a_discount_is_bounded_and_most_for_the_same_box(
    rejected: Shares, seen: Shares, at_s: float
) -> None:
    known = LookAlike(Sighting.FIRE, rejected, 0.0)
    most = known.discount(Sighting.FIRE, rejected, at_s, None)
    assert 0.0 <= known.discount(Sighting.FIRE, seen, at_s, None) <= most + 1e-9
    assert most <= REJECTED_LLR[Sighting.FIRE] + 0.01


def test_what_fires_for_days_is_a_habit_and_what_burns_for_minutes_is_none() -> None:
    habits = Habits()
    lamp: Shares = (0.4, 0.2, 0.45, 0.3)
    at_s = 0.0
    for _ in range(60):
        habits.note(Sighting.FIRE, lamp, at_s, 2.0)
        at_s += 2.0
    assert habits.discount(Sighting.FIRE, lamp, at_s) < 0.2
    for _ in range(2_000):
        habits.note(Sighting.FIRE, lamp, at_s, 20.0)
        at_s += 20.0
    assert habits.discount(Sighting.FIRE, lamp, at_s) == MOST_HABIT_LLR
    assert habits.discount(Sighting.FIRE, (0.7, 0.7, 0.8, 0.8), at_s) == 0.0
    assert habits.discount(Sighting.SMOKE, lamp, at_s) == 0.0
    wide = habits.discount(Sighting.FIRE, (0.1, 0.1, 0.9, 0.9), at_s)
    assert wide < habits.discount(Sighting.FIRE, lamp, at_s), "a fire that outgrows the lamp"
    later = habits.discount(Sighting.FIRE, lamp, at_s + 8 * HABIT_HALF_LIFE_S)
    assert 0.0 < later < MOST_HABIT_LLR


def test_a_place_that_always_fires_alarms_less_and_a_sure_fire_there_still_does() -> None:
    clutter = ClutterMap()
    place = shares_of(Box(*LAMP), *SIZE)
    for hour in range(24):
        at_s = START.timestamp() + 3600.0 * (hour - 24)
        clutter.habits.note(Sighting.FIRE, place, at_s, 1800.0)
    assert watch(camera(clutter), range(60), score=0.4) == []
    assert watch(camera(clutter), range(100, 110), flames=True, score=0.9)


def test_habits_survive_their_json_form() -> None:
    habits = Habits()
    habits.note(Sighting.FIRE, (0.1, 0.1, 0.3, 0.2), 1000.0, 2.0)
    habits.note(Sighting.FIRE, (0.2, 0.1, 0.3, 0.2), 2000.0, 500.0)
    habits.note(Sighting.CRASH, (0.5, 0.5, 0.6, 0.6), 3000.0, 800.0)
    again = Habits.from_plain(json.loads(json.dumps(habits.to_plain())))
    for sighting in (Sighting.FIRE, Sighting.CRASH):
        for box in ((0.2, 0.1, 0.3, 0.2), (0.5, 0.5, 0.6, 0.6)):
            assert again.discount(sighting, box, 4000.0) == pytest.approx(
                habits.discount(sighting, box, 4000.0), abs=0.01
            )


def test_a_confirmed_place_is_no_habit() -> None:
    clutter = ClutterMap()
    alarm = watch(camera(ClutterMap()), range(10))[0]
    place = shares_of(alarm.box, *SIZE)
    clutter.habits.note(Sighting.FIRE, place, datetime(2026, 1, 1, tzinfo=UTC).timestamp(), 9000.0)
    clutter.know(learnt_from([verdict_on(alarm, Truth.CONFIRMED)], lambda _: None))
    assert clutter.habits.discount(Sighting.FIRE, place, START.timestamp()) == 0.0


def test_a_real_lamp_that_was_rejected_stays_silent_and_a_real_fire_set_before_it_does_not(
    hazards: Path,
) -> None:
    lamp_frames = [f.image for f in read_file(hazards / "videos/quiet_lamp_night.mp4", 1.0)]
    fires = [f.image for f in read_file(hazards / "videos/fire_street_night.mp4", 0.5)][14:24]
    grey = cv2.GaussianBlur(cv2.cvtColor(lamp_frames[0], cv2.COLOR_RGB2GRAY), (0, 0), 9)
    row, column = np.unravel_index(int(grey.argmax()), grey.shape)
    height, width = grey.shape
    side = width // 10
    x = int(np.clip(column, side, width - side))
    y = int(np.clip(row, side, height - side))
    size = (width, height)

    def frames(seconds: range, *, burns: bool, seed: int) -> list[Detection]:
        rng = np.random.default_rng(seed)
        verifier = camera(clutter)
        sent: list[Detection] = []
        for n, second in enumerate(seconds):
            picture = lamp_frames[n % len(lamp_frames)].copy()
            if burns:
                # As light adds up: the fire's own pixels where they are brighter.
                flame = cv2.resize(fires[n % len(fires)][110:300, 140:280], (2 * side, 2 * side))
                here = picture[y - side : y + side, x - side : x + side]
                np.maximum(here, flame, out=here)
            # Another hour and a poor link: other gain, and JPEG at a low quality.
            dim = np.clip(picture * rng.uniform(0.8, 1.2), 0, 255).astype(np.uint8)
            quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 70))]
            sent_as = cv2.imencode(".jpg", dim, quality)[1]
            left, top, right, bottom = rng.normal(0, 3, 4)
            box = [x - side + left, y - side + top, x + side + right, y + side + bottom]
            moment = START + timedelta(seconds=second)
            boxes = Boxes.of([box], [0.9], [0])
            shown = np.asarray(cv2.imdecode(sent_as, cv2.IMREAD_COLOR), np.uint8)
            sent += verifier.update(moment, moment, boxes, None, size, shown)
        return sent

    clutter = ClutterMap()
    alarm = frames(range(10), burns=False, seed=1)[0]
    clutter.know(learnt_from([verdict_on(alarm)], lambda _: lamp_frames[0]))
    for hour in range(1, 5):
        began = 3600 * hour
        assert frames(range(began, began + 60), burns=False, seed=hour) == []
    assert frames(range(90_000, 90_020), burns=True, seed=9)
