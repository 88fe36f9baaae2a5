"""`siaga train shadow` and `promote`: a new model beside the live one, and in its place."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from contracts import Sighting
from contracts.models import Promotion, PromotionLoss
from detection.model_card import DETECTOR, FLOOD, MODELS, load_card
from detection.promotion import Point, detector_points, flood_points, losses, replace_model
from detection.runtime import open_detector, open_flood_classifier
from plumbing.clock import SystemClock
from siaga.commands.options import ConfigOption, JsonOption, settings_from
from siaga.failures import Failure
from siaga.watching.model_facts import keep_promotion
from siaga.watching.shadow import read_reports
from siaga.watching.shadow import table as shadow_table


def shadow(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """What the shadow model would have said beside the live one (detection.shadow)."""
    reports = read_reports(settings_from(config).data_dir / "shadow")
    if as_json:
        typer.echo(json.dumps({"pairs": [report.to_plain() for report in reports]}))
    else:
        typer.echo(shadow_table(reports))


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
