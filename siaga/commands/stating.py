"""`--reliability` of `siaga eval`: what the models state, beside what is so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from detection.calibration import Curve
from detection.evaluation import JudgedPicture, scene_by_name
from detection.reliability import StatedPicture, log_loss_bits, reliability_bins, reliability_svg
from detection.squeeze import SCORE_FLOOR
from siaga.failures import Failure

Drawing = Annotated[
    Path | None,
    typer.Option(
        "--reliability",
        metavar="FILE.svg",
        help="Draw what the models state beside what is so, and print both.",
    ),
]


def stated_boxes(
    judged: Sequence[JudgedPicture], class_id: int, curve: Curve
) -> list[StatedPicture]:
    """A class's pictures and those with nothing in them, each with its log-likelihood ratio."""
    stated = []
    for picture in judged:
        present = bool((picture.truth.class_ids == class_id).any())
        if present or len(picture.truth) == 0:
            score = picture.found.best_score(class_id)
            llr = curve.llr(score) if score >= SCORE_FLOOR else curve.miss_llr
            stated.append(StatedPicture(llr, present, scene_by_name(picture.name)))
    return stated


def stated_floods(
    wet: Mapping[str, float], dry: Mapping[str, float], curve: Curve
) -> list[StatedPicture]:
    """Pictures by name with their scores, flooded and not, as log-likelihood ratios."""
    return [
        StatedPicture(curve.llr(score), present, scene_by_name(name))
        for present, scores in ((True, wet), (False, dry))
        for name, score in scores.items()
    ]


def drawn(stated: Mapping[str, Sequence[StatedPicture]], file: Path) -> dict[str, Any]:
    """Write the drawing; by hazard, its bins and its log loss in bits.

    Raises:
        Failure: a hazard of which there is nothing to compare, or a file that can't be written.
    """
    panels = {}
    for hazard, pictures in stated.items():
        try:
            panels[hazard] = reliability_bins(pictures)
        except ValueError as error:
            raise Failure(f"{hazard}: {error}") from error
    try:
        file.write_text(reliability_svg(panels))
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}") from error
    return {
        hazard: {
            "log_loss_bits": log_loss_bits(stated[hazard]),
            "bins": [asdict(one) for one in bins],
        }
        for hazard, bins in panels.items()
    }


def show(found: Mapping[str, Any]) -> None:
    """Print what `drawn` found."""
    for hazard, figures in found.items():
        typer.echo(f"{hazard}: {figures['log_loss_bits']:.2f} bits of surprise (a coin: 1)")
        for one in figures["bins"]:
            typer.echo(
                f"  states {one['stated']:.2f}  is {one['observed']:.2f} "
                f"[{one['low']:.2f} to {one['high']:.2f}]  "
                f"{one['pictures']} pictures of {one['scenes']} scenes"
            )
