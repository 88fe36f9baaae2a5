"""The library of scenarios as the console sees it, and a command that names one of them."""

from __future__ import annotations

from contracts import LonLat, ScenarioReport, ScenarioSummary, StartScenario
from simulator.city import City
from simulator.library import library, named
from simulator.scenario import Scenario, ScenarioError


def on_offer() -> tuple[ScenarioSummary, ...]:
    """What may be started, by name: what goes round and round is the city's own everyday."""
    found = sorted(library().values(), key=lambda scenario: scenario.name)
    return tuple(_summary(scenario) for scenario in found if not scenario.repeats)


def ordered(command: StartScenario, centre: LonLat) -> tuple[ScenarioReport, City | None]:
    """The answer to a command, and the city to play; None is the city's own, or nothing new where
    the command was refused.
    """
    offer = on_offer()
    if command.name is None:
        return ScenarioReport(name="", is_playing=False, available=offer), None
    try:
        scenario = named(command.name)
        # A command names one of the library; a path is for those at the machine.
        if command.name not in {one.name for one in offer}:
            raise ScenarioError(f"no scenario {command.name!r}")
        if command.seed is not None:
            scenario = scenario.model_copy(update={"seed": command.seed})
        city = City.of(scenario, centre)
    except ScenarioError as error:
        refused = ScenarioReport(
            name=command.name, is_playing=False, refused=str(error), available=offer
        )
        return refused, None
    report = ScenarioReport(
        name=scenario.name,
        title=scenario.title,
        judul=scenario.judul or scenario.title,
        asked_by=command.asked_by,
        is_playing=True,
        available=offer,
    )
    return report, city


def _summary(scenario: Scenario) -> ScenarioSummary:
    cameras = scenario.cameras
    return ScenarioSummary(
        name=scenario.name,
        title=scenario.title,
        judul=scenario.judul or scenario.title,
        seconds=scenario.seconds,
        cameras=cameras if isinstance(cameras, int) else len(cameras),
        events=len(scenario.events),
        conditions=scenario.conditions,
    )
