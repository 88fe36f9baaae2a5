"""The simulated city beside a real API and a real bus: it plays, takes commands, and scores."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts import StartScenario
from incidents.people.accounts import Role
from plumbing.bus import Bus
from plumbing.embedded_bus import EmbeddedBus
from siaga.city.performance import SETTLES_S, WORTH_SCORING_S
from siaga.city.role import API_VARIABLE, KEY_VARIABLE, CityPlan, play_city
from tests.support.api import RunningApi, api_settings, running_api

BRIEF = {
    "name": "brief",
    "title": "Two calls, no camera",
    "seconds": 2,
    "map": {"junctions": 1},
    "cameras": [],
    "events": [
        {"kind": "false_call", "at": {}, "starts_s": 0.1, "hazard": "fire",
         "callers": {"count": 2, "delay_s": 0.1}},
    ],
}  # fmt: skip


@pytest.fixture
async def api(
    tmp_path: Path, bus: Bus, shared_server: EmbeddedBus, namespace: str
) -> AsyncIterator[RunningApi]:
    settings = api_settings(tmp_path, bus__url=shared_server.url, bus__namespace=namespace)
    async with running_api(settings, bus) as running:
        yield running


@contextlib.asynccontextmanager
async def playing(
    api: RunningApi, plan: CityPlan, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    monkeypatch.setenv(API_VARIABLE, api.url)
    monkeypatch.setenv(KEY_VARIABLE, api.keys[Role.SUPERVISOR])
    stopping = asyncio.Event()
    city = asyncio.create_task(play_city(plan, api.settings, stopping))
    try:
        yield
    finally:
        stopping.set()
        await city


async def until(check: Callable[[], Any], within_s: float = 60.0) -> Any:
    async with asyncio.timeout(within_s):
        while not (found := await check()):  # noqa: ASYNC110 - other processes have no events
            await asyncio.sleep(0.1)
        return found


async def test_it_is_told_what_to_play_and_tells_the_score(
    api: RunningApi, bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "brief.yaml"
    own.write_text(yaml.safe_dump(BRIEF), encoding="utf-8")
    score_file = tmp_path / "score.json"
    plan = CityPlan(0, scenario=str(own), score_file=score_file)
    async with playing(api, plan, monkeypatch):
        first = await until(bus.read_exercise)
        assert (first.name, first.is_playing) == ("brief", True)
        assert first.ends_at is not None

        async def calls() -> list[Any]:
            return [call for call in (await api.store.calls.recent(10, None))[0] if call.exercise]

        async def both() -> bool:
            return len(await calls()) == 2

        # They dial for ten seconds or so: longer than the scenario, within what it waits after.
        await until(both)
        refused = await bus.ask_city(StartScenario(name="quite-night"), 30)
        assert "did you mean quiet-night" in refused.refused
        names = {one.name for one in refused.available}
        assert "quiet-night" in names
        assert "everyday" not in names
        await until(lambda: asyncio.to_thread(score_file.exists), SETTLES_S + 60)
    told = json.loads(score_file.read_text())
    assert told["scenario"] == "brief"
    assert told["totals"]["events"] == 0
    last = await bus.read_exercise()
    assert last is not None
    assert not last.is_playing
    assert json.loads(last.score) == told
    (kept,) = await api.store.exercises.recent(10)
    assert (kept.id, kept.scenario) == (last.exercise_id, "brief")
    assert json.loads(kept.score) == told


async def test_an_exercise_that_is_stopped_is_scored_for_what_it_came_to(
    api: RunningApi, bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "brief.yaml"
    own.write_text(yaml.safe_dump({**BRIEF, "seconds": 600}), encoding="utf-8")
    async with playing(api, CityPlan(0, scenario=str(own)), monkeypatch):
        first = await until(bus.read_exercise)
        assert first.started_at is not None

        async def incident() -> Any:
            listed = await api.store.calls.recent(10, None)
            return listed[0]

        await until(incident)
        since = (datetime.now(UTC) - first.started_at).total_seconds()
        await asyncio.sleep(max(0.0, WORTH_SCORING_S - since))
        stopped = await bus.ask_city(StartScenario(name=None), 30)
        assert not stopped.refused

        async def record() -> Any:
            return await api.store.exercises.recent(10)

        (kept,) = await until(record)
        assert kept.id == first.exercise_id
        assert WORTH_SCORING_S <= json.loads(kept.score)["seconds"] < 600

        async def another() -> Any:
            now = await bus.read_exercise()
            return now is not None and now.is_playing and now.exercise_id != first.exercise_id

        await until(another)
