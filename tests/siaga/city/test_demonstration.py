"""A demonstration beside an installation: neither touches the other."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest
from typer.testing import CliRunner

from plumbing.settings import Settings
from siaga.city.demonstration import _for_demonstration
from siaga.cli import app


def test_it_keeps_to_its_folder_whatever_the_installation_has_set(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "database": {"url": "postgresql+asyncpg://siaga@db/siaga"},
            "bus": {"url": "redis://bus:6379/0"},
            "evidence": {"url": "s3+https://store.example.org/city"},
            "cot": {"url": "tcp://tak.example.org:8087"},
        }
    )
    shown = _for_demonstration(settings, tmp_path / "demo", tmp_path / "city.geojson")
    assert str(tmp_path / "demo") in shown.database_url
    assert shown.bus.url is shown.evidence.url is shown.cot.url is None
    assert shown.exercise


@pytest.fixture
def demonstration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A demonstration's folder as its supervisor holds it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIAGA__DATA_DIR", str(tmp_path / "data"))
    folder = tmp_path / "data/demo"
    (folder / "run").mkdir(parents=True)
    return folder


def test_its_incidents_are_those_of_the_running_system(demonstration: Path) -> None:
    with (demonstration / "run/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = CliRunner().invoke(app, ["incidents", "--json"])
        assert result.stdout == '{"incidents": []}\n'
        assert str(demonstration) in result.stderr
        assert (demonstration / "siaga.sqlite3").is_file()
    result = CliRunner().invoke(app, ["incidents", "--json"])
    assert result.stderr == ""


def test_a_key_for_the_installation_says_that_it_is_not_the_demonstrations(
    demonstration: Path,
) -> None:
    with (demonstration / "run/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = CliRunner().invoke(app, ["keys", "issue", "cad"])
    assert result.exit_code == 0
    assert f"SIAGA__DATA_DIR={demonstration}" in result.stderr
