"""From a checkpoint to a folder of `detection/models/`: export, calibrate and measure on the held-
back scenes.

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

import numpy as np

from detection.calibration import CalibrationSample, fit_curve
from detection.evaluation import (
    JudgedPicture,
    class_figures,
    flood_figures,
    judge_pictures,
    read_rgb,
)
from detection.model_card import ModelCard, load_card, sha256_of
from detection.runtime import open_detector, open_flood_classifier
from detection.squeeze import SCORE_FLOOR
from detection.training import sources
from detection.training.card import write_card
from detection.training.detector import detector_split
from detection.training.export import export
from detection.training.flood import flood_split, is_flood
from detection.training.split import Split

CLUTTER_BUDGET = 0.02
"""Share of ordinary validation pictures that may be flagged at the operating point: a third under
the promised 3 %.
"""
LEAST_OPERATING_POINT = 0.05


def operating_point(clutter_scores: Sequence[float], budget: float = CLUTTER_BUDGET) -> float:
    """The lowest score, in hundredths, that flags at most `budget` of the clutter pictures."""
    for hundredth in range(round(LEAST_OPERATING_POINT * 100), 100):
        threshold = hundredth / 100
        if sum(s >= threshold for s in clutter_scores) <= budget * len(clutter_scores):
            return threshold
    return 0.99


def publish_detector(checkpoint: Path, work: Path, folder: Path, input_size_px: int) -> ModelCard:
    """Export, calibrate and measure a detector on its validation scenes; returns what was
    written.
    """
    plan = _plan(work)
    parts = detector_split(sources.data_root(), bool(plan.get("stated_licence_only")))
    _require_same_split(plan, parts)
    files = export(checkpoint, folder, input_size_px, work)
    facts = _facts("hazards", "detect", sources.HAZARD_CLASSES, input_size_px, files, plan, parts)
    _write(folder, facts)
    judged = judge_validation(folder, parts)
    for class_id, name in enumerate(sources.HAZARD_CLASSES):
        samples = [
            CalibrationSample(
                j.found.best_score(class_id),
                bool((j.truth.class_ids == class_id).any()),
                "{}/{}".format(*sources.source_and_scene(j.name)),
                sources.source_and_scene(j.name)[0],
            )
            for j in judged
            # Clutter is what cameras show when there is nothing to report: smoke without a label
            # over a labelled fire would count against the truth, photographs of parked cars for it.
            if (j.truth.class_ids == class_id).any()
            or (len(j.truth) == 0 and sources.source_and_scene(j.name)[0] in sources.TRAFFIC_CCTV)
        ]
        facts["curves"][name] = fit_curve(samples, SCORE_FLOOR).to_plain()
        clutter = [
            j.found.best_score(class_id)
            for j in judged
            if len(j.truth) == 0 and sources.source_and_scene(j.name)[0] in sources.TRAFFIC_CCTV
        ]
        facts["operating_points"][name] = operating_point(clutter)
    facts["figures"] = detector_figures(judged, facts["operating_points"])
    _write(folder, facts)
    write_card(folder, facts, parts)
    return load_card(folder)


def judge_validation(folder: Path, parts: Split) -> list[JudgedPicture]:
    """The detector of `folder` on every held-back picture."""
    detector = open_detector(folder=folder)
    judged: list[JudgedPicture] = []
    for picture in parts.validation:
        if picture.labels is None:
            judged.extend(judge_pictures(detector, [picture.path], None))
        else:
            judged.extend(judge_pictures(detector, [picture.path], picture.labels.parent))
    return judged


def detector_figures(
    judged: Sequence[JudgedPicture], points: dict[str, float]
) -> dict[str, dict[str, Any]]:
    """Figures by class with 95 % intervals by bootstrap over scenes."""
    figures: dict[str, dict[str, Any]] = {}
    for class_id, name in enumerate(sources.HAZARD_CLASSES):
        whole = class_figures(judged, class_id, points[name])
        plain = {k: _rounded(v) for k, v in asdict(whole).items()}
        plain["image_recall_95"] = _interval(judged, class_id, points[name], "image_recall")
        plain["image_fpr_95"] = _interval(judged, class_id, points[name], "image_fpr")
        by_source: dict[str, list[bool]] = {}
        for j in judged:
            if len(j.truth) == 0:
                flagged = j.found.best_score(class_id) >= points[name]
                by_source.setdefault(sources.source_and_scene(j.name)[0], []).append(flagged)
        plain["fpr_by_source"] = {
            s: _rounded(sum(f) / len(f)) for s, f in sorted(by_source.items())
        }
        plain["clutter_pictures"] = sum(len(f) for f in by_source.values())
        figures[name] = plain
    return figures


def _interval(
    judged: Sequence[JudgedPicture], class_id: int, point: float, figure: str, rounds: int = 300
) -> list[float] | None:
    """2.5 and 97.5 % quantiles over resampled scenes (pictures of one scene are no independent
    proof).
    """
    scenes: dict[tuple[str, str], list[tuple[bool, bool]]] = {}
    for j in judged:
        present = bool((j.truth.class_ids == class_id).any())
        counts = present if figure == "image_recall" else len(j.truth) == 0
        if counts:
            flagged = j.found.best_score(class_id) >= point
            scenes.setdefault(sources.source_and_scene(j.name), []).append((flagged, True))
    if not scenes:
        return None
    hits = np.array([sum(f for f, _ in s) for s in scenes.values()], dtype=float)
    sizes = np.array([len(s) for s in scenes.values()], dtype=float)
    rng = np.random.default_rng(0)
    picks = rng.integers(0, len(sizes), (rounds, len(sizes)))
    shares = hits[picks].sum(axis=1) / sizes[picks].sum(axis=1)
    return [round(float(q), 3) for q in np.quantile(shares, [0.025, 0.975])]


def publish_flood(checkpoint: Path, work: Path, folder: Path, input_size_px: int) -> ModelCard:
    """Export, calibrate and measure a flood classifier on its validation scenes."""
    plan = _plan(work)
    parts = flood_split(sources.data_root(), bool(plan.get("stated_licence_only")))
    _require_same_split(plan, parts)
    files = export(checkpoint, folder, input_size_px, work)
    facts = _facts("flood", "classify", ("dry", "flood"), input_size_px, files, plan, parts)
    _write(folder, facts)
    classifier = open_flood_classifier(folder=folder)
    scored = [(p, classifier.classify([read_rgb(p.path)])[0]) for p in parts.validation]
    # it.
    samples = [
        CalibrationSample(s, is_flood(p), p.scene_key, p.source)
        for p, s in scored
        if is_flood(p) or p.source in sources.TRAFFIC_CCTV
    ]
    facts["curves"]["flood"] = fit_curve(samples, 0.0).to_plain()
    point = operating_point(
        [s for p, s in scored if not is_flood(p) and p.source in sources.TRAFFIC_CCTV]
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
            "the validation would not be held back"
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
            "command": f"siaga train {'detector' if task == 'detect' else 'flood'}",
            "start_weights": Path(plan["start_weights"]).name,
            "start_weights_sha256": plan.get("start_weights_sha256"),
            **kept,
            "train_pictures": len(parts.train),
            "train_scenes": len({p.scene_key for p in parts.train}),
            "validation_pictures": len(parts.validation),
            "validation_scenes": len({p.scene_key for p in parts.validation}),
            "licence": "AGPL-3.0-or-later",
        },
    }


def _write(folder: Path, facts: dict[str, Any]) -> None:
    (folder / "model.json").write_text(json.dumps(facts, indent=1) + "\n")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return value
