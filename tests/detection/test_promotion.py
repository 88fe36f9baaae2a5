"""A model that is worse in anything doesn't take the live one's place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import Sighting
from detection import ModelUnusableError, load_card
from detection.model_card import FLOOD, MODELS
from detection.promotion import Point, losses, replace_model

FIRE, SMOKE, CRASH = Sighting.FIRE, Sighting.SMOKE, Sighting.CRASH
LIVE = {FIRE: Point(0.9, 0.02), SMOKE: Point(0.8, 0.03), CRASH: Point(None, 0.01)}


def test_no_worse_in_anything_passes() -> None:
    assert losses(LIVE, LIVE) == []
    assert losses(LIVE, LIVE | {FIRE: Point(0.95, 0.01)}) == []


@pytest.mark.parametrize(
    ("changed", "measure"),
    [
        ({FIRE: Point(0.89, 0.0)}, "recall"),
        ({SMOKE: Point(1.0, 0.031)}, "false positives"),
        ({CRASH: Point(1.0, 0.02)}, "false positives"),
    ],
)
def test_one_loss_is_enough_whatever_is_won_elsewhere(
    changed: dict[Sighting, Point], measure: str
) -> None:
    won = {FIRE: Point(1.0, 0.0), SMOKE: Point(1.0, 0.0), CRASH: Point(1.0, 0.0)}
    (loss,) = losses(LIVE, won | changed)
    assert (loss.hazard, loss.measure) == (next(iter(changed)), measure)
    assert "->" in str(loss)


def test_a_hazard_that_the_new_one_does_not_know_is_lost() -> None:
    candidate = {FIRE: Point(1.0, 0.0), CRASH: Point(None, 0.0)}
    (loss,) = losses(LIVE, candidate)
    assert (loss.hazard, loss.candidate) == (SMOKE, 0.0)


def test_a_comparison_on_nothing_lets_nothing_pass() -> None:
    with pytest.raises(ValueError, match="judged on nothing"):
        losses({FIRE: Point(None, None)}, {FIRE: Point(None, None)})


points = st.builds(Point, st.none() | st.floats(0, 1), st.none() | st.floats(0, 1))


@given(st.dictionaries(st.sampled_from([FIRE, SMOKE, CRASH]), points, min_size=1))
def test_nothing_is_worse_than_itself(live: dict[Sighting, Point]) -> None:
    if any(p.recall is not None or p.fpr is not None for p in live.values()):
        assert losses(live, live) == []


def test_a_model_takes_another_s_place_and_leaves_it_beside(tmp_path: Path) -> None:
    live, candidate = tmp_path / "flood", tmp_path / "new"
    for folder in (live, candidate):
        shutil.copytree(MODELS / FLOOD, folder)
    (live / "CARD.md").write_text("# the former one")
    replace_model(candidate, live)
    assert (tmp_path / "flood.before/CARD.md").read_text() == "# the former one"
    assert load_card(live).file("model.bin").is_file()


def test_a_damaged_model_never_touches_the_live_one(tmp_path: Path) -> None:
    live, candidate = tmp_path / "flood", tmp_path / "new"
    for folder in (live, candidate):
        shutil.copytree(MODELS / FLOOD, folder)
    (candidate / "model.bin").write_bytes(b"cut short")
    with pytest.raises(ModelUnusableError, match="differs"):
        replace_model(candidate, live)
    assert load_card(live).file("model.bin").is_file()
