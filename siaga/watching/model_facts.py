"""What a worker tells of its models, and where the promotion gate's answers are kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from contracts import ContractError, from_json, to_json
from contracts.models import (
    ModelFacts,
    ModelFigure,
    ModelsReport,
    Promotion,
    ShadowComparison,
    ShadowRow,
)
from detection.errors import DetectionError
from detection.model_card import MODELS, load_card
from plumbing.bus import Bus, BusUnavailable
from plumbing.logs import get_logger
from plumbing.settings import Settings
from siaga.watching.shadow import ShadowFigures, read_reports

_log = get_logger(__name__)

TOLD_EVERY_S = 60.0
MOST_ANSWERS = 20
LARGEST_CARD = 40_000


def models_report(settings: Settings) -> ModelsReport:
    """The configured models by their cards; one that can't be read is left out, and said."""
    used = settings.detection
    parts = {
        "detector": used.detector,
        "flood": used.flood,
        "crash": used.crash,
        "shadow": used.shadow,
    }
    found = []
    for part, name in parts.items():
        if not name:
            continue
        folder = MODELS / name if (MODELS / name).is_dir() else Path(name)
        try:
            found.append(_facts(part, folder))
        except DetectionError as error:
            _log.warning("a model's card can't be read", part=part, why=str(error))
    return ModelsReport(
        models=tuple(found),
        shadows=tuple(_comparison(one) for one in read_reports(settings.data_dir / "shadow")),
        promotions=tuple(read_promotions(settings.data_dir)),
    )


async def tell_models(bus: Bus, settings: Settings, worker: str) -> None:
    """Tell of the models again and again, until cancelled."""
    while True:
        report = await asyncio.to_thread(models_report, settings)
        # What is missed is told again.
        with contextlib.suppress(BusUnavailable):
            await bus.publish_models(worker, report)
        await asyncio.sleep(TOLD_EVERY_S)


def keep_promotion(data_dir: Path, answer: Promotion) -> None:
    """Write down what the gate has answered."""
    path = _answers(data_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [to_json(one).decode() for one in [answer, *read_promotions(data_dir)]]
    part = path.with_suffix(".part")
    part.write_text("\n".join(lines[:MOST_ANSWERS]) + "\n", encoding="utf-8")
    part.replace(path)


def read_promotions(data_dir: Path) -> list[Promotion]:
    """The gate's last answers, newest first."""
    path = _answers(data_dir)
    if not path.is_file():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [from_json(Promotion, line) for line in lines if line]
    except (OSError, ValueError, ContractError) as error:
        _log.warning("the promotion gate's answers can't be read", why=str(error))
        return []


def _answers(data_dir: Path) -> Path:
    return data_dir / "promotions.jsonl"


def _facts(part: str, folder: Path) -> ModelFacts:
    card = load_card(folder)
    plain = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    text = folder / "CARD.md"
    return ModelFacts(
        part=part,
        name=card.name,
        version=card.version,
        input_size_px=card.input_size_px,
        figures=tuple(_figures(plain.get("figures", {}), card.operating_points)),
        card=text.read_text(encoding="utf-8")[:LARGEST_CARD] if text.is_file() else "",
    )


def _figures(figures: dict[str, Any], points: Any) -> Iterable[ModelFigure]:
    for hazard in points:
        own = figures.get(hazard.value, {})
        # The flood model tells each source apart; all of them together are its figures.
        own = own.get("all", own)
        yield ModelFigure(
            hazard=hazard.value,
            operating_point=points[hazard],
            recall=_number(own, "image_recall", "recall"),
            recall_95=_range(own, "image_recall_95", "recall_95"),
            fpr=_number(own, "image_fpr", "fpr", "false_share"),
            fpr_95=_range(own, "image_fpr_95", "fpr_95", "false_share_95"),
        )


def _number(figures: dict[str, Any], *names: str) -> float | None:
    values = (figures.get(name) for name in names)
    return next((float(value) for value in values if isinstance(value, int | float)), None)


def _range(figures: dict[str, Any], *names: str) -> tuple[float, float] | None:
    values = (figures.get(name) for name in names)
    return next(((float(one[0]), float(one[1])) for one in values if isinstance(one, list)), None)


def _comparison(figures: ShadowFigures) -> ShadowComparison:
    return ShadowComparison(
        live=figures.live,
        shadow=figures.shadow,
        pictures=figures.pictures,
        camera_s=figures.camera_s,
        rows=tuple(
            ShadowRow(
                hazard=hazard,
                both=one.both,
                live_only=one.live_only,
                shadow_only=one.shadow_only,
                neither=one.neither,
                live_alarms=one.live_alarms,
                shadow_alarms=one.shadow_alarms,
                agreement=one.agreement,
            )
            for hazard, one in sorted(figures.by_sighting.items())
        ),
    )
