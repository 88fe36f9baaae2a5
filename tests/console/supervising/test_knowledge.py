"""What fusion has learnt, and the models that watch."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert

from contracts import LearntFigure, to_json
from contracts.models import ModelFacts, ModelFigure, ModelsReport, Promotion, PromotionLoss
from incidents.tables import LearntRow
from tests.console.supervising.conftest import go
from tests.support.api import ApiThread

pytestmark = pytest.mark.timeout(300)

NOW = datetime.now(UTC)


def test_what_was_learnt_is_frozen_and_reset(page: Page, api: ApiThread) -> None:
    name = "caller_distance_factor"
    figure = LearntFigure(name=name, value=(1.4,), assumed=(1.0,), samples=96, learnt_at=NOW)

    async def learn() -> None:
        async with api.api.store._database.changing() as connection:
            row = {"name": name, "frozen": False, "body": to_json(figure).decode()}
            await connection.execute(insert(LearntRow).values(row))

    api.run(learn())
    go(page, "admin/learning")
    row = page.get_by_test_id(f"learnt-{name}")
    expect(row).to_contain_text("1.40")
    expect(row).to_contain_text("96")
    page.get_by_test_id(f"freeze-{name}").click()
    expect(row).to_have_attribute("data-frozen", "true")
    page.get_by_test_id(f"reset-{name}").click()
    page.get_by_test_id("reset-sure").click()
    expect(row).to_contain_text("reset")
    with api.client() as client:
        (kept,) = client.get("/api/v1/learning").json()["figures"]
    assert (kept["frozen"], kept["value"], kept["samples"]) == (True, [], 0)


def test_models_stand_with_their_figures_and_the_gates_answer(page: Page, api: ApiThread) -> None:
    fire = ModelFigure(
        hazard="fire", operating_point=0.15, recall=0.96, recall_95=(0.91, 1.0), fpr=0.062,
        fpr_95=None,
    )  # fmt: skip
    model = ModelFacts(
        part="detector", name="hazards", version="hazards-1", input_size_px=320, figures=(fire,),
        card="# hazards: where it fails",
    )  # fmt: skip
    loss = PromotionLoss(hazard="smoke", measure="recall", live=0.9, candidate=0.7)
    answer = Promotion(
        live="hazards-1", candidate="hazards-2", at=NOW, promoted=False, losses=(loss,)
    )
    report = ModelsReport(models=(model,), promotions=(answer,))
    api.run(api.api.bus.publish_models("w1", report))
    go(page, "admin/models")
    detector = page.get_by_test_id("model-detector")
    expect(detector).to_contain_text("96%")
    detector.get_by_text("Model card").click()
    expect(detector).to_contain_text("where it fails")
    expect(page.get_by_test_id("promotions")).to_contain_text("hazards-2 stays out")
    expect(page.get_by_test_id("promotions")).to_contain_text("90% → 70%")
