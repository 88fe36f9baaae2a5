"""Clocks and ids: aware, forward, unique, in the order of their making."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbing.clock import Clock, HeldClock, SystemClock
from plumbing.ids import new_id

START = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


def test_the_machines_clock_is_aware_and_runs_forward() -> None:
    clock: Clock = SystemClock()
    first, started_s = clock.now(), clock.monotonic_s()
    assert first.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - first) < timedelta(seconds=5)
    assert clock.monotonic_s() >= started_s


@given(st.lists(st.floats(0, 1e6), max_size=20))
def test_a_held_clock_moves_only_when_told(steps: list[float]) -> None:
    clock = HeldClock(START)
    assert (clock.now(), clock.monotonic_s()) == (START, 0.0)
    for step in steps:
        clock.advance(step)
    assert clock.monotonic_s() == pytest.approx(sum(steps))
    assert (clock.now() - START).total_seconds() == pytest.approx(sum(steps), abs=1e-3)


def test_a_held_clock_never_runs_back() -> None:
    with pytest.raises(ValueError, match="forwards"):
        HeldClock(START).advance(-1)


def test_ids_are_unique_and_sort_by_time() -> None:
    made = [new_id("call") for _ in range(2000)]
    assert len(set(made)) == len(made)
    assert made == sorted(made)
    assert all(name.startswith("call-") and len(name) <= 80 for name in made)
