"""`siaga eval`: measure the committed models on labelled pictures and clips."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from contracts import Sighting
from detection import load_card, open_detector, open_flood_classifier
from detection.crash_clips import alarms_of, clip_scores, clip_verdicts, crash_clips, crash_figures
from detection.crash_model import open_crash_judge
from detection.evaluation import (
    class_figures,
    flagged_95,
    flood_figures,
    flood_probabilities,
    intervals,
    judge_pictures,
    picture_paths,
    source_of,
)
from detection.model_card import DETECTOR, MODELS
from siaga.commands import clip_evaluation, stating
from siaga.commands.progress import followed

app = typer.Typer(no_args_is_help=True, help="Measure the models on labelled data.")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Folder = Annotated[Path, typer.Argument(help="A folder laid out as the help text says.")]


@app.command()
def boxes(folder: Folder, as_json: AsJson = False, reliability: stating.Drawing = None) -> None:
    """Fire, smoke and crash on DIR/images with YOLO labels in DIR/labels."""
    detector = open_detector()
    judged = list(
        judge_pictures(
            detector, followed(picture_paths(folder / "images"), "pictures"), folder / "labels"
        )
    )
    classes: dict[str, Any] = {}
    for class_id, name in enumerate(detector.classes):
        point = detector.card.operating_points[Sighting(name)]
        figures = asdict(class_figures(judged, class_id, point))
        by_source = figures.pop("recall_by_source")
        figures["by_source"] = {s: {"image_recall": r} for s, r in by_source.items()}
        figures |= intervals(judged, class_id, point)
        classes[name] = figures
    document: dict[str, Any] = {"classes": classes, "images": len(judged)}
    if reliability is not None:
        document["reliability"] = stating.drawn(
            {
                name: stating.stated_boxes(judged, i, detector.card.curves[Sighting(name)])
                for i, name in enumerate(detector.classes)
                if Sighting(name) is not Sighting.CRASH
            },
            reliability,
        )
    if as_json:
        typer.echo(json.dumps(document))
        return
    for name, figures in classes.items():
        shown = "  ".join(
            f"{k} {_text(figures[k])}"
            for k in ("ap50", "precision", "recall", "image_recall", "image_fpr")
        )
        typer.echo(f"{name:<6} {shown}")
        for source, its in figures["by_source"].items():
            typer.echo(f"       {source:<12} image_recall {_text(its['image_recall'])}")
    stating.show(document.get("reliability", {}))
    typer.echo(f"{len(judged)} pictures")


@app.command()
def floods(folder: Folder, as_json: AsJson = False, reliability: stating.Drawing = None) -> None:
    """The flood classifier on pictures in DIR/flood and DIR/dry."""
    classifier = open_flood_classifier()
    point = classifier.card.operating_points[Sighting.FLOOD]
    flooded, others = picture_paths(folder / "flood"), picture_paths(folder / "dry")
    wet = flood_probabilities(classifier, followed(flooded, "pictures of floods"))
    dry = flood_probabilities(classifier, followed(others, "pictures of dry roads"))
    document: dict[str, Any] = asdict(flood_figures([*wet.values()], [*dry.values()], point))
    document |= {"recall_95": flagged_95(wet, point), "fpr_95": flagged_95(dry, point)}
    document["by_source"] = {}
    for source in sorted({source_of(name) for name in (*wet, *dry)}):
        document["by_source"][source] = asdict(
            flood_figures(
                [p for name, p in wet.items() if source_of(name) == source],
                [p for name, p in dry.items() if source_of(name) == source],
                point,
            )
        )
    if reliability is not None:
        stated = stating.stated_floods(wet, dry, classifier.card.curves[Sighting.FLOOD])
        document["reliability"] = stating.drawn({"flood": stated}, reliability)
    if as_json:
        typer.echo(json.dumps(document))
        return
    for source, figures in {"all": document, **document["by_source"]}.items():
        shown = "  ".join(
            f"{k} {_text(figures[k])}{_range(figures.get(f'{k}_95'))}"
            for k in ("recall", "fpr", "auc")
        )
        typer.echo(f"{source:<12} {shown}")
    stating.show(document.get("reliability", {}))


@app.command()
def quiet(folder: Folder, as_json: AsJson = False) -> None:
    """False positives on DIR's pictures, which hold nothing to report."""
    detector, classifier = open_detector(), open_flood_classifier()
    paths = picture_paths(folder)
    judged = list(judge_pictures(detector, followed(paths, "pictures"), None))
    fpr = {
        name: class_figures(judged, i, detector.card.operating_points[Sighting(name)]).image_fpr
        for i, name in enumerate(detector.classes)
    }
    point = classifier.card.operating_points[Sighting.FLOOD]
    wet = flood_probabilities(classifier, followed(paths, "pictures, for floods"))
    fpr["flood"] = flood_figures([], [*wet.values()], point).fpr
    fpr_95 = {
        name: flagged_95(
            {j.name: j.found.best_score(i) for j in judged},
            detector.card.operating_points[Sighting(name)],
        )
        for i, name in enumerate(detector.classes)
    } | {"flood": flagged_95(wet, point)}
    if as_json:
        typer.echo(json.dumps({"images": len(paths), "fpr": fpr, "fpr_95": fpr_95}))
        return
    for name, share in fpr.items():
        typer.echo(f"{name:<6} {_text(share)}{_range(fpr_95[name])} of {len(paths)} pictures")


@app.command()
def crashes(folder: Folder, as_json: AsJson = False) -> None:
    """The crash model on DIR/clips with labels in DIR/labels, as a hot camera is judged."""
    # What is wrong with a clip is said in our words, once.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    judge, card = open_crash_judge(), load_card(MODELS / DETECTOR)
    clips = crash_clips(folder)
    alarms, scores = {}, {}
    for clip in followed(clips, "clips"):
        alarms[clip.name] = alarms_of(judge.card, card, clip_verdicts(judge, clip))
        scores[clip.name] = clip_scores(judge, clip)
    document = crash_figures(clips, alarms, scores)
    if as_json:
        typer.echo(json.dumps(document))
        return
    for name, value in document.items():
        shown = (
            f"{value[0]:.3f} to {value[1]:.3f}"
            if isinstance(value, tuple)
            else f"{value:g}"
            if isinstance(value, int)
            else _text(value)
        )
        typer.echo(f"{name:<18} {shown}")


app.command()(clip_evaluation.clips)


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _range(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" [{interval[0]:.3f} to {interval[1]:.3f}]"
