"""How good the models are on labelled pictures: the figures behind `siaga eval` and the model
cards.

Measures: average precision at IoU 0.5 (all-point interpolation, as PASCAL VOC 2010), precision and
recall of boxes at the operating point (IoU 0.5), and the picture-level figures that operators feel:
the share of pictures with the hazard in which it is detected, and of pictures without anything in
which it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.boxes import Boxes, iou_matrix
from detection.errors import DataUnusableError
from detection.runtime import Detector, FloodClassifier

MATCH_IOU = 0.5
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png")
_SOURCE = re.compile(r"^(.+?)_(?:s?\d|[0-9a-f]{8}\b)")
_SCENE = re.compile(r"^(.+?_s\d+)_")


@dataclass(frozen=True, slots=True, eq=False)
class JudgedPicture:
    """One picture: what is labelled (boxes in pixels) and what was found."""

    name: str
    truth: Boxes
    found: Boxes


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """Figures of one class; a share is None where nothing is there to take a share of."""

    ap50: float | None
    precision: float | None
    recall: float | None
    image_recall: float | None
    image_fpr: float | None
    recall_by_source: dict[str, float]


@dataclass(frozen=True, slots=True)
class FloodFigures:
    """Figures of the flood classifier on one set; None where a class is absent."""

    recall: float | None
    fpr: float | None
    auc: float | None


def source_of(name: str) -> str:
    """What stands before `_s` and the scene's number (or before `_` and a number) in a file's
    name.
    """
    match = _SOURCE.match(name)
    return match[1] if match else Path(name).stem


def scene_by_name(name: str) -> str:
    """Source and scene of a picture, as far as its name tells: `shub_s011_285998df.jpg` is of
    `shub_s011`, and a name without a scene is a scene of its own.
    """
    match = _SCENE.match(name)
    return match[1] if match else Path(name).stem


def picture_paths(folder: Path) -> list[Path]:
    """The pictures of a folder, by name. Raises DataUnusableError where there is no folder or no
    picture.
    """
    if not folder.is_dir():
        raise DataUnusableError(folder, "no such folder")
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
    if not found:
        raise DataUnusableError(folder, f"holds no picture ({', '.join(PICTURE_SUFFIXES)})")
    return found


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """A picture as (H, W, 3) uint8 RGB. Raises DataUnusableError."""
    loaded = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if loaded is None:
        raise DataUnusableError(path, "not a readable picture")
    return np.ascontiguousarray(loaded[..., ::-1], dtype=np.uint8)


def read_labels(path: Path, width_px: int, height_px: int) -> Boxes:
    """A YOLO label file (class, centre x, centre y, width, height as shares) as boxes in pixels.

    Raises DataUnusableError with the line where it isn't one.
    """
    if not path.is_file():
        raise DataUnusableError(path, "label file is missing")
    rows: list[list[float]] = []
    for number, line in enumerate(_text_of(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = [float(x) for x in line.split()]
        except ValueError as error:
            raise DataUnusableError(path, f"line {number} is no row of numbers") from error
        if len(row) != 5:
            raise DataUnusableError(path, f"line {number} has {len(row)} numbers, expected 5")
        if not all(math.isfinite(x) for x in row) or row[0] < 0 or row[0] % 1:
            raise DataUnusableError(
                path, f"line {number} must be a class's number and four finite shares"
            )
        rows.append(row)
    if not rows:
        return Boxes.none()
    table = np.array(rows)
    size = np.array([width_px, height_px, width_px, height_px])
    centre, half = table[:, 1:3], table[:, 3:5] / 2
    xyxy = np.concatenate([centre - half, centre + half], axis=1) * size
    return Boxes.of(xyxy, np.ones(len(table)), table[:, 0])


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataUnusableError(path, "is no UTF-8 text") from error


def judge_pictures(
    detector: Detector, paths: Iterable[Path], labels: Path | None
) -> Iterator[JudgedPicture]:
    """Run the detector over pictures; `labels` is the folder of label files, None for nothing to
    see.
    """
    for path in paths:
        image = read_rgb(path)
        height, width = image.shape[:2]
        truth = read_labels(labels / f"{path.stem}.txt", width, height) if labels else Boxes.none()
        yield JudgedPicture(path.name, truth, detector.detect([image])[0])


def class_figures(judged: Sequence[JudgedPicture], class_id: int, threshold: float) -> ClassFigures:
    """All figures of one class at one operating point."""
    ap50, precision, recall = _box_figures(judged, class_id, threshold)
    hits: dict[str, list[bool]] = {}
    false: list[bool] = []
    for picture in judged:
        flagged = picture.found.best_score(class_id) >= threshold
        if (picture.truth.class_ids == class_id).any():
            hits.setdefault(source_of(picture.name), []).append(flagged)
        elif len(picture.truth) == 0:
            false.append(flagged)
    every = [h for source in hits.values() for h in source]
    return ClassFigures(
        ap50,
        precision,
        recall,
        _share(every),
        _share(false),
        {source: sum(h) / len(h) for source, h in sorted(hits.items())},
    )


def _share(flags: Sequence[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None


def intervals(
    judged: Sequence[JudgedPicture],
    class_id: int,
    threshold: float,
    scene_of: Callable[[str], str] | None = None,
) -> dict[str, Any]:
    """False-positive rates by source, and 95 % intervals of both picture-level shares.

    `scene_of` names a picture's scene by its file name: `source_of` and the number by default.
    """
    scene_of = scene_of or scene_by_name
    hits: dict[str, list[bool]] = {}
    false: dict[str, list[bool]] = {}
    by_source: dict[str, list[bool]] = {}
    for picture in judged:
        flagged = picture.found.best_score(class_id) >= threshold
        if (picture.truth.class_ids == class_id).any():
            hits.setdefault(scene_of(picture.name), []).append(flagged)
        elif len(picture.truth) == 0:
            false.setdefault(scene_of(picture.name), []).append(flagged)
            by_source.setdefault(source_of(picture.name), []).append(flagged)
    return {
        "image_recall_95": interval_95(list(hits.values())),
        "image_fpr_95": interval_95(list(false.values())),
        "fpr_by_source": {s: sum(f) / len(f) for s, f in sorted(by_source.items())},
        "clutter_pictures": sum(len(f) for f in false.values()),
        "hazard_scenes": len(hits),
    }


def interval_95(
    flags_by_scene: Sequence[Sequence[bool]], rounds: int = 400
) -> tuple[float, float] | None:
    """2.5 and 97.5 % quantiles of a share, over resampled scenes (pictures of one scene are no
    independent proof). None without scenes; where every picture agrees, the rule of three widens
    the end that resampling can't see beyond.
    """
    if not flags_by_scene:
        return None
    hits = np.array([sum(f) for f in flags_by_scene], dtype=float)
    sizes = np.array([len(f) for f in flags_by_scene], dtype=float)
    picks = np.random.default_rng(0).integers(0, len(sizes), (rounds, len(sizes)))
    shares = hits[picks].sum(axis=1) / sizes[picks].sum(axis=1)
    low, high = (float(q) for q in np.quantile(shares, [0.025, 0.975]))
    beyond = min(1.0, 3.0 / len(sizes))
    if hits.sum() == 0:
        high = beyond
    if hits.sum() == sizes.sum():
        low = 1.0 - beyond
    return low, high


def flagged_95(scores: Mapping[str, float], threshold: float) -> tuple[float, float] | None:
    """95 % interval of the share of pictures, scores by file name, that reach a threshold: by
    bootstrap over scenes.
    """
    scenes: dict[str, list[bool]] = {}
    for name, score in scores.items():
        scenes.setdefault(scene_by_name(name), []).append(score >= threshold)
    return interval_95(list(scenes.values()))


def per_hour_95(events: int, watched_s: float) -> tuple[float, float] | None:
    """95 % interval of a rate an hour from so many events in so many seconds (Poisson, by Byar's
    approximation to the exact limits); None where nothing was watched.
    """
    if watched_s <= 0:
        return None
    hours = watched_s / 3600
    low = events * (1 - 1 / (9 * events) - 1.96 / (3 * events**0.5)) ** 3 if events else 0.0
    above = events + 1
    high = above * (1 - 1 / (9 * above) + 1.96 / (3 * above**0.5)) ** 3
    return max(0.0, low) / hours, high / hours


def _box_figures(
    judged: Sequence[JudgedPicture], class_id: int, threshold: float
) -> tuple[float | None, float | None, float | None]:
    scores: list[float] = []
    correct: list[bool] = []
    wanted = 0
    for picture in judged:
        truth = picture.truth.of_class(class_id)
        found = picture.found.of_class(class_id)
        wanted += len(truth)
        overlaps = iou_matrix(found.xyxy, truth.xyxy)
        free = np.ones(len(truth), dtype=bool)
        for i in range(len(found)):
            best = int(np.argmax(np.where(free, overlaps[i], -1.0))) if free.any() else -1
            hit = best >= 0 and float(overlaps[i, best]) >= MATCH_IOU
            if hit:
                free[best] = False
            scores.append(float(found.scores[i]))
            correct.append(hit)
    if wanted == 0:
        return None, None, None
    order = np.argsort(-np.array(scores), kind="stable")
    ranked = np.array(correct, dtype=float)[order]
    true_so_far = np.cumsum(ranked)
    recalls = true_so_far / wanted
    precisions = true_so_far / np.arange(1, len(ranked) + 1)
    envelope = np.maximum.accumulate(precisions[::-1])[::-1]
    ap50 = (
        float(np.sum(np.diff(np.concatenate([[0.0], recalls])) * envelope)) if len(ranked) else 0.0
    )
    at_point = [hit for score, hit in zip(scores, correct, strict=True) if score >= threshold]
    return ap50, _share(at_point), sum(at_point) / wanted


def auc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """Area under the ROC curve: the chance that a positive outranks a negative; None without
    both.
    """
    if not positive or not negative:
        return None
    p, n = np.asarray(positive), np.asarray(negative)
    above = (p[:, None] > n[None, :]).mean() + 0.5 * (p[:, None] == n[None, :]).mean()
    return float(above)


def flood_figures(wet: Sequence[float], dry: Sequence[float], threshold: float) -> FloodFigures:
    """Recall, false-positive rate and AUC from the probabilities of flooded and dry pictures."""
    return FloodFigures(
        _share([p >= threshold for p in wet]), _share([p >= threshold for p in dry]), auc(wet, dry)
    )


def flood_probabilities(classifier: FloodClassifier, paths: Iterable[Path]) -> dict[str, float]:
    """Probability of flood by file name."""
    return {p.name: classifier.classify([read_rgb(p)])[0] for p in paths}
