from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_ingest.timing import CLOCK_TRUST_S, CaptureClock, PictureRate

START = datetime(2026, 1, 1, tzinfo=UTC)
times = st.floats(-1e6, 1e6, allow_nan=False)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@given(st.floats(0.1, 30), st.integers(1, 60), st.floats(1, 20), st.floats(-1e5, 1e5))
def test_at_most_so_many_pictures_a_second(
    fps: float, camera_fps: int, seconds: float, start: float
) -> None:
    rate = PictureRate(fps)
    shown = [start + n / camera_fps for n in range(math.ceil(seconds * camera_fps))]
    passed = [stream_s for stream_s in shown if rate.is_due(stream_s)]
    assert passed[0] == shown[0]
    assert len(passed) <= math.floor((shown[-1] - shown[0]) * fps + 1e-3) + 1


@pytest.mark.parametrize(("fps", "camera_fps"), [(5, 25), (10, 10), (30, 25), (2, 2), (7, 25)])
def test_the_rate_is_met_where_the_camera_gives_it(fps: int, camera_fps: int) -> None:
    rate = PictureRate(fps)
    passed = sum(rate.is_due(n / camera_fps) for n in range(20 * camera_fps))
    assert passed == pytest.approx(20 * min(fps, camera_fps), abs=2)


@pytest.mark.parametrize("pace", [0.0, 0.01, -1.0])
def test_time_stamps_that_stand_still_do_not_silence_the_stream(pace: float) -> None:
    rate = PictureRate(2)
    passed = [n / 10 for n in range(200) if rate.is_due(pace * n / 10, n / 10)]
    assert len(passed) >= 20
    assert max(after - before for before, after in pairwise(passed)) <= 1.0


@given(times, times)
def test_a_jump_never_silences_the_stream(before: float, after: float) -> None:
    rate = PictureRate(2)
    assert rate.is_due(before)
    passed = [rate.is_due(after + n / 10) for n in range(12)]
    assert any(passed)


@given(st.lists(st.tuples(st.none() | times, st.floats(0, 3), st.none() | times), max_size=40))
def test_capture_times_always_grow_and_stay_near_the_arrival(
    pictures: list[tuple[float | None, float, float | None]],
) -> None:
    clock = CaptureClock()
    now_s, last = 0.0, None
    for stream_s, wait_s, camera_s in pictures:
        now_s += wait_s
        if camera_s is not None and stream_s is not None:
            clock.note_camera_time(stream_s, at(camera_s))
        captured_at = clock.place(stream_s, at(now_s))
        assert last is None or captured_at > last
        assert (captured_at - at(now_s)).total_seconds() <= CLOCK_TRUST_S + 1
        last = captured_at


def test_the_camera_s_own_time_is_taken() -> None:
    clock = CaptureClock()
    clock.note_camera_time(100.0, at(-0.3))
    assert clock.place(100.0, at(0)) == at(-0.3)
    assert clock.place(100.5, at(0.6)) == at(0.2)


def test_a_camera_that_is_hours_off_is_not_believed() -> None:
    clock = CaptureClock()
    clock.note_camera_time(100.0, at(7 * 3600))
    assert clock.place(100.0, at(0)) == at(0)
    assert clock.camera_clock_error_s == pytest.approx(7 * 3600)


def test_jitter_of_the_network_is_taken_out() -> None:
    clock = CaptureClock()
    clock.place(0.0, at(0.1))
    late = clock.place(1.0, at(2.0))
    assert (late - at(1.1)).total_seconds() == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("jump_s", [-50.0, 3600.0])
def test_a_jump_of_the_time_stamps_is_ridden_out(jump_s: float) -> None:
    clock = CaptureClock()
    for n in range(5):
        clock.place(float(n), at(n))
    for n in range(5, 10):
        captured_at = clock.place(n + jump_s, at(n))
        assert abs((captured_at - at(n)).total_seconds()) < 0.01


def test_our_own_clock_set_back_does_not_stop_the_time() -> None:
    clock = CaptureClock()
    for n in range(5):
        clock.place(float(n), at(n))
    for n in range(5, 10):
        captured_at = clock.place(float(n), at(n - 3600))
        assert abs((captured_at - at(n - 3600)).total_seconds()) < 0.01
