"""Axe finds nothing serious on any of these screens, in either language and theme."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from contracts import ExerciseRecord
from tests.api.test_exercises import SCORE
from tests.console.conftest import ADMIN
from tests.console.supervising.conftest import go
from tests.console.supervising.test_exercises import MORE
from tests.support.accessibility import serious_faults
from tests.support.api import ApiThread

pytestmark = pytest.mark.timeout(300)

SCREENS = [
    "reports", "reports/audit", "exercises", "exercises/seen", "admin/accounts", "admin/keys",
    "admin/webhooks", "admin/letters", "admin/learning", "admin/models", "cameras", "cameras/seen",
]  # fmt: skip


@pytest.fixture(scope="module")
def furnished(api: ApiThread) -> None:
    """A camera, an exercise and a receiver to look at."""
    now = datetime.now(UTC)
    record = ExerciseRecord(
        id="seen", scenario="spreading-flood", title="A flood", judul="Banjir", seed=3,
        asked_by=ADMIN, started_at=now, ended_at=now, score=json.dumps(SCORE | MORE),
    )  # fmt: skip
    api.run(api.api.store.exercises.keep(record, actor="city"))
    with api.client() as client:
        place = {"lon": 106.992, "lat": -6.2383}
        camera = {"id": "seen", "name": "Seen", "url": "rtsp://127.0.0.1/seen", "position": place}
        client.post("/api/v1/cameras", json=camera).raise_for_status()
        hook = {"name": "seen", "url": "http://127.0.0.1:9/"}
        client.post("/api/v1/webhooks", json=hook).raise_for_status()


@pytest.fixture(params=[("en", "day"), ("id", "night")], ids=["en", "id"])
def seen(page: Page, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The console in a language and a theme; labels depend on the one, contrast on the other."""
    language, theme = request.param
    root = "document.documentElement"
    if page.evaluate(f"{root}.dataset.theme") != theme:
        page.get_by_test_id("theme").click()
    if page.evaluate(f"{root}.lang") != language:
        page.get_by_test_id("language").click()
    yield page
    if page.evaluate(f"{root}.lang") != "en":
        page.get_by_test_id("language").click()


@pytest.mark.usefixtures("furnished")
def test_axe_finds_nothing_serious(seen: Page) -> None:
    found = {}
    for screen in SCREENS:
        go(seen, screen)
        expect(seen.get_by_text("Starting…").or_(seen.get_by_text("Memulai…"))).to_have_count(0)
        if faults := serious_faults(seen):
            found[screen] = faults
    for button, form in (
        ("account-new", "account-form"),
        ("key-new", "key-form"),
        ("hook-new", "hook-form"),
        ("camera-register", "camera-form"),
    ):
        go(seen, {"account": "admin/accounts", "key": "admin/keys", "hook": "admin/webhooks"}.get(
            button.split("-")[0], "cameras"))  # fmt: skip
        seen.get_by_test_id(button).click()
        expect(seen.get_by_test_id(form)).to_be_visible()
        if faults := serious_faults(seen):
            found[form] = faults
    assert not found
