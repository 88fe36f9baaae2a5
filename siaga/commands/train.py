"""`siaga train`: from pictures to committed weights (needs the `train` extra)."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from contracts import Sighting
from contracts.models import Promotion, PromotionLoss
from contracts.verdicts import Verdict
from detection.model_card import CRASH, DETECTOR, FLOOD, MODELS, load_card
from detection.promotion import Point, detector_points, flood_points, losses, replace_model
from detection.runtime import open_detector, open_flood_classifier
from incidents.store import Store
from plumbing.clock import SystemClock
from plumbing.evidence import open_evidence
from siaga.commands.options import ConfigOption, JsonOption, settings_from
from siaga.commands.stored import with_store
from siaga.failures import Failure
from siaga.verdict_export import export_verdicts
from siaga.watching.model_facts import keep_promotion
from siaga.watching.shadow import read_reports
from siaga.watching.shadow import table as shadow_table

app = typer.Typer(
    no_args_is_help=True,
    help="Train, validate and export the models; SIAGA_DATA names the folder of the data.",
)

Work = Annotated[
    Path, typer.Option(help="Where checkpoints lie; the same folder goes on where a run stopped.")
]
Weights = Annotated[
    str, typer.Option(help="A YOLOv8n checkpoint to start from, such as yolov8n.pt.")
]
Hours = Annotated[
    float | None, typer.Option(min=0.01, help="Wall-clock budget; the schedule adapts to it.")
]
Threads = Annotated[int, typer.Option(min=1, help="Threads of torch.")]
Device = Annotated[str, typer.Option(help="cpu, or a GPU's number.")]
Rate = Annotated[float, typer.Option(min=1e-6, max=0.1, help="Highest learning rate.")]
StatedOnly = Annotated[
    bool, typer.Option("--stated-licence-only", help="Only sources with a stated licence.")
]
History = Annotated[
    str, typer.Option(help="What the starting weights have seen before, for the model card.")
]
Out = Annotated[Path | None, typer.Option(help="Folder of the finished model.")]


@app.command()
def detector(
    work: Work = Path("training/detector"),
    start_weights: Weights = "yolov8n.pt",
    epochs: Annotated[int, typer.Option(min=1)] = 22,
    hours: Hours = None,
    image_size_px: Annotated[int, typer.Option(min=160, max=1280)] = 320,
    seed: int = 7,
    threads: Threads = 1,
    device: Device = "cpu",
    learning_rate: Rate = 0.001,
    stated_licence_only: StatedOnly = False,
    history: History = "descended from COCO weights",
    out: Out = None,
) -> None:
    """Fire, smoke and crash boxes: train, export, calibrate and measure."""
    from detection.training.detector import DetectorPlan, train
    from detection.training.publish import publish_detector

    plan = DetectorPlan(
        start_weights=start_weights,
        work=work,
        epochs=epochs,
        hours=hours,
        image_size_px=image_size_px,
        seed=seed,
        threads=threads,
        device=device,
        learning_rate=learning_rate,
        stated_licence_only=stated_licence_only,
        history=history,
    )
    try:
        best = train(plan)
    except FileNotFoundError as error:
        raise Failure(str(error)) from error
    card = publish_detector(best, work.resolve(), out or MODELS / DETECTOR, image_size_px)
    typer.echo(f"{card.version} in {card.folder}")


@app.command()
def flood(
    work: Work = Path("training/flood"),
    start_weights: Weights = "yolov8n.pt",
    epochs: Annotated[int, typer.Option(min=1)] = 15,
    hours: Hours = None,
    image_size_px: Annotated[int, typer.Option(min=96, max=640)] = 224,
    seed: int = 7,
    threads: Threads = 1,
    device: Device = "cpu",
    learning_rate: Rate = 0.0015,
    stated_licence_only: StatedOnly = False,
    history: History = "descended from COCO weights",
    out: Out = None,
) -> None:
    """Flood or dry, from the road region: train, export, calibrate and measure."""
    from detection.training.flood import FloodPlan, train
    from detection.training.publish import publish_flood

    plan = FloodPlan(
        start_weights=start_weights,
        work=work,
        epochs=epochs,
        hours=hours,
        image_size_px=image_size_px,
        seed=seed,
        threads=threads,
        device=device,
        learning_rate=learning_rate,
        stated_licence_only=stated_licence_only,
        history=history,
    )
    try:
        best = train(plan)
    except FileNotFoundError as error:
        raise Failure(str(error)) from error
    card = publish_flood(best, work.resolve(), out or MODELS / FLOOD, image_size_px)
    typer.echo(f"{card.version} in {card.folder}")


@app.command()
def crash(
    clips: Annotated[
        Path | None, typer.Option(help="Folder of clips/ and labels/; by default that of the data.")
    ] = None,
    videos: Annotated[
        Path | None, typer.Option(help="Folder whose quiet_*.mp4 are further ordinary scenes.")
    ] = None,
    out: Out = None,
) -> None:
    """The crash model: cross-fit, measure and fit to everything (needs no `train` extra)."""
    from detection.training.crash import data_folders, train_crash

    try:
        if clips is None:
            clips, known = data_folders()
            videos = videos or known
        card = train_crash(clips, videos, out or MODELS / CRASH)
    except FileNotFoundError as error:
        raise Failure(str(error)) from error
    typer.echo(f"{card.version} in {card.folder}")


@app.command("average")
def average_checkpoints(
    checkpoints: Annotated[list[Path], typer.Argument(help="Checkpoints of one lineage.")],
    work: Annotated[Path, typer.Option(help="The training whose plan and split they share.")],
    out: Out = None,
    image_size_px: Annotated[int, typer.Option(min=160, max=1280)] = 320,
) -> None:
    """Average detector checkpoints, then export, calibrate and measure the mean."""
    from detection.training.averaging import average
    from detection.training.publish import publish_detector

    target = work.resolve() / "average.pt"
    try:
        average(checkpoints, target)
        card = publish_detector(target, work.resolve(), out or MODELS / DETECTOR, image_size_px)
    except (FileNotFoundError, ValueError) as error:
        raise Failure(str(error)) from error
    typer.echo(f"{card.version} in {card.folder}")


@app.command("export")
def export_data(
    folder: Annotated[Path, typer.Argument(help="Where the data set is written.")],
    exercise: Annotated[
        bool, typer.Option("--exercise", help="What was decided in exercises, instead of reality.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write operators' verdicts with their pictures as a data set.

    In the folder desk/ beside the other data sets (SIAGA_DATA/hazards/desk), trainings mix it in.
    """
    settings = settings_from(config)

    async def read(store: Store) -> list[Verdict]:
        return await store.verdicts.since(exercise=exercise)

    verdicts = with_store(config, read)
    evidence = open_evidence(
        settings.evidence_folder, settings.evidence.min_free_bytes, settings.evidence.url
    )
    exported = export_verdicts(verdicts, evidence, folder)
    for problem in exported.problems:
        typer.echo(problem, err=True)
    if as_json:
        figures = {
            "folder": str(folder),
            "confirmed": exported.confirmed,
            "rejected": exported.rejected,
            "without_picture": exported.without_picture,
        }
        typer.echo(json.dumps(figures))
        return
    typer.echo(
        f"{exported.confirmed} pictures of hazards and {exported.rejected} of look-alikes in "
        f"{folder}; {exported.without_picture} verdicts without a picture"
    )


@app.command()
def shadow(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """What the shadow model would have said beside the live one (detection.shadow)."""
    reports = read_reports(settings_from(config).data_dir / "shadow")
    if as_json:
        typer.echo(json.dumps({"pairs": [report.to_plain() for report in reports]}))
    else:
        typer.echo(shadow_table(reports))


@app.command()
def promote(
    candidate: Annotated[Path, typer.Argument(help="Folder of the new model.")],
    data: Annotated[
        Path,
        typer.Option(help="Of a detector: images/ and labels/; of a flood model: flood/ and dry/."),
    ],
    live: Annotated[
        Path | None, typer.Option(help="The model to replace; default the committed one.")
    ] = None,
    quiet: Annotated[
        Path | None, typer.Option(help="Pictures with nothing to report, for a detector.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0.0, max=0.2, help="A share by which a measure may be worse.")
    ] = 0.0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Compare, and change nothing.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a new model in the live one's place, if it is no worse in any hazard on the data.

    The data must be scenes that neither was trained on. The former model stays beside the live one,
    as NAME.before.
    """
    card = load_card(candidate)
    task = card.task
    former = live or MODELS / (DETECTOR if task == "detect" else FLOOD)
    before, after = _points(former, data, quiet), _points(candidate, data, quiet)
    found = losses(before, after, tolerance)
    answer = Promotion(
        live=load_card(former).version,
        candidate=card.version,
        at=SystemClock().now(),
        promoted=not found and not dry_run,
        losses=tuple(
            PromotionLoss(
                hazard=loss.hazard.value,
                measure="recall" if loss.measure == "recall" else "fpr",
                live=loss.live,
                candidate=loss.candidate,
            )
            for loss in found
        ),
    )
    # Where the workers of this installation tell of it.
    keep_promotion(settings_from(config).data_dir, answer)
    if as_json:
        document = {
            "live": {h.value: asdict(p) for h, p in before.items()},
            "candidate": {h.value: asdict(p) for h, p in after.items()},
            "losses": [asdict(loss) for loss in found],
            "promoted": not found and not dry_run,
        }
        typer.echo(json.dumps(document))
    else:
        for hazard, point in before.items():
            new = after.get(hazard)
            typer.echo(f"{hazard.value:6} live {_shown(point)}   candidate {_shown(new)}")
    if found:
        raise Failure("not promoted, it is worse: " + "; ".join(map(str, found)))
    if not dry_run:
        replace_model(candidate, former)


def _points(folder: Path, data: Path, quiet: Path | None) -> dict[Sighting, Point]:
    if load_card(folder).task == "detect":
        return detector_points(open_detector(folder=folder), data, quiet)
    return flood_points(open_flood_classifier(folder=folder), data)


def _shown(point: Point | None) -> str:
    if point is None:
        return "-"
    recall, fpr = ("-" if value is None else f"{value:.3f}" for value in (point.recall, point.fpr))
    return f"recall {recall} false positives {fpr}"
