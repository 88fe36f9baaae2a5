"""A seeded share of `python -m tests.hostile`."""

from __future__ import annotations

from pathlib import Path

from plumbing.embedded_bus import EmbeddedBus
from tests.api.intake.test_anything import KEY
from tests.hostile import assault
from tests.support.api import api_in_thread, api_settings


def test_whatever_is_sent_nothing_breaks_and_nothing_is_lost(
    tmp_path: Path, shared_server: EmbeddedBus
) -> None:
    settings = api_settings(tmp_path, calls__aml_key=KEY)
    with api_in_thread(settings, shared_server.url, "hostile") as api:
        figures = assault(api, inputs=150, seed=20261122)
    for fault in ("server_errors", "not_kept", "lost", "gaps_in_log"):
        assert figures[fault] == 0, figures
    assert figures["messages_answered"] > 50
