"""The committed models as they are used, and what happens to damaged ones."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from contracts import Sighting
from detection import (
    Backend,
    Boxes,
    Detector,
    FloodClassifier,
    ModelUnusableError,
    PictureUnusableError,
    Precision,
    TrainExtraMissingError,
    load_card,
    open_detector,
    open_flood_classifier,
)
from detection.boxes import iou_matrix
from detection.evaluation import read_rgb
from detection.model_card import DETECTOR, FLOOD, MODELS
from detection.runtime import SURELY_DRY

HAS_TRAIN_EXTRA = all(find_spec(name) for name in ("torch", "ultralytics"))


def noise(seed: int, height: int = 360, width: int = 640) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


def same(a: Boxes, b: Boxes) -> bool:
    return len(a) == len(b) and bool(
        np.allclose(a.xyxy, b.xyxy, atol=1e-3) and np.allclose(a.scores, b.scores, atol=1e-5)
    )


@pytest.mark.parametrize("name", [DETECTOR, FLOOD])
def test_a_committed_model_says_what_it_is(name: str) -> None:
    card = load_card(MODELS / name)
    for file in card.weights_sha256:
        assert card.file(file).is_file()
    sightings = {Sighting(c) for c in card.classes if c != "dry"}
    assert set(card.curves) == set(card.operating_points) == sightings
    assert (MODELS / name / "CARD.md").read_text().startswith("# ")


@pytest.mark.parametrize("grey", [0, 64, 128, 255])
def test_a_covered_camera_shows_nothing(detector: Detector, grey: int) -> None:
    even = np.clip(np.random.default_rng(0).normal(grey, 1.5, (480, 640, 3)), 0, 255)
    assert len(detector.detect([even.astype(np.uint8)])[0]) == 0


def test_a_batch_of_sizes_gives_what_single_pictures_give(detector: Detector) -> None:
    pictures = [noise(1), noise(2, 1080, 1920), noise(3, 240, 320)]
    together = detector.detect(pictures)
    assert all(same(a, detector.detect([p])[0]) for a, p in zip(together, pictures, strict=True))
    assert detector.detect([]) == []


def test_two_streams_answer_as_one(detector: Detector, hazards: Path) -> None:
    paths = sorted((hazards / "hazard_boxes/images").glob("biplab*"))[:7]
    pictures = [read_rgb(p) for p in paths]
    two = open_detector(streams=2)
    assert all(
        same(a, b) for a, b in zip(detector.detect(pictures), two.detect(pictures), strict=True)
    )


def test_boxes_lie_within_the_picture(detector: Detector, hazards: Path) -> None:
    for path in sorted((hazards / "hazard_boxes/images").glob("abonia*"))[::60]:
        picture = read_rgb(path)
        found = detector.detect([picture])[0]
        assert (found.xyxy >= 0).all()
        assert (found.xyxy[:, 2] <= picture.shape[1]).all()
        assert (found.xyxy[:, 3] <= picture.shape[0]).all()
        assert (np.diff(found.scores) <= 0).all()


def test_flames_outscore_a_junction(detector: Detector, hazards: Path) -> None:
    videos = hazards / "videos"
    burning = best_fire(detector, videos / "fire_street_night.mp4")
    assert burning >= detector.card.operating_points[Sighting.FIRE]
    assert burning > best_fire(detector, videos / "quiet_junction_indonesia.mp4")


def best_fire(detector: Detector, video: Path) -> float:
    import av

    best = 0.0
    with av.open(str(video)) as container:
        for i, frame in enumerate(container.decode(video=0)):
            if i % 25 == 0:
                picture = frame.to_ndarray(format="rgb24")
                best = max(best, detector.detect([picture])[0].best_score(0))
    return best


def test_flood_probabilities_are_probabilities(flood_classifier: FloodClassifier) -> None:
    values = flood_classifier.classify([noise(1), noise(2, 100, 100)])
    assert len(values) == 2
    assert all(0.0 <= v <= 1.0 for v in values)
    drawn = flood_classifier.classify([noise(1)], [(0, 0, 640, 126)])
    assert drawn != values[:1]


def test_a_road_that_is_not_surely_dry_may_run_either_way(
    flood_classifier: FloodClassifier, hazards: Path
) -> None:
    paths = sorted((hazards / "flood_scenes/flood").glob("*.jpg"))[::60]
    pictures = [read_rgb(p) for p in paths]
    scores = flood_classifier.classify(pictures)
    mirrored = flood_classifier.classify([np.ascontiguousarray(p[:, ::-1]) for p in pictures])
    both = [(a, b) for a, b in zip(scores, mirrored, strict=True) if min(a, b) > SURELY_DRY]
    assert len(both) >= 6
    for one, other in both:
        assert one == pytest.approx(other, abs=0.03)


def test_flooded_streets_outscore_dry_junctions(
    flood_classifier: FloodClassifier, hazards: Path
) -> None:
    def mean(pattern: str) -> float:
        paths = sorted((hazards / "flood_scenes").glob(pattern))[::12]
        return float(np.mean(flood_classifier.classify([read_rgb(p) for p in paths])))

    assert mean("flood/mishra*") > mean("dry/opendatacam*") + 0.3


def test_what_is_no_picture_is_refused(
    detector: Detector, flood_classifier: FloodClassifier
) -> None:
    with pytest.raises(PictureUnusableError, match="expected uint8"):
        detector.detect([np.zeros((10, 10), np.uint8)])
    with pytest.raises(PictureUnusableError, match="expected uint8"):
        flood_classifier.classify([np.zeros((10, 10, 3), np.float32)])  # type: ignore[list-item]


@pytest.mark.skipif(not HAS_TRAIN_EXTRA, reason="the `train` extra isn't installed")
def test_both_back_ends_agree(hazards: Path) -> None:
    paths = sorted((hazards / "hazard_boxes/images").glob("*.jpg"))[::80]
    pictures = [read_rgb(p) for p in paths]
    ours = open_detector(precision=Precision.FLOAT32).detect(pictures)
    theirs = open_detector(Backend.ULTRALYTICS).detect(pictures)
    compared = 0
    for a, b in zip(ours, theirs, strict=True):
        sure = a.where(a.scores >= 0.1)
        for box, score, class_id in sure:
            rivals = b.of_class(class_id)
            overlaps = iou_matrix(box[None], rivals.xyxy)[0]
            best = int(np.argmax(overlaps))
            assert np.abs(rivals.xyxy[best] - box).max() <= 1.0
            assert abs(float(rivals.scores[best]) - score) <= 0.02
            compared += 1
    assert compared >= 15
    wet = open_flood_classifier(precision=Precision.FLOAT32).classify(pictures)
    wet_too = open_flood_classifier(Backend.ULTRALYTICS).classify(pictures)
    assert wet == pytest.approx(wet_too, abs=0.02)


@pytest.mark.skipif(HAS_TRAIN_EXTRA, reason="the `train` extra is installed")
def test_without_the_train_extra_the_advice_is_plain() -> None:
    with pytest.raises(TrainExtraMissingError, match=r"pip install 'siaga\[train\]'"):
        open_detector(Backend.ULTRALYTICS)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODELS / FLOOD, tmp_path / "model"))


def test_damaged_weights_are_not_run(copied: Path) -> None:
    weights = bytearray((copied / "model.bin").read_bytes())
    weights[1000] ^= 1
    (copied / "model.bin").write_bytes(weights)
    with pytest.raises(ModelUnusableError, match=r"model\.bin differs from its SHA-256"):
        open_flood_classifier(folder=copied)


def test_a_missing_file_is_named(copied: Path) -> None:
    (copied / "model.xml").unlink()
    with pytest.raises(ModelUnusableError, match=r"model\.xml is missing"):
        open_flood_classifier(folder=copied)


@pytest.mark.parametrize("broken", ["{", "[]", '{"name": "x"}'])
def test_a_broken_card_is_refused(copied: Path, broken: str) -> None:
    (copied / "model.json").write_text(broken)
    with pytest.raises(ModelUnusableError, match=r"model\.json"):
        load_card(copied)


def test_a_folder_without_a_card_and_a_wrong_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusableError, match="is missing"):
        open_detector(folder=tmp_path)
    with pytest.raises(ModelUnusableError, match="expected detect"):
        open_detector(folder=MODELS / FLOOD)


def test_a_size_that_the_graph_has_not_is_refused(copied: Path) -> None:
    plain = json.loads((copied / "model.json").read_text())
    (copied / "model.json").write_text(json.dumps(plain | {"input_size_px": 256}))
    with pytest.raises(ModelUnusableError, match="not 1x3x256x256"):
        open_flood_classifier(folder=copied)
