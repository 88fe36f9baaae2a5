"""`siaga users`, `keys` and `audit` as their users call them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from tests.siaga.test_cli import one_line, siaga


def test_accounts_and_keys_leave_a_trail_whose_first_broken_link_is_named(tmp_path: Path) -> None:
    added = siaga(tmp_path, "users", "add", "sari", "--role", "operator", "--camera-group", "Timur")
    assert added.stdout.startswith("user sari   password ")
    issued = siaga(tmp_path, "keys", "issue", "dispatch-1", "--scope", "incidents:read")
    rotated = siaga(tmp_path, "keys", "rotate", "dispatch-1", "--overlap-hours", "1")
    assert issued.stdout.startswith("siaga_")
    assert rotated.stdout.startswith("siaga_")
    assert rotated.stdout != issued.stdout
    shown = json.loads(siaga(tmp_path, "audit", "show", "--json").stdout)["entries"]
    assert [(one["actor"], one["action"], one["subject"]) for one in shown] == [
        ("local", "key.rotated", "dispatch-1"),
        ("local", "key.issued", "dispatch-1"),
        ("local", "account.added", "sari"),
    ]
    verdict = siaga(tmp_path, "audit", "verify")
    assert verdict.stdout.startswith("3 entries from 1: the chain holds\nhead 3:")
    head = verdict.stdout.split()[-1]

    connection = sqlite3.connect(tmp_path / "data" / "siaga.sqlite3")
    with connection:
        connection.execute("DROP TRIGGER audit_keeps")
        connection.execute("UPDATE audit SET actor = 'nobody' WHERE seq = 2")
    connection.close()
    broken = siaga(tmp_path, "audit", "verify", "--head", head, "--json")
    assert json.loads(broken.stdout)["broken_seq"] == 2
    assert "broken at entry 2" in one_line(broken)


def test_what_the_commands_refuse(tmp_path: Path) -> None:
    unknown = one_line(siaga(tmp_path, "keys", "issue", "x", "--scope", "fires:read"))
    assert "incidents:read" in unknown
    assert "no machine key 'x'" in one_line(siaga(tmp_path, "keys", "rotate", "x"))
    assert siaga(tmp_path, "audit", "verify", "--head", "nonsense").returncode == 2
