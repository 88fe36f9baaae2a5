"""Starting and stopping exercises, and reading how they went."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import json
from collections.abc import AsyncIterator

import pytest

from contracts import ScenarioReport, ScenarioSummary, StartScenario
from incidents.people.accounts import Role
from tests.support.api import PASSWORD, RunningApi

FLOOD = ScenarioSummary(
    name="spreading-flood",
    title="A flood spreads",
    judul="Banjir meluas",
    seconds=300,
    cameras=6,
    events=1,
    conditions="rain",
)
TRAINEE = {
    "name": "=ani", "acknowledged": 2, "acknowledged_s": 9.5, "verified": 1, "verified_s": 31.0,
    "dispatched": 0, "dispatched_s": None, "right": 1, "believed": 0, "dismissed": 1,
}  # fmt: skip
SCORE = {
    "scenario": "spreading-flood",
    "events": [],
    "totals": {"events": 1, "found": 1},
    "operators": {"acknowledged_s": 9.5, "verified_s": None},
    "trainees": [TRAINEE],
}
RECORD = {
    "id": "exercise-1",
    "scenario": "spreading-flood",
    "title": "A flood spreads",
    "judul": "Banjir meluas",
    "seed": 3,
    "asked_by": "key-supervisor-0",
    "started_at": "2026-11-22T03:00:00Z",
    "ended_at": "2026-11-22T03:05:00Z",
    "score": json.dumps(SCORE),
}


@contextlib.asynccontextmanager
async def city(api: RunningApi) -> AsyncIterator[list[StartScenario]]:
    """A city that does as it is told, as far as the bus can see."""
    taken: list[StartScenario] = []

    async def take(command: StartScenario) -> ScenarioReport:
        taken.append(command)
        known = command.name in (None, FLOOD.name)
        return ScenarioReport(
            name=command.name or "",
            is_playing=known and command.name is not None,
            refused="" if known else f"no scenario {command.name!r}; did you mean spreading-flood?",
            available=(FLOOD,),
        )

    answering = asyncio.create_task(api.bus.answer_city(take))
    await api.bus.publish_exercise(
        ScenarioReport(name="everyday", is_playing=True, available=(FLOOD,))
    )
    try:
        yield taken
    finally:
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)


async def test_a_supervisor_starts_and_stops_what_the_city_offers(own_api: RunningApi) -> None:
    async with city(own_api) as taken, own_api.client() as client:
        offered = (await client.get("/api/v1/exercises")).json()
        assert [one["name"] for one in offered["scenarios"]] == ["spreading-flood"]
        started = await client.post(
            "/api/v1/exercises", json={"scenario": "spreading-flood", "seed": 9}
        )
        assert (started.status_code, started.json()["is_playing"]) == (202, True)
        assert (taken[0].name, taken[0].seed) == ("spreading-flood", 9)
        assert taken[0].asked_by.startswith("key-supervisor")
        stopped = await client.delete("/api/v1/exercises/current")
        assert stopped.status_code == 202
        assert taken[1].name is None
        refused = await client.post("/api/v1/exercises", json={"scenario": "sprading-flood"})
        assert refused.status_code == 422
        assert "did you mean spreading-flood" in refused.json()["errors"][0]["why"]
    async with own_api.client(Role.VIEWER) as viewer:
        current = (await viewer.get("/api/v1/exercises/current")).json()
        assert (current["city"], current["name"], current["is_playing"]) == (True, "everyday", True)
        body = {"scenario": "spreading-flood"}
        assert (await viewer.post("/api/v1/exercises", json=body)).status_code == 403
        assert (await viewer.delete("/api/v1/exercises/current")).status_code == 403
        assert (await viewer.get("/api/v1/exercises")).status_code == 403


async def test_without_a_city_it_says_so(
    own_api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.routes.exercises.CITY_ANSWERS_WITHIN_S", 0.2)
    async with own_api.client() as client:
        current = (await client.get("/api/v1/exercises/current")).json()
        assert (current["city"], current["is_playing"]) == (False, False)
        answer = await client.post("/api/v1/exercises", json={"scenario": "spreading-flood"})
        assert answer.status_code == 503
        assert "siaga demo" in answer.json()["detail"]


async def test_a_record_is_kept_once_and_read_by_person(own_api: RunningApi) -> None:
    async with own_api.client() as client:
        for _ in range(2):
            kept = await client.post("/api/v1/exercises/records", json=RECORD)
            assert kept.status_code == 204
        (listed,) = (await client.get("/api/v1/exercises")).json()["exercises"]
        assert (listed["id"], listed["totals"]["found"]) == ("exercise-1", 1)
        whole = (await client.get("/api/v1/exercises/exercise-1")).json()
        assert whole["score"] == SCORE
        table = await client.get("/api/v1/exercises/exercise-1?as_=csv")
        assert table.headers["content-type"].startswith("application/json")
        table = await client.get("/api/v1/exercises/exercise-1?format=csv")
        (row,) = csv.DictReader(io.StringIO(table.text.lstrip("\ufeff")))
        # A spreadsheet must not take a name for a formula.
        assert (row["name"], row["acknowledged_s"], row["dispatched_s"]) == ("'=ani", "9.5", "")
        assert (await client.get("/api/v1/exercises/exercise-2")).status_code == 404
        actions = [entry.action for entry in (await own_api.store.audit.page(limit=5)).entries]
        assert "exercise.recorded" in actions


async def test_a_score_comes_from_a_machine_and_is_a_score(own_api: RunningApi) -> None:
    async with own_api.client() as client:
        for score in ("no json", "[]", json.dumps({**SCORE, "trainees": [{"name": "ani"}]})):
            body = {**RECORD, "score": score}
            answer = await client.post("/api/v1/exercises/records", json=body)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["field"].startswith("score")
    await own_api.store.accounts.add("wayan", PASSWORD, Role.SUPERVISOR)
    async with own_api.client(None) as person:
        await person.post("/api/v1/session", json={"username": "wayan", "password": PASSWORD})
        headers = {"Origin": own_api.url}
        answer = await person.post("/api/v1/exercises/records", json=RECORD, headers=headers)
        assert answer.status_code == 403
