"""`siaga users`, `siaga keys` and `siaga audit forget` as scripts call them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from siaga.cli import app


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIAGA__DATA_DIR", str(tmp_path / "data"))


def asked(*arguments: str) -> Any:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_what_is_done_to_an_account_is_told_as_a_document() -> None:
    made = asked("users", "add", "ayu")
    assert made["username"] == "ayu" and len(made["password"]) > 12
    again = asked("users", "password", "ayu")
    assert again["password"] != made["password"]
    assert asked("users", "disable", "ayu") == {"username": "ayu", "enabled": False}
    assert asked("users", "enable", "ayu") == {"username": "ayu", "enabled": True}


def test_what_is_done_to_a_key_is_told_as_a_document() -> None:
    made = asked("keys", "issue", "cad", "--days", "2")
    assert made["name"] == "cad" and made["key"] and made["expires_at"]
    turned = asked("keys", "rotate", "cad")
    assert turned["key"] != made["key"] and turned["expires_at"] is None
    assert asked("keys", "revoke", "cad") == {"name": "cad", "revoked": True}
    assert asked("audit", "forget", "cad")["subject"] == "cad"


def test_a_key_for_longer_than_a_calendar_is_wrong_usage() -> None:
    result = CliRunner().invoke(app, ["keys", "issue", "cad", "--days", "99999999"])
    assert result.exit_code == 2
