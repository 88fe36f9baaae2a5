"""What stands where it crashed speaks for the crash, and what drives on against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import Detection
from detection.crash_aftermath import came_to_stay
from detection.crash_model import CrashVerdict
from detection.crash_motion import SIZE_PX
from tests.detection.conftest import CURVE, START
from tests.detection.test_crash_verification import clip, watched_for_crashes

BOX = (0.4, 0.4, 0.6, 0.6)


def street(length: int, stops_at: int | None) -> list[np.ndarray]:
    """A car that drives past, or into the middle and stays there."""
    ground = np.random.default_rng(0).integers(60, 120, (SIZE_PX, SIZE_PX), dtype=np.uint8)
    pictures = []
    for t in range(length):
        picture = ground.copy()
        left = 2 * (min(t, stops_at) if stops_at is not None else t)
        picture[40:56, left : left + 16] = 230
        pictures.append(picture)
    return pictures


def test_a_wreck_stays_and_traffic_does_not() -> None:
    wreck = came_to_stay(street(40, stops_at=20), 20, BOX)
    passing = came_to_stay(street(45, stops_at=None), 20, BOX)
    elsewhere = came_to_stay(street(40, stops_at=20), 20, (0.0, 0.0, 0.1, 0.1))
    assert wreck is not None and passing is not None and elsewhere is not None
    assert wreck > 0.5 > passing
    assert elsewhere < 0.1


@given(st.integers(0, 39), st.integers(20, 40))
@settings(max_examples=25, deadline=None)
def test_it_is_a_share_or_too_early_to_tell(moment: int, length: int) -> None:
    stays = came_to_stay(street(length, stops_at=18), min(moment, length - 1), BOX)
    if moment < 6 or length - moment < 15:
        assert stays is None
    else:
        assert stays is not None and 0.0 <= stays <= 1.0


Judged = Callable[[float, CrashVerdict], list[Detection]]


@pytest.fixture
def judged() -> Judged:
    return watched_for_crashes()[1]


def verdict(score: float) -> CrashVerdict:
    return clip(score, START.timestamp() + 3, BOX)


def test_a_crash_is_told_at_once_and_surer_as_things_stand(judged: Judged) -> None:
    sent = judged(5, verdict(0.5))
    for second, stays_llr in ((7, 0.2), (8, 0.7), (9, 0.9), (10, -0.5)):
        sent += judged(second, replace(verdict(0.5), stays=0.5, stays_llr=stays_llr))
    assert [round(d.llr - CURVE.llr(0.5), 2) for d in sent] == [0.0, 0.7]
    assert len({d.track_id for d in sent}) == 1


def test_what_drives_on_is_told_for_what_it_is_worth(judged: Judged) -> None:
    sent = judged(9, replace(verdict(0.5), stays=0.1, stays_llr=-0.6))
    assert sent[0].llr == pytest.approx(CURVE.llr(0.5) - 0.6)
