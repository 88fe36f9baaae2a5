from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_ingest.errors import Stopped
from camera_ingest.retry import HEALTHY_AFTER_S, OpenGate, RetryWaits
from camera_ingest.stopping import StopSignal
from contracts import CameraState
from plumbing.clock import HeldClock, SystemClock

mendable = st.sampled_from([CameraState.STALLED, CameraState.REFUSED, CameraState.NOT_FOUND])


@given(st.lists(st.tuples(mendable, st.floats(0, HEALTHY_AFTER_S - 1)), max_size=2000))
def test_waits_stay_within_their_bounds(ends: list[tuple[CameraState, float]]) -> None:
    waits = RetryWaits(1.0, 60.0)
    for number, (state, uptime_s) in enumerate(ends):
        ceiling_s = min(60.0, 2.0 ** min(number, 10))
        assert ceiling_s / 2 <= waits.after(state, uptime_s) <= ceiling_s


def test_a_healthy_time_starts_the_waits_anew() -> None:
    waits = RetryWaits(1.0, 60.0, lambda: 1.0)
    grown = [waits.after(CameraState.STALLED, 0.0) for _ in range(4)]
    assert grown == [1.0, 2.0, 4.0, 8.0]
    assert waits.after(CameraState.STALLED, HEALTHY_AFTER_S) == 1.0


def test_a_refused_password_is_not_tried_until_the_account_locks() -> None:
    waits = RetryWaits(1.0, 60.0, lambda: 0.0)
    assert waits.after(CameraState.UNAUTHORISED, 0.0) == 30.0


def test_waits_differ_so_that_a_site_does_not_return_in_step() -> None:
    waits = {RetryWaits(10.0, 60.0).after(CameraState.STALLED, 0.0) for _ in range(20)}
    assert len(waits) > 15


def test_no_more_than_so_many_open_at_once() -> None:
    gate = OpenGate(2, SystemClock(), spacing_s=0.0)
    lock = threading.Lock()
    inside, most = 0, 0

    def open_one() -> None:
        nonlocal inside, most
        with gate.passing(StopSignal()):
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.03)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=open_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (inside, most) == (0, 2)


def test_openings_are_spaced_out() -> None:
    gate = OpenGate(8, SystemClock(), spacing_s=0.05)
    started = time.monotonic()
    for _ in range(4):
        with gate.passing(StopSignal()):
            pass
    assert time.monotonic() - started >= 0.15


def test_dead_cameras_do_not_keep_the_others_out() -> None:
    clock = HeldClock(datetime(2026, 1, 1, tzinfo=UTC))
    gate = OpenGate(1, clock, spacing_s=0.0, patience_s=3.0)
    with gate.passing(StopSignal()):
        stopped = StopSignal()
        stopped.set()
        with pytest.raises(Stopped), gate.passing(stopped):
            pytest.fail("the only place was taken")
        clock.advance(3.0)
        with gate.passing(StopSignal()):
            pass
