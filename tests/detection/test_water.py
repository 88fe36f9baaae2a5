"""Painted water covers the road and not what stands on it; a wet road keeps its markings."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.training.flood import another_of
from detection.training.water import flooded, merely_wet


def road() -> np.ndarray:
    """A grey road with a lane marking, a lorry with a striped side, houses above (BGR)."""
    rng = np.random.default_rng(1)
    picture = np.full((160, 160, 3), 110, np.uint8)
    picture[:30] = (90, 140, 170)
    picture[:, 70:74] = 220
    for x in range(100, 150, 6):
        cv2.rectangle(picture, (x, 40), (x + 2, 150), (20, 20, 200), -1)
    noise = rng.normal(0, 2, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.astype(float).ravel(), b.astype(float).ravel())[0, 1])


@given(st.integers(0, 5000))
@settings(max_examples=25, deadline=None)
def test_pictures_keep_their_shape_and_the_original_stays(seed: int) -> None:
    picture = road()
    before = picture.copy()
    for paint in (flooded, merely_wet):
        painted = paint(picture, np.random.default_rng(seed))
        assert painted.shape == picture.shape and painted.dtype == np.uint8
        assert not np.array_equal(painted, picture)
    assert np.array_equal(picture, before)


@pytest.mark.parametrize("seed", range(6))
def test_water_hides_the_marking_that_a_wet_road_still_shows(seed: int) -> None:
    picture = road()
    marking, beside = (slice(120, 160), slice(70, 74)), (slice(120, 160), slice(20, 60))

    def contrast(shown: np.ndarray) -> float:
        return float(shown[marking].mean()) - float(shown[beside].mean())

    under, wet = (paint(picture, np.random.default_rng(seed)) for paint in (flooded, merely_wet))
    assert contrast(wet) > 35.0
    assert contrast(under) < 0.5 * contrast(wet)


def test_what_stands_in_the_water_is_still_seen() -> None:
    picture = road()
    lorry = (slice(80, 140), slice(100, 150))
    seen = [
        likeness(flooded(picture, np.random.default_rng(seed))[lorry], picture[lorry])
        for seed in range(8)
    ]
    assert np.median(seen) > 0.5


def test_only_roads_are_painted_and_only_painted_ones_become_floods() -> None:
    picture = road()
    rng = np.random.default_rng(3)
    forest = [another_of(picture, "biplab", rng) for _ in range(20)]
    assert not any(wet for _, wet in forest)
    assert all(shown is picture for shown, _ in forest)
    streets = [another_of(picture, "shub", rng) for _ in range(200)]
    assert 0.1 < np.mean([wet for _, wet in streets]) < 0.35
    assert all(shown is not picture for shown, wet in streets if wet)
