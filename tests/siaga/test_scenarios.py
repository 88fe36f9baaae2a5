"""`siaga demo`: the library of scenarios, and a score without pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contracts import LonLat
from plumbing.settings import Settings
from siaga.city.rehearsal import rehearse, rehearsed
from siaga.failures import raised_on_purpose
from simulator.city import City
from simulator.library import named
from simulator.scenario import ScenarioError
from tests.siaga.test_cli import siaga


def test_the_library_is_listed(tmp_path: Path) -> None:
    found = siaga(tmp_path, "demo", "--list-scenarios", "--json")
    assert found.returncode == 0, found.stderr
    names = [row["name"] for row in json.loads(found.stdout)["scenarios"]]
    assert {"everyday", "quiet-night", "market-fire"} <= set(names)
    assert len(names) >= 12


def test_a_scenario_that_is_none_is_refused_with_a_hint() -> None:
    with pytest.raises(ScenarioError, match="did you mean market-fire") as caught:
        rehearse(Settings(), "market-fier", None, as_json=False)
    assert raised_on_purpose(caught.value)


@pytest.mark.parametrize(
    ("name", "events", "found"),
    [("quiet-night", 0, 0), ("market-fire", 1, 1), ("false-call", 0, 0)],
)
def test_the_fusion_alone_is_scored(name: str, events: int, found: int) -> None:
    settings = Settings()
    city = City.of(named(name), LonLat(settings.city.lon, settings.city.lat))
    document = json.loads(json.dumps(rehearsed(settings, city)))
    totals = document["totals"]
    assert (totals["events"], totals["found"]) == (events, found)
    assert totals["duplicates"] == 0
    assert totals["false_alarms"] == totals["false_candidates"] == 0
    assert totals["false_calls"] <= (name == "false-call")
    for row in document["events"]:
        assert row["in_region"]["95"]
        assert row["place_error_m"] < 30
    assert document == json.loads(json.dumps(rehearsed(settings, city)))


def test_a_score_that_falls_short_fails_where_that_is_asked_for(tmp_path: Path) -> None:
    right = ("demo", "--scenario", "market-fire", "--score", "--no-pictures", "--strict")
    done = siaga(tmp_path, *right)
    assert done.returncode == 0, done.stderr
    # Whoever is called about by nobody and seen by no camera isn't found.
    missed = tmp_path / "missed.yaml"
    missed.write_text(
        "name: missed\ntitle: A case that nobody tells of\nseconds: 30\n"
        "map: {junctions: 1}\ncameras: 1\nevents:\n"
        "  - {kind: medical, at: {junction: 0, a: 8, b: 5}, starts_s: 5, lasts_s: 20, "
        "callers: {count: 0}}\n",
        encoding="utf-8",
    )
    told = ("demo", "--scenario", str(missed), "--score", "--no-pictures")
    assert siaga(tmp_path, *told).returncode == 0
    done = siaga(tmp_path, *told, "--strict")
    assert done.returncode == 1
    assert "missed fell short: 1 not found" in done.stderr
