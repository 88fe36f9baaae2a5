from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from incidents.people.accounts import Role
from plumbing.embedded_bus import EmbeddedBus
from tests.console.conftest import ADMIN, signed_in
from tests.support.api import PASSWORD, ApiThread, api_in_thread, api_settings


@pytest.fixture(scope="package")
def api(
    tmp_path_factory: pytest.TempPathFactory, shared_server: EmbeddedBus
) -> Iterator[ApiThread]:
    """One system for all of these: each test stays with its own things."""
    settings = api_settings(
        tmp_path_factory.mktemp("admin"), webhooks__allow_private="[127.0.0.0/8]"
    )
    with api_in_thread(settings, shared_server.url, "console-admin") as running:
        running.run(running.api.store.accounts.add(ADMIN, PASSWORD, Role.SUPERVISOR))
        yield running


@pytest.fixture(scope="package")
def page(browser: Browser, api: ApiThread) -> Iterator[Page]:
    """A supervisor's console."""
    with signed_in(browser, api) as page:
        yield page


def go(page: Page, place: str) -> None:
    """Open a screen by its address."""
    page.evaluate("place => { location.hash = '#/' + place }", place)
