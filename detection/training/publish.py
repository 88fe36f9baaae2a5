"""From a checkpoint to a folder of `detection/models/`: export, calibrate on the scenes that
choose, measure on those that only report.

Everything in `model.json` comes from here: the curves, the operating points, the figures and the
training's facts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from detection.calibration import CalibrationSample, fit_curve
from detection.evaluation import (
    JudgedPicture,
    class_figures,
    flood_figures,
    intervals,
    judge_pictures,
    read_rgb,
)
from detection.model_card import ModelCard, load_card, sha256_of
from detection.runtime import Detector, open_detector, open_flood_classifier
from detection.squeeze import SCORE_FLOOR
from detection.training import sources
from detection.training.card import write_card
from detection.training.detector import detector_split
from detection.training.export import export
from detection.training.flood import flood_split, is_flood
from detection.training.operating_points import (
    STREET_BUDGET,
    OrdinaryPicture,
    careful_point,
    operating_point,
    recall_point,
)
from detection.training.split import DIVIDED_CLIPS, Split


def publish_detector(
    checkpoint: Path,
    work: Path,
    folder: Path,
    input_size_px: int,
    command: str = "siaga train detector",
) -> ModelCard:
    """Export and calibrate a detector on the scenes that choose, measure it on those that report;
    returns what was written. `command` trained it, for the card.
    """
    plan = _plan(work) | {"command": command}
    parts = detector_split(sources.data_root(), bool(plan.get("stated_licence_only")))
    _require_same_split(plan, parts)
    files = export(checkpoint, folder, input_size_px, work)
    facts = _facts("hazards", "detect", sources.HAZARD_CLASSES, input_size_px, files, plan, parts)
    _write(folder, facts)
    detector = open_detector(folder=folder)
    choosing = judge_all(detector, parts.choose)
    streets = judge_all(detector, spare_streets(parts))
    for class_id, name in enumerate(sources.HAZARD_CLASSES):
        facts["curves"][name] = fit_curve(
            [*calibration_samples(choosing, class_id), *street_samples(streets, class_id)],
            SCORE_FLOOR,
        ).to_plain()
        clutter = ordinary_pictures([j for j in choosing if is_clutter(j)], class_id)
        roadside = ordinary_pictures(streets, class_id)
        hazard = [
            j.found.best_score(class_id) for j in choosing if (j.truth.class_ids == class_id).any()
        ]
        facts["operating_points"][name] = max(
            operating_point([p.score for p in clutter]),
            operating_point([p.score for p in roadside], STREET_BUDGET),
            careful_point([*clutter, *roadside]),
            recall_point(hazard),
        )
    _write(folder, facts)
    points = facts["operating_points"]
    facts["figures"] = detector_figures(judge_all(detector, parts.report), points)
    facts["figures_where_it_was_chosen"] = detector_figures(choosing, points)
    _write(folder, facts)
    write_card(folder, facts, parts)
    return load_card(folder)


def is_clutter(judged: JudgedPicture) -> bool:
    """Whether a picture is what cameras show when there is nothing to report.

    Photographs of parked cars would count for a model that flags cameras, and smoke without a label
    over a labelled fire against one that finds it.
    """
    return len(judged.truth) == 0 and _source(judged.name) in sources.TRAFFIC_CCTV


def ordinary_pictures(judged: Sequence[JudgedPicture], class_id: int) -> list[OrdinaryPicture]:
    """What an operating point is chosen with."""
    return [OrdinaryPicture(j.found.best_score(class_id), scene_of(j.name)) for j in judged]


def calibration_samples(judged: Sequence[JudgedPicture], class_id: int) -> list[CalibrationSample]:
    """What a class's curve is fitted to: its pictures, and clutter."""
    return [
        CalibrationSample(
            j.found.best_score(class_id),
            present,
            scene_of(j.name),
            _source(j.name),
        )
        for j in judged
        for present in [bool((j.truth.class_ids == class_id).any())]
        if present or is_clutter(j)
    ]


def spare_streets(parts: Split) -> list[sources.Picture]:
    """Ordinary streets that the caps kept out of training, every picture a scene of its own.

    The CCTV that chooses is too little to say how odd a high score is where nothing burns.
    """
    return [
        p for p in (*parts.spare, *parts.choose) if p.source in sources.STREETS and p.labels is None
    ]


def street_samples(judged: Sequence[JudgedPicture], class_id: int) -> list[CalibrationSample]:
    """The clutter among what a curve is fitted to that isn't CCTV."""
    return [
        CalibrationSample(j.found.best_score(class_id), False, scene_of(j.name), _source(j.name))
        for j in judged
    ]


def judge_all(detector: Detector, pictures: Sequence[sources.Picture]) -> list[JudgedPicture]:
    """The detector on these pictures, with their labels."""
    return [
        judged
        for p in pictures
        for judged in judge_pictures(detector, [p.path], p.labels.parent if p.labels else None)
    ]


def detector_figures(
    judged: Sequence[JudgedPicture], points: dict[str, float]
) -> dict[str, dict[str, Any]]:
    """Figures by class with 95 % intervals by bootstrap over scenes."""
    figures: dict[str, dict[str, Any]] = {}
    for class_id, name in enumerate(sources.HAZARD_CLASSES):
        whole = class_figures(judged, class_id, points[name])
        plain = {k: _rounded(v) for k, v in asdict(whole).items()}
        plain |= _rounded(intervals(judged, class_id, points[name], scene_of))
        new = [j for j in judged if scene_of(j.name) not in DIVIDED_CLIPS]
        plain["image_recall_new_clips"] = _rounded(
            class_figures(new, class_id, points[name]).image_recall
        )
        figures[name] = plain
    return figures


def publish_flood(checkpoint: Path, work: Path, folder: Path, input_size_px: int) -> ModelCard:
    """Export and calibrate a flood classifier on the scenes that choose, measure it on those that
    report.
    """
    plan = _plan(work)
    parts = flood_split(sources.data_root(), bool(plan.get("stated_licence_only")))
    _require_same_split(plan, parts)
    files = export(checkpoint, folder, input_size_px, work)
    facts = _facts("flood", "classify", ("dry", "flood"), input_size_px, files, plan, parts)
    _write(folder, facts)
    classifier = open_flood_classifier(folder=folder)
    choosing, scored = (
        [(p, classifier.classify([read_rgb(p.path)])[0]) for p in part]
        for part in (parts.choose, parts.report)
    )
    samples = [
        CalibrationSample(s, is_flood(p), p.scene_key, p.source)
        for p, s in choosing
        if is_flood(p) or p.source in sources.TRAFFIC_CCTV
    ]
    facts["curves"]["flood"] = fit_curve(samples, 0.0).to_plain()
    streets = [
        (p, classifier.classify([read_rgb(p.path)])[0])
        for p in parts.spare
        if p.source in sources.STREETS
    ]
    clutter, roadside = (
        [OrdinaryPicture(s, p.scene_key) for p, s in some if not is_flood(p) and p.source in of]
        for some, of in (
            (choosing, sources.TRAFFIC_CCTV),
            ([*choosing, *streets], sources.STREETS),
        )
    )
    # What is promised counts rooms and forests as well, where roads alone say too little.
    point = max(
        operating_point([p.score for p in clutter]),
        operating_point([s for p, s in choosing if not is_flood(p)]),
        careful_point([*clutter, *roadside]),
    )
    facts["operating_points"]["flood"] = point
    by_source: dict[str, Any] = {}
    for source in ("", *sorted({p.source for p, _ in scored})):
        mine = [(p, s) for p, s in scored if source in ("", p.source)]
        wet, dry = [s for p, s in mine if is_flood(p)], [s for p, s in mine if not is_flood(p)]
        plain = {k: _rounded(v) for k, v in asdict(flood_figures(wet, dry, point)).items()}
        by_source[source or "all"] = {**plain, "flooded": len(wet), "dry": len(dry)}
    facts["figures"] = {"flood": by_source}
    _write(folder, facts)
    write_card(folder, facts, parts)
    return load_card(folder)


def _plan(work: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((work / "plan.json").read_text())
    return loaded


def _require_same_split(plan: dict[str, Any], parts: Split) -> None:
    if plan["split_sha256"] != parts.digest():
        raise ValueError(
            "the data or the split has changed since the training: "
            "what is measured would not be held back"
        )


def _facts(
    name: str,
    task: str,
    classes: Sequence[str],
    size_px: int,
    files: dict[str, Path],
    plan: dict[str, Any],
    parts: Split,
) -> dict[str, Any]:
    weights = {file: sha256_of(path) for file, path in files.items()}
    kept = {k: v for k, v in plan.items() if k not in {"work", "start_weights"}}
    return {
        "name": name,
        "version": f"{name}-{datetime.now(UTC):%Y%m%d}-{weights['model.bin'][:8]}",
        "task": task,
        "classes": list(classes),
        "input_size_px": size_px,
        "weights_sha256": weights,
        "curves": {},
        "operating_points": {},
        "figures": {},
        "provenance": {
            "command": "siaga train flood",
            "start_weights": Path(plan["start_weights"]).name,
            "start_weights_sha256": plan.get("start_weights_sha256"),
            **kept,
            **{
                f"{part}_{what}": count
                for part, mine in parts.parts().items()
                for what, count in (
                    ("pictures", len(mine)),
                    ("scenes", len({p.scene_key for p in mine})),
                )
            },
            "licence": "AGPL-3.0-or-later",
        },
    }


def _write(folder: Path, facts: dict[str, Any]) -> None:
    (folder / "model.json").write_text(json.dumps(facts, indent=1) + "\n")


def _source(name: str) -> str:
    return sources.source_and_scene(name)[0]


def scene_of(name: str) -> str:
    """The scene of a picture, as the split knows it."""
    return "{}/{}".format(*sources.source_and_scene(name))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return value
