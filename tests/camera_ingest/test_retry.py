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


def test_a_recorder_that_ends_every_session_after_half_a_minute_is_hardly_missed() -> None:
    waits = RetryWaits(1.0, 60.0)
    assert max(waits.after(CameraState.STALLED, 29.0) for _ in range(50)) <= 1.0


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


class NotedStop(StopSignal):
    """Tells when somebody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Event()

    def sleep(self, seconds: float) -> None:
        self.waits.set()
        super().sleep(seconds)


def test_who_failed_the_last_time_lets_others_be_opened_first() -> None:
    gate = OpenGate(1, SystemClock(), spacing_s=0.0, patience_s=60.0)
    opened: list[str] = []

    def open_one(name: str, stop: StopSignal, hopeful: bool) -> None:
        with gate.passing(stop, hopeful=hopeful):
            opened.append(name)

    signals = {name: NotedStop() for name in ("dead 1", "dead 2", "dead 3", "lost its line")}
    threads = [
        threading.Thread(target=open_one, args=(name, signal, name == "lost its line"))
        for name, signal in signals.items()
    ]
    with gate.passing(StopSignal()):
        for thread in threads:
            thread.start()
        assert all(signal.waits.wait(10) for signal in signals.values())
    for thread in threads:
        thread.join(10)
    assert opened[0] == "lost its line"
    assert len(opened) == 4
