"""`siaga train`: from pictures to committed weights (needs the `train` extra)."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from contracts.verdicts import Verdict
from detection.model_card import CRASH, DETECTOR, FLOOD, MODELS, ModelCard
from incidents.store import Store
from plumbing.evidence import open_evidence
from siaga.commands import promotion
from siaga.commands.options import ConfigOption, JsonOption, settings_from
from siaga.commands.stored import with_store
from siaga.failures import Failure
from siaga.verdict_export import export_verdicts

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
    bool,
    typer.Option(
        "--stated-licence-only", "--licensed-only", help="Only sources with a stated licence."
    ),
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
    as_json: JsonOption = False,
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
    _tell(card, as_json)


@app.command("class-branch")
def class_branch(
    start_weights: Annotated[
        Path, typer.Argument(help="A checkpoint of `siaga train detector`, such as a model.pt.")
    ],
    work: Work = Path("training/class-branch"),
    epochs: Annotated[int, typer.Option(min=1)] = 5,
    views: Annotated[
        int, typer.Option(min=1, max=20, help="Of each picture; each takes 0.36 MB of disk.")
    ] = 3,
    image_size_px: Annotated[int, typer.Option(min=160, max=1280)] = 320,
    seed: int = 7,
    threads: Threads = 1,
    learning_rate: Rate = 0.0006,
    stated_licence_only: StatedOnly = False,
    history: History = "themselves trained on these scenes",
    out: Out = None,
    as_json: JsonOption = False,
) -> None:
    """The detector's class branch alone, in minutes: what counts as which hazard, not where."""
    from detection.training.class_branch import ClassBranchPlan, train
    from detection.training.publish import publish_detector

    plan = ClassBranchPlan(
        start_weights=str(start_weights),
        work=work,
        epochs=epochs,
        views=views,
        image_size_px=image_size_px,
        seed=seed,
        threads=threads,
        learning_rate=learning_rate,
        stated_licence_only=stated_licence_only,
        history=history,
    )
    try:
        last = train(plan)
    except FileNotFoundError as error:
        raise Failure(str(error)) from error
    folder = out or MODELS / DETECTOR
    card = publish_detector(last, work.resolve(), folder, image_size_px, "siaga train class-branch")
    _tell(card, as_json)


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
    as_json: JsonOption = False,
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
    _tell(card, as_json)


@app.command()
def crash(
    clips: Annotated[
        Path | None, typer.Option(help="Folder of clips/ and labels/; by default that of the data.")
    ] = None,
    videos: Annotated[
        Path | None, typer.Option(help="Folder whose quiet_*.mp4 are further ordinary scenes.")
    ] = None,
    out: Out = None,
    as_json: JsonOption = False,
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
    _tell(card, as_json)


@app.command("average")
def average_checkpoints(
    checkpoints: Annotated[list[Path], typer.Argument(help="Checkpoints of one lineage.")],
    work: Annotated[Path, typer.Option(help="The training whose plan and split they share.")],
    out: Out = None,
    image_size_px: Annotated[int, typer.Option(min=160, max=1280)] = 320,
    as_json: JsonOption = False,
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
    _tell(card, as_json)


@app.command()
def curve(
    start_weights: Annotated[
        Path, typer.Argument(help="A checkpoint that never saw the pictures, such as yolov8n.pt.")
    ],
    svg: Annotated[Path | None, typer.Option(help="Draw the curves into this file.")] = None,
    image_size_px: Annotated[int, typer.Option(min=160, max=1280)] = 320,
    threads: Threads = 1,
    work: Work = Path("training/curve"),
    as_json: JsonOption = False,
) -> None:
    """How recall grows with the number of training scenes: a linear probe, some minutes."""
    from detection.training import environment
    from detection.training.learning_curve import SHARES, curves_svg, learning_curves

    work.mkdir(parents=True, exist_ok=True)
    environment.prepare(work.resolve(), threads, seed=0)
    try:
        curves = learning_curves(start_weights, image_size_px)
    except FileNotFoundError as error:
        raise Failure(str(error)) from error
    if svg is not None:
        svg.write_text(curves_svg(curves))
    if as_json:
        typer.echo(json.dumps({name: [asdict(p) for p in some] for name, some in curves.items()}))
        return
    typer.echo(f"{'hazard':<8}" + "".join(f"{share:>22.0%}" for share in SHARES))
    for name, points in curves.items():
        cells = [
            f"{' '.join(f'{r:.2f}' for r in p.recalls)} ({p.hazard_scenes:.0f})" for p in points
        ]
        typer.echo(f"{name:<8}" + "".join(f"{cell:>22}" for cell in cells))


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


def _tell(card: ModelCard, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"version": card.version, "folder": str(card.folder)}))
        return
    typer.echo(f"{card.version} in {card.folder}")


app.command()(promotion.shadow)
app.command()(promotion.promote)
