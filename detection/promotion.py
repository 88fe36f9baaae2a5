"""Whether a new model may take the place of the live one: no worse in any hazard, on the same data.

Both are measured on the same pictures, each at its own operating point. Recall may not fall and
false positives may not rise, in any hazard, by more than a stated tolerance; a hazard that only the
live model knows is a loss of all of its recall.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.hazards import Sighting
from detection.errors import DataUnusableError
from detection.evaluation import (
    class_figures,
    flood_figures,
    flood_probabilities,
    judge_pictures,
    picture_paths,
)
from detection.model_card import load_card
from detection.runtime import Detector, FloodClassifier


@dataclass(frozen=True, slots=True)
class Point:
    """One hazard at a model's operating point, in shares of pictures; None where none could be
    judged.
    """

    recall: float | None
    fpr: float | None


@dataclass(frozen=True, slots=True)
class Loss:
    """In what a candidate is worse."""

    hazard: Sighting
    measure: str
    live: float
    candidate: float

    def __str__(self) -> str:
        return f"{self.hazard.value}: {self.measure} {self.live:.3f} -> {self.candidate:.3f}"


def losses(
    live: Mapping[Sighting, Point], candidate: Mapping[Sighting, Point], tolerance: float = 0.0
) -> list[Loss]:
    """Everything in which a candidate is worse by more than the tolerance; none: it may go live.

    Raises ValueError where there was nothing to judge by: such a comparison would let anything
    pass.
    """
    judged = [p for p in live.values() if p.recall is not None or p.fpr is not None]
    if not judged:
        raise ValueError("the live model was judged on nothing")
    found: list[Loss] = []
    for hazard, ours in live.items():
        theirs = candidate.get(hazard, Point(0.0 if ours.recall is not None else None, ours.fpr))
        if ours.recall is not None and (theirs.recall or 0.0) < ours.recall - tolerance:
            found.append(Loss(hazard, "recall", ours.recall, theirs.recall or 0.0))
        if ours.fpr is not None and theirs.fpr is not None and theirs.fpr > ours.fpr + tolerance:
            found.append(Loss(hazard, "false positives", ours.fpr, theirs.fpr))
    return found


def detector_points(detector: Detector, boxes: Path, quiet: Path | None) -> dict[Sighting, Point]:
    """A detector on a folder with `images/` and `labels/`, and on one with nothing to report.

    Raises DataUnusableError.
    """
    judged = list(judge_pictures(detector, picture_paths(boxes / "images"), boxes / "labels"))
    if quiet is not None:
        judged += judge_pictures(detector, picture_paths(quiet), None)
    points: dict[Sighting, Point] = {}
    for class_id, name in enumerate(detector.classes):
        if name not in {sighting.value for sighting in Sighting}:
            continue
        sighting = Sighting(name)
        figures = class_figures(judged, class_id, detector.card.operating_points[sighting])
        points[sighting] = Point(figures.image_recall, figures.image_fpr)
    return points


def flood_points(classifier: FloodClassifier, floods: Path) -> dict[Sighting, Point]:
    """A flood classifier on a folder with `flood/` and `dry/`. Raises DataUnusableError."""
    wet, dry = (
        list(flood_probabilities(classifier, picture_paths(floods / name)).values())
        for name in ("flood", "dry")
    )
    if not wet or not dry:
        raise DataUnusableError(floods, "needs pictures in flood/ and in dry/")
    figures = flood_figures(wet, dry, classifier.card.operating_points[Sighting.FLOOD])
    return {Sighting.FLOOD: Point(figures.recall, figures.fpr)}


def replace_model(candidate: Path, live: Path) -> None:
    """Put a model folder in another's place; the former one stays beside it as NAME.before.

    The new one is copied whole and checked before the live one is touched. Raises
    ModelUnusableError where a file of it isn't what its card says.
    """
    fresh, before = (live.with_name(f"{live.name}.{end}") for end in ("new", "before"))
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(candidate, fresh)
    card = load_card(fresh)
    for name in card.weights_sha256:
        card.file(name)
    shutil.rmtree(before, ignore_errors=True)
    if live.exists():
        live.rename(before)
    fresh.rename(live)
