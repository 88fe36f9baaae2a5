"""Asking the simulated city for a scenario, over a real server."""

from __future__ import annotations

import asyncio

import pytest

from contracts import ScenarioReport, ScenarioSummary, StartScenario
from plumbing.bus import Bus, NoAnswer

QUIET = ScenarioSummary(
    name="quiet-night",
    title="Nothing happens",
    judul="Tidak ada kejadian",
    seconds=180,
    cameras=4,
    events=0,
    conditions="clear night",
)


async def test_a_command_is_followed_and_answered(bus: Bus) -> None:
    taken: list[StartScenario] = []

    async def answer(command: StartScenario) -> ScenarioReport:
        taken.append(command)
        return ScenarioReport(name=command.name or "", is_playing=True, available=(QUIET,))

    city = asyncio.create_task(bus.answer_city(answer))
    try:
        for name in ("quiet-night", None):
            told = await bus.ask_city(StartScenario(name=name, seed=4), 10)
            assert told.is_playing
            assert told.available == (QUIET,)
    finally:
        city.cancel()
        await asyncio.gather(city, return_exceptions=True)
    assert [command.name for command in taken] == ["quiet-night", None]
    assert taken[0].seed == 4


async def test_without_a_city_there_is_no_answer_and_none_is_played_later(bus: Bus) -> None:
    with pytest.raises(NoAnswer, match="no simulated city"):
        await bus.ask_city(StartScenario(name="quiet-night"), 0.2)


async def test_what_the_city_told_last_can_be_read(bus: Bus) -> None:
    assert await bus.read_exercise() is None
    told = ScenarioReport(name="quiet-night", is_playing=False, score='{"totals": {}}')
    await bus.publish_exercise(told)
    assert await bus.read_exercise() == told
