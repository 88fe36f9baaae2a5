"""What of training needs no torch: which pictures, which split, what damage, which figures."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.training.degrade import (
    coloured_light,
    degrade,
    fog,
    lamps,
    lower_resolution,
    mistakable,
    night,
    rotate_hue,
)
from detection.training.operating_points import (
    CLUTTER_BUDGET,
    OrdinaryPicture,
    careful_point,
    cross_fitted,
    operating_point,
    recall_point,
    upper_share,
)
from detection.training.sources import (
    EXCLUDED,
    LICENCES,
    Picture,
    hazard_pictures,
    source_and_scene,
)
from detection.training.split import DIVIDED_CLIPS, Caps, cap, fraction_of, split


def picture(source: str, scene: int, number: int) -> Picture:
    name = f"{source}_s{scene:03d}_{number:08x}.jpg"
    return Picture(Path(name), *source_and_scene(name), labels=None, cluster=f"{scene:03d}")


some_pictures = st.lists(
    st.builds(picture, st.sampled_from(["abonia", "shub"]), st.integers(0, 40), st.integers(0, 99)),
    max_size=80,
    unique_by=lambda p: p.path.name,
)


@given(some_pictures, st.integers(1, 5))
@settings(max_examples=50, deadline=None)
def test_no_scene_is_ever_on_two_sides(pictures: list[Picture], at_most: int) -> None:
    parts = split(pictures, Caps(at_most))
    scenes = [{p.scene_key for p in part} - DIVIDED_CLIPS.keys() for part in parts.parts().values()]
    assert sum(map(len, scenes)) == len(set().union(*scenes))
    assert {p.path for part in (*parts.parts().values(), parts.spare) for p in part} == {
        p.path for p in pictures
    }
    clusters = [{(p.scene_key, p.cluster) for p in part} for part in parts.parts().values()]
    assert sum(map(len, clusters)) == len(set().union(*clusters))
    shuffled = split(pictures[::-1], Caps(at_most))
    assert shuffled.digest() == parts.digest()


@given(some_pictures, st.integers(1, 5), st.integers(1, 20))
@settings(max_examples=30, deadline=None)
def test_no_long_clip_and_no_easy_source_outweighs(
    pictures: list[Picture], a_cluster: int, a_source: int
) -> None:
    kept = cap(pictures, Caps(a_cluster, {"shub": 1}, {"abonia": a_source}))
    clusters = Counter((p.source, p.cluster) for p in kept)
    assert all(n <= (1 if source == "shub" else a_cluster) for (source, _), n in clusters.items())
    assert sum(p.source == "abonia" for p in kept) <= a_source
    wanted = {(p.source, p.cluster) for p in pictures if p.source == "shub"}
    assert {key for key in clusters if key[0] == "shub"} == wanted


def test_the_split_is_the_same_for_ever() -> None:
    assert fraction_of("shub/011", "siaga-118") == pytest.approx(0.620335, abs=1e-6)
    assert fraction_of("shub/011", "siaga-119") != fraction_of("shub/011", "siaga-118")
    assert fraction_of("shub/011") != fraction_of("shub/012")


def test_clips_that_go_by_several_numbers_are_one_scene() -> None:
    assert source_and_scene("abonia_s074_x.jpg") == source_and_scene("abonia_s076_y.jpg")
    assert source_and_scene("abonia_s075_x.jpg") != source_and_scene("abonia_s076_y.jpg")
    assert source_and_scene("medan_017.jpg") == source_and_scene("medan_020.jpg")
    assert source_and_scene("fog_041.jpg") != source_and_scene("fog_042.jpg")
    with pytest.raises(ValueError, match="expected SOURCE"):
        source_and_scene("IMG.jpg")


def test_wrong_labels_stay_out_and_every_source_has_its_licence(hazards: Path) -> None:
    found = hazard_pictures(hazards)
    scenes = {(p.source, p.scene) for p in found}
    assert len(found) > 2000
    assert not any(("biplab", scene) in scenes for scene in EXCLUDED["biplab"])
    assert {p.source for p in found} <= set(LICENCES)
    stated = hazard_pictures(hazards, stated_licence_only=True)
    assert {p.source for p in stated} == {"abonia", "biplab", "shub"}


@given(st.integers(0, 10_000), st.floats(0.2, 2.0))
@settings(max_examples=40, deadline=None)
def test_damage_keeps_the_shape_and_repeats_with_its_seed(seed: int, strength: float) -> None:
    image = np.random.default_rng(1).integers(0, 255, (60, 90, 3), dtype=np.uint8)
    once = degrade(image.copy(), np.random.default_rng(seed), strength)
    again = degrade(image.copy(), np.random.default_rng(seed), strength)
    assert once.shape == image.shape and once.dtype == np.uint8
    assert (once == again).all()


def test_night_keeps_lights_and_darkens_the_rest() -> None:
    image = np.array([[[255] * 3, [100] * 3]], np.uint8)
    dark = night(image, 2.0)
    assert dark[0, 0, 0] == 255 and dark[0, 1, 0] < 50


@given(st.integers(0, 1000))
def test_coloured_light_turns_grey_to_colour_and_keeps_darkness(seed: int) -> None:
    image = np.array([[[0] * 3, [120] * 3]], np.uint8)
    lit = coloured_light(image, np.random.default_rng(seed))
    assert (lit[0, 0] == 0).all()
    assert int(lit[0, 1].max()) - int(lit[0, 1].min()) > 15


def test_low_resolution_loses_detail_and_keeps_brightness() -> None:
    image = np.random.default_rng(0).integers(0, 255, (120, 120, 3), dtype=np.uint8)
    coarse = lower_resolution(image, 3.0)
    assert coarse.std() < image.std() * 0.7
    assert coarse.mean() == pytest.approx(image.mean(), abs=2)


@given(st.lists(st.floats(0, 0.98), min_size=1, max_size=200), st.floats(0.0, 0.2))
def test_the_operating_point_keeps_the_budget_and_wastes_none(
    scores: list[float], budget: float
) -> None:
    point = operating_point(scores, budget)
    assert sum(s >= point for s in scores) <= budget * len(scores)
    if point > 0.06:
        assert sum(s >= point - 0.0101 for s in scores) > budget * len(scores)


@given(st.lists(st.floats(0, 0.98), min_size=1, max_size=200), st.floats(0.5, 1.0))
def test_the_recall_point_finds_the_share_and_no_more_than_it_must(
    scores: list[float], share: float
) -> None:
    point = recall_point(scores, share)
    found = sum(s >= point for s in scores)
    assert point == 0.05 or found >= share * len(scores)
    assert sum(s >= point + 0.0101 for s in scores) < share * len(scores) or point >= 0.98


@given(st.integers(0, 1000))
def test_what_is_mistakable_is_a_picture_still_and_lamps_only_add_light(seed: int) -> None:
    image = np.random.default_rng(0).integers(0, 200, (64, 64, 3), dtype=np.uint8)
    assert (lamps(image, np.random.default_rng(seed)).astype(int) >= image.astype(int) - 1).all()
    assert fog(image, np.random.default_rng(seed)).std() < image.std()
    turned = rotate_hue(image, np.random.default_rng(seed))
    np.testing.assert_allclose(turned.max(axis=2), image.max(axis=2), atol=3)
    once = mistakable(image, np.random.default_rng(seed))
    assert once.shape == image.shape and once.dtype == np.uint8


ordinary = st.lists(
    st.builds(OrdinaryPicture, st.floats(0, 0.98), st.integers(0, 80).map(str)),
    min_size=1,
    max_size=200,
)


@given(ordinary)
@settings(max_examples=25, deadline=None)
def test_a_careful_point_flags_no_more_than_a_careless_one(
    pictures: list[OrdinaryPicture],
) -> None:
    scores = [p.score for p in pictures]
    assert careful_point(pictures) >= operating_point(scores, CLUTTER_BUDGET)
    flags = cross_fitted(pictures, CLUTTER_BUDGET)
    assert sum(map(len, flags.values())) == len(pictures), "each picture is judged once"


def test_few_scenes_prove_no_low_share() -> None:
    quiet = {str(i): [False] for i in range(20)}
    assert upper_share(quiet) > 0.1
    assert upper_share({str(i): [False] for i in range(400)}) < 0.01
    assert upper_share({}) == 1.0
    few = [OrdinaryPicture(0.01, str(i)) for i in range(20)]
    assert careful_point(few) == 0.99
    many = [OrdinaryPicture(0.01, str(i)) for i in range(200)]
    assert careful_point(many) == 0.05


def test_one_scene_of_many_pictures_is_one_accident_and_not_many() -> None:
    alone = {str(i): [i == 0] for i in range(200)}
    repeated = {**{str(i): [False] for i in range(1, 200)}, "0": [True] * 10}
    assert upper_share(repeated) > upper_share(alone)
