"""What workers tell of their models reaches whoever may read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from contracts.models import ModelFacts, ModelFigure, ModelsReport, Promotion, PromotionLoss
from incidents.people.accounts import Role
from plumbing.settings import Settings
from siaga.watching.model_facts import keep_promotion, models_report, read_promotions
from tests.support.api import RunningApi

AT = datetime(2026, 11, 22, 3, tzinfo=UTC)


def answer(minutes: int, *losses: PromotionLoss) -> Promotion:
    return Promotion(
        live="hazards-1",
        candidate="hazards-2",
        at=AT + timedelta(minutes=minutes),
        promoted=not losses,
        losses=losses,
    )


async def test_models_are_told_with_their_workers_and_the_gates_answers(
    own_api: RunningApi,
) -> None:
    async with own_api.client() as client:
        assert (await client.get("/api/v1/models")).json()["models"] == []
        fire = ModelFigure(
            hazard="fire", operating_point=0.15, recall=0.96, recall_95=(0.91, 1.0), fpr=0.06,
            fpr_95=None,
        )  # fmt: skip
        model = ModelFacts(
            part="detector", name="hazards", version="hazards-1", input_size_px=320,
            figures=(fire,), card="# hazards",
        )  # fmt: skip
        loss = PromotionLoss(hazard="smoke", measure="recall", live=0.9, candidate=0.7)
        for worker in ("w1", "w2"):
            report = ModelsReport(models=(model,), promotions=(answer(1, loss), answer(0)))
            await own_api.bus.publish_models(worker, report)
        told = (await client.get("/api/v1/models")).json()
        assert [one["workers"] for one in told["models"]] == [["w1", "w2"]]
        assert told["models"][0]["model"]["figures"][0]["recall_95"] == [0.91, 1.0]
        assert [one["promoted"] for one in told["promotions"]] == [False, True]
    async with own_api.client(Role.OPERATOR) as operator:
        assert (await operator.get("/api/v1/models")).status_code == 403


def test_the_committed_models_are_told_by_their_cards(tmp_path: Path) -> None:
    report = models_report(Settings(data_dir=tmp_path))
    models = {one.part: one for one in report.models}
    assert {"detector", "flood"} <= models.keys()
    fire = next(one for one in models["detector"].figures if one.hazard == "fire")
    assert fire.recall is not None
    assert fire.recall_95 is not None
    assert fire.recall_95[0] <= fire.recall <= fire.recall_95[1]
    assert models["flood"].figures[0].fpr is not None
    assert models["detector"].card.startswith("#")


def test_the_gates_answers_are_kept_newest_first_and_not_for_ever(tmp_path: Path) -> None:
    assert read_promotions(tmp_path) == []
    for minute in range(25):
        keep_promotion(tmp_path, answer(minute))
    kept = read_promotions(tmp_path)
    assert len(kept) == 20
    assert kept[0].at > kept[1].at
