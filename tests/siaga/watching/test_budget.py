from __future__ import annotations

from datetime import UTC, datetime

import pytest

from contracts import CameraId
from plumbing.clock import HeldClock
from plumbing.settings import WorkerSettings
from siaga.watching.budget import MEMORY_S, USED_SHARE, CpuBudget


class Process:
    """A worker's CPU time, told by hand."""

    def __init__(self, cores: float = 2.0) -> None:
        self.clock = HeldClock(datetime(2026, 11, 22, tzinfo=UTC))
        self.spent_s = 0.0
        self.costs: dict[CameraId, float] = {}
        self.budget = CpuBudget(
            WorkerSettings(cores=cores), self.clock, lambda: self.costs, lambda: self.spent_s
        )

    def run(self, seconds: float, cores_used: float) -> None:
        self.clock.advance(seconds)
        self.spent_s += seconds * cores_used


def test_what_the_cameras_cause_elsewhere_is_left_to_it() -> None:
    process = Process()
    assert process.budget.cameras_ms() == pytest.approx(1000 * USED_SHARE), "half, while unknown"
    process.costs = {CameraId("a"): 100.0, CameraId("b"): 200.0}
    process.run(40, 0.9)
    assert process.budget.cameras_ms() == pytest.approx(2000 * USED_SHARE - 600)


def test_it_follows_slowly_and_is_never_below_nothing() -> None:
    process = Process(cores=1.0)
    process.run(40, 0.1)
    assert process.budget.cameras_ms() == pytest.approx(700)
    process.run(30, 3.0)
    assert 0 <= process.budget.cameras_ms() < 700
    process.run(100 * MEMORY_S, 3.0)
    assert process.budget.cameras_ms() == 0


def test_looking_often_changes_nothing() -> None:
    process = Process()
    for _ in range(60):
        process.run(1, 0.5)
        process.budget.cameras_ms()
    assert process.budget.cameras_ms() == pytest.approx(2000 * USED_SHARE - 500)
