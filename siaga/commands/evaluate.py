"""`siaga eval`: measure the committed models on labelled pictures and clips."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from contracts import CameraId, Sighting
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
    per_hour_95,
    picture_paths,
    source_of,
)
from detection.model_card import DETECTOR, MODELS
from siaga.commands import stating
from siaga.commands.looped import loop_file
from siaga.commands.watch import (
    HOT_EVERY_S,
    Alarm,
    Tier,
    open_watch,
    watch_file,
    watch_frames,
)
from siaga.failures import Failure

app = typer.Typer(no_args_is_help=True, help="Measure the models on labelled data.")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Folder = Annotated[Path, typer.Argument(help="A folder laid out as the help text says.")]

VIDEO_SUFFIXES = (".mp4", ".mkv", ".avi", ".mov", ".ts")
EARLY_S = 0.5
"""An alarm this much before the noted onset still counts for it: onsets are noted by eye."""


@app.command()
def boxes(folder: Folder, as_json: AsJson = False, reliability: stating.Drawing = None) -> None:
    """Fire, smoke and crash on DIR/images with YOLO labels in DIR/labels."""
    detector = open_detector()
    judged = list(judge_pictures(detector, picture_paths(folder / "images"), folder / "labels"))
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
    wet = flood_probabilities(classifier, picture_paths(folder / "flood"))
    dry = flood_probabilities(classifier, picture_paths(folder / "dry"))
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
    judged = list(judge_pictures(detector, paths, None))
    fpr = {
        name: class_figures(judged, i, detector.card.operating_points[Sighting(name)]).image_fpr
        for i, name in enumerate(detector.classes)
    }
    point = classifier.card.operating_points[Sighting.FLOOD]
    wet = flood_probabilities(classifier, paths)
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
    judge, card = open_crash_judge(), load_card(MODELS / DETECTOR)
    clips = crash_clips(folder)
    document = crash_figures(
        clips,
        {clip.name: alarms_of(judge.card, card, clip_verdicts(judge, clip)) for clip in clips},
        {clip.name: clip_scores(judge, clip) for clip in clips},
    )
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


@dataclass(frozen=True, slots=True)
class Truth:
    """What a clip holds: a hazard from `onset_s` on, or nothing."""

    hazard: str | None
    onset_s: float


def read_truth(path: Path) -> dict[str, Truth]:
    """`[{"file", "hazard"|null, "onset_s"}]` by file name. Raises Failure where it isn't that."""
    try:
        rows = json.loads(path.read_text())
        return {
            row["file"]: Truth(
                Sighting(row["hazard"]).value if row["hazard"] is not None else None,
                float(row.get("onset_s") or 0.0),
            )
            for row in rows
        }
    except FileNotFoundError:
        raise Failure(f"there is no file {path}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Failure(f"{path}: expected a list of file, hazard and onset_s ({error})") from error


def judge_clip(truth: Truth, alarms: Sequence[Alarm]) -> dict[str, Any]:
    """Delay, miss and false alarms of one clip. Smoke speaks for fire and fire for smoke."""

    def fits(alarm: Alarm) -> bool:
        if truth.hazard is None:
            return False
        same = Sighting(alarm.hazard).hazard is Sighting(truth.hazard).hazard
        return same and alarm.alarmed_s >= truth.onset_s - EARLY_S

    right = [a for a in alarms if fits(a)]
    return {
        "delay_s": round(right[0].alarmed_s - truth.onset_s, 3) if right else None,
        "missed": truth.hazard is not None and not right,
        "false_alarms": len(alarms) - len(right),
    }


@app.command()
def clips(
    folder: Folder,
    truth: Annotated[
        Path | None, typer.Option(help="JSON list of file, hazard (or null), onset_s.")
    ] = None,
    every: Annotated[
        float, typer.Option("--every", min=0.04, max=60.0, help="Seconds between two looks.")
    ] = 1.0,
    tier: Annotated[Tier, typer.Option(help="As for `siaga watch`.")] = Tier.LIVE,
    loop_minutes: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=120.0,
            help="Play the quiet clips of the truth, and no other, over and over for so long, "
            "with brightness and compression varied.",
        ),
    ] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Every video of DIR through `watch`: alarms by hazard with times; with truth, delays."""
    if not folder.is_dir():
        raise Failure(f"{folder}: no such folder")
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in VIDEO_SUFFIXES)
    if not paths:
        raise Failure(f"{folder} holds no video ({', '.join(VIDEO_SUFFIXES)})")
    known = read_truth(truth) if truth is not None else {}
    if loop_minutes > 0:
        paths = [p for p in paths if p.name in known and known[p.name].hazard is None]
        if not paths:
            raise Failure("--loop-minutes needs a --truth that names quiet clips (hazard null)")
    watch = open_watch()
    rows: list[dict[str, Any]] = []
    for number, path in enumerate(paths, start=1):
        typer.echo(f"{number}/{len(paths)} {path.name}", err=True)
        if loop_minutes > 0:
            camera_id = CameraId(path.name[:80])
            frames = loop_file(path, camera_id, HOT_EVERY_S, loop_minutes)
            alarms, duration_s = watch_frames(watch, path.name, camera_id, frames, every, tier)
        else:
            alarms, duration_s = watch_file(watch, path, every, tier)
        by_hazard: dict[str, list[float]] = {}
        for alarm in alarms:
            by_hazard.setdefault(alarm.hazard, []).append(round(alarm.alarmed_s, 3))
        row: dict[str, Any] = {
            "file": path.name,
            "duration_s": round(duration_s, 3),
            "alarms": [a.to_plain() for a in alarms],
            "by_hazard": by_hazard,
        }
        if path.name in known:
            row |= {"hazard": known[path.name].hazard, **judge_clip(known[path.name], alarms)}
        rows.append(row)
    judged = [row for row in rows if "missed" in row]
    document: dict[str, Any] = {"clips": rows}
    if truth is not None:
        false, watched_s = (sum(row[k] for row in judged) for k in ("false_alarms", "duration_s"))
        document |= {
            "watched_s": round(watched_s, 3),
            "false_per_hour": false / watched_s * 3600 if watched_s else None,
            "false_per_hour_95": per_hour_95(false, watched_s),
            "missed": sum(row["missed"] for row in judged),
            "false_alarms": sum(row["false_alarms"] for row in judged),
            "not_judged": [row["file"] for row in rows if "missed" not in row],
        }
    if as_json:
        typer.echo(json.dumps(document))
        return
    for row in rows:
        verdict = ""
        if "missed" in row:
            delay = "" if row["delay_s"] is None else f"delay {row['delay_s']:.1f} s "
            verdict = f"{'MISSED ' if row['missed'] else ''}{delay}false {row['false_alarms']}"
        times = "  ".join(
            f"{h} at {', '.join(f'{t:.1f}' for t in ts)} s" for h, ts in row["by_hazard"].items()
        )
        typer.echo(f"{row['file']:<30} {row['duration_s']:6.1f} s  {times or '-':<40} {verdict}")
    if interval := document.get("false_per_hour_95"):
        typer.echo(
            f"false alarms {document['false_alarms']} in {document['watched_s']:.0f} s: "
            f"{document['false_per_hour']:.0f} an hour (95 % {interval[0]:.0f} to "
            f"{interval[1]:.0f}); "
            + (
                "the same minutes over and over are no further proof"
                if loop_minutes > 0
                else "so little footage proves no low rate"
            )
        )


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _range(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" [{interval[0]:.3f} to {interval[1]:.3f}]"
