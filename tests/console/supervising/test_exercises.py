"""An exercise from its start to its score."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from contracts import ExerciseRecord, ScenarioReport, StartScenario
from tests.api.test_exercises import FLOOD, SCORE
from tests.console.conftest import ADMIN
from tests.support.api import ApiThread

pytestmark = pytest.mark.timeout(300)

NOW = datetime.now(UTC)
MORE = {
    "seconds": 300.0,
    "events": [
        {
            "id": "flood-1", "kind": "flood", "hazard": "flood", "starts_s": 20.0, "found": True,
            "by": "both", "shown_after_s": 31.0, "alarmed_after_s": 44.0, "place_error_m": 12.0,
            "in_region": {"50": False, "90": True, "95": True}, "hazard_is_right": True,
            "duplicates": 0,
        }
    ],
    "in_vain": [],
    "false_calls": [],
    "totals": {
        "events": 1, "found": 1, "found_once": 1, "duplicates": 0, "in95": 1, "false_alarms": 0,
        "false_candidates": 0, "false_calls": 0, "signals": 0,
    },
    "operators": {
        "acknowledged_s": 9.5, "verified_s": 31.0, "dispatched_s": None, "untouched": 0,
    },
}  # fmt: skip


def test_an_exercise_is_started_seen_everywhere_and_scored(page: Page, api: ApiThread) -> None:
    bus = api.api.bus

    async def take(command: StartScenario) -> ScenarioReport:
        report = ScenarioReport(
            name=command.name or "everyday",
            title=FLOOD.title,
            judul=FLOOD.judul,
            exercise_id="exercise-1" if command.name else "",
            asked_by=command.asked_by,
            is_playing=True,
            started_at=datetime.now(UTC),
            ends_at=datetime.now(UTC) + timedelta(seconds=300) if command.name else None,
            available=(FLOOD,),
        )
        await bus.publish_exercise(report)
        if command.name is None:
            record = ExerciseRecord(
                id="exercise-1", scenario=FLOOD.name, title=FLOOD.title, judul=FLOOD.judul, seed=3,
                asked_by=ADMIN, started_at=NOW, ended_at=NOW, score=json.dumps(SCORE | MORE),
            )  # fmt: skip
            await api.api.store.exercises.keep(record, actor="city")
        return report

    idle = ScenarioReport(name="everyday", is_playing=True, available=(FLOOD,))
    api.run(bus.publish_exercise(idle))
    with api.beside(bus.answer_city(take)):
        page.get_by_test_id("screen-exercises").click()
        page.get_by_test_id("start-spreading-flood").click()
        now = page.get_by_test_id("exercise-now")
        expect(now).to_contain_text("A flood spreads")
        expect(now).to_contain_text(f"started by {ADMIN}")
        expect(page.get_by_test_id("start-spreading-flood")).to_be_disabled()
        page.get_by_test_id("exercise-stop").click()
        expect(now).to_have_count(0)
    row = page.get_by_test_id("exercise-exercise-1")
    expect(row).to_contain_text("=ani")
    row.get_by_role("button").click()
    expect(page.get_by_test_id("score-found")).to_contain_text("1 / 1")
    expect(page.get_by_test_id("trainee-=ani")).to_contain_text("10 s (2×)")
    expect(page.get_by_test_id("score-events")).to_contain_text("cameras and calls")
    expect(page.get_by_test_id("citizen-sheet")).not_to_contain_text("ani")
    with page.expect_download() as download:
        page.get_by_test_id("exercise-csv").click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    (exported,) = csv.DictReader(io.StringIO(text))
    assert exported["dismissed"] == "1"
