"""The API killed under load: a small share of `python -m bench.killing`."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.killing import FAULTS, installation, run


@pytest.mark.timeout(400)
async def test_a_killed_api_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    with installation(tmp_path) as settings:
        figures = await run(settings, kills=2, seed=8)
    assert figures["kills"] == 2
    assert figures["acknowledged"] > 0
    assert {name: figures[name] for name in FAULTS} == dict.fromkeys(FAULTS, 0)
    assert figures["audit_broken_at"] is None
