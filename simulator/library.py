"""Scenarios' files: those that come with Siaga, and any other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from simulator.scenario import (
    Callers,
    CameraPlan,
    CrashPlan,
    DecoyPlan,
    FalseCallPlan,
    FaultPlan,
    FirePlan,
    FloodPlan,
    MapPlan,
    OtherCalls,
    Scenario,
    ScenarioError,
    Spot,
    UnseenPlan,
    WeatherPlan,
    did_you_mean,
)

_FOLDER = Path(__file__).parent / "scenarios"


def library() -> dict[str, Scenario]:
    """The scenarios that come with Siaga, by name."""
    found = (load(path) for path in sorted(_FOLDER.glob("*.yaml")))
    return {scenario.name: scenario for scenario in found}


def named(name: str) -> Scenario:
    """One of the library, or a file by its path.

    Raises:
        ScenarioError: there is none, or it can't be played.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        return load(path)
    within = _FOLDER / f"{name}.yaml"
    names = [found.stem for found in _FOLDER.glob("*.yaml")]
    if name not in names:
        hint = did_you_mean(name, names)
        raise ScenarioError(f"no scenario {name!r}{hint}; `siaga demo --list-scenarios` lists them")
    return load(within)


def load(path: Path) -> Scenario:
    """A scenario's file.

    Raises:
        ScenarioError: it can't be read, or says what can't be.
    """
    try:
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: can't be read: {error}") from error
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path}: is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(plain, dict):
        raise ScenarioError(f"{path}: must hold keys and values, such as name and events")
    try:
        scenario = Scenario.model_validate(plain)
    except ValidationError as error:
        raise ScenarioError(f"{path}: {'; '.join(_told(error))}") from error
    if scenario.map.geojson is not None and not scenario.map.geojson.is_absolute():
        found = scenario.map.model_copy(update={"geojson": path.parent / scenario.map.geojson})
        scenario = scenario.model_copy(update={"map": found})
    return scenario


def _told(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_context=False):
        where = ".".join(str(part) for part in problem["loc"])
        what = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            what = f"unknown key{did_you_mean(str(problem['loc'][-1]), _known_keys())}"
        elif problem["type"] == "union_tag_invalid":
            kind = problem["input"].get("kind", "") if isinstance(problem["input"], dict) else ""
            what = f"unknown kind {kind!r}{did_you_mean(str(kind), _known_kinds())}"
        yield f"{where}: {what}" if where else what


def _known_keys() -> list[str]:
    models: tuple[type[BaseModel], ...] = (
        Scenario, Spot, Callers, FirePlan, CrashPlan, FloodPlan, DecoyPlan, UnseenPlan,
        FalseCallPlan, CameraPlan, FaultPlan, OtherCalls, WeatherPlan, MapPlan,
    )  # fmt: skip
    return sorted({key for model in models for key in model.model_fields})


def _known_kinds() -> list[str]:
    models: tuple[type[BaseModel], ...] = (
        FirePlan, CrashPlan, FloodPlan, DecoyPlan, UnseenPlan, FalseCallPlan,
    )  # fmt: skip
    kinds: list[Any] = [model.model_fields["kind"].annotation for model in models]
    return [kind for literal in kinds for kind in literal.__args__]
