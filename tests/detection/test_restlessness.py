"""How often a camera's traffic passes for a crash: a rate with its laws."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.restlessness import HALF_LIFE_S, MOST_RESTLESS_LLR, USUAL_S, Restlessness

judged = st.lists(st.tuples(st.floats(0.1, 5_000.0), st.booleans()), max_size=40)


def after(history: list[tuple[float, bool]]) -> tuple[Restlessness, float]:
    camera, at_s = Restlessness(), 1_000.0
    for since_s, spoke in history:
        at_s += since_s
        camera.note(at_s, spoke=spoke)
    return camera, at_s


@given(judged)
def test_it_is_bounded_and_fades(history: list[tuple[float, bool]]) -> None:
    camera, at_s = after(history)
    now = camera.llr(at_s)
    assert 0.0 <= now <= MOST_RESTLESS_LLR
    assert camera.llr(at_s + 40 * HALF_LIFE_S) == pytest.approx(0.0, abs=1e-6)


@given(judged)
def test_each_sighting_raises_the_bar_and_quiet_lowers_it(
    history: list[tuple[float, bool]],
) -> None:
    spoken, at_s = after(history)
    quiet, _ = after(history)
    spoken.note(at_s + 1.0, spoke=True)
    quiet.note(at_s + 1.0, spoke=False)
    assert quiet.llr(at_s + 1.0) <= spoken.llr(at_s + 1.0)


@given(judged)
def test_it_is_kept_across_restarts(history: list[tuple[float, bool]]) -> None:
    camera, at_s = after(history)
    again = Restlessness.from_plain(json.loads(json.dumps(camera.to_plain())))
    assert again.llr(at_s) == pytest.approx(camera.llr(at_s), abs=1e-3)


def test_a_camera_that_speaks_every_half_minute_is_restless_and_one_in_hours_is_not() -> None:
    busy, calm = Restlessness(), Restlessness()
    for second in range(180):
        busy.note(1_000.0 + second, spoke=second % 30 == 0)
    for second in range(int(6 * USUAL_S)):
        calm.note(1_000.0 + second, spoke=second == 5_000)
    assert busy.llr(1_180.0) == MOST_RESTLESS_LLR
    assert calm.llr(1_000.0 + 6 * USUAL_S) == 0.0


def test_what_was_never_watched_knows_nothing_and_nonsense_is_refused() -> None:
    assert Restlessness.from_plain({}).llr(5.0) == 0.0
    with pytest.raises(ValueError, match="not negative"):
        Restlessness.from_plain({"sightings": -1})
