"""The crash model: what it takes, what it sees of motion, and how its alarms are counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.crash_clips import CrashClip, crash_figures
from detection.crash_features import FEATURES, motion_features
from detection.crash_model import BEFORE, open_crash_judge, resampled
from detection.crash_motion import RATE_FPS, SIZE_PX, motion_fields
from detection.errors import DataUnusableError, PictureUnusableError
from detection.evaluation import interval_95, per_hour_95
from detection.training.crash import cameras, folds_of


def street(length: int, stops_at: int | None = None) -> list[np.ndarray]:
    """A bright block that drives across a textured street, and may stop dead."""
    rng = np.random.default_rng(0)
    ground = rng.integers(60, 120, (SIZE_PX, SIZE_PX), dtype=np.uint8)
    pictures = []
    for t in range(length):
        picture = ground.copy()
        at = 4 + 2 * min(t, stops_at if stops_at is not None else t)
        picture[40:56, at % 80 : at % 80 + 14] = 220
        pictures.append(picture)
    return pictures


def seconds(length: int) -> list[float]:
    return [t / RATE_FPS for t in range(length)]


def test_a_clip_must_be_long_and_fast_enough() -> None:
    judge = open_crash_judge()
    with pytest.raises(PictureUnusableError, match=r"at least 2\.0"):
        judge.judge(street(5), seconds(5))
    with pytest.raises(PictureUnusableError, match="pictures a second"):
        judge.judge(street(8), [float(t) for t in range(8)])
    with pytest.raises(PictureUnusableError, match="rising"):
        judge.judge(street(12), [0.0] * 12)
    with pytest.raises(PictureUnusableError, match="3 channels"):
        judge.judge([np.zeros((9, 9, 2), np.uint8)] * 20, seconds(20))


def test_an_empty_street_is_no_crash_and_a_covered_lens_says_nothing() -> None:
    judge = open_crash_judge()
    still = judge.judge([street(1)[0]] * 30, seconds(30))
    assert still.llr < 0.0
    covered = judge.judge([np.full((SIZE_PX, SIZE_PX), 90, np.uint8)] * 30, seconds(30))
    assert covered.score == 0.0
    assert covered.llr <= still.llr


def test_what_lies_at_the_edge_of_a_clip_is_not_scored() -> None:
    verdict = open_crash_judge().judge(street(30), seconds(30))
    assert (verdict.scores[:BEFORE] == 0.0).all() and verdict.scores[-1] == 0.0
    assert verdict.scores.max() == pytest.approx(verdict.score)
    assert all(0.0 <= v <= 1.0 for v in verdict.box)


def test_how_long_a_clip_has_run_does_not_show() -> None:
    late = motion_features(motion_fields(street(60, stops_at=45)))
    early = motion_features(motion_fields(street(60, stops_at=45)[20:]))
    assert late.shape == (60, FEATURES)
    # What came to stand is told by the median picture of the clip, which another clip has another
    # of: those eight measures alone may differ.
    apart = np.abs(late[35:50] - early[15:30]).max(axis=0)
    assert (apart[:139] < 0.35).all() and (apart[147:] < 0.35).all()


@given(st.integers(11, 60), st.sampled_from([5.0, 8.0, 25.0, 30.0]))
@settings(max_examples=30, deadline=None)
def test_faster_clips_are_thinned_to_the_models_rate(length: int, fps: float) -> None:
    times_s = [t / fps for t in range(length * 6)]
    chosen = np.array([times_s[i] for i in resampled(times_s)])
    assert np.abs(np.diff(chosen) - 1 / RATE_FPS).max() < 1 / fps + 1e-9


def test_alarms_are_counted_before_within_and_after() -> None:
    clips = [CrashClip(n, Path(n), 4.0, 5.0) for n in ("right", "late", "early", "none")]
    alarms = {"right": [4.5], "late": [10.5], "early": [2.0, 6.0], "none": []}
    scores = {n: np.r_[np.zeros(20), np.ones(10)].astype(np.float32) for n in alarms}
    figures = crash_figures(clips, alarms, scores)
    assert figures["recall"] == 0.5
    assert figures["false_share"] == 0.25
    assert figures["false_per_hour"] == pytest.approx(3600 / 16)
    assert figures["delay_s_median"] == pytest.approx(1.25)
    assert figures["frame_auc"] == 1.0


def test_the_committed_model_finds_crashes_that_it_was_fitted_to(hazards: Path) -> None:
    from detection.crash_clips import clip_scores, crash_clips

    clips = crash_clips(hazards / "crash_clips_130")[:6]
    judge = open_crash_judge()
    scores = {c.name: clip_scores(judge, c) for c in clips}
    figures = crash_figures(clips, {c.name: [] for c in clips}, scores)
    assert figures["frame_auc"] > 0.6


def test_clips_without_labels_are_refused(tmp_path: Path) -> None:
    from detection.crash_clips import crash_clips

    with pytest.raises(DataUnusableError, match=r"clips/\*\.mp4"):
        crash_clips(tmp_path)
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips/1.mp4").write_bytes(b"")
    with pytest.raises(DataUnusableError, match="label file is missing"):
        crash_clips(tmp_path)


def test_one_cameras_clips_stay_in_one_fold() -> None:
    rng = np.random.default_rng(3)
    views = [rng.integers(0, 255, (SIZE_PX, SIZE_PX), dtype=np.uint8) for _ in range(8)]
    shown = cameras([*views, views[2], views[5]])
    assert shown == [0, 1, 2, 3, 4, 5, 6, 7, 2, 5]
    fold = folds_of(shown)
    assert fold[2] == fold[8] and fold[5] == fold[9]


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=9), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_an_interval_holds_the_share_and_stays_within_zero_and_one(flags: list[list[bool]]) -> None:
    interval = interval_95(flags)
    assert interval is not None
    assert 0.0 <= interval[0] <= interval[1] <= 1.0


@given(st.integers(0, 200), st.floats(1.0, 1e6))
def test_a_rates_interval_holds_the_rate(events: int, watched_s: float) -> None:
    interval = per_hour_95(events, watched_s)
    assert interval is not None
    assert interval[0] <= events / watched_s * 3600 <= interval[1]
    assert per_hour_95(events, 0.0) is None


def test_a_change_of_view_is_no_motion() -> None:
    from detection.crash_watch import CrashWatch

    watch = CrashWatch(open_crash_judge())
    other = np.random.default_rng(9).integers(0, 255, (SIZE_PX, SIZE_PX), dtype=np.uint8)
    for at_s, picture in zip(seconds(25), [*street(20), *[other] * 5], strict=True):
        watch.see(at_s, picture)
    assert watch.verdict(at_once=True) is None
    for at_s in seconds(45)[25:]:
        watch.see(at_s, other)
    verdict = watch.verdict(at_once=True)
    assert verdict is not None and verdict.times_s[0] >= seconds(21)[-1] - 1e-9
